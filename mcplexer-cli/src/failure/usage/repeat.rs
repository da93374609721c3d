//! Which words of the command line a message repeats: any other may be a value that was typed in the wrong place.

use std::borrow::Cow;
use std::env;
use std::error::Error;
use std::ffi::OsStr;
use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command};
use mcplexer_home::{Home, closest};

use super::{commands_until, similar, text};
use crate::cli;
use crate::text::shown;

/// The length of the longest word that is repeated although nothing is called so, in bytes.
const LONGEST: usize = 12;

/// Returns whether a word is plainly a name: short, without capitals and digits, and not like a credential.
pub(crate) fn can_repeat(word: &str) -> bool {
    word.len() <= LONGEST && is_plain(word)
}

/// Returns whether a word is plainly a name, or is plain and like one of these.
pub(crate) fn can_repeat_among<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> bool {
    can_repeat(word) || is_plain(word) && closest(word, names).is_some()
}

/// Returns a word of the command line if a message can repeat it, else what it stands for.
pub(crate) fn repeated<'a>(word: &'a str, otherwise: &'a str) -> &'a str {
    match can_repeat(word) {
        true => word,
        false => otherwise,
    }
}

/// Returns a word in the place of a path, as [`shown`], if a message can repeat it, else what it stands for.
///
/// It can if it is a path, or is one but for its last names: these are plainly names, or have the form of a path and are
/// not like a credential. What is in mcplexer's own directory was not typed.
pub(crate) fn repeated_path<'a>(path: &Path, otherwise: &'a str) -> Cow<'a, str> {
    let text = path.to_string_lossy();
    let is_there = |it: &Path| !it.as_os_str().is_empty() && it.symlink_metadata().is_ok();
    let there = path.ancestors().find(|it| is_there(it));
    let rest = there.and_then(|it| path.strip_prefix(it).ok());
    let rest = rest.unwrap_or(path).to_string_lossy();
    let has_form = text.contains(['/', '.']) && !rest.contains('=') && !has_credential(&rest);
    let is_own = || Home::from_env().is_ok_and(|home| path.starts_with(home.directory()));
    match rest.is_empty() || can_repeat(&text) || has_form || is_own() {
        true => shown(path).into(),
        false => otherwise.into(),
    }
}

/// Returns the name of a program if a message can repeat it, else what it stands for. What is behind a `=` is a value, and
/// what is before it may be one.
pub(crate) fn repeated_program(program: &OsStr) -> Cow<'_, str> {
    let text = program.to_string_lossy();
    match !text.contains('=') && !has_credential(&text) {
        true => text,
        false => "that command".into(),
    }
}

/// Returns whether a part of a text looks like a credential.
pub(crate) fn has_credential(text: &str) -> bool {
    mcplexer_detect::find_any(text).is_some()
}

/// Returns whether a word has neither capitals nor digits, and is not like a credential.
fn is_plain(word: &str) -> bool {
    let is_fit = |c: char| c.is_ascii_lowercase() || "-._/".contains(c);
    word.chars().all(is_fit) && !has_credential(word)
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
            let value = match !value.is_empty() && can_repeat_among(value, valid(error)) {
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
        _ => {
            text(error, ContextKind::InvalidValue).filter(|it| !can_repeat_among(it, valid(error)))
        }
    };
    typed.is_some_and(|it| hint.contains(it))
}

/// Returns the option that does not exist, if a message can repeat it: clap takes `-v` for one in `-value`.
fn option(error: &clap::Error) -> Option<&str> {
    let typed = text(error, ContextKind::InvalidArg)?;
    let is_option = |word: &str| word.split('=').next() == Some(typed);
    let words = env::args_os().skip(1).take_while(|word| word != "--");
    let mut words = words.filter_map(|word| word.into_string().ok());
    let is_name = can_repeat(typed) || is_plain(typed) && similar::similar_option(typed).is_some();
    (typed.starts_with('-') && is_name && words.any(|it| is_option(&it))).then_some(typed)
}

/// Returns the values that an option takes, if it takes only some.
fn valid(error: &clap::Error) -> impl Iterator<Item = &str> {
    let values = match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(values)) => values.as_slice(),
        _ => &[],
    };
    values.iter().map(String::as_str)
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
    use super::*;

    #[test]
    fn names_are_repeated_and_what_may_be_a_value_is_not() {
        for name in ["xml", "otp", "claude-code", "./shop.env", "--lnog", "-x"] {
            assert!(can_repeat(name), "{name}");
        }
        assert!(can_repeat_among("claude-desktpo", ["claude-desktop"]));
        assert!(!can_repeat_among("correcthorsebattery", ["claude-desktop"]));
        assert!(!can_repeat_among("hunter2", ["hunter"]));
        for value in [
            "hunter2",
            "TOKEN",
            "a=b",
            "two words",
            "pässwort",
            "correcthorsebattery",
            "correct-horse-battery-staple",
        ] {
            assert!(!can_repeat(value), "{value}");
        }
    }

    #[test]
    fn what_has_the_form_of_a_path_is_repeated_unless_it_is_like_a_credential() {
        const TOKEN: &str = "ghp_Zq8Rt2Yw5Lk9Xc3Vb7Nm1Qp4Sd6Fg0Hj3KlM";
        let said = |path: &str| repeated_path(Path::new(path), "that file") != "that file";
        for path in ["nope", "./Nope", "NOPE.env", "/nope/Nope2", "/", ".", "src"] {
            assert!(said(path), "{path}");
        }
        for value in [
            "hunter2",
            "Nope",
            "K=hunter2",
            "a.b=hunter2",
            TOKEN,
            &format!("/{TOKEN}"),
            &format!("src/{TOKEN}.env"),
        ] {
            assert!(!said(value), "{value}");
        }
    }
}
