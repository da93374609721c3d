//! `mcplexer key accept`

use mcplexer_home::keys::{AcceptReport, accept};

use super::short;
use crate::cli::Global;
use crate::failure::Failure;
use crate::output::print_json;
use crate::session::Session;
use crate::text::{Ago, sanitized, shortened};

pub(super) fn run(older: bool, json: bool, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let accepted = accept(&session, older).map_err(|error| session.explain(error))?;
    if json {
        return print_json(&accepted);
    }
    for line in lines(&accepted) {
        session.tell(&sanitized(line));
    }
    session.hint("mcplexer key remove KEY removes a key that should not open it");
    Ok(())
}

/// Says what was accepted, and who can open it.
fn lines(accepted: &AcceptReport) -> Vec<String> {
    let AcceptReport { label, by, .. } = accepted;
    let mut lines = vec![match accepted.refused {
        Some(_) => format!(
            "accepted the store as {label}; {by} encrypted it to this key {}",
            Ago(accepted.at)
        ),
        None => format!("{label} had accepted the store already"),
    }];
    if let Some(reason) = &accepted.refused {
        lines.push(format!(
            "it was refused here until now: {}",
            shortened(reason)
        ));
    }
    let keys = accepted.keys.iter();
    lines.extend(keys.map(|key| format!("{} ({}) opens it", key.label, short(&key.recipient))));
    lines
}
