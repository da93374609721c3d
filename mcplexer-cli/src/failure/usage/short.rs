//! The usage of a command with its options in short.

use std::io;

use clap::{Arg, ArgAction, Command};
use rustix::termios::tcgetwinsize;

use crate::cli;
use crate::text::wrapped;

/// The width where there is no terminal.
const WIDTH: usize = 100;
/// What clap writes for the options.
const OPTIONS: &str = "[OPTIONS]";

/// Returns the usage of the command at a path, in lines that fit the terminal.
pub(super) fn usage(path: &[String]) -> Option<Box<str>> {
    let mut root = cli::whole();
    let command = path
        .iter()
        .try_fold(&mut root, |group, name| group.find_subcommand_mut(name))?;
    let is_root = path.is_empty();
    Some(of(command, is_root, width()).into())
}

fn width() -> usize {
    let size = tcgetwinsize(io::stderr()).ok();
    let columns = size.map(|it| usize::from(it.ws_col));
    columns.filter(|&it| it >= 40).unwrap_or(WIDTH)
}

/// Returns the usage of a command. That of a group names its commands; the root has too many for that.
fn of(command: &mut Command, is_root: bool, width: usize) -> String {
    let usage = command.render_usage().to_string();
    let is_group = command.has_subcommands();
    let options: Vec<_> = command
        .get_arguments()
        .filter(|it| is_own(it))
        .filter_map(option)
        .collect();
    let mut words = Vec::new();
    for word in usage.split_whitespace() {
        match word {
            // There are no others than those that all commands have.
            OPTIONS if is_group || options.is_empty() => {}
            OPTIONS => words.extend(options.iter().cloned()),
            "<COMMAND>" if is_group && !is_root => words.extend(names(command)),
            word => words.push(word.to_owned()),
        }
    }
    wrapped(&words, width)
}

/// Returns the names of the commands of a group, with a line between them.
fn names(group: &Command) -> Vec<String> {
    let shown = group.get_subcommands();
    let shown = shown.filter(|it| !it.is_hide_set() && it.get_name() != "help");
    let names = shown.flat_map(|it| ["|".to_owned(), it.get_name().to_owned()]);
    names.skip(1).collect()
}

/// Whether an option is one of this command alone.
fn is_own(argument: &Arg) -> bool {
    let prints = matches!(
        argument.get_action(),
        ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong | ArgAction::Version
    );
    !argument.is_positional() && !argument.is_global_set() && !argument.is_hide_set() && !prints
}

/// Returns an option with what it takes: `[--last <N>]`.
fn option(argument: &Arg) -> Option<String> {
    let name = argument.get_long()?;
    let takes_value = argument.get_action().takes_values();
    let value = argument.get_value_names().filter(|_| takes_value);
    let value = value.and_then(|names| names.first());
    let is_optional = argument.is_require_equals_set();
    let text = match value {
        Some(value) if is_optional => format!("--{name}[=<{value}>]"),
        Some(value) => format!("--{name} <{value}>"),
        None => format!("--{name}"),
    };
    // The usage has those that are required.
    (!argument.is_required_set()).then(|| format!("[{text}]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(path: &[&str], width: usize) -> String {
        let mut root = cli::whole();
        let command = path
            .iter()
            .try_fold(&mut root, |it, name| it.find_subcommand_mut(name));
        of(command.unwrap(), path.is_empty(), width)
    }

    #[test]
    fn options_are_named_with_what_they_take() {
        assert_eq!(
            short(&["secret", "list"], 200),
            "Usage: mcplexer secret list [--all] [--long] [--utc] [--expiring <WHEN>] [--json] [SCOPE]"
        );
        assert_eq!(
            short(&["secret", "list"], 60),
            "Usage: mcplexer secret list [--all] [--long] [--utc]\n    [--expiring <WHEN>] [--json] [SCOPE]"
        );
        let get = short(&["secret", "get"], 200);
        assert!(get.contains(" [--clip[=<WHERE>]] "), "{get}");
        let restore = short(&["secret", "restore"], 100);
        assert_eq!(restore.matches("--version <N>").count(), 1, "{restore}");
        assert_eq!(
            short(&["audit"], 100),
            "Usage: mcplexer audit show | checkpoint | verify"
        );
        assert_eq!(short(&[], 100), "Usage: mcplexer <COMMAND>");
        assert_eq!(short(&["init"], 100), "Usage: mcplexer init");
    }
}
