use std::sync::{Mutex, PoisonError};

use super::{AuditError, AuditEvent, AuditPosition, AuditSink, ChainLink};

/// Binds the lines of any sink to each other: it numbers each event, adds the hash of the line
/// before, and passes the event on with the finished line as its [`chain`](AuditEvent::chain).
///
/// Each instance begins a chain of its own.
#[derive(Debug)]
pub struct Chained {
    sink: Box<dyn AuditSink>,
    tip: Mutex<AuditPosition>,
}

impl Chained {
    /// Begins a new chain that ends in `sink`.
    ///
    /// # Errors
    /// [`AuditError`] if the operating system gives no random bytes for the id of the chain.
    pub fn new(sink: impl AuditSink + 'static) -> Result<Self, AuditError> {
        Ok(Self {
            sink: Box::new(sink),
            tip: Mutex::new(AuditPosition::genesis()?),
        })
    }
}

impl AuditSink for Chained {
    fn record(&self, event: &AuditEvent<'_>) -> Result<(), AuditError> {
        // Held while the sink writes, so that lines reach it in the order of their numbers.
        let mut tip = self.tip.lock().unwrap_or_else(PoisonError::into_inner);
        let (line, next) = tip.next(event, 0)?;
        let mut finished = event.clone();
        finished.chain = Some(ChainLink {
            line: next.line,
            prev: &tip.hash,
            hash: &next.hash,
            text: line.trim_end(),
        });
        self.sink.record(&finished)?;
        *tip = next;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::audit::{Actor, AuditErrorKind, AuditOperation, AuditOutcome, chain};

    #[derive(Debug, Default)]
    struct Lines(Mutex<Vec<String>>, AtomicBool);

    impl AuditSink for Lines {
        fn record(&self, event: &AuditEvent<'_>) -> Result<(), AuditError> {
            if self.1.load(Ordering::Relaxed) {
                return Err(AuditError::new(AuditErrorKind::Other, "cannot write"));
            }
            let chain = event.chain.unwrap();
            let (content, hash) = chain::parse(chain.text.as_bytes()).unwrap();
            assert_eq!((content.number, hash), (chain.line, *chain.hash));
            assert_eq!(chain::from_hex(&content.prev).unwrap(), *chain.prev);
            self.0.lock().unwrap().push(content.prev);
            Ok(())
        }
    }

    #[test]
    fn each_line_has_the_hash_of_the_one_before_and_none_is_left_out() {
        let sink = Arc::new(Lines::default());
        let chained = Chained::new(Arc::clone(&sink)).unwrap();
        let actor = Actor::this_process();
        let event = AuditEvent::new(AuditOperation::List, AuditOutcome::Ok, &actor);
        chained.record(&event).unwrap();
        sink.1.store(true, Ordering::Relaxed);
        chained.record(&event).unwrap_err();
        sink.1.store(false, Ordering::Relaxed);
        chained.record(&event).unwrap();
        assert_eq!(chained.tip.lock().unwrap().line, 2);
        assert_eq!(sink.0.lock().unwrap().len(), 2);
    }
}
