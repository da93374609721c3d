//! Commands and options that are like a word.

use std::env;

use clap::Command;
use mcplexer_home::closest;

use super::commands_until;
use crate::cli;

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

/// Returns the command that a word may mean: one of the same name in another group, such as `secret list` for `list`; one
/// that other programs call so; or one with a similar name.
pub(super) fn similar_command(word: &str) -> Option<String> {
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
