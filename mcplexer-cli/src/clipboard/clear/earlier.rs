//! The processes that are to clear a clipboard already.

use std::fs;
use std::path::Path;

use rustix::fd::OwnedFd;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// A process that is to clear a clipboard.
pub(super) struct Earlier(OwnedFd);

impl Earlier {
    /// Finds the processes of this user whose command line is meant.
    pub(super) fn find(is_meant: impl Fn(&[&[u8]]) -> bool) -> Vec<Self> {
        let is_so = |process: &Path| {
            let read = fs::read(process.join("cmdline")).unwrap_or_default();
            is_meant(&read.split(|it| *it == 0).collect::<Vec<_>>())
        };
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let found = entries.map(|it| it.path()).filter(|it| is_so(it));
        found
            .filter_map(|path| {
                let process = Pid::from_raw(path.file_name()?.to_str()?.parse().ok()?)?;
                let process = pidfd_open(process, PidfdFlags::empty()).ok()?;
                // Another process may have got the number before this one was opened.
                is_so(&path).then_some(Self(process))
            })
            .collect()
    }

    /// Ends it, without a look at the clipboard.
    pub(super) fn end(&self) {
        // It may have ended by itself, or be another user's.
        let _refused = pidfd_send_signal(&self.0, Signal::KILL);
    }
}
