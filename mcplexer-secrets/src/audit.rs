//! The audit log: one line for each operation on a secret, each line bound to the one before.
//!
//! An [`AuditSink`] receives events. A [`Chained`] binds the lines of any sink to each other. A log
//! that can be read back, so that the store can vouch for it, is a [`KeptLog`]: [`FileAudit`] or
//! [`MemoryAudit`].
//!
//! A line is a JSON object. Its last two members are `prev`, the hash of the line before, and
//! `hash`, the SHA-256 of all bytes of the line before `,"hash":`. The first line's `prev` is 32
//! random bytes, the id of the log. A line never contains a value, nor the length or hash of one.

use auto_impl::auto_impl;
use std::fmt;

mod actor;
mod call;
mod chain;
mod chained;
mod end;
mod error;
mod event;
mod file;
mod kept;
mod memory;
mod reader;
mod stderr;
mod verify;

pub use actor::Actor;
pub use call::{AuditCall, CallArguments, CallId, CallRecord, CallStep, SecretVersion};
#[cfg(test)]
pub(crate) use chain::hash_of;
pub use chained::Chained;
pub use error::{AuditError, AuditErrorKind};
pub use event::{AuditEvent, AuditOperation, AuditOutcome, AuditState, ChainLink};
pub use file::FileAudit;
pub(crate) use file::file_name;
pub use kept::{AuditMark, AuditPosition, AuditView, KeptLog};
pub use memory::MemoryAudit;
pub use reader::AuditReader;
pub use stderr::StderrAudit;
pub(crate) use verify::verify;
pub use verify::{AuditLine, AuditReport, read_audit_log};

/// Receives the events of a store, to print, forward or count them.
#[auto_impl(Arc, Box)]
pub trait AuditSink: fmt::Debug + Send + Sync {
    /// Records an event. If [`AuditEvent::durable`] returns `true`, the record must be durable on
    /// return.
    ///
    /// # Errors
    /// [`AuditError`] if it cannot be recorded. The operation then fails and has no effect.
    fn record(&self, event: &AuditEvent<'_>) -> Result<(), AuditError>;
}

/// Where a store's events go.
#[derive(Debug)]
pub(crate) enum Audit {
    /// To a sink, which the store cannot read back.
    Sink(Box<dyn AuditSink>),
    /// To a log that the store vouches for.
    Log(Box<dyn KeptLog>),
}

impl Audit {
    /// Records an event. `None` if it has no position that the store could vouch for.
    pub(crate) fn record(
        &self,
        event: &AuditEvent<'_>,
    ) -> Result<Option<AuditPosition>, AuditError> {
        match self {
            Self::Sink(sink) => sink.record(event).map(|()| None),
            Self::Log(log) => log.append(event).map(Some),
        }
    }

    pub(crate) fn log(&self) -> Option<&dyn KeptLog> {
        match self {
            Self::Sink(_) => None,
            Self::Log(log) => Some(&**log),
        }
    }
}
