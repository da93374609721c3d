//! Directories, and the names in them.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use crate::sync;

const DIRECTORY_MODE: u32 = 0o700;

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
