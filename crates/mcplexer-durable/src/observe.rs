//! Letting a test see every operation, to find out what a crash can leave after each.

use std::fs::File;
use std::os::unix::fs::MetadataExt;

/// Identifies a file or directory by its device and inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u64, u64);

impl FileId {
    /// Returns the id of an open file; device and inode are 0 if its metadata cannot be read.
    #[must_use]
    pub fn of(file: &File) -> Self {
        let metadata = file.metadata();
        metadata.map_or(Self(0, 0), |it| Self(it.dev(), it.ino()))
    }

    pub(crate) fn new(device: u64, inode: u64) -> Self {
        Self(device, inode)
    }
}

/// Reports to the observer that this thread has just done an operation on a file or a backend.
#[inline]
pub fn operation_done() {
    #[cfg(feature = "observe")]
    observer::call(None);
}

/// Reports to the observer that this thread has just made a file's content durable.
#[inline]
#[cfg_attr(
    not(feature = "observe"),
    expect(unused_variables, reason = "there is no observer to tell")
)]
pub fn made_durable(file: FileId) {
    #[cfg(feature = "observe")]
    observer::call(Some(file));
}

#[cfg(feature = "observe")]
pub use observer::observe;

#[cfg(feature = "observe")]
mod observer {
    use std::cell::RefCell;

    use super::FileId;

    type Observer = Box<dyn FnMut(Option<FileId>)>;

    thread_local! {
        static OBSERVER: RefCell<Option<Observer>> = const { RefCell::new(None) };
    }

    /// Calls `observer` after every operation of this thread on a file or a backend, with the id of a
    /// file if the operation made that file durable. `None` removes the observer.
    #[cfg_attr(docsrs, doc(cfg(feature = "observe")))]
    pub fn observe(observer: Option<Box<dyn FnMut(Option<FileId>)>>) {
        OBSERVER.set(observer);
    }

    pub(super) fn call(durable: Option<FileId>) {
        OBSERVER.with_borrow_mut(|observer| {
            if let Some(observer) = observer {
                observer(durable);
            }
        });
    }
}
