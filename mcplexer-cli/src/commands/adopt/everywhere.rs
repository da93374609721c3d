//! `mcplexer adopt` without a file: searches the places where clients keep their configuration.

use mcplexer_clients::{StandardPlace, standard_places};
use mcplexer_home::adoption::{Choice, directories, look, own_program};

use super::{Document, summary, table};
use crate::failure::Failure;
use crate::output::{print, print_json};
use crate::session::Session;
use crate::text::{shown, typed};

pub(super) fn run(choice: &Choice, json: bool, session: &Session) -> Result<(), Failure> {
    let places = standard_places(&directories(|name| std::env::var_os(name)));
    let looked = look(&places, choice, &own_program(), session);
    let mut failed = Ok(());
    for error in looked.failures {
        let failure = session.explain(error);
        failed = Err(Failure::silent(failure.report(&session.context())));
    }
    if json {
        print_json(&Document {
            files: &looked.files,
        })?;
        return failed;
    }
    let blocks = looked.files.iter().map(|report| {
        format!(
            "{} ({})\n{}{}\n",
            shown(&report.file),
            report.client.unwrap_or("a client"),
            table::of(report),
            summary(report)
        )
    });
    print(&blocks.collect::<Vec<_>>().join("\n"))?;
    if looked.files.is_empty() {
        session.tell(&format!(
            "found no MCP servers in the usual places ({})",
            clients(&places)
        ));
        session.hint("mcplexer adopt FILE looks at another file");
    }
    for report in looked.files.iter().filter(|report| report.moved > 0) {
        session.hint(&format!("mcplexer adopt {} --write", typed(&report.file)));
    }
    failed
}

/// Lists the clients whose files were searched for, each once.
fn clients(places: &[StandardPlace]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for place in places {
        if !names.contains(&place.client) {
            names.push(place.client);
        }
    }
    names.join(", ")
}
