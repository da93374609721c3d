//! Overwrites and removes what a program has left in a directory.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use mcplexer_durable::open_no_link;

/// What files are overwritten with, so many bytes at a time.
const ZEROS: [u8; 4096] = [0; 4096];

/// Overwrites the files in a directory of this user, and removes it. What is mounted in it is left alone.
///
/// Fails with a path that is still there. It stays in memory until the system ends.
pub(super) fn erase(directory: &Path) -> Result<(), PathBuf> {
    match fs::symlink_metadata(directory) {
        Ok(found) if found.is_dir() => erase_on(found.dev(), directory),
        Ok(_) => Err(directory.to_owned()),
        Err(error) => gone(directory, Err(error)),
    }
}

/// Erases a directory on this file system.
fn erase_on(device: u64, directory: &Path) -> Result<(), PathBuf> {
    // Nothing can be found in it, or removed from it, if its mode forbids that.
    let _refused = fs::set_permissions(directory, Permissions::from_mode(0o700));
    let mut first_left = Ok(());
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let erased = match fs::symlink_metadata(&path) {
            Ok(found) if found.dev() != device => Err(path),
            Ok(found) if found.is_dir() => erase_on(device, &path),
            Ok(found) => {
                if found.is_file() && found.nlink() == 1 {
                    let _refused = fs::set_permissions(&path, Permissions::from_mode(0o600));
                    let _not_overwritten = overwrite(&path);
                }
                gone(&path, fs::remove_file(&path))
            }
            Err(error) => gone(&path, Err(error)),
        };
        first_left = first_left.and(erased);
    }
    first_left.and_then(|()| gone(directory, fs::remove_dir(directory)))
}

/// Returns whether nothing has a path any more.
fn gone(path: &Path, removed: io::Result<()>) -> Result<(), PathBuf> {
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(path.to_owned()),
        _ => Ok(()),
    }
}

/// Overwrites a file that has no other name.
fn overwrite(path: &Path) -> io::Result<()> {
    let mut file = open_no_link(path, OpenOptions::new().write(true))?;
    let metadata = file.metadata()?;
    let mut left = match metadata.is_file() && metadata.nlink() == 1 {
        true => metadata.len(),
        false => 0,
    };
    while left > 0 {
        let part = usize::try_from(left).map_or(ZEROS.len(), |left| left.min(ZEROS.len()));
        file.write_all(ZEROS.get(..part).unwrap_or(&ZEROS))?;
        left -= part as u64;
    }
    Ok(())
}
