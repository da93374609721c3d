//! Which signals the calling thread blocks.

use std::io;

use nix::sys::signal::{self, SigSet, SigmaskHow};
use rustix::process::Signal;

/// Blocks a signal in this thread until dropped. A signal that arrives meanwhile is delivered then.
pub(crate) struct Blocked {
    before: SigSet,
}

impl Blocked {
    /// Blocks a signal.
    ///
    /// # Errors
    ///
    /// Fails if the system refuses, or has no such signal.
    pub(crate) fn new(signal: Signal) -> io::Result<Self> {
        let signal = signal::Signal::try_from(signal.as_raw())?;
        let before = SigSet::from(signal).thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
        Ok(Self { before })
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
