//! The key that seals the ids of sessions, kept in a file so that they outlive the process.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use mcplexer_durable::{
    Exposure, Temporary, create_parent, exposure, open_regular, read_at_most, sync_parent,
};
use zeroize::Zeroizing;

/// The length of a key, in bytes.
const LEN: usize = 32;

/// A key that seals the ids of sessions.
#[derive(Clone)]
pub struct SealingKey(Zeroizing<[u8; LEN]>);

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealingKeyError {
    /// The file cannot be read or written.
    #[error("cannot use {}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is something else, or others can read it: what it sealed is not trusted.
    #[error("{} {problem}", .path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },
}

impl SealingKey {
    /// Makes a new key.
    ///
    /// # Errors
    /// If the system gives no randomness.
    pub fn random() -> io::Result<Self> {
        let mut key = Zeroizing::new([0; LEN]);
        getrandom::fill(&mut *key).map_err(io::Error::other)?;
        Ok(Self(key))
    }

    /// Reads the key in a file; creates the file, with a new key, if it does not exist.
    ///
    /// # Errors
    /// - [`SealingKeyError::Io`] if the file cannot be read or written.
    /// - [`SealingKeyError::Unusable`] if it has no key in it, or if others can read it.
    pub fn in_file(path: &Path) -> Result<Self, SealingKeyError> {
        let failed = |source| SealingKeyError::Io {
            path: path.to_owned(),
            source,
        };
        if let Some(key) = Self::read(path)? {
            return Ok(key);
        }
        let key = Self::random().map_err(failed)?;
        let create = || {
            create_parent(path)?;
            let mut file = Temporary::beside(path)?;
            file.write_all(&*key.0)?;
            file.sync()?;
            file.persist_new(path)?;
            sync_parent(path)
        };
        match create() {
            Ok(()) => Ok(key),
            Err(error) => match Self::read(path) {
                // Another process was first.
                Ok(Some(key)) => Ok(key),
                _ => Err(failed(error)),
            },
        }
    }

    fn read(path: &Path) -> Result<Option<Self>, SealingKeyError> {
        let failed = |source| SealingKeyError::Io {
            path: path.to_owned(),
            source,
        };
        let unusable = |problem| SealingKeyError::Unusable {
            path: path.to_owned(),
            problem,
        };
        let Some(file) = open_regular(path, OpenOptions::new().read(true)).map_err(failed)? else {
            return Ok(None);
        };
        if exposure(&file).map_err(failed)? != Exposure::None {
            return Err(unusable("is open to other users"));
        }
        let bytes = match read_at_most(LEN, &file) {
            Err(error) if error.kind() == ErrorKind::FileTooLarge => None,
            read => Some(read.map_err(failed)?),
        };
        let key = bytes.and_then(|bytes| <[u8; LEN]>::try_from(bytes.as_slice()).ok());
        match key {
            Some(key) => Ok(Some(Self(Zeroizing::new(key)))),
            None => Err(unusable("is not a key of the gateway")),
        }
    }

    /// Returns the key.
    pub(crate) fn expose(&self) -> &Zeroizing<[u8; LEN]> {
        &self.0
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealingKey([{} bytes])", size_of_val(&*self.0))
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("home/gateway.key");
        let key = SealingKey::in_file(&path).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(*SealingKey::in_file(&path).unwrap().0, *key.0);
        assert_eq!(format!("{key:?}"), "SealingKey([32 bytes])");
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let said = |path: &Path| SealingKey::in_file(path).unwrap_err().to_string();
        assert!(said(&path).ends_with("gateway.key is open to other users"));
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        for odd in ["", "short", &"x".repeat(33)] {
            fs::write(&path, odd).unwrap();
            assert!(said(&path).ends_with("gateway.key is not a key of the gateway"));
        }
    }
}
