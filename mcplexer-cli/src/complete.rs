//! Completion at the command line: answers the scripts that `mcplexer completions` prints.
//!
//! The script of a shell runs `MCPLEXER_COMPLETE=SHELL mcplexer -- WORDS` whenever somebody presses Tab.

mod kind;
mod line;
mod names;
mod shell;

use std::env;
use std::ffi::OsStr;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Command, CommandFactory};
use clap_complete::ArgValueCompleter;
use clap_complete::engine::{self, CompletionCandidate};

use self::kind::Kind;
use self::line::{Line, Words};
use self::names::Completer;
use self::shell::Shell;
use crate::cli::Cli;
use crate::text::steers;
use crate::{exit_code, output};

/// Says that words are to be completed, and for which shell.
const VARIABLE: &str = "MCPLEXER_COMPLETE";

/// Returns the script for a shell; `None` if completions for it know no names.
pub(crate) fn script(shell: clap_complete::Shell) -> Option<String> {
    Shell::named(OsStr::new(&shell.to_string()))?.script()
}

/// What the script of a shell asks for.
pub(crate) struct Request {
    shell: Shell,
    words: Words,
}

impl Request {
    /// Returns what this process is asked for; `None` if it is to run a command.
    pub(crate) fn received() -> Option<Self> {
        let shell = Shell::named(&env::var_os(VARIABLE)?)?;
        let mut arguments = env::args_os().skip(1);
        let is_request = arguments.next()? == "--";
        let words = is_request.then(|| shell.words(arguments.collect()))?;
        Some(Self { shell, words })
    }

    /// Prints the candidates. Nothing else is said: it would end up between the words that somebody types.
    pub(crate) fn answer(self) -> ExitCode {
        keep_panics_silent();
        let text = self.shell.text(&self.words, &candidates(&self.words));
        // There is nobody to tell that nobody reads it.
        let _unread = output::print(&text);
        ExitCode::from(exit_code::DONE)
    }
}

/// A damaged store lets a dependency panic, which is caught; or abort, which cannot be.
fn keep_panics_silent() {
    std::panic::set_hook(Box::new(|info| {
        if info.payload().downcast_ref() == Some(&crate::ABORT) {
            std::process::exit(exit_code::DONE.into());
        }
    }));
}

/// Returns what the word at the cursor can become.
fn candidates(words: &Words) -> Vec<CompletionCandidate> {
    // Clap's own command for help has no commands below it that are built later.
    if let Some((_, behind)) = words.previous().split_first()
        && let Some((_, given)) = behind.split_first().filter(|(first, _)| *first == "help")
        && !given.is_empty()
    {
        return names::pages_for_help(given, &words.current().to_string_lossy());
    }
    let mut whole = Cli::command();
    whole.build();
    let line = Arc::new(Line::of(&whole, words));
    let mut whole = with_names(whole, &[], &line);
    let directory = env::current_dir().ok();
    let all = words.all().to_vec();
    let found = engine::complete(&mut whole, all, words.at(), directory.as_deref());
    let mut found = found.unwrap_or_default();
    let current = words.current().to_string_lossy();
    found.retain(|it| is_offered(it, &current));
    found
}

/// Gives each argument that takes a name what completes it.
fn with_names(command: Command, path: &[&str], line: &Arc<Line>) -> Command {
    let has_key = command.get_positionals().any(|it| it.get_id() == "key");
    let command =
        command.mut_args(
            |argument| match Kind::of(path, argument.get_id().as_str(), has_key) {
                Some(kind) => argument.add(ArgValueCompleter::new(Completer::new(
                    kind,
                    Arc::clone(line),
                ))),
                None => argument,
            },
        );
    command.mut_subcommands(|below| {
        let name = below.get_name().to_owned();
        with_names(below, &[path, &[name.as_str()]].concat(), line)
    })
}

fn is_offered(candidate: &CompletionCandidate, current: &str) -> bool {
    // Shells take one candidate a line.
    let text = candidate.get_value().to_str();
    let Some(text) = text.filter(|it| !it.chars().any(steers)) else {
        return false;
    };
    // A shell types what all candidates begin with, which among options is a dash.
    if text.starts_with('-') && !current.starts_with('-') {
        return false;
    }
    // The directory itself, which the engine offers with the files in it.
    if text == "." && current.is_empty() {
        return false;
    }
    if !candidate.is_hide_set() {
        return true;
    }
    // Besides commands and options, files are hidden whose names begin with a dot.
    let typed = current.rsplit_once(['/', '=']).map_or(current, |it| it.1);
    candidate.get_id().is_none() && typed.starts_with('.')
}
