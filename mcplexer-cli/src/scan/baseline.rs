//! The findings that were accepted: a file that a repository can contain.
//!
//! It says how many findings of a rule are accepted in a file, and nothing about the values. A digest of a value would
//! tell a short one to everybody who tries the likely ones, and a keyed digest would need the key wherever files are
//! searched. Numbers of lines would change with every edit above them.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use mcplexer_durable::{FileReplacement, open_no_link, read_at_most};
use mcplexer_home::MAX_TEXT_LEN;
use mcplexer_secrets::Error as StoreError;
use serde::{Deserialize, Serialize};

use super::Report;
use crate::failure::{Failure, again, repeated_path};
use crate::text::shown;
use crate::{exit_code, input};

/// The version of the file's form.
const VERSION: u32 = 1;

/// A file of accepted findings.
pub(crate) struct Baseline {
    path: PathBuf,
    /// The directory of the file, to which the paths in it are relative.
    directory: PathBuf,
}

/// How many findings there are of each rule in each file.
pub(crate) struct Rows(BTreeMap<(String, String), u64>);

/// More findings of a rule in a file than are accepted.
pub(crate) struct Exceeded {
    pub(crate) file: String,
    pub(crate) rule: String,
    pub(crate) found: u64,
    pub(crate) accepted: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    accepted: Vec<Row>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    file: String,
    rule: String,
    count: u64,
}

impl Document {
    /// Parses the text of a baseline. The error says what is wrong with it.
    fn parse(text: &[u8]) -> Result<Self, String> {
        let document: Self = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        match document.version {
            VERSION => Ok(document),
            version => Err(format!("version {version} of the form is not known")),
        }
    }
}

impl Baseline {
    pub(crate) fn at(path: &Path) -> Self {
        let parent = path.parent().filter(|it| !it.as_os_str().is_empty());
        let directory = parent.unwrap_or(Path::new("."));
        Self {
            path: path.to_owned(),
            directory: directory.canonicalize().unwrap_or(directory.to_owned()),
        }
    }

    /// Reads the accepted findings.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read, or is not one that [`write`](Self::write) has written.
    pub(crate) fn read(&self) -> Result<Rows, Failure> {
        let creates = || match repeated_path(&self.path, "").is_empty() {
            true => "--write-baseline creates it".to_owned(),
            false => again(&["--write-baseline"], "creates it"),
        };
        let (_, text) =
            input::text(Some(&self.path)).map_err(|failure| failure.with_hint(creates()))?;
        let document = Document::parse(&text).map_err(|reason| self.invalid(&reason))?;
        let rows = document.accepted.into_iter();
        Ok(Rows(
            rows.map(|row| ((row.file, row.rule), row.count)).collect(),
        ))
    }

    fn invalid(&self, reason: &str) -> Failure {
        Failure::new(format!("{}: {reason}", shown(&self.path)))
            .with_hint("--write-baseline writes a new file, and replaces nothing but a baseline")
            .with_code(exit_code::USAGE)
    }

    /// Writes a file that accepts everything in a report.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be written, or if something other than a baseline is there: also a symbolic link, which may lead
    /// to a file that somebody else has chosen.
    pub(crate) fn write(&self, report: &Report, rule: fn(&str) -> String) -> Result<(), Failure> {
        let rows = self.count(report, rule).0.into_iter();
        let document = Document {
            version: VERSION,
            accepted: rows
                .map(|((file, rule), count)| Row { file, rule, count })
                .collect(),
        };
        let text = serde_json::to_string_pretty(&document);
        let text = text.map_err(|error| Failure::new(format!("cannot make JSON: {error}")))?;
        let text = format!("{text}\n");
        if self.path.is_symlink() {
            return Err(self.invalid("it is a symbolic link, which is not followed"));
        }
        let mut replacement = FileReplacement::begin(&self.path)?;
        match self.there()? {
            Some(old) => replacement.write_over(&old, text.as_bytes())?,
            None => {
                let written = replacement.write_all(text.as_bytes());
                written.map_err(|source| self.io("write", source))?;
                replacement.finish_new()?;
            }
        }
        Ok(())
    }

    /// Returns the baseline that is to be replaced; `None` if there is no file.
    fn there(&self) -> Result<Option<Vec<u8>>, Failure> {
        let file = match open_no_link(&self.path, OpenOptions::new().read(true)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(|source| self.io("read", source))?,
        };
        let text = read_at_most(MAX_TEXT_LEN, &file);
        let text = text.map_err(|source| self.io("read", source))?;
        match Document::parse(&text) {
            Ok(_) => Ok(Some(text.to_vec())),
            Err(_) => Err(self.invalid("it is no baseline, so it is not replaced")),
        }
    }

    fn io(&self, action: &'static str, source: std::io::Error) -> Failure {
        let path = self.path.clone();
        let error = StoreError::Io {
            action,
            path,
            source,
        };
        error.into()
    }

    /// Removes the accepted findings from a report, unless there are more of a rule in a file than are accepted: which of
    /// them is new cannot be known. Returns how many it has removed, and what is exceeded.
    pub(crate) fn apply(
        &self,
        accepted: &Rows,
        report: &mut Report,
        rule: fn(&str) -> String,
    ) -> (usize, Vec<Exceeded>) {
        let found = self.count(report, rule).0;
        let limit = |key: &(String, String)| accepted.0.get(key).copied().unwrap_or(0);
        let before = report.findings.len();
        let top = report.top.clone();
        report.findings.retain(|it| {
            let key = (
                self.name_of(&it.file, top.as_deref()),
                rule(&it.place.label),
            );
            found.get(&key).is_some_and(|found| *found > limit(&key))
        });
        let exceeded = found.iter().filter_map(|(key, &found)| {
            let accepted = limit(key);
            let (file, rule) = key.clone();
            (accepted > 0 && found > accepted).then_some(Exceeded {
                file,
                rule,
                found,
                accepted,
            })
        });
        (before - report.findings.len(), exceeded.collect())
    }

    fn count(&self, report: &Report, rule: fn(&str) -> String) -> Rows {
        let mut rows = BTreeMap::new();
        for it in &report.findings {
            let file = self.name_of(&it.file, report.top.as_deref());
            *rows.entry((file, rule(&it.place.label))).or_default() += 1;
        }
        Rows(rows)
    }

    /// Returns a file's path from the directory of the baseline, from wherever it was searched.
    fn name_of(&self, file: &Path, top: Option<&Path>) -> String {
        let path = top.map_or(file.to_owned(), |top| top.join(file));
        let directory = path.parent().filter(|it| !it.as_os_str().is_empty());
        let directory = directory.unwrap_or(Path::new(".")).canonicalize();
        let whole = directory.ok().zip(path.file_name());
        let whole = whole.map_or(path.clone(), |(directory, name)| directory.join(name));
        let name = whole.strip_prefix(&self.directory).unwrap_or(&whole);
        name.to_string_lossy().into_owned()
    }
}
