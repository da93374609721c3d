//! A private directory on a file system that is in memory, for a value that another program needs as a file.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use mcplexer_durable::{exposed_above, open_no_link};
use rustix::process::geteuid;
use zeroize::Zeroizing;

mod erase;
mod place;

use erase::erase;
pub(crate) use place::{Swap, is_in_memory};

/// Begins the name of each such directory.
const PREFIX: &str = "mcplexer-edit-";

/// A directory of mode 0700 in memory. Dropping it overwrites and removes every file in it.
///
/// It is locked while it is in use, so that what a killed process left is known.
pub(crate) struct Scratch {
    directory: PathBuf,
    /// Whether its file system may be swapped out to a disk.
    pub(crate) swap: Swap,
    /// What killed processes have left and cannot be erased.
    pub(crate) left: Vec<PathBuf>,
    _lock: File,
}

/// Why there is no such directory.
pub(crate) enum NoScratch {
    /// No file system in memory is there that this user can write to.
    NoMemory,
    /// The directory cannot be created.
    Io { place: PathBuf, source: io::Error },
}

impl Scratch {
    /// Creates the directory, and removes those that killed processes have left.
    pub(crate) fn create() -> Result<Self, NoScratch> {
        let mut in_memory = places_in_memory();
        let mut last = NoScratch::NoMemory;
        let mut left = Vec::new();
        let found = in_memory.by_ref().find_map(|place| {
            left.extend(remove_abandoned(&place));
            let made = locked_directory(&place);
            let made = made.map_err(|source| {
                let place = place.clone();
                last = NoScratch::Io { place, source };
            });
            made.ok().map(|made| (place, made))
        });
        let (place, (directory, lock)) = found.ok_or(last)?;
        left.extend(in_memory.flat_map(|other| remove_abandoned(&other)));
        let swap = place::swap_of(&place);
        Ok(Self {
            directory,
            swap,
            left,
            _lock: lock,
        })
    }

    /// Returns the path of the directory.
    pub(crate) fn path(&self) -> &Path {
        &self.directory
    }

    /// Writes a file of mode 0600 into it, and returns its path.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn write(&self, name: &str, content: &[u8]) -> io::Result<PathBuf> {
        let path = self.directory.join(name);
        let mut new = OpenOptions::new();
        let mut file = new.write(true).create_new(true).mode(0o600).open(&path)?;
        file.set_permissions(Permissions::from_mode(0o600))?;
        file.write_all(content)?;
        Ok(path)
    }

    /// Reads a file in it, up to a limit. A link is not followed.
    ///
    /// # Errors
    /// [`ErrorKind::FileTooLarge`], or if it is not a regular file that can be read.
    pub(crate) fn read(&self, name: &str, limit: usize) -> io::Result<Zeroizing<Vec<u8>>> {
        let file = open_no_link(&self.directory.join(name), OpenOptions::new().read(true))?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(
                ErrorKind::Unsupported,
                "it is not a regular file",
            ));
        }
        mcplexer_durable::read_at_most(limit, &file)
    }

    /// Overwrites and removes it. Fails with a path that is still there.
    pub(crate) fn erase(self) -> Result<(), PathBuf> {
        erase(&self.directory)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _told = erase(&self.directory);
    }
}

/// Returns the directories in memory in which nobody else can replace a file of this user.
pub(crate) fn places_in_memory() -> impl Iterator<Item = PathBuf> {
    let is_own = |it: &PathBuf| exposed_above(&it.join(PREFIX), None).is_ok_and(|it| it.is_empty());
    let places = place::candidates().into_iter();
    places.filter(move |it| is_in_memory(it) && is_own(it))
}

/// Creates a directory and locks it.
fn locked_directory(place: &Path) -> io::Result<(PathBuf, File)> {
    loop {
        let mut builder = tempfile::Builder::new();
        let builder = builder.prefix(PREFIX).rand_bytes(10);
        let made = builder
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(place)?;
        let directory = made.path().to_owned();
        let lock = File::open(&directory)?;
        lock.lock()?;
        // Another process may have removed it before it was locked.
        if mcplexer_durable::is_still_at(&lock, &directory) {
            return Ok((made.keep(), lock));
        }
    }
}

/// A directory that a killed process has left, locked.
pub(crate) struct Abandoned {
    path: PathBuf,
    _lock: File,
}

impl Abandoned {
    /// Finds all of this user.
    pub(crate) fn find() -> Vec<Self> {
        places_in_memory().flat_map(|it| abandoned(&it)).collect()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Overwrites and removes it. Fails with a path that is still there.
    pub(crate) fn erase(&self) -> Result<(), PathBuf> {
        erase(&self.path)
    }
}

/// Removes the directories of this user that are no longer in use. Returns what it cannot remove.
fn remove_abandoned(place: &Path) -> Vec<PathBuf> {
    let found = abandoned(place).into_iter();
    found.filter_map(|it| it.erase().err()).collect()
}

/// Returns the directories of this user that are no longer in use.
fn abandoned(place: &Path) -> Vec<Abandoned> {
    let mut found = Vec::new();
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let path = entry.path();
        // Another user may have put something else there.
        let is_own = |it: &fs::Metadata| it.is_dir() && it.uid() == geteuid().as_raw();
        if !is_named_so(&entry.file_name()) || !entry.metadata().is_ok_and(|it| is_own(&it)) {
            continue;
        }
        // The editor may have closed it.
        let _refused = fs::set_permissions(&path, Permissions::from_mode(0o700));
        let directory = open_no_link(&path, OpenOptions::new().read(true));
        if let Ok(lock) = directory
            && lock.try_lock().is_ok()
        {
            found.push(Abandoned { path, _lock: lock });
        }
    }
    found
}

fn is_named_so(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(PREFIX.as_bytes())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn every_file_is_gone_and_overwritten_and_links_are_left_alone() {
        let outside = tempfile::tempdir().unwrap();
        let other = outside.path().join("other");
        fs::write(&other, "untouched").unwrap();
        let Ok(scratch) = Scratch::create() else {
            return;
        };
        let directory = scratch.path().to_owned();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o7777;
        assert_eq!(mode(&directory), 0o700);
        let path = scratch.write("KEY", b"hunter2").unwrap();
        assert_eq!(mode(&path), 0o600);
        assert_eq!(*scratch.read("KEY", 100).unwrap(), b"hunter2");
        fs::write(directory.join(".KEY.swp"), "hunter2").unwrap();
        fs::create_dir(directory.join("sub")).unwrap();
        fs::write(directory.join("sub/KEY~"), "hunter2").unwrap();
        symlink(&other, directory.join("link")).unwrap();
        assert!(scratch.read("link", 100).is_err());
        let mut open = File::open(&path).unwrap();
        drop(scratch);
        assert!(!directory.exists());
        let mut left = Vec::new();
        io::Read::read_to_end(&mut open, &mut left).unwrap();
        assert_eq!(left, [0; 7]);
        assert_eq!(fs::read(&other).unwrap(), b"untouched");
    }

    #[test]
    fn only_what_is_abandoned_is_removed() {
        let place = tempfile::tempdir().unwrap();
        let (used, _lock) = locked_directory(place.path()).unwrap();
        let (left, lock) = locked_directory(place.path()).unwrap();
        fs::write(left.join("KEY"), "hunter2").unwrap();
        drop(lock);
        let other = place.path().join("other");
        fs::create_dir(&other).unwrap();
        symlink(&other, place.path().join(format!("{PREFIX}link"))).unwrap();
        remove_abandoned(place.path());
        assert!(used.exists() && other.exists() && !left.exists());
    }
}
