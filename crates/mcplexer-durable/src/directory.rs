//! Directories, and the names in them.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use crate::sync;

const DIRECTORY_MODE: u32 = 0o700;
/// The permission bits of everybody but the owner.
const OTHERS: u32 = 0o077;

/// Creates the directory that `path` lies in, and those above it, if they are missing. New directories
/// have mode 0700 and are durable.
///
/// # Errors
/// If a directory cannot be created, or something else has its name.
pub fn create_parent(path: &Path) -> io::Result<()> {
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
        // The umask may have removed bits from the mode.
        Ok(()) => {
            fs::set_permissions(parent, Permissions::from_mode(DIRECTORY_MODE))?;
            sync_parent(parent)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists && parent.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Takes all permissions on an open directory from other users, and leaves those of its owner.
///
/// # Errors
/// If the directory belongs to another user.
pub fn close_directory(directory: &File) -> io::Result<()> {
    let mode = directory.metadata()?.permissions().mode() & 0o7777;
    match mode & !OTHERS {
        closed if closed == mode => Ok(()),
        closed => directory.set_permissions(Permissions::from_mode(closed)),
    }
}

/// Returns the directory that `path` lies in.
#[must_use]
pub fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Syncs the directory of `path`, so that files created, renamed or removed there stay so.
///
/// # Errors
/// If the directory cannot be opened or synced.
pub fn sync_parent(path: &Path) -> io::Result<()> {
    sync(&File::open(directory_of(path))?)
}
