//! A disk that promises no more than POSIX does.
//!
//! The content of a file is certain once the file was synced, and a name once its directory was. Of
//! everything else, each write, each change of length and each change of a name is present or not,
//! independently of those before it; of a write, this applies to each sector of 512 bytes. Only a
//! rename is atomic: the name leads to the old file or to the new one.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use mcplexer_durable::FileId;
use sha2::{Digest, Sha256};

pub(crate) const SECTOR: usize = 512;

pub(crate) type Fingerprint = [u8; 32];

/// A change to the disk.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Write {
        file: FileId,
        offset: usize,
        bytes: Vec<u8>,
    },
    SetLen {
        file: FileId,
        len: usize,
    },
    Link {
        directory: FileId,
        name: OsString,
        to: FileId,
    },
    Unlink {
        directory: FileId,
        name: OsString,
    },
    Rename {
        directory: FileId,
        from: OsString,
        name: OsString,
        to: FileId,
    },
}

#[derive(Debug, Clone)]
pub(crate) enum Event {
    Changed(Change),
    Synced(FileId),
}

impl Change {
    /// Returns the file or directory whose sync makes this certain.
    fn node(&self) -> FileId {
        match self {
            Self::Write { file, .. } | Self::SetLen { file, .. } => *file,
            Self::Link { directory, .. }
            | Self::Unlink { directory, .. }
            | Self::Rename { directory, .. } => *directory,
        }
    }

    /// Returns the number of sectors it writes. A change that is not a write counts as one.
    pub(crate) fn sectors(&self) -> usize {
        match self {
            Self::Write { offset, bytes, .. } => {
                (offset + bytes.len()).div_ceil(SECTOR) - offset / SECTOR
            }
            _ => 1,
        }
    }
}

/// The sectors of a change that have reached the disk.
#[derive(Debug, Clone)]
pub(crate) enum Kept {
    All,
    None,
    Sectors(Vec<bool>),
}

/// The content of a file, and its hash once it was needed. Disks share equal content.
#[derive(Debug, Clone, Default)]
struct Content {
    bytes: Vec<u8>,
    hash: OnceLock<Fingerprint>,
}

impl Content {
    fn hash(&self) -> &Fingerprint {
        self.hash.get_or_init(|| Sha256::digest(&self.bytes).into())
    }
}

/// What is certainly on a disk.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    root: FileId,
    files: BTreeMap<FileId, Arc<Content>>,
    directories: BTreeMap<FileId, BTreeMap<OsString, FileId>>,
}

impl Disk {
    /// Creates a disk with nothing but a directory.
    pub(crate) fn empty(root: FileId) -> Self {
        Self {
            root,
            files: BTreeMap::new(),
            directories: BTreeMap::from([(root, BTreeMap::new())]),
        }
    }

    pub(crate) fn add_directory(&mut self, id: FileId) {
        self.directories.entry(id).or_default();
    }

    /// Applies the next event. A change is pending until its file or directory is synced.
    pub(crate) fn happen(&mut self, event: Option<&Event>, pending: &mut Vec<Change>) {
        match event {
            Some(Event::Changed(change)) => pending.push(change.clone()),
            Some(Event::Synced(id)) => self.sync(*id, pending),
            None => {}
        }
    }

    /// Makes the pending changes to this file or directory certain.
    fn sync(&mut self, id: FileId, pending: &mut Vec<Change>) {
        pending.retain(|change| {
            if change.node() == id {
                self.apply(change, &Kept::All);
            }
            change.node() != id
        });
    }

    pub(crate) fn apply(&mut self, change: &Change, kept: &Kept) {
        if matches!(kept, Kept::None) {
            return;
        }
        match change {
            Change::Write {
                file,
                offset,
                bytes,
            } => {
                let content = self.content(*file);
                for (number, sector) in sectors(*offset, bytes).enumerate() {
                    if !matches!(kept, Kept::Sectors(kept) if !kept[number]) {
                        let (at, bytes) = sector;
                        content.resize(content.len().max(at + bytes.len()), 0);
                        content[at..at + bytes.len()].copy_from_slice(bytes);
                    }
                }
            }
            Change::SetLen { file, len } => {
                self.content(*file).resize(*len, 0);
            }
            Change::Link {
                directory,
                name,
                to,
            } => {
                let names = self.directories.entry(*directory).or_default();
                names.insert(name.clone(), *to);
            }
            Change::Unlink { directory, name } => {
                let names = self.directories.entry(*directory).or_default();
                names.remove(name);
            }
            Change::Rename {
                directory,
                from,
                name,
                to,
            } => {
                let names = self.directories.entry(*directory).or_default();
                names.remove(from);
                names.insert(name.clone(), *to);
            }
        }
    }

    /// Returns the content of a file, to be changed.
    fn content(&mut self, file: FileId) -> &mut Vec<u8> {
        let content = Arc::make_mut(self.files.entry(file).or_default());
        content.hash = OnceLock::new();
        &mut content.bytes
    }

    /// Returns every path below the root with the content of its file; `None` is a directory.
    pub(crate) fn tree(&self) -> BTreeMap<OsString, Option<&[u8]>> {
        let tree = self.nodes().into_iter();
        tree.map(|(path, content)| (path, content.map(|it| it.map_or(&[][..], |it| &it.bytes))))
            .collect()
    }

    /// Returns every path below the root. A file without a known byte is empty.
    fn nodes(&self) -> BTreeMap<OsString, Option<Option<&Content>>> {
        let mut tree = BTreeMap::new();
        self.add_to_tree(self.root, &OsString::new(), &mut tree);
        tree
    }

    fn add_to_tree<'a>(
        &'a self,
        directory: FileId,
        path: &OsString,
        tree: &mut BTreeMap<OsString, Option<Option<&'a Content>>>,
    ) {
        for (name, id) in self.directories.get(&directory).into_iter().flatten() {
            let mut path = path.clone();
            path.push("/");
            path.push(name);
            if self.directories.contains_key(id) {
                self.add_to_tree(*id, &path, tree);
                tree.insert(path, None);
            } else {
                tree.insert(path, Some(self.files.get(id).map(AsRef::as_ref)));
            }
        }
    }

    /// Returns a fingerprint that differs for disks with other content.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        let mut hash = Sha256::new();
        for (path, content) in self.nodes() {
            let content = content.map(|it| it.map(Content::hash));
            hash.update(format!("{path:?} {content:?}\n"));
        }
        hash.finalize().into()
    }

    /// Writes its files to this directory, which is emptied first.
    pub(crate) fn write_to(&self, directory: &Path) {
        let _none = fs::remove_dir_all(directory);
        let make = |path: &Path| DirBuilder::new().mode(0o700).create(path).unwrap();
        make(directory);
        for (path, content) in self.tree().iter().filter(|(_, it)| it.is_none()) {
            assert!(content.is_none());
            make(&directory.join(path.to_str().unwrap().trim_start_matches('/')));
        }
        for (path, content) in self.tree() {
            if let Some(content) = content {
                let path = directory.join(path.to_str().unwrap().trim_start_matches('/'));
                let mut how = OpenOptions::new();
                let mut file = how.write(true).create(true).mode(0o600).open(path).unwrap();
                file.write_all(content).unwrap();
            }
        }
    }
}

/// Splits a write at the boundaries of sectors.
fn sectors(offset: usize, bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = offset;
    std::iter::from_fn(move || {
        let rest = &bytes[at - offset..];
        let len = rest.len().min(SECTOR - at % SECTOR);
        let sector = (len > 0).then_some((at, &rest[..len]));
        at += len;
        sector
    })
}
