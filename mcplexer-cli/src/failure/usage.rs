//! Turns clap's reports into this program's messages.

use std::env;
use std::error::Error;

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::Failure;
use crate::cli;
use crate::exit_code;
use crate::stderr::say;
use crate::style::Paint;

mod meant;
mod missing;
mod repeat;
mod short;
mod similar;

pub(crate) use repeat::{
    can_repeat, can_repeat_among, has_credential, repeated, repeated_path, repeated_program,
};

impl Failure {
    /// Returns the text to print for a request for help or the version. Turns any other report of
    /// clap into a failure.
    pub(crate) fn of_usage(error: &clap::Error) -> Result<String, Self> {
        match error.kind() {
            // `secret put s K -hunter2` is not a request for help: the value begins with -h.
            ErrorKind::DisplayHelp if is_put() && !asks_for_help() => {
                return Err(Self::of_surplus().with_code(exit_code::USAGE));
            }
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                return Ok(Paint::stdout().help(error));
            }
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                say(Paint::stderr().help(error).trim_end());
                return Err(Self::new("no command was given")
                    .with_hint("mcplexer help lists the commands")
                    .with_code(exit_code::USAGE));
            }
            _ => {}
        }
        if is_put()
            && !has_value_in_name(error)
            && let Some(failure) = Self::of_put(error)
        {
            return Err(failure);
        }
        if has_value_in_name(error) {
            return Err(Self::of_pair());
        }
        let text = error.render().to_string();
        let (message, rest) = text.split_once("\n\n").unwrap_or((&text, ""));
        let message = message.strip_prefix("error: ").unwrap_or(message);
        let message: Vec<_> = message.lines().map(str::trim).collect();
        let message = what(error)
            .or_else(|| repeat::without_values(error))
            .unwrap_or_else(|| message.join(" "));
        let failure = Self::new(message).with_code(exit_code::USAGE);
        let tips = rest
            .lines()
            .filter_map(|line| line.trim().strip_prefix("tip: "))
            .filter(|tip| !repeat::is_value_in(tip, error));
        let hints = match meant::meant(error) {
            Some(meant) => vec![meant],
            None if error.kind() == ErrorKind::MissingRequiredArgument => missing::hints(error),
            // Clap guesses commands by their letters: `insert` would be `serve`.
            None if error.kind() == ErrorKind::InvalidSubcommand => Vec::new(),
            None => tips.filter_map(similar).collect(),
        };
        let failure = failure.with_hints(hints).with_hint(help_hint());
        Err(failure.with_usage())
    }

    /// Creates the failure for `KEY=VALUE` in the place of a scope or a key. Repeats nothing that was typed: even what is
    /// before the sign may be a value, as in base64.
    pub(crate) fn of_pair() -> Self {
        Self::new("KEY and VALUE are one word, with = between them")
            .with_hint("leave =VALUE out, to be asked for it: mcplexer secret put SCOPE KEY")
            .with_hint("mcplexer import SCOPE FILE stores the lines KEY=VALUE of a file")
            .with_code(exit_code::USAGE)
    }

    /// Creates the failure for a value in the place of a name. Repeats nothing of it.
    pub(crate) fn of_value_as_name(what: &str) -> Self {
        Self::new(format!(
            "what was given as the name of a {what} looks like a value"
        ))
        .with_hint("mcplexer secret put SCOPE KEY asks for the value of KEY")
        .with_hint("a shell may keep what was typed in its history: remove it there")
        .with_code(exit_code::USAGE)
    }

    fn of_surplus() -> Self {
        Self::new(repeat::surplus("unexpected argument or option"))
            .with_hint("quote a value that has spaces, and put -- before one that begins with -")
            .with_hint("or leave the value out, to be asked for it or to pipe it in")
            .with_usage()
    }

    /// Adds the usage of the command on the command line.
    fn with_usage(mut self) -> Self {
        self.usage = short::usage(&commands_until(""));
        self
    }

    /// Creates the failure for a `secret put` that clap rejects because of a word that may be a
    /// value, or a part of one. Repeats nothing that was typed.
    fn of_put(error: &clap::Error) -> Option<Self> {
        let option = match error.get(ContextKind::InvalidArg) {
            Some(ContextValue::String(option)) if option.starts_with("--") => option,
            _ => "the scope or the key",
        };
        let message = match (error.kind(), error.source()) {
            (ErrorKind::UnknownArgument, _) => {
                // What was typed may be a value, but the option that it is like is none.
                let meant = text(error, ContextKind::InvalidArg).and_then(similar::similar_option);
                let meant = meant.map(|it| format!("did you mean {it}?"));
                let surplus = Self::of_surplus().with_code(exit_code::USAGE);
                return Some(Self {
                    hints: meant.into_iter().chain(surplus.hints).collect(),
                    ..surplus
                });
            }
            (ErrorKind::ValueValidation, Some(reason)) if option.starts_with("--") => {
                // The option `--if-version <N>` and the reason: "takes a number, such as 3".
                format!("{} {reason}", option.split(' ').next().unwrap_or(option))
            }
            (ErrorKind::ValueValidation, Some(reason)) => reason.to_string(),
            (
                ErrorKind::ValueValidation
                | ErrorKind::InvalidValue
                | ErrorKind::TooManyValues
                | ErrorKind::InvalidUtf8,
                _,
            ) => missing::value(error).unwrap_or_else(|| format!("invalid value for {option}")),
            _ => return None,
        };
        let failure = Self::new(message)
            .with_hints(meant::swapped(error))
            .with_hint(help_hint());
        Some(failure.with_usage().with_code(exit_code::USAGE))
    }
}

/// Puts a hint of clap into words. That an option can be a value as well helps nobody who mistyped it.
fn similar(tip: &str) -> Option<String> {
    if tip.starts_with("to pass '") {
        return None;
    }
    let is_similar = tip.contains("similar") && tip.contains(" exist");
    let names: Vec<_> = tip.split('\'').skip(1).step_by(2).collect();
    Some(match is_similar && !names.is_empty() {
        true => format!("did you mean {}?", names.join(" or ")),
        false => tip.to_owned(),
    })
}

/// Returns whether the word for a scope or a key is `KEY=VALUE`.
fn has_value_in_name(error: &clap::Error) -> bool {
    error.kind() == ErrorKind::ValueValidation
        && text(error, ContextKind::InvalidArg).is_some_and(is_name)
        && text(error, ContextKind::InvalidValue).is_some_and(|it| it.contains('='))
}

/// Returns whether an argument is the name of a scope or a secret.
fn is_name(argument: &str) -> bool {
    let argument = argument.trim_end_matches("...");
    ["<SCOPE>", "<KEY>", "<NEW_SCOPE>", "<NEW_KEY>"].contains(&argument)
}

/// Says that a command, or a group of them, has no command with this name. Repeats the name only if it is plainly one.
pub(crate) fn no_command(name: &str, word: &str, group: &Command) -> String {
    let names = group.get_subcommands().map(Command::get_name);
    match can_repeat_among(word, names) {
        true => format!("there is no command {name} {word}"),
        false => format!("{name} has no such command"),
    }
}

/// Says what is wrong, where clap's words are not the best.
fn what(error: &clap::Error) -> Option<String> {
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let word = text(error, ContextKind::InvalidSubcommand)?;
            let mut words = vec!["mcplexer".to_owned()];
            words.extend(commands_until(word));
            let root = cli::whole();
            let mut path = words.iter().skip(1);
            let group = path.try_fold(&root, |group, name| group.find_subcommand(name))?;
            Some(no_command(&words.join(" "), word, group))
        }
        ErrorKind::MissingRequiredArgument => missing::message(error),
        ErrorKind::InvalidValue => missing::value(error),
        ErrorKind::ValueValidation => {
            let argument = text(error, ContextKind::InvalidArg)?;
            if let Some(message) = meant::misnamed(error) {
                return Some(message);
            }
            let reason = error.source()?.to_string();
            match argument.split(' ').next() {
                // The option `--if-version <N>` and the reason: "takes a number, such as 3".
                Some(option) if reason.starts_with("takes ") => {
                    let option = option.trim_matches(['<', '>', '.']);
                    Some(format!("{option} {reason}"))
                }
                _ if is_name(argument) => Some(reason),
                _ => None,
            }
        }
        _ => None,
    }
}

fn text(error: &clap::Error, kind: ContextKind) -> Option<&str> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text),
        _ => None,
    }
}

/// Returns the names of the commands on the command line before this word.
fn commands_until(word: &str) -> Vec<String> {
    let root = cli::whole();
    let mut group = &root;
    let mut path = Vec::new();
    for argument in env::args_os().skip(1).take_while(|it| it != word) {
        if let Some(found) = group.find_subcommand(&argument) {
            path.push(found.get_name().to_owned());
            group = found;
        }
    }
    path
}

/// Returns the hint that names the help of the command on the command line.
fn help_hint() -> String {
    let mut words = vec!["mcplexer".to_owned()];
    words.extend(commands_until(""));
    format!("{} --help shows the options and examples", words.join(" "))
}

/// Returns whether this process was asked to store a value, whatever the command was called.
fn is_put() -> bool {
    commands_until("") == ["secret", "put"]
}

fn asks_for_help() -> bool {
    let mut words = env::args_os().skip(1);
    words.any(|word| word == "-h" || word == "--help" || word == "help")
}
