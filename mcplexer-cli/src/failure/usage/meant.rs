//! Guesses what was meant by a command or an option that does not exist.

use std::env;
use std::path::Path;

use clap::Command;
use clap::error::{ContextKind, ErrorKind};
use mcplexer_files::reference::SCHEME;
use mcplexer_home::closest;
use mcplexer_secrets::{ScopeId, SecretName};

use super::{can_repeat, commands_until, repeated, repeated_path, text};
use crate::cli;

/// Commands of other programs, for what this one does without.
const NO_NEED: [&str; 8] = [
    "login", "logout", "signin", "signout", "auth", "unlock", "lock", "session",
];

/// What people type for a command: its name in gh, op, pass, gopass, sops or a shell. A row has the group in which the
/// word is typed, the words, and the command.
const OTHER_WORDS: &[(&str, &[&str], &str)] = &[
    (
        "",
        &["insert", "save", "write", "new", "encrypt"],
        "mcplexer secret put",
    ),
    (
        "",
        &["cat", "print", "reveal", "view", "password"],
        "mcplexer secret get",
    ),
    ("", &["secrets", "item", "items"], "mcplexer secret"),
    ("", &["grep"], "mcplexer secret find"),
    ("", &["unset", "del", "erase"], "mcplexer secret delete"),
    ("", &["vault", "vaults", "scopes"], "mcplexer scope"),
    ("", &["servers", "mcp"], "mcplexer server"),
    ("", &["clients"], "mcplexer client"),
    (
        "",
        &["keys", "recipients", "identity", "updatekeys", "whoami"],
        "mcplexer key",
    ),
    ("", &["keygen"], "mcplexer key init"),
    ("", &["env", "exec-env", "with"], "mcplexer run"),
    (
        "",
        &["exec-file", "template", "render", "fill"],
        "mcplexer inject",
    ),
    ("", &["decrypt", "dump"], "mcplexer export"),
    ("", &["migrate", "takeover"], "mcplexer adopt"),
    (
        "",
        &["start", "daemon", "gateway", "up", "proxy"],
        "mcplexer serve",
    ),
    ("", &["stop", "down"], "mcplexer serve --stop"),
    ("", &["log"], "mcplexer audit show"),
    ("", &["ps", "info"], "mcplexer status"),
    ("", &["web", "dashboard", "open"], "mcplexer ui"),
    ("", &["setup"], "mcplexer init"),
    ("", &["completion"], "mcplexer completions"),
    (
        "secret",
        &[
            "insert", "store", "save", "write", "new", "create", "update",
        ],
        "mcplexer secret put",
    ),
    (
        "secret",
        &["cat", "print", "reveal", "view", "value"],
        "mcplexer secret get",
    ),
    ("secret", &["grep"], "mcplexer secret find"),
    (
        "secret",
        &["unset", "del", "erase"],
        "mcplexer secret delete",
    ),
    ("secret", &["versions", "log"], "mcplexer secret history"),
    (
        "secret",
        &["rollback", "revert", "undo"],
        "mcplexer secret restore",
    ),
    ("secret", &["random", "gen"], "mcplexer secret generate"),
    (
        "scope",
        &["add", "new", "init", "put"],
        "mcplexer scope create",
    ),
    ("scope", &["get", "info", "view"], "mcplexer scope show"),
    ("scope", &["set", "edit"], "mcplexer scope update"),
    ("scope", &["del", "remove"], "mcplexer scope delete"),
    (
        "server",
        &["create", "new", "put", "edit", "update"],
        "mcplexer server add",
    ),
    ("server", &["del", "delete"], "mcplexer server remove"),
    ("server", &["get", "info", "view"], "mcplexer server show"),
    (
        "server",
        &["start", "check", "ping"],
        "mcplexer server test",
    ),
    ("server", &["log"], "mcplexer server logs"),
    ("server", &["status"], "mcplexer status"),
    ("client", &["connect", "setup"], "mcplexer client install"),
    ("client", &["create", "new", "put"], "mcplexer client add"),
    ("client", &["del", "delete"], "mcplexer client remove"),
    (
        "store",
        &["put", "set", "add", "insert", "save", "write"],
        "mcplexer secret put",
    ),
    (
        "store",
        &["migrate", "copy", "transfer"],
        "mcplexer store move",
    ),
    ("store", &["undo", "abort", "cancel"], "mcplexer store keep"),
    (
        "store",
        &["delete", "remove", "rm"],
        "mcplexer store delete-moved",
    ),
    ("key", &["create", "generate", "new"], "mcplexer key init"),
    ("key", &["ls"], "mcplexer key list"),
    ("key", &["rm", "del", "delete"], "mcplexer key remove"),
    (
        "backup",
        &["new", "save", "make", "export"],
        "mcplexer backup create",
    ),
    ("backup", &["load", "import"], "mcplexer backup restore"),
    ("backup", &["check", "test"], "mcplexer backup verify"),
    (
        "audit",
        &["log", "list", "ls", "print", "tail"],
        "mcplexer audit show",
    ),
    ("audit", &["check"], "mcplexer audit verify"),
    (
        "config",
        &["validate", "lint", "verify"],
        "mcplexer config check",
    ),
    (
        "config",
        &["get", "print", "export"],
        "mcplexer config show",
    ),
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

/// Returns the command that a word may mean: one of the same name in another group, such as `secret list` for `list`; one
/// that other programs call so; or one with a similar name.
fn similar_command(word: &str) -> Option<String> {
    let root = cli::whole();
    let path = commands_until(word);
    let group = path
        .iter()
        .try_fold(&root, |group, name| group.find_subcommand(name))?;
    let typed = path.join(" ");
    let full = |names: &[&str]| {
        let path = path.iter().map(String::as_str);
        let words: Vec<_> = ["mcplexer"].into_iter().chain(path).collect();
        [&words, names].concat().join(" ")
    };
    let same = shown(group).find_map(|it| Some((it.get_name(), it.find_subcommand(word)?)));
    if let Some((outer, inner)) = same {
        return Some(full(&[outer, inner.get_name()]));
    }
    let known = OTHER_WORDS
        .iter()
        .find(|(group, words, _)| *group == typed && words.contains(&word));
    if let Some((_, _, command)) = known
        && found(command, &root).is_some()
    {
        return Some(with_next(command, word, &root));
    }
    if let Some(outside) = shown(&root).find(|it| !path.is_empty() && it.get_name() == word) {
        return Some(format!("mcplexer {}", outside.get_name()));
    }
    // It is hidden, since --version does the same.
    let version = group.find_subcommand("version");
    let near = shown(group).chain(version);
    let near = near.map(|it| (strsim::osa_distance(word, it.get_name()), it));
    // Of a short word, nearly everything is left if one letter is another one.
    let most = if word.len() < 6 { 1 } else { 2 };
    let near = near.filter(|(distance, _)| *distance <= most);
    let (_, near) = near.min_by_key(|(distance, _)| *distance)?;
    Some(with_next(&full(&[near.get_name()]), word, &root))
}

/// Adds the word behind a group of commands, if it is one of them: `secret list` for `secrets list`.
fn with_next(command: &str, word: &str, root: &Command) -> String {
    let group = found(command, root);
    let mut behind = env::args_os().skip_while(|it| it != word).skip(1);
    let next = behind.next();
    match group
        .zip(next)
        .and_then(|(group, next)| group.find_subcommand(next))
    {
        Some(next) => format!("{command} {}", next.get_name()),
        None => command.to_owned(),
    }
}

/// Returns the command of these words. `None` if it needs the gateway, and this program has none.
fn found<'a>(command: &str, root: &'a Command) -> Option<&'a Command> {
    let is_name = |it: &&str| !it.is_empty() && !it.starts_with('-');
    let mut names = command.split(' ').skip(1).filter(is_name);
    names.try_fold(root, |group, name| group.find_subcommand(name))
}

fn shown(group: &Command) -> impl Iterator<Item = &Command> {
    group.get_subcommands().filter(|it| !it.is_hide_set())
}

/// Returns the option of the command on the command line that is like a word.
pub(super) fn similar_option(word: &str) -> Option<String> {
    let word = word.strip_prefix("--")?.split('=').next()?;
    let root = cli::whole();
    let path = commands_until("");
    let command = path
        .iter()
        .try_fold(&root, |group, name| group.find_subcommand(name))?;
    let options = command.get_arguments().filter_map(clap::Arg::get_long);
    let option = closest(word, options)?;
    Some(format!("--{option}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn other_words_lead_to_commands_and_are_none_themselves() {
        let root = cli::whole();
        let mut seen = BTreeSet::new();
        for (group, words, command) in OTHER_WORDS {
            let needs_gateway = cfg!(not(feature = "serve"));
            assert!(
                found(command, &root).is_some() || needs_gateway,
                "{command}"
            );
            let typed = found(&format!("mcplexer {group}"), &root);
            for word in *words {
                assert!(
                    typed.unwrap().find_subcommand(word).is_none(),
                    "{group} {word}"
                );
                assert!(seen.insert((group, word)), "{group} {word}");
            }
        }
    }
}
