//! Imports the secrets of a file into one scope.

use std::collections::{BTreeMap, HashSet};

use mcplexer_detect::is_everyday;
use mcplexer_files::exchange::{self, Format, ReadError};
use mcplexer_secrets::{
    Error as StoreError, ImportAction, OnConflict, ScopeKind, SecretName, SecretState, SecretValue,
};
use serde::Serialize;

use crate::config::{self, ScopeToMake};
use crate::open::OpenHome;

/// The secrets of a file, and the line of each. Values wipe themselves, and `Debug` hides them.
#[derive(Debug)]
pub struct Secrets {
    file: String,
    secrets: Vec<(SecretName, SecretValue)>,
    lines: Vec<usize>,
    hashes: Vec<String>,
    blank: Vec<String>,
}

/// Which secrets of a file to take, and how to read what is not clear.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// Only the secrets of these names, if there are any here.
    pub only: Vec<String>,
    /// Not the secrets of these names.
    pub skip: Vec<String>,
    /// What to do with a blank value.
    pub blank: Blank,
    /// What a `#` right behind a value begins.
    pub hash: Hash,
}

/// What to do with a value that is empty or null, which no secret can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Blank {
    /// Import nothing of the file.
    #[default]
    Error,
    /// Leave it out.
    Skip,
}

/// What a `#` in a `.env` file is that has no space before it, and is not between quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Hash {
    /// A part of the value, as for python-dotenv, docker and shells.
    #[default]
    Keep,
    /// The beginning of a comment, as for the npm package `dotenv`.
    Cut,
}

/// How to import.
#[derive(Debug, Clone)]
pub struct Import {
    /// The scope, which is created if it does not exist.
    pub scope: mcplexer_secrets::ScopeId,
    /// What to do with secrets that the store has with another value.
    pub on_conflict: OnConflict,
    /// The states in which the secrets have to be, as a dry run has said; those that are not here must be new. `None` if that does not
    /// matter. A dry run does not look at them.
    pub states: Option<BTreeMap<SecretName, SecretState>>,
    /// Change nothing.
    pub dry_run: bool,
}

/// What an import did, or would do.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ImportReport {
    /// Whether nothing was changed.
    pub dry_run: bool,
    /// The scope.
    pub scope: mcplexer_secrets::ScopeId,
    /// Whether the scope is created.
    pub scope_created: bool,
    /// The secrets, in the order of the file.
    pub secrets: Vec<ImportRow>,
    /// The names that were left out because their values are blank.
    pub blank: Vec<String>,
    /// How the scope is created, if it is.
    #[serde(skip)]
    pub new: ScopeToMake,
}

/// A secret, and what happens to it.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ImportRow {
    /// Its name.
    pub key: SecretName,
    /// What happens to it.
    pub action: Action,
    /// The state in which it was before; `None` if there was no such secret.
    #[serde(skip)]
    pub state: Option<SecretState>,
}

/// What happens to a secret that is imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Action {
    /// It is new.
    Add,
    /// Its value replaces the one in the store.
    Replace,
    /// The store keeps another value.
    Keep,
    /// The store has this value already.
    Same,
}

/// A failure to import. Nothing has been imported then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file does not have this format.
    #[error("{file}, {source}")]
    Unreadable {
        /// The file.
        file: String,
        /// What is wrong with it first.
        source: ReadError,
        /// What else is wrong with it, in the order of the lines: at most 19 mistakes.
        more: Vec<ReadError>,
    },
    /// Values are blank, and nothing else is wrong.
    #[error("{file}, {source}")]
    Blank {
        /// The file.
        file: String,
        /// The first one.
        source: ReadError,
        /// The others, in the order of the lines: at most 19.
        more: Vec<ReadError>,
    },
    /// The file is not text, and cannot be read.
    #[error("{file} is not text")]
    NotText {
        /// The file.
        file: String,
    },
    /// The file does not have a secret that is to be chosen or left out.
    #[error("{file} has no {name}")]
    NotThere {
        /// The file.
        file: String,
        /// The name.
        name: String,
    },
    /// The file has no secrets.
    #[error("{file} has no secrets")]
    Empty {
        /// The file.
        file: String,
        /// The format it was read as.
        format: Format,
    },
    /// The kind of the scope does not allow some names.
    #[error("{place}: {source}")]
    Name {
        /// The file, and the lines of the names, at most 20.
        place: String,
        /// What is wrong with the first one.
        source: StoreError,
    },
    /// `config.yaml`, which may name the scope, cannot be used.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// The store does not take the secrets.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Says which lines of a file are meant: `line 3`, `lines 3, 7`.
fn in_words(lines: &[usize]) -> String {
    let numbers: Vec<_> = lines.iter().map(ToString::to_string).collect();
    let word = match lines.len() {
        1 => "line",
        _ => "lines",
    };
    format!("{word} {}", numbers.join(", "))
}

/// Whether bytes are no text in UTF-8.
fn is_binary(bytes: &[u8]) -> bool {
    bytes.contains(&0) || str::from_utf8(bytes).is_err()
}

/// How many mistakes of a file are listed at most.
pub const MOST_MISTAKES: usize = 20;

impl Secrets {
    /// Reads the secrets of a file. `file` is what to call it.
    ///
    /// # Errors
    /// [`Error::NotText`], [`Error::Unreadable`], [`Error::Blank`], [`Error::NotThere`] and [`Error::Empty`].
    pub fn read(file: &str, text: &[u8], format: Format, reading: &Reading) -> Result<Self, Error> {
        let file = file.to_owned();
        let (mut entries, mut mistakes) = exchange::read_some(text, format, MOST_MISTAKES);
        // Each line of a program or an image would be a mistake of its own.
        if !mistakes.is_empty() && is_binary(text) {
            return Err(Error::NotText { file });
        }
        let mut named = reading.only.iter().chain(&reading.skip);
        let there: HashSet<_> = entries.iter().map(|it| it.name.as_str()).collect();
        // What is missing may be on a line that cannot be read.
        let missing = named.find(|name| mistakes.is_empty() && !there.contains(name.as_str()));
        if let Some(name) = missing {
            let name = name.clone();
            return Err(Error::NotThere { file, name });
        }
        let [only, skip] = [&reading.only, &reading.skip].map(|it| it.iter().collect());
        let (only, skip): (HashSet<_>, HashSet<_>) = (only, skip);
        let is_chosen = |name: &String| only.is_empty() || only.contains(name);
        entries.retain(|it| is_chosen(&it.name) && !skip.contains(&it.name));
        let mut hashes = Vec::new();
        for entry in &mut entries {
            if entry.is_cut_at_hash() {
                hashes.push(format!("line {} ({})", entry.line, entry.name));
                if reading.hash == Hash::Keep {
                    entry.keep_hash();
                }
            }
        }
        let mut blank = Vec::new();
        if reading.blank == Blank::Skip {
            let left_out = entries.extract_if(.., |entry| entry.is_blank());
            blank.extend(left_out.map(|entry| entry.name));
        }
        if entries.is_empty() && mistakes.is_empty() {
            return Err(Error::Empty { file, format });
        }
        let mut secrets = Vec::with_capacity(entries.len());
        let mut is_only_blank = mistakes.is_empty();
        let mut found = 0;
        for entry in &entries {
            match entry.secret() {
                Ok(secret) => secrets.push(secret),
                Err(mistake) => {
                    is_only_blank &= entry.is_blank();
                    found += 1;
                    if found <= MOST_MISTAKES {
                        mistakes.push(mistake);
                    } else if !is_only_blank {
                        break;
                    }
                }
            }
        }
        mistakes.sort_by_key(|it| it.line);
        let mut more = mistakes.into_iter().take(MOST_MISTAKES);
        if let Some(source) = more.next() {
            let more = more.collect();
            return Err(match is_only_blank {
                true => Error::Blank { file, source, more },
                false => Error::Unreadable { file, source, more },
            });
        }
        Ok(Self {
            lines: entries.iter().map(|entry| entry.line).collect(),
            file,
            secrets,
            hashes,
            blank,
        })
    }

    /// Returns the names of the secrets.
    pub fn names(&self) -> impl Iterator<Item = &SecretName> {
        self.secrets.iter().map(|(name, _)| name)
    }

    /// Returns where a `#` right behind a value may be a part of it, or begin a comment: `line 3 (PASSWORD)`.
    #[must_use]
    pub fn hashes(&self) -> &[String] {
        &self.hashes
    }

    /// Returns the names of the secrets whose values are [everyday values](is_everyday): neither are they masked,
    /// nor are files searched for them.
    #[must_use]
    pub fn everyday(&self) -> Vec<&SecretName> {
        let is_everyday = |name: &SecretName, value: &SecretValue| {
            let text = str::from_utf8(value.expose());
            text.is_ok_and(|text| is_everyday(name.as_str(), text))
        };
        let secrets = self.secrets.iter();
        let everyday = secrets.filter(|(name, value)| is_everyday(name, value));
        everyday.map(|(name, _)| name).collect()
    }

    /// The error, with the line of the name that it is about.
    fn locate(&self, error: StoreError) -> Error {
        if !matches!(error, StoreError::InvalidName(_)) {
            return Error::Store(error);
        }
        let names = self.secrets.iter().map(|(name, _)| name).zip(&self.lines);
        // All of them are names: it is the kind of the scope that refuses some. The message does
        // not repeat one, since what is in the place of a name may be part of a value.
        let refused = names.filter(|(name, _)| ScopeKind::Env.check(name).is_err());
        let lines: Vec<_> = refused.map(|(_, line)| *line).take(MOST_MISTAKES).collect();
        match lines.is_empty() {
            true => Error::Store(error),
            false => Error::Name {
                place: format!("{}, {}", self.file, in_words(&lines)),
                source: error,
            },
        }
    }
}

impl Import {
    /// Imports all of the secrets in one commit, or none of them.
    ///
    /// # Errors
    /// [`Error`] says why nothing was imported.
    pub fn run(&self, secrets: &Secrets, open: &OpenHome) -> Result<ImportReport, Error> {
        let new = ScopeToMake::find(&self.scope, open)?;
        let store = open.store();
        let (scope, given) = (&new.scope, &secrets.secrets);
        let imported = match (self.dry_run, &self.states) {
            (true, _) => store.plan_import(scope, given, self.on_conflict),
            (false, None) => store.import(scope, given, self.on_conflict),
            (false, Some(states)) => store.import_if(scope, given, self.on_conflict, states),
        };
        let imported = imported.map_err(|error| secrets.locate(error))?;
        let rows = imported.secrets.into_iter().zip(imported.states);
        let rows = rows.map(|((key, action), state)| ImportRow {
            key,
            action: Action::from(action),
            state,
        });
        Ok(ImportReport {
            dry_run: self.dry_run,
            scope: self.scope.clone(),
            scope_created: imported.scope_created,
            secrets: rows.collect(),
            blank: secrets.blank.clone(),
            new,
        })
    }
}

impl ImportReport {
    /// Returns the number of secrets to which this happens.
    #[must_use]
    pub fn count(&self, action: Action) -> u64 {
        let same = self.secrets.iter().filter(|row| row.action == action);
        same.count() as u64
    }
}

impl Action {
    /// Returns the word for it: `add`, `replace`, `keep` or `same`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Replace => "replace",
            Self::Keep => "keep",
            Self::Same => "same",
        }
    }
}

impl From<ImportAction> for Action {
    fn from(action: ImportAction) -> Self {
        match action {
            ImportAction::Add => Self::Add,
            ImportAction::Replace => Self::Replace,
            ImportAction::Keep => Self::Keep,
            _ => Self::Same,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_the_scope_refuses_is_found_by_its_line() {
        let read = Secrets::read(
            "f.json",
            b"{\n\"A\": \"1\",\n\"X-B\": \"2\"\n}",
            Format::Json,
            &Reading::default(),
        );
        let read = read.unwrap();
        let refused = ScopeKind::Env.check(&"X-B".parse().unwrap()).unwrap_err();
        let located = read.locate(refused.into());
        assert!(
            located.to_string().starts_with("f.json, line 3: "),
            "{located}"
        );
    }

    #[test]
    fn an_empty_file_and_a_broken_one_are_named() {
        let empty =
            Secrets::read("f.env", b"# none\n", Format::Dotenv, &Reading::default()).unwrap_err();
        assert_eq!(empty.to_string(), "f.env has no secrets");
        let broken = Secrets::read("f.json", b"{", Format::Json, &Reading::default()).unwrap_err();
        assert!(broken.to_string().starts_with("f.json, line 1"), "{broken}");
    }

    /// Leaving out nearly all of them takes one look at each.
    #[test]
    fn as_many_secrets_as_a_scope_holds_are_left_out() {
        let count = 100_000;
        let members: Vec<_> = (0..count).map(|at| format!("\"K{at}\":\"v\"")).collect();
        let file = format!("{{{}}}", members.join(","));
        let reading = Reading {
            skip: (1..count).map(|at| format!("K{at}")).collect(),
            ..Reading::default()
        };
        let read = Secrets::read("f", file.as_bytes(), Format::Json, &reading).unwrap();
        assert_eq!(read.secrets.len(), 1);
        let reading = Reading {
            only: reading.skip,
            ..Reading::default()
        };
        let read = Secrets::read("f", file.as_bytes(), Format::Json, &reading).unwrap();
        assert_eq!(read.secrets.len(), count - 1);
    }

    #[test]
    fn twenty_mistakes_of_any_kind_are_enough() {
        let of = |text: &str, format| {
            let read = Secrets::read("f", text.as_bytes(), format, &Reading::default());
            match read.unwrap_err() {
                Error::Unreadable { more, .. } => ("unreadable", more.len()),
                Error::Blank { more, .. } => ("blank", more.len()),
                other => panic!("{other}"),
            }
        };
        let lines = |line: &str| line.repeat(30);
        assert_eq!(of(&lines("A=1\n"), Format::Dotenv), ("unreadable", 19));
        assert_eq!(of(&lines("A B\n"), Format::Dotenv), ("unreadable", 19));
        assert_eq!(
            of(&lines("A.=1\nno line\n"), Format::Dotenv),
            ("unreadable", 19)
        );
        let blank: String = (0..30).map(|at| format!("A{at}=\n")).collect();
        assert_eq!(of(&blank, Format::Dotenv), ("blank", 19));
        // What is wrong behind the twentieth decides as well.
        assert_eq!(of(&(blank + "A0=1\n"), Format::Dotenv), ("unreadable", 19));
        let nulls: Vec<_> = (0..30).map(|at| format!("\"A{at}\":null")).collect();
        let nulls = format!("{{{}}}", nulls.join(","));
        assert_eq!(of(&nulls, Format::Json), ("blank", 19));
        let many: String = (0..100_001).map(|at| format!("A{at}: x\n")).collect();
        for (format, separator) in [(Format::Yaml, ": "), (Format::Dotenv, "=")] {
            let many = many.replace(": ", separator);
            let read = Secrets::read("f", many.as_bytes(), format, &Reading::default());
            let said = read.unwrap_err().to_string();
            assert_eq!(
                said,
                "f, line 100001: more than 100,000 entries, which no scope can hold"
            );
        }
    }

    #[test]
    fn debug_shows_no_value() {
        let read = Secrets::read(
            "f",
            b"{\"A\": \"hunter2\"}",
            Format::Json,
            &Reading::default(),
        )
        .unwrap();
        assert!(!format!("{read:?}").contains("hunter2"));
    }
}
