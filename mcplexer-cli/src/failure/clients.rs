//! Advice on the configuration files of AI clients.

use mcplexer_clients::{AdoptError, HandOverError, InstallError, InvalidConfig, installable};
use mcplexer_files::exchange::Format;
use mcplexer_home::adoption::Error;

use super::{Failure, can_repeat_among};
use crate::exit_code;
use crate::text::{sanitized, shown, typed};

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
            Error::NotFound {
                ref name,
                ref others,
                ref file,
                ..
            } => {
                return Self::new(error.to_string())
                    .with_meant(name, others.iter().map(String::as_str))
                    .with_hint(format!("mcplexer adopt {} lists what it has", typed(file)))
                    .with_code(exit_code::NOT_FOUND);
            }
            Error::Servers(error) => return Self::from(error),
            Error::HandOver { ref source, .. } => (
                match source {
                    HandOverError::Notation => {
                        "mcplexer server add --from FILE adds its servers; write the one that runs mcplexer connect by hand"
                    }
                    HandOverError::Again => {
                        "rename or remove it in the file, and try again; nothing was changed"
                    }
                    HandOverError::Credential => {
                        "delete it where nothing needs it, such as in a comment; nothing was changed"
                    }
                    _ => "nothing was changed",
                },
                exit_code::USAGE,
            ),
            Error::Disconnected { ref client, .. } => {
                let entry = format!(
                    "\"mcplexer\": {{ \"command\": \"mcplexer\", \"args\": [\"connect\", \"--client\", \"{client}\"] }}"
                );
                return Self::new(error.to_string())
                    .with_hint(format!("put {entry} back among its servers, and try again"))
                    .with_hint("nothing was changed")
                    .with_code(exit_code::USAGE);
            }
            Error::NotRemoved { source, file } => {
                let message = format!(
                    "{} has its servers again, and config.yaml still has them",
                    shown(&file)
                );
                let cause = Self::from(*source);
                return cause.with_hint(message);
            }
            Error::Between { .. } => (
                "delete it if nothing reads it; what is between the servers is kept for --undo",
                exit_code::USAGE,
            ),
            Error::Together { .. } => ("leave out --server", exit_code::USAGE),
            Error::UnknownClient { ref client } => {
                let known: Vec<_> = installable().collect();
                let message = match can_repeat_among(client, known.iter().copied()) {
                    true => sanitized(&error),
                    false => "there is no such client".to_owned(),
                };
                return Self::new(message)
                    .with_meant(&client.to_lowercase(), known.iter().copied())
                    .with_hint(format!("known clients: {}", known.join(", ")))
                    .with_code(exit_code::NOT_FOUND);
            }
            Error::Install { ref source, .. } => match source {
                InstallError::Taken => (
                    "rename or remove that server first; nothing was changed",
                    exit_code::CONFLICT,
                ),
                _ => (
                    "nothing was changed; write the server by hand, as docs/gateway.md shows it",
                    exit_code::USAGE,
                ),
            },
            Error::HandedOver { ref file } => {
                let hint = format!("mcplexer adopt --undo {} puts them back", typed(file));
                return Self::new(error.to_string())
                    .with_hint(hint)
                    .with_code(exit_code::CONFLICT);
            }
            Error::Kept { .. } => (
                "restore that file from a backup, or put the servers back by hand",
                exit_code::TAMPERED,
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
