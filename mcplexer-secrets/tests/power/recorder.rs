//! Records what is done to the files in a directory.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use mcplexer_durable::{FileId, observe};

use crate::disk::{Change, Disk, Event, Kept, SECTOR};

/// The events so far, and the current content of the disk.
struct Record {
    root: PathBuf,
    events: Vec<Event>,
    /// Every file ever seen, held open. So it can be read after it has lost its name, and its id is
    /// not reused.
    files: BTreeMap<FileId, (File, Vec<u8>)>,
    /// Every directory, held open, with its names.
    directories: BTreeMap<FileId, (File, BTreeMap<OsString, FileId>)>,
}

/// Records what this thread does below a directory, until dropped.
pub(crate) struct Recorder(Rc<RefCell<Record>>);

impl Recorder {
    /// Begins to record. Everything already there is certain.
    pub(crate) fn new(root: &Path) -> Self {
        let mut record = Record {
            root: root.to_owned(),
            events: Vec::new(),
            files: BTreeMap::new(),
            directories: BTreeMap::new(),
        };
        record.take();
        let there = record.files.keys().chain(record.directories.keys());
        let synced: Vec<_> = there.copied().map(Event::Synced).collect();
        record.events.extend(synced);
        let record = Rc::new(RefCell::new(record));
        let watched = Rc::clone(&record);
        observe(Some(Box::new(move |synced| {
            let mut record = watched.borrow_mut();
            record.take();
            record.events.extend(synced.map(Event::Synced));
        })));
        Self(record)
    }

    /// Returns the number of events, including everything done so far.
    pub(crate) fn events_so_far(&self) -> usize {
        let mut record = self.0.borrow_mut();
        record.take();
        record.events.len()
    }

    /// Returns the disk before the first event, and the events.
    pub(crate) fn finish(self) -> (Disk, Vec<Event>) {
        let count = self.events_so_far();
        let mut record = self.0.borrow_mut();
        let root = FileId::of(&File::open(&record.root).unwrap());
        let mut disk = Disk::empty(root);
        for id in record.directories.keys() {
            disk.add_directory(*id);
        }
        let events = std::mem::take(&mut record.events);
        assert_eq!(events.len(), count);
        record.assert_complete(&disk, &events);
        (disk, events)
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        observe(None);
    }
}

impl Record {
    /// Records what has changed.
    fn take(&mut self) {
        let root = self.root.clone();
        self.take_names(&root);
        let mut changes = Vec::new();
        for (id, (file, known)) in &mut self.files {
            let len = usize::try_from(file.metadata().unwrap().len()).unwrap();
            let mut now = vec![0; len];
            file.read_exact_at(&mut now, 0).unwrap();
            if now == *known {
                continue;
            }
            if len != known.len() {
                known.resize(len, 0);
                changes.push(Change::SetLen { file: *id, len });
            }
            for range in differences(known, &now) {
                changes.push(Change::Write {
                    file: *id,
                    offset: range.start,
                    bytes: now[range].to_vec(),
                });
            }
            *known = now;
        }
        self.events.extend(changes.into_iter().map(Event::Changed));
    }

    fn take_names(&mut self, directory: &Path) {
        let open = File::open(directory).unwrap();
        let id = FileId::of(&open);
        let mut names = BTreeMap::new();
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let file = File::open(&path).unwrap();
            let node = FileId::of(&file);
            names.insert(path.file_name().unwrap().to_owned(), node);
            if path.is_dir() {
                self.take_names(&path);
            } else {
                self.files.entry(node).or_insert((file, Vec::new()));
            }
        }
        let (_, known) = self
            .directories
            .entry(id)
            .or_insert((open, BTreeMap::new()));
        let mut gone: Vec<_> = known
            .iter()
            .filter(|(name, _)| !names.contains_key(*name))
            .map(|(name, node)| (name.clone(), *node))
            .collect();
        let mut changes = Vec::new();
        for (name, node) in &names {
            if known.get(name) == Some(node) {
                continue;
            }
            let (directory, name, to) = (id, name.clone(), *node);
            changes.push(match gone.iter().position(|(_, it)| it == node) {
                Some(at) => Change::Rename {
                    directory,
                    from: gone.remove(at).0,
                    name,
                    to,
                },
                None => Change::Link {
                    directory,
                    name,
                    to,
                },
            });
        }
        for (name, _) in gone {
            changes.push(Change::Unlink {
                directory: id,
                name,
            });
        }
        *known = names;
        self.events.extend(changes.into_iter().map(Event::Changed));
    }

    /// Checks that all events together result in the real content.
    fn assert_complete(&self, disk: &Disk, events: &[Event]) {
        let mut disk = disk.clone();
        for event in events {
            if let Event::Changed(change) = event {
                disk.apply(change, &Kept::All);
            }
        }
        for (path, content) in disk.tree() {
            let path = self
                .root
                .join(path.to_str().unwrap().trim_start_matches('/'));
            match content {
                Some(content) => assert!(fs::read(&path).unwrap() == content, "{path:?}"),
                None => assert!(path.is_dir(), "{path:?}"),
            }
        }
    }
}

/// Returns where two texts of the same length differ, in whole sectors, as they are written.
fn differences(before: &[u8], after: &[u8]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let sectors = before.chunks(SECTOR).zip(after.chunks(SECTOR));
    for (number, (before, after)) in sectors.enumerate() {
        let (from, to) = (number * SECTOR, number * SECTOR + after.len());
        match found.last_mut() {
            _ if before == after => {}
            Some(last) if last.end == from => last.end = to,
            _ => found.push(from..to),
        }
    }
    found
}
