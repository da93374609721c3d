//! `mcplexer adopt --undo`

use std::path::Path;

use mcplexer_home::adoption::{Choice, undo};

use super::RESTART;
use crate::failure::Failure;
use crate::output::print_json;
use crate::session::Session;
use crate::text::{count, sanitized, shown};

pub(super) fn run(
    path: &Path,
    choice: &Choice,
    json: bool,
    session: &Session,
) -> Result<(), Failure> {
    let report = undo(path, choice, session);
    let report = report.map_err(|error| session.explain(error))?;
    if json {
        return print_json(&report).map_err(|failure| match report.changed {
            true => failure.with_hint(format!("{} was put back nevertheless", shown(path))),
            false => failure,
        });
    }
    let name = shown(path);
    let behind = report.removed.len() + report.in_config.len();
    if !report.changed && behind == 0 {
        session.tell(&format!("nothing in {name} was adopted; nothing changed"));
        return Ok(());
    }
    if behind > 0 {
        session.tell(&format!(
            "put {} back into {name}",
            count(behind as u64, "server")
        ));
    }
    let verb = match report.servers.len() {
        1 => "starts",
        _ => "start",
    };
    if report.values > 0 || behind == 0 {
        session.tell(&format!(
            "put {} back into {name}, in plaintext; {} {verb} without mcplexer again",
            count(report.values as u64, "value"),
            count(report.servers.len() as u64, "server"),
        ));
    }
    for server in &report.in_config {
        session.tell(&format!(
            "{} stays in config.yaml too: {}",
            server.name, server.reason
        ));
    }
    for server in &report.kept {
        session.tell(&format!(
            "{} still starts through mcplexer run, which has options of its own there",
            sanitized(server)
        ));
    }
    session.hint(RESTART);
    session.hint("the secrets stay in the store too; mcplexer secret delete removes one");
    Ok(())
}
