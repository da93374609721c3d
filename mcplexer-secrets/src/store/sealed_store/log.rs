//! The audit log of the store.

use std::path::Path;

use crate::Error;
use crate::audit::{AuditReport, CallRecord};
use crate::checkpoint::Checkpoint;
use crate::store::{Store, verify};

impl Store {
    /// Records calls through a gateway, together and in this order. They are written when this returns, so that they
    /// survive the end of the process. [`sync_audit`](Self::sync_audit) makes them durable.
    ///
    /// # Errors
    /// * [`Error::Audit`] if they cannot be recorded. A call that is about to go out must not be made then.
    /// * [`Error::Tampered`] if the log contradicts the store, which is looked at from time to time.
    pub fn record_calls(&self, calls: &[CallRecord]) -> Result<(), Error> {
        self.vault.record_calls(calls)
    }

    /// Records calls as [`record_calls`](Self::record_calls) does, but only if this takes no waiting for others. Returns whether it
    /// did.
    ///
    /// # Errors
    /// [`Error::Audit`] if they cannot be recorded.
    pub fn record_calls_at_once(&self, calls: &[CallRecord]) -> Result<bool, Error> {
        self.vault.recorder.record_calls_at_once(calls)
    }

    /// Makes every line of the audit log durable that this process has written. Changes do so by themselves.
    ///
    /// # Errors
    /// [`Error::Audit`] if that fails.
    pub fn sync_audit(&self) -> Result<(), Error> {
        self.vault.recorder.sync()
    }

    /// Verifies the audit log in the file at `path`: that no line was changed or removed, that
    /// it has every line up to the last change to this store, and that the store is not older than its log. With a
    /// checkpoint, also that both are at the state of that checkpoint or later.
    ///
    /// # Errors
    /// [`Error::Tampered`] names the line that is wrong, or says what was put back.
    pub fn verify_audit(
        &self,
        path: &Path,
        checkpoint: Option<&Checkpoint>,
    ) -> Result<AuditReport, Error> {
        verify::verify(&self.vault, path, checkpoint)
    }

    /// Returns the state of the store and its audit log as it is now, to be kept elsewhere. Not recorded.
    ///
    /// # Errors
    /// [`Error::NoStore`] if there is no store, or no audit log with a line in it.
    pub fn checkpoint(&self) -> Result<Checkpoint, Error> {
        verify::checkpoint(&self.vault)
    }
}
