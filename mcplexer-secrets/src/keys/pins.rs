use std::fs::OpenOptions;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use mcplexer_durable::{ReplaceError, create_parent, open_regular, replace_file};

use crate::{Error, StoreId};

/// The most that is read of a file of pins.
const MAX_FILE_LEN: u64 = 1 << 20;

/// Remembers which root keys an owner has accepted, in a file of mode 0600.
///
/// An owner whose private key is at hand claims the store inside the store. The identity of a plugin, and one that
/// a [`KeyHolder`](super::KeyHolder) keeps, cannot: for them, a pin outside of the store takes the place of the claim.
/// A user who can write this file can accept a store for such an owner.
///
/// A line has the id of a store and a digest of a root key, in hexadecimal.
#[derive(Debug, Clone)]
pub struct Pins(PathBuf);

impl Pins {
    /// Uses the file at `path`. The first pin creates it.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Returns the path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Returns whether this root key was accepted.
    pub(crate) fn has(&self, store: StoreId, root: &[u8; 32]) -> Result<bool, Error> {
        let wanted = line(store, root);
        Ok(self.read()?.lines().any(|line| line == wanted))
    }

    /// Accepts these root keys of a store, and no others of it. Durable on return.
    pub(crate) fn pin(&self, store: StoreId, roots: &[[u8; 32]]) -> Result<(), Error> {
        let id = store.to_string();
        let mut text = String::new();
        for line in self.read()?.lines().filter(|line| !line.starts_with(&id)) {
            text.push_str(line);
            text.push('\n');
        }
        for root in roots {
            text.push_str(&line(store, root));
            text.push('\n');
        }
        create_parent(&self.0).map_err(|source| self.failed("write", source))?;
        replace_file(&self.0, text.as_bytes()).map_err(|error| match error {
            ReplaceError::NotWritten { source, .. } => self.failed("write", source),
            other => self.failed("write", io::Error::other(other)),
        })
    }

    fn read(&self) -> Result<String, Error> {
        let mut text = String::new();
        let opened = open_regular(&self.0, OpenOptions::new().read(true));
        let read = opened.and_then(|file| match file {
            Some(file) => file.take(MAX_FILE_LEN).read_to_string(&mut text).map(drop),
            None => Ok(()),
        });
        read.map_err(|source| self.failed("read", source))?;
        Ok(text)
    }

    fn failed(&self, action: &'static str, source: io::Error) -> Error {
        Error::Io {
            action,
            path: self.0.clone(),
            source,
        }
    }
}

fn line(store: StoreId, root: &[u8; 32]) -> String {
    let digits: String = root.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{store} {digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_store_has_pins_of_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let pins = Pins::new(directory.path().join("new/pins"));
        let (one, other) = (StoreId([1; 16]), StoreId([2; 16]));
        assert!(!pins.has(one, &[1; 32]).unwrap());
        pins.pin(one, &[[1; 32]]).unwrap();
        pins.pin(other, &[[3; 32]]).unwrap();
        pins.pin(one, &[[1; 32], [2; 32]]).unwrap();
        assert!(pins.has(one, &[1; 32]).unwrap() && pins.has(one, &[2; 32]).unwrap());
        pins.pin(one, &[[2; 32]]).unwrap();
        assert!(!pins.has(one, &[1; 32]).unwrap() && pins.has(other, &[3; 32]).unwrap());
        assert!(!pins.has(other, &[2; 32]).unwrap());
    }
}
