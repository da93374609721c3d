//! `mcplexer scan`

mod document;

use document::Document;
use mcplexer_mask::{Occurrence, Scanner};
use mcplexer_secrets::{Credentials, Purpose, ScopeId, SecretStore, Select};

use crate::cli::{Global, Scan};
use crate::exit_code;
use crate::failure::Failure;
use crate::known;
use crate::output::{print, print_json};
use crate::scan::{Finding, Report, search_files, search_staged};
use crate::session::Session;
use crate::stderr::say_error;
use crate::text::{count, sanitized, shortened, shown};

pub(super) fn run(scan: &Scan, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let opened = open(&session, &scan.scope)?;
    let secrets: usize = opened.iter().map(|scope| scope.iter().count()).sum();
    let mut known = known::Wanted::of(opened.iter());
    let everyday = known.take_everyday();
    let scanner = Scanner::new(known.known);
    drop(opened);
    let looked_for = secrets - scanner.too_short().len() - everyday.len();
    for line in known::left_out("skipped", scanner.too_short(), &everyday) {
        session.tell(&line);
    }
    let report = match (secrets, scan.staged) {
        (0, _) => Report::default(),
        (_, true) => search_staged(scanner)?,
        (_, false) => search_files(&scanner, &scan.paths, scan.no_ignore),
    };
    show(&report, scan.json)?;
    if secrets == 0 {
        let store = shown(&session.home().store());
        session.tell(&format!("{store} has no secrets to look for"));
        return Ok(());
    }
    let files = count(report.files, "file");
    let looked_for = count(looked_for as u64, "secret");
    let outcome = outcome(&report);
    session.tell(&format!("{files}, {looked_for}: {outcome}"));
    result(&report, &session)
}

/// Opens all secrets of these scopes, or of all scopes if none is given.
fn open(session: &Session, scopes: &[ScopeId]) -> Result<Vec<Credentials>, Failure> {
    let mut scopes = scopes.to_vec();
    if scopes.is_empty() {
        let all = session.store().scopes()?.into_iter();
        scopes.extend(all.filter(|scope| scope.secrets > 0).map(|scope| scope.id));
    }
    scopes.sort();
    scopes.dedup();
    let open = |scope| {
        let store = session.store();
        store.credentials(scope, Select::All, Purpose::Scan)
    };
    let opened = scopes.iter().map(open).collect::<Result<_, _>>();
    opened.map_err(|error| session.explain(error))
}

fn show(report: &Report, json: bool) -> Result<(), Failure> {
    if json {
        return print_json(&Document::of(report)?);
    }
    let line = |it: &Finding| {
        let Occurrence { line, label, .. } = &it.place;
        format!("{}:{line}: {label}\n", sanitized(it.file.display()))
    };
    print(&report.findings.iter().map(line).collect::<String>())
}

fn outcome(report: &Report) -> String {
    match report.findings.len() {
        0 if !report.unread.is_empty() => "no match, but not everything could be read".to_owned(),
        0 => "no match".to_owned(),
        1 => "1 match".to_owned(),
        found => format!("{found} matches"),
    }
}

/// Prints which files could not be read and what to do about matches. Fails if there are any.
fn result(report: &Report, session: &Session) -> Result<(), Failure> {
    for unread in &report.unread {
        say_error(&format!("cannot read {}", shortened(unread)));
    }
    if !report.findings.is_empty() {
        session.hint("put mcplexer://SCOPE/KEY in the file instead, and use it with mcplexer inject or mcplexer run --env-file");
        return Err(Failure::silent(exit_code::FOUND));
    }
    match report.unread.is_empty() {
        true => Ok(()),
        false => Err(Failure::silent(exit_code::FAILURE)),
    }
}
