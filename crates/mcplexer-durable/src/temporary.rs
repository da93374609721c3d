//! Files under a temporary name, which get their own name once they are whole.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::directory::directory_of;
use crate::file::{close_to_others, is_still_at, sync};
use crate::observe::operation_done;

/// Ends the name of a file that is not whole yet.
const SUFFIX: &str = ".mcplexer-new";
/// Random characters in the name.
const RANDOM_LEN: usize = 6;

/// A file of mode 0600 beside the one it will become. Dropping it removes it.
#[derive(Debug)]
pub struct Temporary(NamedTempFile);

impl Temporary {
    /// Creates an empty file in the directory of `path`, under a name that only
    /// [`temporaries_beside`] finds.
    ///
    /// # Errors
    /// If the directory does not exist or cannot be written to.
    pub fn beside(path: &Path) -> io::Result<Self> {
        let directory = directory_of(path);
        // Asked first, so that an error does not mention the temporary name.
        fs::metadata(directory)?;
        let file = tempfile::Builder::new()
            .prefix(&prefix(path))
            .rand_bytes(RANDOM_LEN)
            .suffix(SUFFIX)
            .tempfile_in(directory)?;
        close_to_others(file.as_file())?;
        operation_done();
        Ok(Self(file))
    }

    /// Returns the open file.
    #[must_use]
    pub fn file(&self) -> &File {
        self.0.as_file()
    }

    /// Opens the file a second time.
    ///
    /// # Errors
    /// If it cannot be opened, or another process has removed or replaced it.
    pub fn reopen(&self) -> io::Result<File> {
        self.0.reopen()
    }

    /// Returns its temporary name.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Returns whether it still has its name: another process may have removed it as abandoned.
    #[must_use]
    pub fn exists(&self) -> bool {
        is_still_at(self.file(), self.path())
    }

    /// Makes what was written so far durable.
    ///
    /// # Errors
    /// If the operating system cannot sync it.
    pub fn sync(&self) -> io::Result<()> {
        sync(self.file())
    }

    /// Renames it to `path`, and replaces what has that name. The new name is durable after
    /// [`sync_parent`](crate::sync_parent).
    ///
    /// # Errors
    /// If it cannot be renamed; it is removed then.
    pub fn persist(self, path: &Path) -> io::Result<()> {
        self.0.persist(path)?;
        operation_done();
        Ok(())
    }

    /// Renames it to `path`, which must not exist. The new name is durable after
    /// [`sync_parent`](crate::sync_parent).
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`] if something has that name, or if it cannot be renamed; it is
    /// removed then.
    pub fn persist_new(self, path: &Path) -> io::Result<()> {
        self.0.persist_noclobber(path)?;
        operation_done();
        Ok(())
    }
}

impl Write for Temporary {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.as_file_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.as_file_mut().flush()
    }
}

/// Removes the temporary files that killed processes have left beside `path`.
///
/// # Errors
/// If the directory cannot be read or a file in it cannot be removed.
pub fn remove_temporaries_beside(path: &Path) -> io::Result<()> {
    for left in temporaries_beside(path)? {
        match fs::remove_file(left) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => operation_done(),
        }
    }
    Ok(())
}

/// Returns the temporary files beside `path`, those still being written and those left by killed
/// processes.
///
/// # Errors
/// If the directory cannot be read.
pub fn temporaries_beside(path: &Path) -> io::Result<Vec<PathBuf>> {
    let prefix = prefix(path);
    let mut found = Vec::new();
    for entry in fs::read_dir(directory_of(path))? {
        let entry = entry?;
        let name = entry.file_name();
        let random = name
            .as_encoded_bytes()
            .strip_prefix(prefix.as_encoded_bytes())
            .and_then(|name| name.strip_suffix(SUFFIX.as_bytes()));
        if random.is_some_and(|random| random.len() == RANDOM_LEN) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

fn prefix(path: &Path) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push("-");
    prefix
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_temporary_file_is_private_found_and_gone_when_dropped() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("age.key");
        let file = Temporary::beside(&path).unwrap();
        let mode = file.file().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
        assert_eq!(temporaries_beside(&path).unwrap(), [file.path()]);
        assert!(
            temporaries_beside(&path.with_file_name("other"))
                .unwrap()
                .is_empty()
        );
        drop(file);
        assert!(temporaries_beside(&path).unwrap().is_empty());
    }

    #[test]
    fn a_name_that_is_taken_is_not_taken_over() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("f");
        fs::write(&path, "old").unwrap();
        let error = Temporary::beside(&path)
            .unwrap()
            .persist_new(&path)
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert!(temporaries_beside(&path).unwrap().is_empty());
    }

    #[test]
    fn what_a_killed_process_left_is_removed_by_name() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("f");
        let left = directory.path().join(".f-a1b2c3.mcplexer-new");
        let other = directory.path().join(".f-a1b2c3d.mcplexer-new");
        fs::write(&left, "x").unwrap();
        fs::write(&other, "x").unwrap();
        remove_temporaries_beside(&path).unwrap();
        assert!(!left.exists() && other.exists());
    }
}
