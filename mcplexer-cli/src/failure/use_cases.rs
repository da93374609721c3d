//! Advice on failures of the use cases.

use std::path::Path;

use mcplexer_files::config::Problem;
use mcplexer_files::exchange::WriteError;
use mcplexer_home::{Home, backup, config, credentials, export, import, keys, moves};

use super::{Failure, repeated_path};
use crate::exit_code;
use crate::text::{shown, typed};

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
            credentials::Error::NoSecrets { ref scope } => no_secrets(&error, scope.as_str()),
            other => Self::new(other.to_string()),
        }
    }
}

impl From<moves::Error> for Failure {
    fn from(error: moves::Error) -> Self {
        match error {
            moves::Error::Referred { file, what, places } => Self::new(format!(
                "{} refers to {what}: {}",
                shown(&file),
                places.join(", ")
            ))
            .with_hint("write the new name there first, and run it again")
            .with_hint("--leave-references does it nevertheless")
            .with_code(exit_code::USAGE),
            moves::Error::Config(error) => Self::from(error),
            moves::Error::Store(error) => Self::from(error),
            other => Self::new(other.to_string()),
        }
    }
}

impl From<export::Error> for Failure {
    fn from(error: export::Error) -> Self {
        match error {
            export::Error::Store(error) => Self::from(error),
            export::Error::NoSecrets { ref scope } => no_secrets(&error, scope.as_str()),
            export::Error::Unwritable(error) => of_unwritable(&error),
            other => Self::new(other.to_string()),
        }
    }
}

fn of_unwritable(error: &WriteError) -> Failure {
    let (others, what) = match error {
        WriteError::Name { others, .. } => (others.as_slice(), "name"),
        WriteError::Value { others, .. } => (others.as_slice(), "value"),
        _ => (&[][..], "secret"),
    };
    let others: Vec<_> = others.iter().map(|it| format!("--for {it}")).collect();
    let for_one = match others.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        [more @ .., last] => Some(format!("{} or {last}", more.join(", "))),
    };
    let for_one = for_one.map(|it| format!("say which program reads it: {it}"));
    Failure::new(error.to_string())
        .with_hints(for_one)
        .with_hint(format!("--format json and --format yaml take every {what}"))
        .with_code(exit_code::USAGE)
}

fn no_secrets(error: &dyn std::error::Error, scope: &str) -> Failure {
    Failure::new(error.to_string())
        .with_hint(format!("mcplexer secret put {scope} KEY stores one"))
        .with_code(exit_code::NOT_FOUND)
}

impl From<import::Error> for Failure {
    fn from(error: import::Error) -> Self {
        match error {
            import::Error::Config(error) => Self::from(error),
            import::Error::Store(error) => Self::from(error),
            import::Error::Name { place, source } => Self::from(source).at(&place),
            import::Error::NotThere { .. } => Self::new(error.to_string())
                .with_hint("--only and --skip name secrets of the file, as they are written there")
                .with_code(exit_code::NOT_FOUND),
            other => Self::new(other.to_string()),
        }
    }
}

impl From<config::Error> for Failure {
    fn from(error: config::Error) -> Self {
        match error {
            config::Error::Missing { path, source } => {
                let directory = path.parent().unwrap_or(Path::new(""));
                let has_directory = directory == Path::new("") || directory.exists();
                let is_of_home = Home::from_env().is_ok_and(|home| home.config() == path);
                let first = match has_directory {
                    true => "",
                    false => "mcplexer key init && ",
                };
                let file = match repeated_path(&path, "").is_empty() {
                    true => "FILE".to_owned(),
                    false => typed(&path),
                };
                // A shell creates the file behind `>` first, and `config show` does not print into config.yaml.
                let show = match is_of_home {
                    true => format!("mcplexer config show > scopes.yaml && mv scopes.yaml {file}"),
                    false => format!("mcplexer config show > {file}"),
                };
                let shown = repeated_path(&path, "that file");
                Self::new(format!("cannot read {shown}: {source}"))
                    .with_hint(format!("{first}{show} creates one"))
            }
            config::Error::Invalid { path, problems } => of_problems(&path, &problems),
            config::Error::Store(error) => Self::from(error),
            other => Self::new(other.to_string()),
        }
    }
}

/// The name of a project's file, which has a schema of its own.
const PROJECT_FILE: &str = "mcplexer.yaml";

/// Creates a failure with every problem of a configuration, and each hint once.
pub(super) fn of_problems(path: &Path, problems: &[Problem]) -> Failure {
    let name = match path == Path::new("-") {
        true => "standard input".to_owned(),
        false => shown(path),
    };
    let mut hints: Vec<String> = problems.iter().filter_map(config::instead).collect();
    hints.sort();
    hints.dedup();
    if hints.is_empty() {
        let project = match path.file_name().is_some_and(|it| it == PROJECT_FILE) {
            true => " --project",
            false => "",
        };
        hints.push(format!(
            "mcplexer config schema{project} prints what the file may hold"
        ));
    }
    Failure::of_several(problems.iter().map(|it| format!("{name}:{it}")))
        .with_hints(hints)
        .with_code(exit_code::USAGE)
}

impl From<backup::Error> for Failure {
    fn from(error: backup::Error) -> Self {
        const OTHER_WAYS: [&str; 2] = [
            "--identity PATH names the key file that opens it",
            "--recovery-code opens it with the recovery code of the store it was made from",
        ];
        match error {
            backup::Error::NoKey(error) => {
                Self::from(error).with_hints(OTHER_WAYS.map(str::to_owned))
            }
            backup::Error::WrongKey { .. } => Self::new(error.to_string())
                .with_hints(OTHER_WAYS.map(str::to_owned))
                .with_code(exit_code::KEY),
            backup::Error::StoreNotEmpty { .. } => {
                Self::new(error.to_string()).with_code(exit_code::CONFLICT)
            }
            backup::Error::UnknownMaker => Self::new(error.to_string())
                .with_hint(
                    "anybody who knows your public key can make such a file, with values of theirs",
                )
                .with_hint("if you trust where it comes from: --unknown-maker")
                .with_code(exit_code::TAMPERED),
            backup::Error::EarlierMaker => Self::new(error.to_string())
                .with_hint("if you made it yourself, or trust those who could open the store then: --unknown-maker")
                .with_code(exit_code::TAMPERED),
            backup::Error::Store(error) => Self::from(error),
            other => Self::new(other.to_string()),
        }
    }
}

impl From<keys::Error> for Failure {
    fn from(error: keys::Error) -> Self {
        match error {
            keys::Error::NoKeyYet(error) => Self::from(error)
                .with_hint("mcplexer key init creates a key, and so does the first secret"),
            keys::Error::NoRecoveryCode => Self::new(error.to_string())
                .with_hint("anyone with one of its keys can mcplexer key add a new one for you")
                .with_code(exit_code::KEY),
            keys::Error::WhichLost(error) => Self::from(error)
                .with_hint("mcplexer key recover --lost LABEL says which one is lost"),
            keys::Error::Store(error) => Self::from(error),
            other => Self::new(other.to_string()),
        }
    }
}
