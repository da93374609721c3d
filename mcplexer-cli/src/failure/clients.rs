//! Advice on the configuration files of AI clients.

use mcplexer_clients::{AdoptError, InvalidConfig};
use mcplexer_files::exchange::Format;
use mcplexer_home::adoption::Error;

use super::Failure;
use crate::exit_code;
use crate::text::{shown, typed};

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let (hint, code) = match error {
            Error::Store(error) => return Self::from(error),
            Error::Replace(error) => return Self::from(error),
            Error::Adopt(error) => return Self::from(error),
            Error::Credentials(error) => return Self::from(error),
            Error::Plan { file, source } => return Self::from(source).at(&shown(&file)),
            Error::Invalid { ref file, .. } if Format::of_path(file) == Some(Format::Dotenv) => {
                let hint = format!("mcplexer import SCOPE {} stores its secrets", typed(file));
                let failure = Self::new(error.to_string()).with_hint(hint);
                return failure.with_code(exit_code::USAGE);
            }
            Error::Invalid { ref source, .. } => (invalid(source), exit_code::USAGE),
            Error::TooLarge { .. } => (
                "name the configuration file of an AI client",
                exit_code::USAGE,
            ),
            Error::NotFound { .. } => (
                "without --server, --only and --skip it lists what the file has",
                exit_code::NOT_FOUND,
            ),
            Error::NotText { .. } => ("nothing was changed", exit_code::USAGE),
            Error::Busy => ("the file is unchanged; run it again", exit_code::BUSY),
            _ => ("nothing was changed", exit_code::FAILURE),
        };
        Self::new(error.to_string()).with_hint(hint).with_code(code)
    }
}

impl From<AdoptError> for Failure {
    fn from(error: AdoptError) -> Self {
        let code = match error {
            AdoptError::Store(error) => return Self::from(error),
            AdoptError::ReadBack { .. } => exit_code::TAMPERED,
            AdoptError::NoFreeScope { .. } => exit_code::CONFLICT,
            _ => exit_code::USAGE,
        };
        Self::new(error.to_string()).with_code(code)
    }
}

fn invalid(error: &InvalidConfig) -> &'static str {
    match error {
        InvalidConfig::NotUtf8 => "save it as UTF-8",
        InvalidConfig::NoServers { credentials } if credentials.is_empty() => {
            "mcplexer adopt without a file looks where clients keep their configuration"
        }
        InvalidConfig::NoServers { .. } => {
            "mcplexer import stores the secrets of a .env, JSON or YAML file"
        }
        _ => "nothing was changed; the file must be JSON, with or without comments, TOML or YAML",
    }
}
