//! Dying at a chosen moment, and seeing what is done to files, for tests of what is left behind.
//!
//! With the feature `crash-points`, a process whose environment has `MCPLEXER_CRASH_AT=N` kills
//! itself with SIGKILL right after the N-th operation on a file or on the backend that it does, counted
//! from 1; and a test can have itself called after each, so that it can tell what the disk may hold if
//! the power fails there. Without the feature there is nothing of this in the program.

#[cfg(not(feature = "crash-points"))]
pub(crate) use self::absent::{FileId, crash_point, synced};
#[cfg(feature = "crash-points")]
pub use self::present::{FileId, watch};
#[cfg(feature = "crash-points")]
pub(crate) use self::present::{crash_point, synced};

#[cfg(not(feature = "crash-points"))]
mod absent {
    use std::fs::File;

    /// Which file it is.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct FileId;

    impl FileId {
        pub(crate) fn of(_file: &File) -> Self {
            Self
        }
    }

    /// An operation on a file or on the backend has just been done.
    #[inline]
    pub(crate) fn crash_point() {}

    /// What was written to this file has just been made durable.
    #[inline]
    pub(crate) fn synced(_file: FileId) {}
}

#[cfg(feature = "crash-points")]
mod present {
    use std::cell::RefCell;
    use std::fs::File;
    use std::os::unix::fs::MetadataExt;
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    use rustix::process::{Signal, getpid, kill_process};

    /// Which file or directory it is, by device and inode.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub struct FileId(u64, u64);

    impl FileId {
        /// The id of an open file; of device 0 if it cannot be told.
        #[must_use]
        pub fn of(file: &File) -> Self {
            let metadata = file.metadata();
            metadata.map_or(Self(0, 0), |it| Self(it.dev(), it.ino()))
        }
    }

    type Watcher = Box<dyn FnMut(Option<FileId>)>;

    thread_local! {
        static WATCHER: RefCell<Option<Watcher>> = const { RefCell::new(None) };
    }

    /// Has `watcher` called after every operation on a file or on the backend that this thread does,
    /// with the file if what the operation did was to make it durable. `None` ends that.
    pub fn watch(watcher: Option<Watcher>) {
        WATCHER.set(watcher);
    }

    /// An operation on a file or on the backend has just been done.
    pub(crate) fn crash_point() {
        done(None);
    }

    /// What was written to this file has just been made durable.
    pub(crate) fn synced(file: FileId) {
        done(Some(file));
    }

    fn done(synced: Option<FileId>) {
        static CRASH_AT: LazyLock<Option<u64>> = LazyLock::new(|| {
            std::env::var("MCPLEXER_CRASH_AT")
                .ok()
                .and_then(|number| number.parse().ok())
        });
        static DONE: AtomicU64 = AtomicU64::new(0);

        WATCHER.with_borrow_mut(|watcher| {
            if let Some(watcher) = watcher {
                watcher(synced);
            }
        });
        if let Some(at) = *CRASH_AT
            && DONE.fetch_add(1, Ordering::Relaxed) + 1 == at
        {
            let _dead = kill_process(getpid(), Signal::KILL);
            // The signal is sent; nothing may be done before it arrives.
            loop {
                std::thread::park();
            }
        }
    }
}
