//! Replacing a user's file in one step.

use std::fmt;
use std::fs::{self, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use crate::bounded::read_at_most;
use crate::directory::{directory_of, sync_parent};
use crate::file::{not_a_file, open_regular};
use crate::temporary::{Temporary, temporaries_beside};

/// Writes a file of mode 0600 in one step: under another name first, synced, then renamed over what was
/// there. A symbolic link is followed, not replaced.
///
/// # Errors
/// [`ReplaceError::NotWritten`] if it cannot be written, or something other than a file is there. The
/// old file is unchanged then.
pub fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), ReplaceError> {
    FileReplacement::begin(path)?.write(bytes)
}

/// Why a file was not replaced. It is unchanged then.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReplaceError {
    /// It cannot be written.
    NotWritten {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It no longer holds what the new content was made from.
    Changed {
        /// The file.
        path: PathBuf,
    },
}

impl fmt::Display for ReplaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotWritten { path, .. } => write!(f, "cannot write {}", path.display()),
            Self::Changed { path } => write!(f, "{} was changed meanwhile", path.display()),
        }
    }
}

impl std::error::Error for ReplaceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NotWritten { source, .. } => Some(source),
            Self::Changed { .. } => None,
        }
    }
}

/// A file that is about to be replaced. Dropping this leaves the file unchanged.
///
/// Once [`begin`](Self::begin) has returned, the directory is known to be writable.
#[derive(Debug)]
pub struct FileReplacement {
    /// The path as it was given.
    path: PathBuf,
    /// Where its symbolic links lead.
    target: PathBuf,
    temporary: Temporary,
}

impl FileReplacement {
    /// Prepares to replace the file at `path`, which need not exist. A symbolic link is followed, not
    /// replaced.
    ///
    /// # Errors
    /// [`ReplaceError::NotWritten`] if nothing can be written there, or something other than a file is
    /// there.
    pub fn begin(path: &Path) -> Result<Self, ReplaceError> {
        let begin = || {
            let target = target(path)?;
            remove_abandoned(&target)?;
            let temporary = locked_temporary(&target)?;
            Ok((target, temporary))
        };
        let (target, temporary) = begin().map_err(|source| not_written(path, source))?;
        Ok(Self {
            path: path.to_owned(),
            target,
            temporary,
        })
    }

    /// Returns whether the file has other names (hard links). They keep leading to the old file.
    #[must_use]
    pub fn has_other_names(&self) -> bool {
        fs::metadata(&self.target).is_ok_and(|metadata| metadata.nlink() > 1)
    }

    /// Writes the file, mode 0600.
    ///
    /// # Errors
    /// [`ReplaceError::NotWritten`].
    pub fn write(mut self, bytes: &[u8]) -> Result<(), ReplaceError> {
        let path = self.path.clone();
        let written = self.write_all(bytes);
        written.map_err(|source| not_written(&path, source))?;
        self.finish()
    }

    /// Makes durable what was written so far.
    ///
    /// # Errors
    /// If the operating system cannot sync it.
    pub fn sync(&self) -> io::Result<()> {
        self.temporary.sync()
    }

    /// Ends a file that was written in parts, mode 0600.
    ///
    /// # Errors
    /// [`ReplaceError::NotWritten`].
    pub fn finish(self) -> Result<(), ReplaceError> {
        let path = self.path.clone();
        let finished = self.sync().and_then(|()| self.persist());
        finished.map_err(|source| not_written(&path, source))
    }

    /// Gives a file that was written in parts its name, with mode 0600, unless a file with that name exists by now.
    ///
    /// # Errors
    /// [`ReplaceError::NotWritten`], of the kind [`ErrorKind::AlreadyExists`] if there is one.
    pub fn finish_new(self) -> Result<(), ReplaceError> {
        let path = self.path.clone();
        let finish = || {
            self.sync()?;
            self.temporary.persist_new(&self.target)?;
            sync_parent(&self.target)
        };
        finish().map_err(|source| not_written(&path, source))
    }

    /// Replaces a file that must still hold `old`. The new file has the old one's mode and owner.
    ///
    /// # Errors
    /// [`ReplaceError::Changed`] if the file holds something else by now; [`ReplaceError::NotWritten`].
    pub fn write_over(mut self, old: &[u8], bytes: &[u8]) -> Result<(), ReplaceError> {
        let path = self.path.clone();
        let failed = |source| not_written(&path, source);
        self.write_all(bytes).map_err(failed)?;
        self.sync().map_err(failed)?;
        let metadata = fs::metadata(&self.target).map_err(failed)?;
        let file = self.temporary.file();
        let own = file.metadata().map_err(failed)?;
        if (metadata.uid(), metadata.gid()) != (own.uid(), own.gid()) {
            fchown(file, Some(metadata.uid()), Some(metadata.gid())).map_err(failed)?;
        }
        file.set_permissions(Permissions::from_mode(metadata.mode() & 0o7777))
            .map_err(failed)?;
        if !self.holds(old).map_err(failed)? {
            return Err(ReplaceError::Changed { path });
        }
        self.persist().map_err(failed)
    }

    /// Returns whether the file still holds these bytes.
    fn holds(&self, old: &[u8]) -> io::Result<bool> {
        let file = open_regular(&self.target, OpenOptions::new().read(true))?;
        match read_at_most(old.len(), &file.ok_or(ErrorKind::NotFound)?) {
            Ok(bytes) => Ok(*bytes == *old),
            Err(error) if error.kind() == ErrorKind::FileTooLarge => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn persist(self) -> io::Result<()> {
        self.temporary.persist(&self.target)?;
        sync_parent(&self.target)
    }
}

/// Writes a part of the new content.
impl Write for FileReplacement {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.temporary.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.temporary.flush()
    }
}

fn not_written(path: &Path, source: io::Error) -> ReplaceError {
    ReplaceError::NotWritten {
        path: path.to_owned(),
        source,
    }
}

/// Returns the file that is to be written. `/dev/stdout` is refused even while the shell redirects it to
/// a file: the shell may have written more to that file.
fn target(path: &Path) -> io::Result<PathBuf> {
    if names_a_descriptor(path) {
        return Err(not_a_file());
    }
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => fs::canonicalize(path),
        Ok(_) => Err(not_a_file()),
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        Err(_) if path.is_symlink() => Err(io::Error::new(
            ErrorKind::NotFound,
            "it is a link to a file that does not exist",
        )),
        Err(_) => Ok(path.to_owned()),
    }
}

/// Returns whether a path names, or leads to the name of, an open file of this process: `/dev/stdout`,
/// `/dev/fd/N`, `/proc/self/fd/N`.
fn names_a_descriptor(path: &Path) -> bool {
    let mut path = path.to_owned();
    // As many links as Linux follows (path_resolution(7)).
    for _ in 0..40 {
        let Ok(directory) = fs::canonicalize(directory_of(&path)) else {
            return false;
        };
        if directory.starts_with("/proc") || directory.ends_with("dev/fd") {
            return true;
        }
        let name = path.file_name().unwrap_or_default();
        match fs::read_link(directory.join(name)) {
            Ok(to) => path = directory.join(to),
            Err(_) => return false,
        }
    }
    false
}

/// Creates a temporary file and keeps it locked while it is written, so that it does not look abandoned.
fn locked_temporary(target: &Path) -> io::Result<Temporary> {
    loop {
        let temporary = Temporary::beside(target)?;
        temporary.file().lock()?;
        // Another process may have removed it before it was locked.
        if temporary.exists() {
            return Ok(temporary);
        }
    }
}

/// Removes what killed processes have left beside this file; it may hold values.
fn remove_abandoned(target: &Path) -> io::Result<()> {
    for path in temporaries_beside(target)? {
        // Anyone who can write here may have put something else there.
        let Ok(Some(file)) = open_regular(&path, OpenOptions::new().read(true)) else {
            continue;
        };
        match file.try_lock() {
            Ok(()) => match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            },
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_replacement_keeps_the_mode_and_follows_a_link() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("f"), directory.path().join("l"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        let replacement = FileReplacement::begin(&link).unwrap();
        replacement.write_over(b"old", b"new").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o640);
        replace_file(&link, b"newer").unwrap();
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_was_changed_meanwhile_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("f");
        fs::write(&file, "theirs").unwrap();
        let replacement = FileReplacement::begin(&file).unwrap();
        let error = replacement.write_over(b"old", b"new").unwrap_err();
        assert!(matches!(error, ReplaceError::Changed { .. }), "{error}");
        assert_eq!(fs::read(&file).unwrap(), b"theirs");
    }

    #[test]
    fn only_a_file_is_replaced() {
        for path in ["/dev/null", "/dev/stdout", "/"] {
            assert!(replace_file(Path::new(path), b"x").is_err(), "{path}");
        }
    }
}
