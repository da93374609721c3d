//! Which words of the command line a message repeats: any other may be a value that was typed in the wrong place.

use std::env;
use std::error::Error;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command};

use super::{commands_until, text};
use crate::cli;

/// The length of the longest word that is repeated, in bytes.
const LONGEST: usize = 24;

/// Returns whether a word is plainly a name: short, without capitals and digits, and not like a credential.
pub(crate) fn can_repeat(word: &str) -> bool {
    let is_fit = |c: char| c.is_ascii_lowercase() || "-._/".contains(c);
    word.len() <= LONGEST && word.chars().all(is_fit) && mcplexer_detect::find_any(word).is_none()
}

/// Says what clap says, without a word that cannot be repeated. `None` if clap's words name nothing that was typed.
pub(super) fn without_values(error: &clap::Error) -> Option<String> {
    match error.kind() {
        ErrorKind::UnknownArgument => Some(match option(error) {
            Some(option) => format!("unexpected argument '{option}' found"),
            None => surplus("unexpected argument"),
        }),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let argument = text(error, ContextKind::InvalidArg)?;
            let value = text(error, ContextKind::InvalidValue).unwrap_or_default();
            let value = match can_repeat(value) && !value.is_empty() {
                true => format!(" '{value}'"),
                false => String::new(),
            };
            let reason = error.source().map(|it| format!(": {it}"));
            let reason = reason.or_else(|| possible(error)).unwrap_or_default();
            Some(format!("invalid value{value} for '{argument}'{reason}"))
        }
        ErrorKind::TooManyValues => {
            let argument = text(error, ContextKind::InvalidArg)?;
            Some(format!("unexpected value for '{argument}'"))
        }
        _ => None,
    }
}

/// Returns whether a hint of clap repeats what was typed, and must not.
pub(super) fn is_value_in(hint: &str, error: &clap::Error) -> bool {
    let typed = match error.kind() {
        ErrorKind::UnknownArgument if option(error).is_none() => {
            text(error, ContextKind::InvalidArg)
        }
        ErrorKind::UnknownArgument => None,
        _ => text(error, ContextKind::InvalidValue).filter(|it| !can_repeat(it)),
    };
    typed.is_some_and(|it| hint.contains(it))
}

/// Returns the option that does not exist, if a message can repeat it: clap takes `-v` for one in `-value`.
fn option(error: &clap::Error) -> Option<&str> {
    let typed = text(error, ContextKind::InvalidArg)?;
    let is_option = |word: &str| word.split('=').next() == Some(typed);
    let words = env::args_os().skip(1).take_while(|word| word != "--");
    let mut words = words.filter_map(|word| word.into_string().ok());
    (typed.starts_with('-') && can_repeat(typed) && words.any(|it| is_option(&it))).then_some(typed)
}

fn possible(error: &clap::Error) -> Option<String> {
    match error.get(ContextKind::ValidValue)? {
        ContextValue::Strings(values) if !values.is_empty() => {
            Some(format!(" [possible values: {}]", values.join(", ")))
        }
        _ => None,
    }
}

/// Says what is too much, and what the command on the command line takes.
pub(super) fn surplus(what: &str) -> String {
    let root = cli::whole();
    let path = commands_until("");
    let found = path
        .iter()
        .try_fold(&root, |group, name| group.find_subcommand(name));
    let name = match path.is_empty() {
        true => "mcplexer".to_owned(),
        false => path.join(" "),
    };
    let taken = found.map_or_else(|| "no argument".to_owned(), taken);
    format!("{what}: {name} takes {taken}")
}

/// Names the arguments of a command: `SCOPE, KEY and at most one VALUE`.
fn taken(command: &Command) -> String {
    if command.has_subcommands() {
        return "a command".to_owned();
    }
    let mut names: Vec<_> = command
        .get_positionals()
        .filter(|it| !it.is_last_set() && !it.is_hide_set())
        .map(argument)
        .collect();
    match (names.pop(), names.is_empty()) {
        (None, _) => "no argument".to_owned(),
        (Some(last), true) => last,
        (Some(last), false) => format!("{} and {last}", names.join(", ")),
    }
}

fn argument(argument: &Arg) -> String {
    let names = argument.get_value_names().and_then(|names| names.first());
    let name = names.map_or_else(|| argument.get_id().as_str(), |name| name.as_str());
    match argument.is_required_set() {
        true => name.to_owned(),
        false => format!("at most one {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::can_repeat;

    #[test]
    fn names_are_repeated_and_what_may_be_a_value_is_not() {
        for name in ["xml", "otp", "claude-code", "./shop.env", "--lnog", "-x"] {
            assert!(can_repeat(name), "{name}");
        }
        for value in [
            "hunter2",
            "TOKEN",
            "a=b",
            "two words",
            "pässwort",
            "correct-horse-battery-staple",
        ] {
            assert!(!can_repeat(value), "{value}");
        }
    }
}
