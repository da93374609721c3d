//! Advice on stores that were moved, or are to be.

use std::path::Path;

use mcplexer_home::STORE_VARIABLE;
use mcplexer_home::transfer::Error;
use mcplexer_secrets::{Error as StoreError, PlaceHas};

use super::Failure;
use crate::exit_code;
use crate::text::word;

/// What to do if the place that the store was moved to is gone.
const LOST: &str =
    "if it is gone for good, with what was changed there: mcplexer store keep --lost";

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Store(error) => Self::from(error),
            Error::NotAsked { source, .. } => Self::from(source).with_hint(LOST),
            Error::Exposed(exposed) => Self::from(mcplexer_home::Error::Exposed(exposed)),
            Error::SamePlace { .. } => Self::new(error.to_string())
                .with_hint(format!(
                    "{STORE_VARIABLE} says where it is; give another place"
                ))
                .with_code(exit_code::USAGE),
            Error::NotMovedAway { .. } => Self::new(error.to_string())
                .with_hint(format!(
                    "if it was moved and is elsewhere now: export {STORE_VARIABLE}=… names where"
                ))
                .with_code(exit_code::USAGE),
            other => Self::new(other.to_string()),
        }
    }
}

/// Returns how to use the store where it was moved to.
pub(crate) fn follow(to: &str) -> String {
    match Path::new(to).is_absolute() {
        true => format!("on the machine that has this file: unset {STORE_VARIABLE}"),
        false => format!("export {STORE_VARIABLE}={}", word(to)),
    }
}

/// Returns what to do about a store that was moved, or cannot be.
pub(super) fn hint(error: &StoreError) -> String {
    let hint = match error {
        StoreError::Moved { to } => return follow(to),
        StoreError::MoveUnfinished => {
            "wait for its end; if it was interrupted, where it was begun: run the same mcplexer store move again, or mcplexer store keep and mcplexer store delete-moved with this place"
        }
        StoreError::Place { has, .. } => match has {
            PlaceHas::OtherStore | PlaceHas::OtherMove | PlaceHas::NoHeader => {
                "nothing was changed; name another place, such as another schema: postgres://…?schema=NAME"
            }
            PlaceHas::SameStore => {
                "to move it from there, name that place with MCPLEXER_STORE; a copy that nobody needs is deleted on its server first"
            }
            PlaceHas::LaterState => "it was changed there: name that place with MCPLEXER_STORE",
            PlaceHas::MoveGivenUp => "mcplexer store keep gives it up here as well",
            PlaceHas::OtherRecords => {
                "nothing was moved: check the disk there, or move it elsewhere"
            }
            PlaceHas::Nothing => "nothing is left to delete there",
            PlaceHas::Gone => LOST,
            _ => "",
        },
        _ => "",
    };
    hint.to_owned()
}
