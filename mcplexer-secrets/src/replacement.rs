//! Replacing a file of the user's in one step.

use std::fs::{self, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use zeroize::Zeroizing;

use crate::Error;
use crate::private::{
    directory_of, is_still_at, not_a_file, open_regular, persist, sync, sync_parent,
    temporaries_beside, temporary_beside,
};

/// Writes a file that is readable by its owner alone, mode 0600: whole and synced under another name
/// first, then put in the place of what was there. A symbolic link is followed, not replaced.
///
/// # Errors
/// [`Error::Io`] if it cannot be written, or if something other than a file is there; the old file
/// is untouched then.
pub fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    FileReplacement::begin(path)?.write(bytes)
}

/// A file that is about to be replaced by an edited one, which is as readable and belongs to whom the
/// old one does.
///
/// While there is one, it is certain that the file can be written. Dropping it leaves the file as it
/// was.
#[derive(Debug)]
pub struct FileReplacement {
    /// As it was named.
    path: PathBuf,
    /// Where the links lead to.
    target: PathBuf,
    temporary: NamedTempFile,
}

impl FileReplacement {
    /// Prepares to replace the file at `path`, which need not exist. A symbolic link is followed, not
    /// replaced.
    ///
    /// # Errors
    /// [`Error::Io`] if nothing can be written there, or if it is something other than a file.
    pub fn begin(path: &Path) -> Result<Self, Error> {
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

    /// Whether the file has other names (hard links), which go on to lead to the old one.
    #[must_use]
    pub fn has_other_names(&self) -> bool {
        fs::metadata(&self.target).is_ok_and(|metadata| metadata.nlink() > 1)
    }

    /// Writes the file, mode 0600.
    ///
    /// # Errors
    /// [`Error::Io`]; the old file is untouched then.
    pub fn write(mut self, bytes: &[u8]) -> Result<(), Error> {
        let path = self.path.clone();
        let written = self.fill(bytes).and_then(|()| self.persist());
        written.map_err(|source| not_written(&path, source))
    }

    /// Writes the file in the place of one that must still hold `old`, with its mode and owner.
    ///
    /// # Errors
    /// [`Error::FileChanged`] if it holds something else by now; [`Error::Io`]. The file is untouched
    /// then.
    pub fn write_over(mut self, old: &[u8], bytes: &[u8]) -> Result<(), Error> {
        let path = self.path.clone();
        let failed = |source| not_written(&path, source);
        self.fill(bytes).map_err(failed)?;
        let metadata = fs::metadata(&self.target).map_err(failed)?;
        let file = self.temporary.as_file();
        let own = file.metadata().map_err(failed)?;
        if (metadata.uid(), metadata.gid()) != (own.uid(), own.gid()) {
            fchown(file, Some(metadata.uid()), Some(metadata.gid())).map_err(failed)?;
        }
        file.set_permissions(Permissions::from_mode(metadata.mode() & 0o7777))
            .map_err(failed)?;
        if *fs::read(&self.target).map(Zeroizing::new).map_err(failed)? != *old {
            return Err(Error::FileChanged { path });
        }
        self.persist().map_err(failed)
    }

    fn fill(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.temporary.write_all(bytes)?;
        sync(self.temporary.as_file())
    }

    fn persist(self) -> io::Result<()> {
        persist(self.temporary, &self.target)?;
        sync_parent(&self.target)
    }
}

fn not_written(path: &Path, source: io::Error) -> Error {
    Error::Io {
        action: "write",
        path: path.to_owned(),
        source,
    }
}

/// Where a file is to be written. What is there must be one, whatever names it; and `/dev/stdout` is none,
/// also while the shell has it written to one: that may have more in it.
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

/// Whether a path names what this process has open, or leads to such a name: `/dev/stdout`, `/dev/fd/N`,
/// `/proc/self/fd/N`.
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

/// A file beside this one, locked for as long as it is written: so it is not taken for abandoned.
fn locked_temporary(target: &Path) -> io::Result<NamedTempFile> {
    loop {
        let temporary = temporary_beside(target)?;
        temporary.as_file().lock()?;
        // Between the two somebody else may have removed it.
        if is_still_at(temporary.as_file(), temporary.path()) {
            return Ok(temporary);
        }
    }
}

/// Removes what programs that were killed have left beside this file; it may have values in it.
fn remove_abandoned(target: &Path) -> io::Result<()> {
    for path in temporaries_beside(target)? {
        // Whoever may write here may have put something else there.
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
