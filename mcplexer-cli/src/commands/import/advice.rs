//! What to do about a file that is not imported. A command that is named has been tried: it would read the file.

use std::iter;

use mcplexer_files::exchange::{Format, ReadError};
use mcplexer_home::import::{Blank, Error, MOST_MISTAKES, Reading, Secrets};

use crate::exit_code;
use crate::failure::{Failure, again};

/// A file to import, as it was read.
pub(super) struct Source<'a> {
    pub(super) scope: &'a str,
    /// What messages call it.
    pub(super) name: &'a str,
    /// How a shell names it; `None` for standard input.
    pub(super) typed: Option<String>,
    pub(super) text: &'a [u8],
    pub(super) format: Format,
    pub(super) reading: Reading,
}

/// The marks with which a text in UTF-16 begins.
const UTF_16: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

impl Source<'_> {
    /// Fails if there is nothing at all.
    pub(super) fn check(&self) -> Result<(), Failure> {
        match (self.text.is_empty(), &self.typed) {
            (false, _) => Ok(()),
            (true, Some(_)) => Err(Failure::new(format!("{} is empty", self.name))
                .with_hint("nothing was imported")
                .with_code(exit_code::USAGE)),
            (true, None) => Err(Failure::of_no_input("nothing was imported")),
        }
    }

    /// Reads the secrets.
    pub(super) fn read(&self) -> Result<Secrets, Failure> {
        let secrets = Secrets::read(self.name, self.text, self.format, &self.reading);
        secrets.map_err(|error| self.explain(error))
    }

    fn explain(&self, error: Error) -> Failure {
        match error {
            Error::NotText { .. } => self.of_not_text(&error),
            Error::Empty { .. } => self.of_empty(&error),
            Error::Blank {
                ref source,
                ref more,
                ..
            } => {
                let failure = self.of_mistakes(source, more);
                let reading = Reading {
                    blank: Blank::Skip,
                    ..self.reading.clone()
                };
                let skip = again(&["--blank", "skip"], "leaves out every blank value");
                let failure = failure.with_hints(self.reads(&reading).then_some(skip));
                failure.with_hints(self.without(source, more))
            }
            Error::Unreadable {
                ref source,
                ref more,
                ..
            } => self
                .of_mistakes(source, more)
                .with_hint("mcplexer help import lists what a file may have")
                .with_hints(self.without(source, more)),
            other => other.into(),
        }
    }

    fn of_not_text(&self, error: &Error) -> Failure {
        let failure = Failure::new(error.to_string()).with_code(exit_code::USAGE);
        if UTF_16.iter().any(|it| self.text.starts_with(it)) {
            return failure.with_hint("it is UTF-16: save it as UTF-8");
        }
        let scope = self.scope;
        failure.with_hint(match &self.typed {
            Some(file) => {
                format!(
                    "mcplexer secret put {scope} KEY --file {file} stores all of it as one secret"
                )
            }
            None => format!(
                "mcplexer secret put {scope} KEY --file FILE stores all of a file as one secret"
            ),
        })
    }

    fn of_empty(&self, error: &Error) -> Failure {
        let format = self.format;
        let others = Format::READ.into_iter().filter(|it| *it != format);
        let other = others
            .into_iter()
            .find(|it| Secrets::read(self.name, self.text, *it, &self.reading).is_ok());
        let hint = other.map(|it| again(&["--format", it.as_str()], "reads it in another format"));
        Failure::new(format!("{error}; it was read as {format}"))
            .with_hint("nothing was imported")
            .with_hints(hint)
            .with_code(exit_code::USAGE)
    }

    /// Creates a failure with every mistake of the file.
    fn of_mistakes(&self, first: &ReadError, more: &[ReadError]) -> Failure {
        let all = iter::once(first).chain(more);
        let failure = Failure::of_several(all.map(|it| format!("{}, {it}", self.name)));
        let rest = is_cut(more).then(|| "what is wrong behind that is not listed".to_owned());
        failure
            .with_hint("nothing was imported")
            .with_hints(rest)
            .with_code(exit_code::USAGE)
    }

    /// Returns how to import the file without the secrets that have mistakes.
    fn without(&self, first: &ReadError, more: &[ReadError]) -> Option<String> {
        if is_cut(more) {
            return None;
        }
        let all = iter::once(first).chain(more);
        let names: Option<Vec<_>> = all.map(|it| Some(it.name.as_ref()?.to_string())).collect();
        let mut names = names?;
        names.dedup();
        let mut reading = self.reading.clone();
        reading.skip.extend(names.iter().cloned());
        let these = match names.len() {
            1 => "leaves out this one",
            _ => "leaves out these",
        };
        let reads = self.reads(&reading);
        reads.then(|| again(&["--skip", &names.join(",")], these))
    }

    fn reads(&self, reading: &Reading) -> bool {
        Secrets::read(self.name, self.text, self.format, reading).is_ok()
    }
}

fn is_cut(more: &[ReadError]) -> bool {
    more.len() + 1 >= MOST_MISTAKES
}
