//! Advice on the use-cases.

use mcplexer_home::credentials;

use super::Failure;
use crate::exit_code;

impl From<credentials::Error> for Failure {
    fn from(error: credentials::Error) -> Self {
        match error {
            credentials::Error::Store { place, source } => {
                let failure = Self::from(source);
                match place {
                    Some(place) => failure.at(&place),
                    None => failure,
                }
            }
            credentials::Error::NoSecrets { ref scope } => Self::new(error.to_string())
                .with_hint(format!("mcplexer secret put {scope} KEY stores one"))
                .with_code(exit_code::NOT_FOUND),
            other => Self::new(super::chain(&other)),
        }
    }
}
