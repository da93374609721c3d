//! What clap has to say, in the words of this program.

use std::env;
use std::error::Error;

use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use mcplexer_secrets::{ScopeId, SecretName};

use super::Failure;
use crate::cli::Cli;
use crate::exit_code;
use crate::output::{print, say};

impl Failure {
    /// What clap has to say: help and version are data, the rest is wrong usage.
    pub(crate) fn of_usage(error: &clap::Error) -> Result<(), Self> {
        match error.kind() {
            // `secret put s K -hunter2` asks for no help: its value begins with what would.
            ErrorKind::DisplayHelp if is_put() && !asks_for_help() => {
                return Err(Self::of_surplus().with_code(exit_code::USAGE));
            }
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                return print(&error.render().to_string());
            }
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                say(error.render().to_string().trim_end());
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
        let told = rest.lines().map(str::trim).filter(|line| !line.is_empty());
        let told = told.map(|line| line.strip_prefix("tip: ").unwrap_or(line).to_owned());
        Err(failure.with_hints(meant(error).into_iter().chain(told)))
    }

    fn of_surplus() -> Self {
        Self::new("there is an argument too many, or an unknown option: put takes a scope, a key and at most one value")
            .with_hint("quote a value that has spaces, and put -- before one that begins with -")
            .with_hint("or leave the value out: it is asked for, or read from standard input")
    }

    /// A `secret put` that clap refuses for a word that may be a value, or a piece of one: then
    /// nothing that was typed is repeated.
    fn of_put(error: &clap::Error) -> Option<Self> {
        let option = match error.get(ContextKind::InvalidArg) {
            Some(ContextValue::String(option)) if option.starts_with("--") => option,
            _ => "the scope or the key",
        };
        let has_slash = text(error, ContextKind::InvalidValue).is_some_and(|it| it.contains('/'));
        let help = match has_slash {
            true => "scope and key are two words: mcplexer secret put SCOPE KEY",
            false => "mcplexer help secret put tells what it takes",
        };
        let message = match (error.kind(), error.source()) {
            (ErrorKind::UnknownArgument, _) => {
                return Some(Self::of_surplus().with_code(exit_code::USAGE));
            }
            (ErrorKind::ValueValidation, Some(reason)) if option.starts_with("--") => {
                format!("bad value for {option}: {reason}")
            }
            (ErrorKind::ValueValidation, Some(reason)) => reason.to_string(),
            (
                ErrorKind::ValueValidation
                | ErrorKind::InvalidValue
                | ErrorKind::TooManyValues
                | ErrorKind::InvalidUtf8,
                _,
            ) => format!("bad value for {option}"),
            _ => return None,
        };
        let failure = Self::new(message).with_hint(help);
        Some(failure.with_code(exit_code::USAGE))
    }
}

/// What was meant, as far as it can be told.
fn meant(error: &clap::Error) -> Option<String> {
    match error.kind() {
        // Else clap suggests something itself.
        ErrorKind::InvalidSubcommand if error.get(ContextKind::SuggestedSubcommand).is_none() => {
            let word = text(error, ContextKind::InvalidSubcommand)?;
            Some(format!("did you mean {}?", similar_command(word)?))
        }
        ErrorKind::ValueValidation if text(error, ContextKind::InvalidArg)? == "<SCOPE>" => {
            let typed = text(error, ContextKind::InvalidValue)?;
            match commands_until(typed).as_slice() {
                [command] if command == "import" => Some(format!("mcplexer import SCOPE {typed}")),
                [group, command] if group == "secret" => {
                    let (scope, name) = typed.split_once('/')?;
                    let (scope, name): (ScopeId, SecretName) =
                        (scope.parse().ok()?, name.parse().ok()?);
                    Some(format!(
                        "scope and key are two words: mcplexer secret {command} {scope} {name}"
                    ))
                }
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

/// The command whose name is nearly this word, or one of that name in another group: `list` may be
/// `secret list`.
fn similar_command(word: &str) -> Option<String> {
    let root = Cli::command();
    let path = commands_until(word);
    let group = path
        .iter()
        .try_fold(&root, |group, name| group.find_subcommand(name))?;
    let shown: Vec<_> = group
        .get_subcommands()
        .filter(|it| !it.is_hide_set())
        .collect();
    let is_near = |name: &str| strsim::osa_distance(word, name) <= 1;
    let near = shown.iter().find(|it| is_near(it.get_name()));
    let mut words = vec!["mcplexer"];
    words.extend(path.iter().map(String::as_str));
    match near {
        Some(near) => words.push(near.get_name()),
        None => {
            let mut groups = shown.iter();
            let (outer, inner) =
                groups.find_map(|it| Some((it.get_name(), it.find_subcommand(word)?)))?;
            words.extend([outer, inner.get_name()]);
        }
    }
    Some(words.join(" "))
}

/// The names of the commands on the command line before this word.
fn commands_until(word: &str) -> Vec<String> {
    let root = Cli::command();
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

/// Whether this process was asked to store a value.
fn is_put() -> bool {
    let mut words = env::args_os().skip(1);
    words.any(|word| word == "secret") && words.any(|word| word == "put")
}

fn asks_for_help() -> bool {
    let mut words = env::args_os().skip(1);
    words.any(|word| word == "-h" || word == "--help" || word == "help")
}
