//! `mcplexer adopt`

mod client_file;
mod report;
mod undo;

use std::collections::HashSet;
use std::path::Path;

use client_file::ClientFile;
use mcplexer_clients::{Adoption, standard_places};
use mcplexer_home::{HOME_VARIABLE, IDENTITY_VARIABLE, KEY_VARIABLE};
use mcplexer_secrets::{Error, FileReplacement};

use crate::cli::{Adopt, Global};
use crate::exit_code;
use crate::failure::Failure;
use crate::output::{count, print, print_json, shown, typed};
use crate::session::Session;

/// How often a plan is made anew when others store under the same names meanwhile.
const ATTEMPTS: usize = 20;

pub(super) fn run(adopt: &Adopt, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    match &adopt.file {
        None => everywhere(adopt, &session),
        Some(path) if adopt.undo => undo::run(path, adopt, &session),
        Some(path) => one(path, adopt, &session),
    }
}

fn one(path: &Path, adopt: &Adopt, session: &Session) -> Result<(), Failure> {
    // What cannot be replaced is known before anything is stored.
    let replacement = match adopt.write {
        true => Some(FileReplacement::begin(path)?),
        false => None,
    };
    let file = ClientFile::read(path)?;
    file.check_names(adopt)?;
    let mut adoption = file.plan(adopt, session)?;
    let is_written = match replacement.filter(|_| adoption.moved() > 0) {
        None => false,
        Some(replacement) => {
            store(&mut adoption, &file, adopt, session)?;
            if replacement.has_other_names() {
                session.tell(&format!(
                    "{} has other names (hard links), which keep the old text",
                    file.name
                ));
            }
            replacement.write_over(&file.bytes, adoption.text())?;
            true
        }
    };
    if adopt.json {
        return print_json(&report::Document::of(vec![
            file.report(None, &adoption, is_written),
        ]));
    }
    print(&report::table(&adoption))?;
    tell(path, &adoption, is_written, session);
    Ok(())
}

/// Stores what is to be moved. If somebody else has meanwhile stored another value under one of the
/// names, it goes to other scopes.
fn store(
    adoption: &mut Adoption,
    file: &ClientFile,
    adopt: &Adopt,
    session: &Session,
) -> Result<(), Failure> {
    for _ in 0..ATTEMPTS {
        match adoption.store(&session.store()) {
            Err(Error::Conflicts { .. }) => *adoption = file.plan(adopt, session)?,
            stored => {
                stored.map_err(|error| session.explain(error))?;
                session.tell_created();
                return Ok(());
            }
        }
    }
    Err(
        Failure::new("others keep changing the scopes of these servers")
            .with_hint("the file is as it was; run it again")
            .with_code(exit_code::BUSY),
    )
}

fn tell(path: &Path, adoption: &Adoption, is_written: bool, session: &Session) {
    session.tell(&summary(adoption, is_written));
    let left = adoption.left() as u64;
    if left > 0 {
        let verb = if left == 1 { "stays" } else { "stay" };
        session.tell(&format!(
            "{} {verb} in plaintext in {}",
            count(left, "credential"),
            shown(path)
        ));
    }
    if adoption.moved() == 0 {
        return;
    }
    for variable in [HOME_VARIABLE, KEY_VARIABLE, IDENTITY_VARIABLE] {
        if std::env::var_os(variable).is_some_and(|value| !value.is_empty()) {
            session.hint(&format!(
                "{variable} is set here; the client must have it, too, to find the secrets"
            ));
        }
    }
    let name = typed(path);
    if is_written {
        session.hint(&format!("mcplexer adopt --undo {name} puts it back"));
        session.hint(
            "the file had them in plaintext: if it was ever backed up, synced or committed, replace the tokens, too",
        );
    } else {
        session.hint(&format!("mcplexer adopt {name} --write"));
    }
}

fn summary(adoption: &Adoption, is_written: bool) -> String {
    let moved = adoption.moved();
    let end = match (is_written, moved) {
        (true, _) => "moved into the store",
        (false, 0) => "to move; nothing changed",
        (false, _) => "found; nothing changed",
    };
    let servers = match moved {
        0 => String::new(),
        _ => format!(" in {}", count(adoption.servers() as u64, "server")),
    };
    format!("{}{servers} {end}", count(moved as u64, "credential"))
}

/// Looks where clients keep their configuration. What cannot be read is told, and the others are
/// looked at.
fn everywhere(adopt: &Adopt, session: &Session) -> Result<(), Failure> {
    let (mut files, mut failed) = (Vec::new(), None);
    let mut seen = HashSet::new();
    for place in standard_places(|name| std::env::var_os(name)) {
        // The working directory may be the home directory.
        let path = place.path.canonicalize();
        if !path.is_ok_and(|path| seen.insert(path)) {
            continue;
        }
        let planned = ClientFile::read_if_config(&place.path).and_then(|file| match file {
            None => Ok(None),
            Some(file) => file.plan(adopt, session).map(|plan| Some((file, plan))),
        });
        match planned {
            Ok(None) => {}
            Ok(Some((file, adoption))) => files.push((file, place, adoption)),
            Err(failure) => {
                failed = Some(Failure::silent(failure.report(&session.context())));
            }
        }
    }
    if adopt.json {
        let reports = files.iter();
        let reports = reports.map(|(file, it, plan)| file.report(Some(it.client), plan, false));
        print_json(&report::Document::of(reports.collect()))?;
        return failed.map_or(Ok(()), Err);
    }
    let blocks = files.iter().map(|(file, place, adoption)| {
        format!(
            "{} ({})\n{}{}\n",
            file.name,
            place.client,
            report::table(adoption),
            summary(adoption, false)
        )
    });
    print(&blocks.collect::<Vec<_>>().join("\n"))?;
    if files.is_empty() {
        session.tell("no client has tool servers where clients keep their configuration");
        session.hint("mcplexer adopt FILE looks at another file");
    }
    for (_, place, adoption) in &files {
        if adoption.moved() > 0 {
            session.hint(&format!("mcplexer adopt {} --write", typed(&place.path)));
        }
    }
    failed.map_or(Ok(()), Err)
}
