//! Who else can change or read a file, by the rules of OpenSSH's `StrictModes` (`safe_path` in its `misc.c`).

use std::collections::BTreeSet;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// What nobody but the owner may do with a private file.
const ALL_OF_OTHERS: u32 = 0o077;
/// What nobody but the owner may do with a directory above a private file.
const WRITE_OF_OTHERS: u32 = 0o022;
/// Files in a directory with this bit can be renamed and removed by their owner only.
const STICKY: u32 = 0o1000;
const ROOT: u32 = 0;
/// As many symbolic links as Linux follows in one path.
const MAX_LINKS: usize = 40;

/// Who else can read or replace a file or directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a caller must refuse each way in which a file can be exposed"
)]
pub enum Exposure {
    /// Nobody.
    None,
    /// Other users, by these permission bits.
    Mode(u32),
    /// Its owner, the user with this id, who is not the one running this process.
    Owner(u32),
}

impl Exposure {
    /// `forbidden` are the permission bits that the file must not have.
    fn of(metadata: &Metadata, forbidden: u32) -> Self {
        let mode = metadata.mode() & 0o7777;
        if metadata.uid() != user() {
            Self::Owner(metadata.uid())
        } else if mode & forbidden != 0 {
            Self::Mode(mode)
        } else {
            Self::None
        }
    }

    /// Root may own a directory above a private file: it can read the file anyway. In a sticky directory,
    /// others can write files, but not replace those of this user.
    fn of_directory_above(metadata: &Metadata) -> Self {
        let mode = metadata.mode() & 0o7777;
        if ![user(), ROOT].contains(&metadata.uid()) {
            Self::Owner(metadata.uid())
        } else if mode & WRITE_OF_OTHERS != 0 && mode & STICKY == 0 {
            Self::Mode(mode)
        } else {
            Self::None
        }
    }
}

/// Returns who else can read or replace an open file. The answer is about the open file itself, so
/// nobody can change it between this call and reading the file.
///
/// # Errors
/// If the file's metadata cannot be read.
pub fn exposure(file: &File) -> io::Result<Exposure> {
    Ok(Exposure::of(&file.metadata()?, ALL_OF_OTHERS))
}

/// Returns who else can read or replace what `path` leads to. `is_kind` is [`Metadata::is_file`] or
/// [`Metadata::is_dir`]: what is of another kind, or does not exist, is not exposed.
///
/// # Errors
/// If its metadata cannot be read.
pub fn exposure_at(path: &Path, is_kind: fn(&Metadata) -> bool) -> io::Result<Exposure> {
    match fs::metadata(path) {
        Ok(metadata) if is_kind(&metadata) => Ok(Exposure::of(&metadata, ALL_OF_OTHERS)),
        Ok(_) => Ok(Exposure::None),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Exposure::None),
        Err(error) => Err(error),
    }
}

/// Returns the directories above `path` that somebody else can write to, from the nearest one upwards. Anybody
/// who can write to one of them can replace the file, whatever its own mode is.
///
/// Symbolic links are followed, and the directories above each of them count too. Each directory must belong to
/// the user or to root, and be writable by nobody else; a link must belong to one of them. The walk ends at `top`,
/// which is checked as well, or at a directory with the sticky bit. Of a file that does not exist yet, the
/// directories that do exist are checked.
///
/// # Errors
/// If the metadata of a directory or of a link cannot be read.
pub fn exposed_above(path: &Path, top: Option<&Path>) -> io::Result<Vec<(PathBuf, Exposure)>> {
    let top = top.and_then(|top| top.canonicalize().ok());
    let way = Way::to(path)?;
    let mut exposed = Vec::new();
    for (link, owner) in &way.links {
        if ![user(), ROOT].contains(owner) {
            exposed.push((link.clone(), Exposure::Owner(*owner)));
        }
    }
    let mut seen = BTreeSet::new();
    let above_links = way.links.iter().filter_map(|(link, _)| link.parent());
    for start in [&*way.end].into_iter().chain(above_links) {
        for directory in start.ancestors() {
            if !seen.insert(directory.to_owned()) {
                break;
            }
            let metadata = fs::metadata(directory)?;
            match Exposure::of_directory_above(&metadata) {
                Exposure::None => {}
                exposure => exposed.push((directory.to_owned(), exposure)),
            }
            if metadata.mode() & STICKY != 0 || top.as_deref() == Some(directory) {
                break;
            }
        }
    }
    Ok(exposed)
}

/// How the system resolves a path.
struct Way {
    /// The symbolic links on it, with the ids of their owners. What is above them is no link.
    links: Vec<(PathBuf, u32)>,
    /// The real path of the nearest directory above the file that exists.
    end: PathBuf,
}

impl Way {
    fn to(path: &Path) -> io::Result<Self> {
        let mut way = Self {
            links: Vec::new(),
            end: PathBuf::new(),
        };
        let mut rest = vec![std::path::absolute(path)?];
        while let Some(path) = rest.pop() {
            let mut components = path.components();
            let Some(component) = components.next() else {
                continue;
            };
            let name = match component {
                Component::Normal(name) => name,
                Component::ParentDir => {
                    way.end.pop();
                    rest.push(components.as_path().to_owned());
                    continue;
                }
                Component::RootDir | Component::Prefix(_) | Component::CurDir => {
                    way.end.push(component);
                    rest.push(components.as_path().to_owned());
                    continue;
                }
            };
            let next = way.end.join(name);
            let metadata = match fs::symlink_metadata(&next) {
                Ok(metadata) => metadata,
                Err(error) if error.kind() == ErrorKind::NotFound => break,
                Err(error) => return Err(error),
            };
            rest.push(components.as_path().to_owned());
            if metadata.is_symlink() {
                if way.links.len() == MAX_LINKS {
                    return Err(io::Error::other("too many levels of symbolic links"));
                }
                rest.push(fs::read_link(&next)?);
                way.links.push((next, metadata.uid()));
            } else if rest.iter().any(|path| path.components().next().is_some()) {
                way.end = next;
            }
        }
        Ok(way)
    }
}

/// Returns the id of the user that this process runs as.
fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    /// Makes the directories `top/middle/low` with these modes, and returns the path of a file in the last.
    fn tree(directory: &Path, modes: [u32; 3]) -> PathBuf {
        let low = directory.join("top/middle/low");
        fs::create_dir_all(&low).unwrap();
        for (path, mode) in low.ancestors().zip(modes.into_iter().rev()) {
            set_mode(path, mode);
        }
        low.join("file")
    }

    /// The modes of the exposed directories up to `top`.
    fn modes_above(path: &Path, top: &Path) -> Vec<u32> {
        let exposed = exposed_above(path, Some(top)).unwrap();
        let modes = exposed.iter().map(|(_, exposure)| match exposure {
            Exposure::Mode(mode) => *mode,
            other => panic!("{other:?}"),
        });
        modes.collect()
    }

    #[test]
    fn every_directory_up_to_the_top_counts() {
        for (modes, exposed) in [
            ([0o755, 0o755, 0o700], &[][..]),
            ([0o755, 0o775, 0o700], &[0o775]),
            ([0o777, 0o755, 0o702], &[0o702, 0o777]),
            ([0o777, 0o1777, 0o700], &[]),
            ([0o777, 0o1777, 0o770], &[0o770]),
        ] {
            let directory = tempfile::tempdir().unwrap();
            let file = tree(directory.path(), modes);
            let top = directory.path().join("top");
            assert_eq!(modes_above(&file, &top), exposed, "{modes:?}");
            fs::write(&file, "").unwrap();
            assert_eq!(modes_above(&file, &top), exposed, "{modes:?}");
        }
    }

    #[test]
    fn what_is_above_the_top_does_not_count() {
        let directory = tempfile::tempdir().unwrap();
        let file = tree(directory.path(), [0o777, 0o755, 0o700]);
        let middle = directory.path().join("top/middle");
        assert_eq!(modes_above(&file, &middle), []);
    }

    #[test]
    fn the_real_path_counts() {
        let directory = tempfile::tempdir().unwrap();
        let file = tree(directory.path(), [0o755, 0o777, 0o700]);
        fs::write(&file, "").unwrap();
        let link = directory.path().join("link");
        symlink(&file, &link).unwrap();
        assert_eq!(modes_above(&link, &directory.path().join("top")), [0o777]);
    }

    #[test]
    fn directories_of_links_count() {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path().canonicalize().unwrap();
        let file = tree(&directory, [0o755, 0o755, 0o700]);
        let (lax, top) = (directory.join("top/lax"), directory.join("top"));
        fs::create_dir(&lax).unwrap();
        let to_directory = lax.join("directory");
        symlink("../middle/low", &to_directory).unwrap();
        let to_file = lax.join("file");
        symlink(&file, &to_file).unwrap();
        let to_link = top.join("link");
        symlink("middle/../lax/directory", &to_link).unwrap();
        for path in [
            to_directory.join("file"),
            to_file,
            to_link.join("file"),
            to_link,
        ] {
            for (mode, exposed) in [(0o777, &[0o777][..]), (0o755, &[]), (0o1777, &[])] {
                set_mode(&lax, mode);
                assert_eq!(modes_above(&path, &top), exposed, "{}", path.display());
            }
        }
    }

    #[test]
    fn a_circle_of_links_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("link");
        symlink(&link, &link).unwrap();
        assert!(exposed_above(&link, None).is_err());
    }

    #[test]
    fn directories_of_a_file_to_come_count() {
        let directory = tempfile::tempdir().unwrap();
        let file = tree(directory.path(), [0o755, 0o755, 0o777]);
        let later = file.join("none/none/file");
        assert_eq!(modes_above(&later, &directory.path().join("top")), [0o777]);
    }

    #[test]
    fn a_file_that_others_can_read_is_exposed() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        let exposure = |path: &Path| exposure_at(path, Metadata::is_file).unwrap();
        assert_eq!(exposure(&file), Exposure::None);
        fs::write(&file, "").unwrap();
        set_mode(&file, 0o640);
        assert_eq!(exposure(&file), Exposure::Mode(0o640));
        set_mode(&file, 0o600);
        assert_eq!(exposure(&file), Exposure::None);
        set_mode(directory.path(), 0o777);
        assert_eq!(exposure(directory.path()), Exposure::None);
    }
}
