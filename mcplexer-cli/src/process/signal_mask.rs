//! Which signals the calling thread blocks, and which the process ignores.

use std::io;

use nix::sys::signal::{SigSet, SigmaskHow, Signal};

/// Blocks signals in this thread until dropped. Those that arrive meanwhile are delivered then.
pub(crate) struct Blocked {
    before: SigSet,
    signals: SigSet,
}

impl Blocked {
    /// Blocks these signals.
    ///
    /// # Errors
    ///
    /// Fails if the system refuses.
    pub(crate) fn new(signals: impl IntoIterator<Item = Signal>) -> io::Result<Self> {
        let signals: SigSet = signals.into_iter().collect();
        let before = signals.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
        Ok(Self { before, signals })
    }

    /// Returns which signals were to be blocked.
    pub(crate) fn signals(&self) -> SigSet {
        self.signals
    }
}

/// The signals that the process ignores, as after nohup.
pub(crate) struct Ignored(u64);

impl Ignored {
    /// Asks Linux. Without an answer no signal counts as ignored.
    pub(crate) fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        Self(mask.unwrap_or(0))
    }

    pub(crate) fn contains(&self, signal: i32) -> bool {
        u32::try_from(signal - 1).is_ok_and(|bit| self.0 >> bit & 1 == 1)
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        let _refused = self.before.thread_set_mask();
    }
}

/// Unblocks every signal in this thread.
///
/// # Errors
///
/// Fails if the system refuses.
pub(super) fn unblock_all() -> io::Result<()> {
    Ok(SigSet::all().thread_unblock()?)
}
