//! `mcplexer scan`

mod files;
mod git;
mod staged;

use std::io;
use std::path::{Path, PathBuf};

use mcplexer_mask::MIN_MASKED_LEN;
use mcplexer_mask::Occurrence;
use mcplexer_mask::Scanner;
use mcplexer_secrets::{Credentials, ScopeId, SecretStore};
use serde::Serialize;

use crate::cli::{Global, Scan};
use crate::exit_code;
use crate::failure::Failure;
use crate::output::{count, print, print_json, sanitized, say, shown};
use crate::session::Session;

/// What a search has brought.
#[derive(Debug, Default)]
struct Searched {
    files: u64,
    findings: Vec<Finding>,
    /// What could not be read, and why.
    unread: Vec<String>,
}

#[derive(Debug)]
struct Finding {
    file: PathBuf,
    place: Occurrence,
}

#[derive(Serialize)]
struct Document<'a> {
    files: u64,
    findings: Vec<Row<'a>>,
}

/// A finding in JSON output.
#[derive(Serialize)]
struct Row<'a> {
    file: String,
    line: u64,
    column: u64,
    scope: &'a str,
    key: &'a str,
}

impl<'a> From<&'a Finding> for Row<'a> {
    fn from(it: &'a Finding) -> Self {
        Self {
            file: it.file.to_string_lossy().into_owned(),
            line: it.place.line,
            column: it.place.column,
            scope: it.place.scope.as_str(),
            key: it.place.name.as_str(),
        }
    }
}

pub(super) fn run(scan: &Scan, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let opened = open(&session, &scan.scope)?;
    let secrets: usize = opened.iter().map(|scope| scope.iter().count()).sum();
    let scanner = Scanner::new(opened.iter().flat_map(Credentials::iter));
    drop(opened);
    let looked_for = secrets - scanner.too_short().len();
    if !scanner.too_short().is_empty() {
        session.tell(&format!(
            "not looked for, being shorter than {MIN_MASKED_LEN} bytes: {}",
            scanner.too_short().join(", ")
        ));
    }
    let mut searched = match (secrets, scan.staged) {
        (0, _) => Searched::default(),
        (_, true) => staged::search(scanner)?,
        (_, false) => files::search(&scanner, &scan.paths, scan.no_ignore),
    };
    searched.sort();
    searched.print(scan.json)?;
    if secrets == 0 {
        session.tell(&format!(
            "{} has no secrets, so nothing was looked for",
            shown(&session.home().store())
        ));
        return Ok(());
    }
    session.tell(&format!(
        "searched {} for {}: {}",
        count(searched.files, "file"),
        count(looked_for as u64, "secret"),
        match searched.findings.len() {
            0 if !searched.unread.is_empty() =>
                "none was found, but not all could be read".to_owned(),
            0 => "none is there".to_owned(),
            found => format!("found {}", count(found as u64, "time")),
        }
    ));
    searched.result(&session)
}

/// All secrets of these scopes, or of all scopes if none is named.
fn open(session: &Session, scopes: &[ScopeId]) -> Result<Vec<Credentials>, Failure> {
    let mut scopes = scopes.to_vec();
    if scopes.is_empty() {
        let all = session.store().scopes()?.into_iter();
        scopes.extend(all.filter(|scope| scope.secrets > 0).map(|scope| scope.id));
    }
    scopes.sort();
    scopes.dedup();
    let open = |scope| session.store().credentials_to_scan(scope);
    let opened = scopes.iter().map(open).collect::<Result<_, _>>();
    opened.map_err(|error| session.explain(error))
}

impl Searched {
    /// Takes down how the search of a file has ended.
    fn add(&mut self, file: &Path, result: io::Result<Vec<Occurrence>>) {
        match result {
            Ok(found) => {
                let finding = |place| Finding {
                    file: file.to_owned(),
                    place,
                };
                self.findings.extend(found.into_iter().map(finding));
            }
            Err(error) => self.unread.push(format!("{}: {error}", shown(file))),
        }
    }

    /// In order of path and line, and each secret once a line.
    fn sort(&mut self) {
        let place = |it: &Finding| (it.file.clone(), it.place.line, it.place.column);
        self.findings.sort_by_cached_key(place);
        let secret = |it: &Finding| {
            let Occurrence {
                line, scope, name, ..
            } = it.place.clone();
            (it.file.clone(), line, scope, name)
        };
        let mut told = std::collections::HashSet::new();
        self.findings.retain(|it| told.insert(secret(it)));
        self.unread.sort();
    }

    fn print(&self, json: bool) -> Result<(), Failure> {
        if json {
            let findings = self.findings.iter().map(Row::from).collect();
            return print_json(&Document {
                files: self.files,
                findings,
            });
        }
        let line = |it: &Finding| {
            let Occurrence {
                line, scope, name, ..
            } = &it.place;
            format!("{}:{line}: {scope}/{name}\n", sanitized(it.file.display()))
        };
        print(&self.findings.iter().map(line).collect::<String>())
    }

    fn result(&self, session: &Session) -> Result<(), Failure> {
        for unread in &self.unread {
            say(&format!("mcplexer: error: cannot read {unread}"));
        }
        if !self.findings.is_empty() {
            session.hint("a file may have mcplexer://SCOPE/KEY instead, for mcplexer inject and mcplexer run --env-file");
            return Err(Failure::silent(exit_code::FOUND));
        }
        match self.unread.is_empty() {
            true => Ok(()),
            false => Err(Failure::silent(exit_code::FAILURE)),
        }
    }
}
