use std::io::{self, Write};

use super::{AuditError, AuditErrorKind, AuditEvent, AuditSink};

/// Writes each event as a line to standard error, for containers whose logs are collected there.
///
/// In a [`Chained`](super::Chained), each process begins a chain of its own. The store cannot vouch
/// for it, because it cannot be read back.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct StderrAudit;

impl StderrAudit {
    /// Creates a sink on standard error.
    #[must_use]
    pub fn new() -> Self {
        Self
    }
}

impl AuditSink for StderrAudit {
    fn record(&self, event: &AuditEvent<'_>) -> Result<(), AuditError> {
        let line = match event.chain {
            Some(chain) => format!("{}\n", chain.text),
            None => format!("{}\n", event.to_json()?),
        };
        io::stderr()
            .lock()
            .write_all(line.as_bytes())
            .map_err(|source| {
                let message = "cannot write the audit log on standard error";
                AuditError::new(AuditErrorKind::Other, message).with_source(source)
            })
    }
}
