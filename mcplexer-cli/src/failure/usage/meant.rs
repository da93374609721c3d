//! Guesses what was meant by words that are no command, option or value.

use std::env;
use std::path::Path;

use clap::error::{ContextKind, ErrorKind};
use mcplexer_files::reference::SCHEME;
use mcplexer_secrets::{ScopeId, SecretName};

use super::similar::{similar_command, similar_option};
use super::{can_repeat, commands_until, repeated, repeated_path, text};

/// Commands of other programs, for what this one does without.
const NO_NEED: [&str; 8] = [
    "login", "logout", "signin", "signout", "auth", "unlock", "lock", "session",
];

/// Guesses what was meant.
pub(super) fn meant(error: &clap::Error) -> Option<String> {
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let word = text(error, ContextKind::InvalidSubcommand)?;
            if NO_NEED.contains(&word) {
                return Some("there is nothing to log in to: the key file opens the store, and mcplexer key show shows it".to_owned());
            }
            let similar = similar_command(word)?;
            Some(format!("did you mean {similar}?"))
        }
        // Clap would make a value of it, which none of this command is.
        ErrorKind::UnknownArgument if commands_until("") == ["server", "add"] => {
            let typed = text(error, ContextKind::InvalidArg)?;
            Some(match similar_option(typed) {
                Some(option) => format!("did you mean {option}?"),
                None if typed.starts_with('-') => {
                    "the command and its options go behind --; what else a server can have, such as timeouts, is written into config.yaml"
                        .to_owned()
                }
                None => "the command goes behind --: mcplexer server add NAME -- COMMAND".to_owned(),
            })
        }
        ErrorKind::MissingRequiredArgument if commands_until("") == ["server", "add"] => Some(
            "a server is a COMMAND behind --, or --url URL, or --from FILE of an AI client"
                .to_owned(),
        ),
        #[cfg(feature = "serve")]
        ErrorKind::UnknownArgument
            if commands_until("") == ["serve"]
                && text(error, ContextKind::InvalidArg)
                    .is_some_and(|it| it.starts_with("--port")) =>
        {
            Some(format!("mcplexer serve --http 127.0.0.1:{}", port()))
        }
        ErrorKind::ValueValidation if moves_secret() => secret_in_other_form(),
        ErrorKind::ValueValidation if secret_for_scope(error).is_some() => secret_for_scope(error),
        ErrorKind::ValueValidation if text(error, ContextKind::InvalidArg)? == "<SCOPE>" => {
            let typed = text(error, ContextKind::InvalidValue)?;
            match commands_until(typed).as_slice() {
                [command] if command == "import" => {
                    let file = repeated_path(Path::new(typed), "FILE");
                    Some(format!("mcplexer import SCOPE {file}"))
                }
                _ => swapped(error),
            }
        }
        _ => None,
    }
}

fn moves_secret() -> bool {
    let path = commands_until("");
    let path: Vec<_> = path.iter().map(String::as_str).collect();
    matches!(path.as_slice(), ["secret", "copy" | "move" | "rename"])
}

/// Returns the command that moves a secret, if it was typed in the form of another one: `secret rename A/B C/D`, or
/// `secret move A B C D`. It has the words that are plainly names.
fn secret_in_other_form() -> Option<String> {
    let path = commands_until("");
    let command = path.last()?;
    let words = env::args_os().skip(3).map(|it| it.into_string().ok());
    let words: Option<Vec<_>> = words.collect();
    let words = words?;
    let names: Vec<_> = words.iter().filter(|it| !it.starts_with('-')).collect();
    match (command.as_str(), names.as_slice()) {
        ("rename", [from, to]) => {
            let ((scope, key), (new_scope, new_key)) = (from.split_once('/')?, to.split_once('/')?);
            let ((from, key), (to, other)) = (
                (repeated(scope, "SCOPE"), repeated(key, "KEY")),
                (
                    repeated(new_scope, "NEW_SCOPE"),
                    repeated(new_key, "NEW_KEY"),
                ),
            );
            Some(match scope == new_scope {
                true => format!("mcplexer secret rename {from} {key} {other}"),
                false => format!("mcplexer secret move {from}/{key} {to}/{other}"),
            })
        }
        ("copy" | "move", [from, to]) if !to.contains('/') => {
            let (scope, key) = from.split_once('/')?;
            let is_name = is_key(key) && scope.parse::<ScopeId>().is_ok();
            let is_scope = to.parse::<ScopeId>().is_ok() && can_repeat(to);
            (is_name && is_scope).then(|| format!("mcplexer secret {command} {from} {to}/{key}"))
        }
        ("copy" | "move", [scope, key, new_scope, new_key]) => {
            let (scope, key) = (repeated(scope, "SCOPE"), repeated(key, "KEY"));
            let to = (
                repeated(new_scope, "NEW_SCOPE"),
                repeated(new_key, "NEW_KEY"),
            );
            Some(format!(
                "mcplexer secret {command} {scope}/{key} {}/{}",
                to.0, to.1
            ))
        }
        _ => None,
    }
}

/// Says what is wrong with the word for a secret.
pub(super) fn misnamed(error: &clap::Error) -> Option<String> {
    let argument = text(error, ContextKind::InvalidArg)?;
    let typed = text(error, ContextKind::InvalidValue)?;
    let has_scope = typed.contains('/');
    if argument == "<NEW_KEY>" && has_scope {
        return Some("the new name stands alone, without its scope".to_owned());
    }
    let is_secret = ["<SCOPE/KEY>", "<NEW_SCOPE/KEY>"].contains(&argument);
    if !moves_secret() || !is_secret || has_scope {
        return None;
    }
    let word = match can_repeat(typed) {
        true => typed,
        false => "a word",
    };
    Some(format!("{word} is not SCOPE/KEY: the key is missing"))
}

/// Returns the option or the command for a secret in the place of a scope: `run -s SCOPE/KEY`, `secret list SCOPE/KEY`.
fn secret_for_scope(error: &clap::Error) -> Option<String> {
    let argument = text(error, ContextKind::InvalidArg)?;
    let typed = text(error, ContextKind::InvalidValue)?;
    let (scope, key) = typed
        .strip_prefix(SCHEME)
        .unwrap_or(typed)
        .split_once('/')?;
    if scope.parse::<ScopeId>().is_err() || !can_repeat(scope) || !is_key(key) {
        return None;
    }
    let path = commands_until("");
    let path: Vec<_> = path.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["run"] if argument.starts_with("--scope") => Some(format!(
            "mcplexer run --scope {scope} --only {key} -- COMMAND"
        )),
        ["secret", "list"] if argument == "[SCOPE]" => {
            Some(format!("mcplexer secret list {scope}"))
        }
        _ => None,
    }
}

fn is_key(word: &str) -> bool {
    word.parse::<SecretName>().is_ok() && mcplexer_detect::find_any(word).is_none()
}

/// Returns the port that was given as an option of its own.
#[cfg(feature = "serve")]
fn port() -> String {
    let mut words = env::args().skip_while(|it| !it.starts_with("--port"));
    let first = words.next().unwrap_or_default();
    let given = first.strip_prefix("--port=").map(str::to_owned);
    let port = given.or_else(|| words.next()).unwrap_or_default();
    port.parse::<u16>()
        .map_or_else(|_| "PORT".to_owned(), |it| it.to_string())
}

/// Says that the scope comes first, if the word in its place is one that only a key can be. Repeats nothing that was typed.
pub(super) fn swapped(error: &clap::Error) -> Option<String> {
    let argument = text(error, ContextKind::InvalidArg)?;
    let typed = text(error, ContextKind::InvalidValue)?;
    let path = commands_until("");
    let [group, command] = path.as_slice() else {
        return None;
    };
    let is_key = typed.parse::<SecretName>().is_ok();
    (group == "secret" && argument == "<SCOPE>" && is_key)
        .then(|| format!("the scope comes before the key: mcplexer secret {command} SCOPE KEY"))
}
