//! Searches files, and what git is about to commit, for values of the store or for credentials of known shapes.

mod baseline;
mod files;
mod git;
mod search;
mod shapes;
mod staged;

use std::collections::HashSet;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::failure::repeated_path;

pub(crate) use baseline::Baseline;
pub(crate) use files::{search_files, unread};
pub(crate) use search::Search;
pub(crate) use staged::{StagedError, search_staged};

/// The result of a search.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// The number of files that were to be searched.
    pub(crate) files: u64,
    /// By path, line and column.
    pub(crate) findings: Vec<Finding>,
    /// What could not be read, sorted.
    pub(crate) unread: Vec<Unread>,
    /// What relative paths are relative to, if that is not the working directory.
    pub(crate) top: Option<PathBuf>,
}

/// A value that is in a file.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) file: PathBuf,
    pub(crate) place: Place,
}

/// Where in a file a value begins, and which one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    /// From 1.
    pub(crate) line: u64,
    /// In bytes, from 1.
    pub(crate) column: u64,
    /// `SCOPE/KEY` of a value of the store, or the kind of a credential, such as `GitHub token`.
    pub(crate) label: Arc<str>,
}

/// Something that could not be read, and why.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unread {
    /// A file.
    File { path: PathBuf, reason: String },
    /// The walk through a directory; the reason names it.
    Walk { reason: String },
    /// The list of files that git tracks in a directory.
    Tracked { directory: PathBuf, reason: String },
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, reason } => {
                write!(f, "{}: {reason}", repeated_path(path, "that file"))
            }
            Self::Walk { reason } => f.write_str(reason),
            Self::Tracked { directory, reason } => {
                write!(
                    f,
                    "the files that git tracks in {}: {reason}",
                    directory.display()
                )
            }
        }
    }
}

impl Report {
    /// Adds the result of searching one file.
    fn add(&mut self, file: &Path, result: io::Result<Vec<Place>>) {
        match result {
            Ok(found) => {
                let finding = |place| Finding {
                    file: file.to_owned(),
                    place,
                };
                self.findings.extend(found.into_iter().map(finding));
            }
            Err(error) => self.unread.push(Unread::File {
                path: file.to_owned(),
                reason: error.to_string(),
            }),
        }
    }

    /// Adds the report on other files.
    fn extend(&mut self, other: Self) {
        self.files += other.files;
        self.findings.extend(other.findings);
        self.unread.extend(other.unread);
    }

    /// Sorts by path and place. A file that was named twice is listed once.
    fn sorted(mut self) -> Self {
        let place = |it: &Finding| (it.file.clone(), it.place.line, it.place.column);
        self.findings.sort_by_cached_key(place);
        let mut listed = HashSet::new();
        self.findings
            .retain(|it| listed.insert((it.file.clone(), it.place.clone())));
        self.unread.sort();
        self
    }
}
