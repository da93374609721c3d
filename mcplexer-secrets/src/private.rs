//! Files and directories that are nobody else's: mode 0600 and 0700, whatever the umask.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use tempfile::NamedTempFile;

use crate::crash::{FileId, crash_point, synced};

/// Ends the name of a file that is not whole yet.
const TEMPORARY_SUFFIX: &str = ".mcplexer-new";
/// Characters of it that tell it from others.
const TEMPORARY_RANDOM: usize = 6;
const FILE_MODE: u32 = 0o600;
const DIRECTORY_MODE: u32 = 0o700;

/// Makes the directory `path` lies in, and those above it, if they are missing. They survive a
/// power cut.
pub(crate) fn create_parent(path: &Path) -> io::Result<()> {
    let Some(parent) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    else {
        return Ok(());
    };
    if parent.is_dir() {
        return Ok(());
    }
    create_parent(parent)?;
    match DirBuilder::new().mode(DIRECTORY_MODE).create(parent) {
        // The umask may have taken bits from the mode.
        Ok(()) => {
            fs::set_permissions(parent, Permissions::from_mode(DIRECTORY_MODE))?;
            sync_parent(parent)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists && parent.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Makes an empty file, if there is none. It survives a power cut.
pub(crate) fn create_file(path: &Path) -> io::Result<()> {
    let created = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(FILE_MODE)
        .open(path);
    match created {
        Ok(file) => {
            close_to_others(&file)?;
            sync_parent(path)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Makes a file under a name that nobody looks for, to be renamed to `path` when it is whole.
pub(crate) fn temporary_beside(path: &Path) -> io::Result<NamedTempFile> {
    // What the system says of the directory names no file that nobody looks for.
    fs::metadata(directory_of(path))?;
    let file = tempfile::Builder::new()
        .prefix(&temporary_prefix(path))
        .rand_bytes(TEMPORARY_RANDOM)
        .suffix(TEMPORARY_SUFFIX)
        .tempfile_in(directory_of(path))?;
    close_to_others(file.as_file())?;
    crash_point();
    Ok(file)
}

/// Removes what programs that were killed have left of [`temporary_beside`] for this path.
pub(crate) fn remove_temporaries_beside(path: &Path) -> io::Result<()> {
    for left in temporaries_beside(path)? {
        match fs::remove_file(left) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => crash_point(),
        }
    }
    Ok(())
}

/// Lists the temporary files for this path that were never renamed to it.
///
/// # Errors
/// If the directory cannot be listed.
pub fn temporaries_beside(path: &Path) -> io::Result<Vec<PathBuf>> {
    let prefix = temporary_prefix(path);
    let mut found = Vec::new();
    for entry in fs::read_dir(directory_of(path))? {
        let entry = entry?;
        let name = entry.file_name();
        let random = name
            .as_encoded_bytes()
            .strip_prefix(prefix.as_encoded_bytes())
            .and_then(|name| name.strip_suffix(TEMPORARY_SUFFIX.as_bytes()));
        if random.is_some_and(|random| random.len() == TEMPORARY_RANDOM) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

pub(crate) fn not_a_file() -> io::Error {
    io::Error::new(ErrorKind::Unsupported, "it is not a regular file")
}

fn temporary_prefix(path: &Path) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push("-");
    prefix
}

/// Gives a temporary file the name `path`, in the place of what had it before.
pub(crate) fn persist(file: NamedTempFile, path: &Path) -> io::Result<()> {
    file.persist(path)?;
    crash_point();
    Ok(())
}

/// Gives a temporary file the name `path`, which must be free.
pub(crate) fn persist_new(file: NamedTempFile, path: &Path) -> io::Result<()> {
    file.persist_noclobber(path)?;
    crash_point();
    Ok(())
}

/// Makes what was written to a file durable.
pub(crate) fn sync(file: &File) -> io::Result<()> {
    file.sync_all()?;
    synced(FileId::of(file));
    Ok(())
}

/// Opens a file that exists; `None` if there is none. Anything but a regular file is refused
/// without waiting for what a pipe might have to say.
pub(crate) fn open_regular(path: &Path, how: &OpenOptions) -> io::Result<Option<File>> {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    match how.clone().custom_flags(flags).open(path) {
        Ok(file) if file.metadata()?.is_file() => Ok(Some(file)),
        Ok(_) => Err(not_a_file()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Sets the mode of a file just made, from which the umask may have taken bits.
pub(crate) fn close_to_others(file: &File) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(FILE_MODE))
}

/// Makes what was done to the names in the directory of `path` durable.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    sync(&File::open(directory_of(path))?)
}

/// The directory that `path` lies in.
pub(crate) fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Whether `path` still leads to the open file: somebody may have moved or replaced it.
pub(crate) fn is_still_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(there)) => (open.dev(), open.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

/// Who else could get at an open file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Exposure {
    /// Nobody.
    None,
    /// Others, by these permission bits.
    Mode(u32),
    /// Its owner, who is somebody else.
    Owner(u32),
}

/// Asks the open file itself, so that nobody can change the answer between asking and reading.
pub(crate) fn exposure(file: &File) -> io::Result<Exposure> {
    let metadata = file.metadata()?;
    let mode = metadata.permissions().mode() & 0o7777;
    let owner = metadata.uid();
    Ok(if owner != rustix::process::geteuid().as_raw() {
        Exposure::Owner(owner)
    } else if mode & 0o077 != 0 {
        Exposure::Mode(mode)
    } else {
        Exposure::None
    })
}
