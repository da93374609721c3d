//! `mcplexer adopt`

mod everywhere;
mod gateway;
mod options;
mod table;
mod undo;

use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::Path;

use mcplexer_clients::Stays;
use mcplexer_home::adoption::{
    Choice, FileReport, Further, Left, adopt, adopt_for_gateway, further, own_program, plan,
    plan_for_gateway,
};
use serde::Serialize;

use crate::cli::{Adopt, Global, Variable};
use crate::failure::Failure;
use crate::output::{print, print_json};
use crate::session::Session;
use crate::text::{count, sanitized, shown, typed};

/// How many secrets of a team are named.
const MOST_SECRETS: usize = 10;
/// A client has read its file before it was changed.
pub(super) const RESTART: &str = "restart the client: it reads its configuration when it starts";

/// The JSON document of every form of the command with a file except `--undo`.
#[derive(Serialize)]
struct Document<'a> {
    files: &'a [FileReport],
}

pub(super) fn run(arguments: &Adopt, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    session.check_output(arguments.file.as_deref())?;
    let keys = |variables: &[Variable]| variables.iter().map(|it| it.0.clone()).collect();
    let choice = Choice {
        servers: arguments.server.clone(),
        only: keys(&arguments.only),
        skip: keys(&arguments.skip),
        allow_arguments: arguments.allow_arguments,
    };
    match &arguments.file {
        None if arguments.places => everywhere::list(arguments.json),
        None => everywhere::run(&choice, arguments.json, &session),
        Some(path) if arguments.undo => undo::run(path, &choice, arguments.json, &session),
        Some(path) => one(path, &choice, arguments, &session),
    }
}

fn one(path: &Path, choice: &Choice, arguments: &Adopt, session: &Session) -> Result<(), Failure> {
    let program = own_program();
    let report = match (arguments.write, arguments.gateway) {
        (true, false) => adopt(path, choice, &program, session),
        (false, false) => plan(path, choice, &program, session),
        (true, true) => adopt_for_gateway(path, choice, &program, session),
        (false, true) => plan_for_gateway(path, choice, &program, session),
    };
    let report = report.map_err(|error| session.explain(error))?;
    session.tell_created();
    if report.has_other_names {
        session.tell(&format!(
            "{} has other names (hard links), which keep the old text",
            shown(path)
        ));
    }
    let printed = match arguments.json {
        true => print_json(&Document {
            files: std::slice::from_ref(&report),
        }),
        false => print(&(table::of(&report) + &gateway::table(&report))),
    };
    printed.map_err(|failure| match report.written {
        true => failure
            .with_hint(format!("{} nevertheless", summary(&report)))
            .with_hint(undo_of(path, choice)),
        false => failure,
    })?;
    if !arguments.json {
        tell(path, choice, &report, session);
    }
    Ok(())
}

fn tell(path: &Path, choice: &Choice, report: &FileReport, session: &Session) {
    session.tell(&summary(report));
    gateway::tell(report, session);
    if report.left > 0 {
        session.tell(&format!("{} in {}", stays(report), shown(path)));
    }
    for_references(report, session);
    if report.gateway.is_none() {
        hint_further(path, choice, report, session);
    }
    if report.moved == 0 && !gateway::moves(report) {
        return;
    }
    if report.tracked {
        for_the_team(path, report, session);
    }
    for variable in session.home().named_by() {
        session.hint(&format!(
            "{variable} is set here; the client needs it too, to find the secrets"
        ));
    }
    let name = typed(path);
    if report.written {
        session.hint(RESTART);
        // What is behind the gateway is put back together.
        let part = Choice::default();
        let choice = if report.gateway.is_some() {
            &part
        } else {
            choice
        };
        session.hint(&undo_of(path, choice));
        if report.moved == 0 {
            return;
        }
        session.hint(
            "the credentials were in plaintext: if the file was ever backed up, synced or committed, replace them too",
        );
    } else {
        let mut options = options::of(choice);
        if report.gateway.is_some() {
            options.push_str(" --gateway");
        }
        session.hint(&format!("mcplexer adopt {name}{options} --write"));
    }
}

/// Says which options move credentials that stay otherwise.
fn hint_further(path: &Path, choice: &Choice, report: &FileReport, session: &Session) {
    if report.left == 0 {
        return;
    }
    // What was written is not found again.
    let moved = if report.written { 0 } else { report.moved };
    let (file, options) = (typed(path), options::of(choice));
    for Further { option, more, .. } in further(path, choice, &own_program(), session, moved) {
        let more = count(more as u64, "credential");
        session.hint(&format!(
            "mcplexer adopt {file}{options} {option} --write moves {more} more"
        ));
    }
}

/// Returns how many credentials stay in a file, in words. Empty if none does.
fn stays(report: &FileReport) -> String {
    let verb = if report.left == 1 { "stays" } else { "stay" };
    match report.left {
        0 => String::new(),
        left => format!("{} {verb} in plaintext", count(left as u64, "credential")),
    }
}

/// Says what the references need that were there before.
fn for_references(report: &FileReport, session: &Session) {
    let (mut missing, mut unresolved) = (BTreeSet::new(), BTreeSet::new());
    for finding in &report.findings {
        match &finding.left {
            Some(Left(Stays::Missing(it))) => {
                missing.insert((&it.scope, &it.name));
            }
            Some(Left(Stays::Unresolved(_))) => {
                unresolved.insert(&finding.server);
            }
            _ => {}
        }
    }
    hint_secrets(&missing, session);
    for server in unresolved {
        session.hint(&format!(
            "start {} with \"command\": \"mcplexer\", \"args\": [\"run\", COMMAND, …]",
            sanitized(server)
        ));
    }
}

/// Says how to store secrets.
fn hint_secrets<S: Display + Ord, K: Display + Ord>(secrets: &BTreeSet<(S, K)>, session: &Session) {
    for (scope, key) in secrets.iter().take(MOST_SECRETS) {
        session.hint(&format!("mcplexer secret put {scope} {key}"));
    }
    if let Some(more) = secrets.len().checked_sub(MOST_SECRETS).filter(|it| *it > 0) {
        session.hint(&format!("… and {more} more"));
    }
}

fn undo_of(path: &Path, choice: &Choice) -> String {
    let (name, servers) = (typed(path), options::servers(choice));
    format!("mcplexer adopt --undo {name}{servers} puts it back")
}

/// Says what colleagues need for a file that git gives them.
fn for_the_team(path: &Path, report: &FileReport, session: &Session) {
    let verb = if report.written {
        "starts"
    } else {
        "is to start"
    };
    let mut needs = vec!["mcplexer in the PATH"];
    if gateway::moves(report) {
        needs.push("these servers in a config.yaml of their own");
    }
    if report.moved > 0 {
        needs.push("these secrets");
    }
    session.tell(&format!(
        "git tracks {}: it {verb} plain mcplexer, so each colleague needs {}",
        shown(path),
        needs.join(" and ")
    ));
    gateway::hint_servers(report, session);
    let secrets: BTreeSet<_> = report
        .findings
        .iter()
        .filter_map(|it| Some((it.scope.as_ref()?, it.key.as_ref()?)))
        .collect();
    hint_secrets(&secrets, session);
}

fn summary(report: &FileReport) -> String {
    let end = match (report.written, report.moved) {
        (true, _) => "moved into the store",
        (false, 0) => "to move; nothing changed",
        (false, _) => "found; nothing changed",
    };
    let servers = match report.moved {
        0 => String::new(),
        _ => format!(" in {}", count(report.servers_moved() as u64, "server")),
    };
    format!(
        "{}{servers} {end}",
        count(report.moved as u64, "credential")
    )
}
