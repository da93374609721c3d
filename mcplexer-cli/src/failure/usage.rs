//! Turns clap's reports into this program's messages.

use std::env;
use std::error::Error;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use mcplexer_home::closest;

use super::Failure;
use crate::cli;
use crate::exit_code;
use crate::stderr::say;
use crate::style::Paint;

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
            && let Some(failure) = Self::of_put(error)
        {
            return Err(failure);
        }
        let text = error.render().to_string();
        let (message, rest) = text.split_once("\n\n").unwrap_or((&text, ""));
        let message = message.strip_prefix("error: ").unwrap_or(message);
        let message: Vec<_> = message.lines().map(str::trim).collect();
        let failure = Self::new(message.join(" ")).with_code(exit_code::USAGE);
        let (tips, usage) = match rest.split_once("Usage: ") {
            Some((tips, usage)) => (tips, usage.split("\n\n").next()),
            None => (rest, None),
        };
        let tips = tips
            .lines()
            .filter_map(|line| line.trim().strip_prefix("tip: "));
        let hints = match meant(error) {
            Some(meant) => vec![meant],
            None => tips.map(str::to_owned).collect(),
        };
        let mut failure = failure.with_hints(hints).with_hint(help_hint());
        failure.usage = usage.map(|usage| format!("Usage: {}", usage.trim_end()).into());
        Err(failure)
    }

    fn of_surplus() -> Self {
        Self::new(
            "unexpected argument or option: secret put takes SCOPE, KEY and at most one VALUE",
        )
        .with_hint("quote a value that has spaces, and put -- before one that begins with -")
        .with_hint("or leave the value out, to be asked for it or to pipe it in")
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
                let meant = text(error, ContextKind::InvalidArg).and_then(similar_option);
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
            (ErrorKind::ValueValidation, Some(_)) if has_value_in_name(error) => {
                let failure = Self::new("KEY and VALUE are one word, with = between them")
                    .with_hint(
                        "leave =VALUE out, to be asked for it: mcplexer secret put SCOPE KEY",
                    )
                    .with_hint("mcplexer import SCOPE FILE stores the lines KEY=VALUE of a file");
                return Some(failure.with_code(exit_code::USAGE));
            }
            (ErrorKind::ValueValidation, Some(reason)) => reason.to_string(),
            (
                ErrorKind::ValueValidation
                | ErrorKind::InvalidValue
                | ErrorKind::TooManyValues
                | ErrorKind::InvalidUtf8,
                _,
            ) => format!("invalid value for {option}"),
            _ => return None,
        };
        let failure = Self::new(message).with_hint(help_hint());
        Some(failure.with_code(exit_code::USAGE))
    }
}

/// Returns whether the word for a scope or a key is `KEY=VALUE`.
fn has_value_in_name(error: &clap::Error) -> bool {
    text(error, ContextKind::InvalidValue).is_some_and(|it| it.contains('='))
}

/// Guesses what was meant.
fn meant(error: &clap::Error) -> Option<String> {
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let word = text(error, ContextKind::InvalidSubcommand)?;
            let (similar, is_exact) = similar_command(word)?;
            // Otherwise clap's own suggestion may be as good.
            let is_best = is_exact || error.get(ContextKind::SuggestedSubcommand).is_none();
            is_best.then(|| format!("did you mean {similar}?"))
        }
        // Clap would make a value of it, which none of this command is.
        ErrorKind::UnknownArgument if commands_until("") == ["server", "add"] => {
            let typed = text(error, ContextKind::InvalidArg)?;
            Some(match similar_option(typed) {
                Some(option) => format!("did you mean {option}?"),
                None if typed.starts_with('-') => {
                    "the command and its options go behind --; what else a server can have, such as directory and timeouts, is written into config.yaml"
                        .to_owned()
                }
                None => "the command goes behind --: mcplexer server add NAME -- COMMAND".to_owned(),
            })
        }
        ErrorKind::ValueValidation if text(error, ContextKind::InvalidArg)? == "<SCOPE>" => {
            let typed = text(error, ContextKind::InvalidValue)?;
            match commands_until(typed).as_slice() {
                [command] if command == "import" => Some(format!("mcplexer import SCOPE {typed}")),
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

/// What people type for a command of another name, such as that of another program.
const OTHER_WORDS: [(&str, &str); 2] =
    [("env", "mcplexer run"), ("unset", "mcplexer secret delete")];

/// Returns the command with a similar name, or one of the same name in another group: `list` may
/// mean `secret list`. Says whether it is the name, or one that means the command.
fn similar_command(word: &str) -> Option<(String, bool)> {
    let root = cli::whole();
    let path = commands_until(word);
    let group = path
        .iter()
        .try_fold(&root, |group, name| group.find_subcommand(name))?;
    let shown = || group.get_subcommands().filter(|it| !it.is_hide_set());
    let full = |names: &[&str]| {
        let path = path.iter().map(String::as_str);
        let words: Vec<_> = ["mcplexer"].into_iter().chain(path).collect();
        [&words, names].concat().join(" ")
    };
    let same = shown().find_map(|it| Some((it.get_name(), it.find_subcommand(word)?)));
    if let Some((outer, inner)) = same {
        return Some((full(&[outer, inner.get_name()]), true));
    }
    if let Some((_, command)) = OTHER_WORDS.iter().find(|(other, _)| *other == word) {
        return Some(((*command).to_owned(), true));
    }
    let near = shown().find(|it| strsim::osa_distance(word, it.get_name()) <= 1)?;
    Some((full(&[near.get_name()]), false))
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

/// Returns the option of the command on the command line that is like a word.
fn similar_option(word: &str) -> Option<String> {
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
