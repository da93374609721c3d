//! `mcplexer adopt` without a file: searches the places where clients keep their configuration.

use std::collections::{BTreeMap, BTreeSet};

use mcplexer_clients::{StandardPlace, standard_places};
use mcplexer_home::adoption::{Choice, by_client, directories, look, own_program};
use serde::Serialize;

use super::{hint_further, options, stays, summary, table};
use crate::failure::Failure;
use crate::output::{print, print_json};
use crate::session::Session;
use crate::table::whole;
use crate::text::{count, shortened, shown, typed};

/// The JSON document of `--places`.
#[derive(Serialize)]
struct Places {
    places: BTreeMap<&'static str, Vec<String>>,
}

fn usual() -> Vec<StandardPlace> {
    standard_places(&directories(|name| std::env::var_os(name)))
}

pub(super) fn list(json: bool) -> Result<(), Failure> {
    let places = by_client(&usual());
    if json {
        return print_json(&Places { places });
    }
    let rows = places.iter().flat_map(|(client, files)| {
        let files = files.iter();
        files.map(|file| vec![(*client).to_owned(), shortened(file)])
    });
    print(&whole(&rows.collect::<Vec<_>>()))
}

pub(super) fn run(choice: &Choice, json: bool, session: &Session) -> Result<(), Failure> {
    let mut looked = look(&usual(), choice, &own_program(), session);
    let mut failed = Ok(());
    for error in std::mem::take(&mut looked.failures) {
        let failure = session.explain(error);
        failed = Err(Failure::silent(failure.report(&session.context())));
    }
    if json {
        print_json(&looked)?;
        return failed;
    }
    let blocks = looked.files.iter().map(|report| {
        let stays = match stays(report) {
            none if none.is_empty() => none,
            some => format!("{some}\n"),
        };
        format!(
            "{} ({})\n{}{}\n{stays}",
            shown(&report.file),
            report.client.unwrap_or("a client"),
            table::of(report),
            summary(report)
        )
    });
    print(&blocks.collect::<Vec<_>>().join("\n"))?;
    for other in &looked.without_servers {
        let lines = BTreeSet::from_iter(&other.lines);
        let lines: Vec<_> = lines.into_iter().map(ToString::to_string).collect();
        session.tell(&format!(
            "{} ({}) has no MCP servers, but {} ({} {})",
            shown(&other.file),
            other.client,
            count(other.lines.len() as u64, "credential"),
            if lines.len() == 1 { "line" } else { "lines" },
            lines.join(", "),
        ));
    }
    session.tell(&format!(
        "looked in {} for {}",
        count(looked.count() as u64, "place"),
        count(looked.places.len() as u64, "client"),
    ));
    session.hint("mcplexer adopt --places lists them");
    if looked.files.is_empty() {
        session.tell("found no MCP servers there");
        session.hint("mcplexer adopt FILE looks at another file");
    }
    for report in looked.files.iter().filter(|report| report.moved > 0) {
        let options = options::of(&options::in_file(choice, report));
        let file = typed(&report.file);
        session.hint(&format!("mcplexer adopt {file}{options} --write"));
    }
    for report in &looked.files {
        hint_further(
            &report.file,
            &options::in_file(choice, report),
            report,
            session,
        );
    }
    failed
}
