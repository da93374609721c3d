//! `mcplexer audit …`

mod checkpoint;
mod show;
mod verify;

use serde::Serialize;

use crate::cli::{Audit, Global};
use crate::failure::Failure;
use crate::style::Look;

pub(super) fn run(command: Audit, global: Global) -> Result<(), Failure> {
    match command {
        Audit::Show(arguments) => show::run(&arguments, global),
        Audit::Checkpoint => checkpoint::run(global),
        Audit::Verify { checkpoint, json } => verify::run(checkpoint.as_deref(), json, global),
    }
}

/// Returns the name of an operation or an outcome in the log.
pub(super) fn word(value: impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => "?".to_owned(),
    }
}

/// Returns how the name of an outcome looks.
pub(super) fn outcome_look(word: &str) -> Option<Look> {
    match word {
        "open" | "cancelled" => None,
        "ok" => Some(Look::Good),
        _ => Some(Look::Bad),
    }
}
