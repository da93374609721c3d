//! What to do about an environment that cannot be built.

use mcplexer_secrets::{Error, ScopeId, ScopeKind};

use super::Failure;
use crate::environment::{ChosenKey, EnvironmentError};
use crate::exit_code;

impl From<EnvironmentError> for Failure {
    fn from(error: EnvironmentError) -> Self {
        use EnvironmentError as E;
        let code = match &error {
            E::Unreadable { .. } | E::NotOpened { .. } => exit_code::FAILURE,
            E::NothingToPass { .. } | E::NothingToRename { .. } | E::RenamedAndLeftOut { .. } => {
                exit_code::NOT_FOUND
            }
            _ => exit_code::USAGE,
        };
        let failure = match error {
            E::Unreadable { path, source } => {
                let action = "read";
                return Self::from(Error::Io {
                    action,
                    path,
                    source,
                });
            }
            E::Secret(error) => return Self::from(error),
            E::Dotenv { path, source } => Self::new(format!("{}, {source}", path.display()))
                .with_hint("put a value of several lines in quotes"),
            E::Reference { place, source } => Self::new(source.to_string())
                .at(&place)
                .with_hint("mcplexer secret list SCOPE shows the keys of a scope"),
            E::NotOpened { place } => {
                Self::new("a reference was left out; nothing was done").at(&place)
            }
            E::NotCarried { place, reason } => Self::new(reason.to_string())
                .at(&place)
                .with_hint("mcplexer inject writes it into a file"),
            E::NotAVariable { scope, name, kind } => {
                let article = match kind {
                    ScopeKind::Header => "a",
                    _ => "an",
                };
                Self::new(format!(
                    "{scope} is {article} {kind} scope: {name} needs --rename {name}=NAME, or --only to leave it out"
                ))
                .with_hint("only secrets of an env scope have a variable of their own")
            }
            E::NothingToPass { key, scopes } => {
                let message = format!("{} secret {key} to pass", have(&scopes));
                Self::new(message).with_hint(list(&key, &scopes))
            }
            E::NothingToRename { key, scopes } => {
                let message = format!("{} secret {key} to rename", have(&scopes));
                Self::new(message).with_hint(list(&key, &scopes))
            }
            E::RenamedAndLeftOut { key } => {
                Self::new(format!("--rename names {key}, which --only leaves out"))
                    .with_hint(format!("add {key} to --only, or drop its --rename"))
            }
            E::RenamedTwice { scope, name } => {
                Self::new(format!("{scope}/{name} is renamed twice"))
                    .with_hint("give each secret one --rename")
            }
            E::Own { variable, origin } => {
                Self::new(format!("{variable} is mcplexer's own, and not passed on"))
                    .at(&origin)
                    .with_hint("choose another name")
            }
            E::SetTwice {
                variable,
                first,
                second,
            } => Self::new(format!(
                "{variable} is set twice: by {first} and by {second}"
            ))
            .with_hint(
                "leave one out with --only, or give one another name with --rename SCOPE/KEY=NAME",
            ),
        };
        failure.with_code(code)
    }
}

/// `demo has no`, or `none of a, b has a`.
fn have(scopes: &[ScopeId]) -> String {
    match scopes {
        [scope] => format!("{scope} has no"),
        _ => {
            let scopes: Vec<_> = scopes.iter().map(ScopeId::as_str).collect();
            format!("none of {} has a", scopes.join(", "))
        }
    }
}

/// The command that lists what there is.
fn list(key: &ChosenKey, scopes: &[ScopeId]) -> String {
    let scope = match (&key.scope, scopes) {
        (Some(scope), _) | (None, [scope]) => scope.as_str(),
        _ => "SCOPE",
    };
    format!("mcplexer secret list {scope} shows its keys")
}
