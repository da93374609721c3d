//! Files and directories that are nobody else's: mode 0600 and 0700, whatever the umask.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use tempfile::NamedTempFile;

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

/// Makes a file without a name that anybody looks for, to be renamed to `path` when it is whole.
pub(crate) fn temporary_beside(path: &Path) -> io::Result<NamedTempFile> {
    let file = tempfile::Builder::new()
        .prefix(".mcplexer-")
        .suffix(".new")
        .tempfile_in(directory_of(path))?;
    close_to_others(file.as_file())?;
    Ok(file)
}

/// Opens a file that exists; `None` if there is none. Anything but a regular file is refused
/// without waiting for what a pipe might have to say.
pub(crate) fn open_regular(path: &Path, how: &OpenOptions) -> io::Result<Option<File>> {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    match how.clone().custom_flags(flags).open(path) {
        Ok(file) if file.metadata()?.is_file() => Ok(Some(file)),
        Ok(_) => Err(io::Error::new(
            ErrorKind::Unsupported,
            "it is not a regular file",
        )),
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
    File::open(directory_of(path))?.sync_all()
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
