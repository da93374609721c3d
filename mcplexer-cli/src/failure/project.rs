//! Advice on projects.

use mcplexer_home::project::Error;
use mcplexer_secrets::Error as StoreError;

use super::Failure;
use super::use_cases::of_problems;
use crate::exit_code;
use crate::text::{shown, typed};

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Unreadable { path, source } => Self::from(StoreError::Io {
                action: "read",
                path,
                source,
            }),
            Error::Exposed { path, is_own } => {
                let hint = match is_own {
                    true => format!("chmod go-w {}", typed(&path)),
                    false => "it belongs to somebody else: make a copy of your own".to_owned(),
                };
                Self::new(format!("{} can be changed by other users", shown(&path)))
                    .with_hint(hint)
                    .with_code(exit_code::KEY)
            }
            Error::Outside { path } => Self::new(format!(
                "{} is not in the project's directory",
                shown(&path)
            ))
            .with_hint("a link leads out of it: name a file in it")
            .with_code(exit_code::USAGE),
            Error::Invalid { path, problems } => of_problems(&path, &problems),
            Error::Dotenv { path, source } => Self::new(format!("{}, {source}", shown(&path)))
                .with_hint("put a value of several lines in quotes")
                .with_code(exit_code::USAGE),
            Error::NoProfile { path, name, known } => {
                let hint = match known.is_empty() {
                    true => {
                        "it has none: leave out --profile, and unset MCPLEXER_PROFILE".to_owned()
                    }
                    false => format!("it has {}", known.join(", ")),
                };
                Self::new(format!("{} has no profile {name}", shown(&path)))
                    .with_hint(hint)
                    .with_code(exit_code::NOT_FOUND)
            }
            Error::NotTrusted { path, was_changed } => {
                let message = match was_changed {
                    true => "was changed since you trusted it",
                    false => "is not trusted",
                };
                let directory = typed(path.parent().unwrap_or(&path));
                Self::new(format!("{} {message}", shown(&path)))
                    .with_hint(format!(
                        "mcplexer trust --show {directory} shows what it gives to commands"
                    ))
                    .with_hint(format!("mcplexer trust {directory} trusts it as it is now"))
                    .with_code(exit_code::DECLINED)
            }
            Error::List { path, source } => {
                Self::new(format!("cannot use {}: {source}", shown(&path)))
                    .with_hint("it lists the projects that you trust; without it, none is trusted")
            }
            other => Self::new(other.to_string()),
        }
    }
}
