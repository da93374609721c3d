//! Single files: creating, opening and syncing them.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use crate::observe::{FileId, made_durable};
use crate::sync_parent;

const FILE_MODE: u32 = 0o600;

/// Creates an empty file of mode 0600 unless one exists. The new file is durable.
///
/// # Errors
/// If the file cannot be created or its directory cannot be synced.
pub fn create_file(path: &Path) -> io::Result<()> {
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

/// Opens a regular file. Returns `None` if it does not exist. Does not block on a named pipe.
///
/// # Errors
/// If the file cannot be opened, or is not a regular file.
pub fn open_regular(path: &Path, how: &OpenOptions) -> io::Result<Option<File>> {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).map_err(io::Error::other)?;
    match how.clone().custom_flags(flags).open(path) {
        Ok(file) if file.metadata()?.is_file() => Ok(Some(file)),
        Ok(_) => Err(not_a_file()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Opens a path that is not a symbolic link. Does not block on a named pipe.
///
/// # Errors
/// If it is a link, or cannot be opened.
pub fn open_no_link(path: &Path, how: &OpenOptions) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).map_err(io::Error::other)?;
    how.clone().custom_flags(flags).open(path)
}

/// Syncs a file or a directory.
///
/// # Errors
/// If the operating system cannot sync it.
pub fn sync(file: &File) -> io::Result<()> {
    file.sync_all()?;
    made_durable(FileId::of(file));
    Ok(())
}

/// Returns whether `path` still leads to the open file: another process may have moved or replaced it.
#[must_use]
pub fn is_still_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(there)) => (open.dev(), open.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

/// Returns the length in bytes of the file at `path`, or `None` if that is another file: another process may have moved or
/// replaced it.
///
/// On Linux this does not read the file's times. Since Linux 6.13, reading them makes the next write update the inode
/// (multigrain timestamps), which takes longer than the write itself.
#[must_use]
pub fn len_if_at(file: FileId, path: &Path) -> Option<u64> {
    let (id, len) = id_and_len(path).ok()?;
    (id == file).then_some(len)
}

#[cfg(target_os = "linux")]
fn id_and_len(path: &Path) -> io::Result<(FileId, u64)> {
    use rustix::fs::{AtFlags, CWD, StatxFlags, makedev, statx};
    let found = statx(
        CWD,
        path,
        AtFlags::empty(),
        StatxFlags::INO | StatxFlags::SIZE,
    )?;
    let device = makedev(found.stx_dev_major, found.stx_dev_minor);
    Ok((FileId::new(device, found.stx_ino), found.stx_size))
}

#[cfg(not(target_os = "linux"))]
fn id_and_len(path: &Path) -> io::Result<(FileId, u64)> {
    let found = fs::metadata(path)?;
    Ok((FileId::new(found.dev(), found.ino()), found.len()))
}

/// Sets the mode of a new file, from which the umask may have removed bits.
pub(crate) fn close_to_others(file: &File) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(FILE_MODE))
}

pub(crate) fn not_a_file() -> io::Error {
    io::Error::new(ErrorKind::Unsupported, "it is not a regular file")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_again_until_another_one_is_there() {
        let directory = tempfile::tempdir().unwrap();
        let (path, moved) = (directory.path().join("a"), directory.path().join("b"));
        create_file(&path).unwrap();
        let file = FileId::of(&File::open(&path).unwrap());
        assert_eq!(len_if_at(file, &path), Some(0));
        fs::write(&path, "abc").unwrap();
        assert_eq!(len_if_at(file, &path), Some(3));
        fs::rename(&path, &moved).unwrap();
        assert_eq!(len_if_at(file, &path), None);
        create_file(&path).unwrap();
        assert_eq!(len_if_at(file, &path), None);
        assert_eq!(len_if_at(file, &moved), Some(3));
    }
}
