//! Advice on environments that cannot be built.

use mcplexer_home::environment::{ChosenKey, Error, NoVariable, Takeover};
use mcplexer_secrets::{Error as StoreError, ScopeId, SecretName};

use super::{Failure, again};
use crate::exit_code;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let (code, hint) = match error {
            Error::Secret(error) => return Self::from(error),
            Error::Unreadable { path, source } => {
                let action = "read";
                return Self::from(StoreError::Io {
                    action,
                    path,
                    source,
                });
            }
            Error::NotOpened { .. } => return Self::new(error.to_string()),
            Error::NothingToPass {
                ref key,
                ref scopes,
            }
            | Error::NothingToRename {
                ref key,
                ref scopes,
            } => (exit_code::NOT_FOUND, list(key, scopes)),
            Error::RenamedAndLeftOut { ref key } => (
                exit_code::NOT_FOUND,
                format!("add {key} to --only, or drop its --rename"),
            ),
            Error::NoVariables { ref secrets } => {
                let first = secrets.first().map(NoVariable::reference);
                let first = first.unwrap_or_default();
                (
                    exit_code::USAGE,
                    again(&["--rename", &format!("{first}=NAME")], "passes it"),
                )
            }
            Error::TakesOver { ref variables } => {
                let names: Vec<_> = variables.iter().map(|it| it.variable.as_str()).collect();
                let hint = again(&["--allow-env", &names.join(",")], "passes it");
                return Self::new(error.to_string())
                    .with_hints(variables.first().and_then(without))
                    .with_hint(hint)
                    .with_code(exit_code::USAGE);
            }
            ref other => (exit_code::USAGE, usage(other).to_owned()),
        };
        Self::new(error.to_string()).with_hint(hint).with_code(code)
    }
}

/// Returns how to run the command without the secret of a scope that would take it over.
fn without(takeover: &Takeover) -> Option<String> {
    let (scope, name) = takeover.origin.split_once('/')?;
    let is_of_scope = scope.parse::<ScopeId>().is_ok() && name.parse::<SecretName>().is_ok();
    is_of_scope.then(|| {
        format!(
            "--only KEY,… without {name} leaves it out; mcplexer secret delete {scope} {name} removes it"
        )
    })
}

fn usage(error: &Error) -> &'static str {
    match error {
        Error::Dotenv { .. } => "put a value of several lines in quotes",
        Error::StdinTwice => "standard input has one file; name the other one",
        Error::Reference { .. } => "mcplexer secret list SCOPE shows the keys of a scope",
        Error::NotCarried { .. } | Error::NulInArgument { .. } => {
            "mcplexer inject writes it into a file"
        }
        Error::RenamedTwice { .. } => "give each secret one --rename",
        Error::Own { .. } => "choose another name",
        _ => "leave one out with --only, or give one another name with --rename SCOPE/KEY=NAME",
    }
}

/// Returns the command that lists the secrets.
fn list(key: &ChosenKey, scopes: &[ScopeId]) -> String {
    let scope = match (&key.scope, scopes) {
        (Some(scope), _) | (None, [scope]) => scope.as_str(),
        _ => "SCOPE",
    };
    format!("mcplexer secret list {scope} shows its keys")
}
