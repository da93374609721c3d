//! The file that names the scopes: checks it, applies it, and writes it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use mcplexer_durable::open_regular;
use mcplexer_files::config::{self, AuthScope, Config, MAX_CONFIG_LEN, Problem};
use mcplexer_secrets::{Error as StoreError, NewScope, ScopeId, SecretStore};
use rustix::io::Errno;
use serde::Serialize;

use crate::home::Home;
use crate::open::OpenHome;

mod apply;

pub use apply::{Action, AppliedRow, Apply, ApplyReport, Plan};

/// A configuration that has been read, whatever is in it.
#[derive(Debug)]
pub struct ConfigFile {
    /// Its path; `-` for standard input.
    path: PathBuf,
    /// Whether nothing is in it but comments.
    is_blank: bool,
    content: Result<Config, Vec<Problem>>,
}

/// A failure to read or to use a configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such file.
    #[error("cannot read {path}", path = .path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file has problems. Each is on one line, and none repeats the file.
    #[error("{} has {} problems", .path.display(), .problems.len())]
    Invalid {
        /// The file; `-` for standard input.
        path: PathBuf,
        /// All of the problems, in the order of the file; at least one.
        problems: Vec<Problem>,
    },
    /// The file cannot be read, or the store does not take the scopes.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What checking a configuration found.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct CheckReport {
    /// The file; `-` for standard input.
    pub file: String,
    /// The number of scopes, if there is no problem.
    pub scopes: Option<usize>,
    /// The number of servers, if there is no problem.
    pub servers: Option<usize>,
    /// The problems, in the order of the file.
    pub problems: Vec<ProblemRow>,
    /// What servers refer to and the store does not have, a line each.
    pub warnings: Vec<String>,
}

/// A problem of a configuration.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ProblemRow {
    /// The line, from 1.
    pub line: usize,
    /// The column, in characters, from 1.
    pub column: usize,
    /// The field, such as `auth_scopes[0].name`; empty for the whole file.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// The command that stores a value which does not belong in the file.
    pub hint: Option<String>,
}

/// A scope to create for a first secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScopeToMake {
    /// The scope.
    pub scope: NewScope,
    /// Whether `config.yaml` names it.
    pub is_named: bool,
}

impl ConfigFile {
    /// Reads a file. Call it before [`harden`](crate::harden) if the file may be `/dev/fd/N`.
    ///
    /// # Errors
    /// [`Error::Missing`] if there is no such file; [`Error::Store`] if it cannot be read.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let bytes = bytes_of(path, File::open(path).and_then(read_all))?;
        Ok(Self::new(path, &bytes))
    }

    /// Returns the configuration; `None` if nothing is in the file but comments.
    pub(crate) fn unless_blank(self) -> Result<Option<Config>, Error> {
        match self.is_blank {
            true => Ok(None),
            false => self.into_config().map(Some),
        }
    }

    pub(crate) fn new(path: &Path, bytes: &[u8]) -> Self {
        Self {
            path: path.to_owned(),
            is_blank: config::is_blank(bytes),
            content: config::parse(bytes),
        }
    }

    /// Reads the configuration of a home. It must be a regular file: nobody passes a pipe there on purpose, and
    /// reading one would wait for its writer.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn of_home(home: &Home) -> Result<Self, Error> {
        let path = home.config();
        let bytes = bytes_of(&path, read_home(&path))?;
        Ok(Self::new(&path, &bytes))
    }

    /// Reads standard input, which is called `-`.
    ///
    /// # Errors
    /// What the system says.
    pub fn read_stdin(stdin: impl Read) -> io::Result<Self> {
        Ok(Self::new(Path::new("-"), &read_all(stdin)?))
    }

    /// Returns the configuration.
    ///
    /// # Errors
    /// [`Error::Invalid`] if it has problems.
    pub fn into_config(self) -> Result<Config, Error> {
        self.content.map_err(|problems| Error::Invalid {
            path: self.path,
            problems,
        })
    }

    /// Returns what is in the file as a report.
    #[must_use]
    pub fn check(&self) -> CheckReport {
        let (config, problems) = match &self.content {
            Ok(config) => (Some(config), &[][..]),
            Err(problems) => (None, &problems[..]),
        };
        CheckReport {
            file: self.path.display().to_string(),
            scopes: config.map(|config| config.auth_scopes.iter().flatten().count()),
            servers: config.map(|config| config.servers.len()),
            problems: problems.iter().map(ProblemRow::from).collect(),
            warnings: Vec::new(),
        }
    }
}

impl From<&Problem> for ProblemRow {
    fn from(problem: &Problem) -> Self {
        Self {
            line: problem.line,
            column: problem.column,
            path: problem.path.clone(),
            message: problem.message.clone(),
            hint: instead(problem),
        }
    }
}

/// Returns the command that stores a value which does not belong in the file.
#[must_use]
pub fn instead(problem: &Problem) -> Option<String> {
    let place = problem.instead.as_ref()?;
    let scope = place.scope.as_ref().map_or("SCOPE", |it| it.as_str());
    let name = place.name.as_ref().map_or("KEY", |it| it.as_str());
    let reference = match place.takes_reference {
        true => format!("; mcplexer://{scope}/{name} takes its place"),
        false => String::new(),
    };
    Some(format!(
        "mcplexer secret put {scope} {name} stores a value{reference}"
    ))
}

impl ScopeToMake {
    /// Finds out how to create a scope: as `config.yaml` beside the store names it, or else as a
    /// scope of kind `env`.
    ///
    /// A scope that exists needs no file. For one that does not, a file with a problem is an
    /// error: to ignore it would be to guess the kind.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the file has problems; [`Error::Store`] if it or the store cannot be
    /// read.
    pub fn find(id: &ScopeId, open: &OpenHome) -> Result<Self, Error> {
        let has_file = !matches!(open.home().config().try_exists(), Ok(false));
        let mut named = None;
        if has_file && !open.store().has_scope(id)? {
            let path = open.home().config();
            let bytes = bytes_of(&path, read_home(&path))?;
            let scopes = config::parse_scopes(&bytes);
            let scopes = scopes.map_err(|problems| Error::Invalid { path, problems })?;
            named = scopes.iter().map(NewScope::from).find(|it| it.id == *id);
        }
        Ok(Self {
            is_named: named.is_some(),
            scope: named.unwrap_or_else(|| NewScope::env(id.clone())),
        })
    }
}

/// Returns the scopes of a store as a configuration, with the servers and clients of `config.yaml` beside the store.
///
/// # Errors
/// [`Error::Invalid`] if that file has problems, since its servers would be lost; [`Error::Store`] if it or the store
/// cannot be read. A file that is missing or empty has no servers.
pub fn show(open: &OpenHome) -> Result<Config, Error> {
    let scopes = open.store().scopes()?;
    let scopes = scopes.into_iter().map(AuthScope::from).collect();
    Ok(Config {
        auth_scopes: Some(scopes),
        ..of_home(open.home())?.unwrap_or_default()
    })
}

/// Reads `config.yaml` of a home; `None` if it is missing, empty, or has comments only.
///
/// # Errors
/// [`Error::Invalid`] if it has problems; [`Error::Store`] if it cannot be read.
pub fn of_home(home: &Home) -> Result<Option<Config>, Error> {
    match ConfigFile::of_home(home) {
        Err(Error::Missing { .. }) => Ok(None),
        file => file?.unless_blank(),
    }
}

fn read_home(path: &Path) -> io::Result<Vec<u8>> {
    let file = open_regular(path, OpenOptions::new().read(true))?;
    file.ok_or_else(|| Errno::NOENT.into()).and_then(read_all)
}

/// Returns the bytes of a file, or why it cannot be read.
fn bytes_of(path: &Path, bytes: io::Result<Vec<u8>>) -> Result<Vec<u8>, Error> {
    bytes.map_err(|source| {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => Error::Missing { path, source },
            _ => Error::Store(StoreError::Io {
                action: "read",
                path,
                source,
            }),
        }
    })
}

/// Reads one byte more than the file may have, so that a longer one is found out.
fn read_all(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(MAX_CONFIG_LEN as u64 + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_counts_scopes_or_lists_problems() {
        let check = |text: &str| ConfigFile::read_stdin(text.as_bytes()).unwrap().check();
        let well = check("auth_scopes: [{id: web}]");
        assert_eq!((well.scopes, well.problems.len()), (Some(1), 0));
        assert_eq!(well.file, "-");
        let wrong = check("auth_scopes: [{id: web, token: x}]");
        assert_eq!((wrong.scopes, wrong.problems.len()), (None, 1));
        let hint = wrong.problems.first().and_then(|it| it.hint.as_deref());
        assert_eq!(hint, Some("mcplexer secret put web TOKEN stores a value"));
    }

    #[test]
    fn a_missing_file_is_told_from_one_that_cannot_be_read() {
        let directory = tempfile::tempdir().unwrap();
        let missing = ConfigFile::read(&directory.path().join("none"));
        assert!(matches!(missing, Err(Error::Missing { .. })));
        let unreadable = ConfigFile::read(directory.path());
        assert!(matches!(unreadable, Err(Error::Store(_))));
    }
}
