//! A failure as the user reads it: a message, what to do next, and the exit code.
//!
//! [`Failure`] carries an error from its origin to the top level. Only there is it turned into words,
//! because some words depend on a [`Context`]: where the key is, and whether the user left a
//! prompt. The modules below contain the advice, one for each layer of errors.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use mcplexer_home::{AuditTarget, Home, KeySource, StorePlace};
use mcplexer_secrets::Error as StoreError;

use crate::exit_code;
use crate::stderr::{say_error, say_hint, say_usage};
use crate::text::shortened;

mod again;
mod clients;
mod environment;
mod files;
#[cfg(feature = "serve")]
mod gateway;
mod keys;
mod places;
mod process;
mod project;
mod scan;
mod servers;
mod store;
mod transfer;
mod usage;
mod use_cases;

pub(crate) use again::again;
pub(crate) use files::of_reading;
pub(crate) use keys::OTHER_KEY;
pub(crate) use places::key_place;
pub(crate) use transfer::follow;
pub(crate) use usage::{
    can_repeat, can_repeat_among, has_credential, no_command, repeated, repeated_path,
    repeated_program,
};

/// Whether anything has failed.
static HAS_FAILED: AtomicBool = AtomicBool::new(false);

/// Returns whether anything has failed: an error is not to be lost among warnings.
pub(crate) fn has_failed() -> bool {
    HAS_FAILED.load(Ordering::Relaxed)
}

/// A failure to report.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Messages of other problems, shown before this one.
    others: Vec<String>,
    what: What,
    /// The position in an input where it happened. Ends with `: ` unless empty.
    place: String,
    hints: Vec<String>,
    /// The usage, as clap prints it.
    usage: Option<Box<str>>,
    /// The exit code, if it differs from that of the error.
    code: Option<u8>,
}

#[derive(Debug)]
enum What {
    /// A complete message.
    Message(String),
    /// One of several lines, of which all but the first are shown indented.
    #[cfg_attr(
        not(feature = "serve"),
        expect(dead_code, reason = "only servers and gateways say several lines")
    )]
    Lines(Box<str>),
    /// An error of the store, whose message depends on the context.
    Store(Box<StoreError>),
}

/// What the message of a failure depends on, besides the failure itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Context {
    /// Where the key is, according to the environment.
    key: Option<KeySource>,
    /// The audit log, if it is a file.
    audit_log: Option<PathBuf>,
    /// Whether the store is on a server.
    is_on_server: bool,
    /// Where the store may be, if it is not where it was looked for.
    other_store: Option<OtherStore>,
    /// Whether the user left a prompt without an answer.
    was_prompt_left: bool,
}

/// Where a home has a store, or had one last, besides the place that the environment names.
#[derive(Debug, Clone)]
enum OtherStore {
    /// On the server with this URL.
    Server(String),
    /// In this file, while the environment names a server.
    File(PathBuf),
    /// Perhaps on a server: the file of the home is not there.
    Unknown,
}

impl OtherStore {
    fn of(home: &Home) -> Option<Self> {
        let last = home.last_server().map(StorePlace::Server);
        if let Some(last) = last.filter(|last| last != home.store()) {
            return Some(Self::Server(last.to_string()));
        }
        let file = home.store_file();
        match (home.store(), file.exists()) {
            (StorePlace::File(_), false) => Some(Self::Unknown),
            (StorePlace::Server(_), true) => Some(Self::File(file)),
            _ => None,
        }
    }
}

/// The message, hints, usage and exit code of a failure.
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) message: String,
    pub(crate) hints: Vec<String>,
    usage: Option<Box<str>>,
    pub(crate) code: u8,
}

impl Words {
    fn of(message: String) -> Self {
        Self {
            message,
            hints: Vec::new(),
            usage: None,
            code: exit_code::FAILURE,
        }
    }
}

impl Context {
    pub(crate) fn new(home: Option<&Home>, was_prompt_left: bool) -> Self {
        Self {
            key: home.map(|home| home.key().clone()),
            audit_log: home.and_then(|home| match home.audit() {
                AuditTarget::Home => Some(home.audit_log()),
                AuditTarget::File(path) => Some(path.clone()),
                _ => None,
            }),
            is_on_server: home.is_some_and(|home| home.store().file().is_none()),
            other_store: home.and_then(OtherStore::of),
            was_prompt_left,
        }
    }

    /// Returns the key in use, as the user knows it.
    fn key(&self) -> String {
        let key = self.key.as_ref();
        key.map_or_else(|| "the key in use".to_owned(), key_place)
    }
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self::of(What::Message(message.into()))
    }

    fn of(what: What) -> Self {
        HAS_FAILED.store(true, Ordering::Relaxed);
        Self {
            others: Vec::new(),
            what,
            place: String::new(),
            hints: Vec::new(),
            usage: None,
            code: None,
        }
    }

    /// Creates a failure for several problems of one input, each on a line.
    pub(crate) fn of_several(problems: impl IntoIterator<Item = String>) -> Self {
        let mut others: Vec<_> = problems.into_iter().collect();
        let last = others.pop().unwrap_or_else(|| "invalid input".to_owned());
        Self {
            others,
            ..Self::new(last)
        }
    }

    /// Creates a failure with a message of several lines, such as those of another program.
    #[cfg(feature = "serve")]
    pub(crate) fn of_lines(text: &str) -> Self {
        Self::of(What::Lines(text.into()))
    }

    /// Creates a failure that has already been reported, with only an exit code.
    pub(crate) fn silent(code: u8) -> Self {
        Self::new("").with_code(code)
    }

    pub(crate) fn of_stdout(error: &io::Error) -> Self {
        Self::new(format!("cannot write to standard output: {error}"))
            .with_hint("redirect it to a file on a disk with room, or to a program that reads it")
    }

    /// Creates the failure for a question that was left unanswered.
    pub(crate) fn of_no_answer(what: &str) -> Self {
        Self::new(format!("no {what} was given; nothing was changed"))
            .with_hint("run it again to be asked again")
            .with_code(exit_code::DECLINED)
    }

    /// Creates the failure for standard input that ends at once.
    pub(crate) fn of_no_input(undone: &str) -> Self {
        Self::new(format!("nothing was read from standard input; {undone}"))
            .with_hint(
                "a command before the pipe may have failed: run it alone, to see what it prints",
            )
            .with_code(exit_code::USAGE)
    }

    /// Creates the failure for a reference whose secret had not been opened, which is a bug in this
    /// program.
    pub(crate) fn of_missing_reference() -> Self {
        Self::new("a reference was left out; nothing was done")
    }

    pub(crate) fn with_code(mut self, code: u8) -> Self {
        self.code = Some(code);
        self
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    pub(crate) fn with_hints(mut self, hints: impl IntoIterator<Item = String>) -> Self {
        self.hints.extend(hints);
        self
    }

    /// Returns the store's error, if this is one.
    pub(crate) fn store_error(&self) -> Option<&StoreError> {
        match &self.what {
            What::Store(error) => Some(error),
            What::Message(_) | What::Lines(_) => None,
        }
    }

    /// Adds the position in a file where it happened.
    pub(crate) fn at(mut self, place: &str) -> Self {
        self.place = format!("{place}: {}", self.place);
        self
    }

    /// Turns the failure into words, without characters that could steer a terminal.
    pub(crate) fn words(self, context: &Context) -> Words {
        let mut more = String::new();
        let mut words = match self.what {
            What::Lines(text) => {
                let mut lines = text.lines().filter(|it| !it.trim().is_empty());
                let message = lines.next().unwrap_or_default().to_owned();
                more.extend(lines.map(|it| format!("\n  {}", shortened(it))));
                Words::of(message)
            }
            What::Message(message) => Words::of(message),
            What::Store(error) => store::words(&error, context),
        };
        words.message = shortened(format!("{}{}", self.place, words.message)) + &more;
        words.hints.extend(self.hints);
        words.hints = words.hints.iter().map(shortened).collect();
        words.usage = self.usage.or(words.usage);
        words.code = self.code.unwrap_or(words.code);
        words
    }

    /// Prints the failure and returns the exit code.
    pub(crate) fn report(mut self, context: &Context) -> u8 {
        for other in std::mem::take(&mut self.others) {
            say_error(&shortened(other));
        }
        let words = self.words(context);
        if !words.message.is_empty() {
            say_error(&words.message);
            words.hints.iter().for_each(|hint| say_hint(hint));
            words.usage.iter().for_each(|usage| say_usage(usage));
        }
        words.code
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::of(What::Store(Box::new(error)))
    }
}

/// Returns an error's message, followed by those of all its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        message = format!("{message}: {inner}");
        cause = inner.source();
    }
    message
}
