//! Which projects the user trusts: a file of the home with the hash of each.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use mcplexer_durable::{
    Exposure, PATIENCE, ReplaceError, create_parent, exposed_above, replace_file, wait_for_lock,
};

use super::{Error, ProjectFile, read_own};
use crate::home::Home;

/// The longest list, in bytes.
const MAX_LEN: usize = 16 << 20;

/// Whether a file is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// It is what the user has trusted.
    Trusted,
    /// The user has trusted another content.
    Changed,
    /// The user has never trusted it.
    Unknown,
}

/// The hash of each trusted project, by the path of its file.
#[derive(Debug, Default)]
pub struct TrustList {
    trusted: BTreeMap<PathBuf, String>,
}

impl TrustList {
    /// Reads the list of a home, which may not exist yet.
    ///
    /// # Errors
    /// [`Error::List`] if it is damaged, or can be changed by other users.
    pub fn read(home: &Home) -> Result<Self, Error> {
        let path = home.trusted();
        let exposed = exposed_above(&path, home.user_home());
        let exposed = exposed.map_err(|source| unusable(&path, source))?;
        if let Some((above, _)) = exposed.iter().find(|(_, it)| *it != Exposure::None) {
            let message = format!("other users can write to {}", above.display());
            return Err(unusable(&path, io::Error::other(message)));
        }
        let trusted = match read_own(&path, MAX_LEN) {
            Ok(content) => serde_json::from_slice(&content)
                .map_err(|error| unusable(&path, io::Error::other(error)))?,
            Err(Error::Unreadable { source, .. }) if source.kind() == ErrorKind::NotFound => {
                BTreeMap::new()
            }
            Err(Error::Unreadable { source, .. }) => return Err(unusable(&path, source)),
            Err(other) => return Err(other),
        };
        Ok(Self { trusted })
    }

    /// Returns whether a project is trusted.
    #[must_use]
    pub fn verdict(&self, file: &ProjectFile) -> Verdict {
        match self.trusted.get(file.path()) {
            Some(known) if known == file.fingerprint() => Verdict::Trusted,
            Some(_) => Verdict::Changed,
            None => Verdict::Unknown,
        }
    }

    /// Fails unless a project is trusted.
    ///
    /// # Errors
    /// [`Error::NotTrusted`].
    pub fn check(&self, file: &ProjectFile) -> Result<(), Error> {
        let was_changed = match self.verdict(file) {
            Verdict::Trusted => return Ok(()),
            Verdict::Changed => true,
            Verdict::Unknown => false,
        };
        Err(Error::NotTrusted {
            path: file.path().to_owned(),
            was_changed,
        })
    }

    /// Returns the files that are trusted with some content, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.trusted.keys().map(PathBuf::as_path)
    }

    /// Trusts a project as it was read.
    ///
    /// # Errors
    /// [`Error::List`] if the list cannot be written.
    pub fn trust(home: &Home, file: &ProjectFile) -> Result<(), Error> {
        let path = file.path();
        if path.to_str().is_none() {
            let message = "the path of the project is not UTF-8 text";
            return Err(unusable(&home.trusted(), io::Error::other(message)));
        }
        Self::change(home, |trusted| {
            trusted.insert(path.to_owned(), file.fingerprint().to_owned());
        })
    }

    /// Trusts a project no longer. Returns whether it was trusted.
    ///
    /// # Errors
    /// [`Error::List`] if the list cannot be read or written.
    pub fn revoke(home: &Home, path: &Path) -> Result<bool, Error> {
        let is_known = Self::read(home)?.trusted.contains_key(path);
        if is_known {
            Self::change(home, |trusted| {
                trusted.remove(path);
            })?;
        }
        Ok(is_known)
    }

    /// Replaces the list in one step. The lock is on the directory: the file is another one with each change, and two
    /// changes at once would be one.
    fn change(home: &Home, change: impl Fn(&mut BTreeMap<PathBuf, String>)) -> Result<(), Error> {
        let path = home.trusted();
        let failed = |source| unusable(&path, source);
        create_parent(&path).map_err(failed)?;
        let directory = File::open(home.directory()).map_err(failed)?;
        let locked = wait_for_lock(&directory, PATIENCE).map_err(failed)?;
        locked.ok_or_else(|| failed(ErrorKind::ResourceBusy.into()))?;
        let mut list = Self::read(home)?;
        change(&mut list.trusted);
        let text = serde_json::to_vec_pretty(&list.trusted);
        let mut text = text.map_err(|error| failed(error.into()))?;
        text.push(b'\n');
        replace_file(&path, &text).map_err(|error| match error {
            ReplaceError::NotWritten { source, .. } => failed(source),
            other => failed(io::Error::other(other)),
        })
    }
}

fn unusable(path: &Path, source: io::Error) -> Error {
    Error::List {
        path: path.to_owned(),
        source,
    }
}
