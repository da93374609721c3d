//! The last calls, and those that follow, for who watches.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use mcplexer_home::calls::Call;
use mcplexer_secrets::audit::CallRecord;
use tokio::sync::broadcast;

use crate::server::lock;

/// How many calls are kept, and how many a watcher can be behind.
const KEPT: usize = 1000;

/// The last calls.
#[derive(Debug)]
pub(super) struct Live {
    /// Each with its end, if it has one.
    recent: Mutex<VecDeque<(CallRecord, Option<CallRecord>)>>,
    watchers: broadcast::Sender<Arc<Call>>,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            recent: Mutex::default(),
            watchers: broadcast::Sender::new(KEPT),
        }
    }
}

impl Live {
    pub(super) fn subscribe(&self) -> broadcast::Receiver<Arc<Call>> {
        self.watchers.subscribe()
    }

    /// Returns the last calls, in the order in which they went out.
    pub(super) fn recent(&self) -> Vec<Call> {
        let recent = lock(&self.recent);
        let calls = recent
            .iter()
            .filter_map(|(begun, end)| call(begun, end.as_ref()));
        calls.collect()
    }

    pub(super) fn begun(&self, record: &CallRecord) {
        let mut recent = lock(&self.recent);
        if recent.len() == KEPT {
            recent.pop_front();
        }
        recent.push_back((record.clone(), None));
        drop(recent);
        self.show(record, None);
    }

    pub(super) fn ended(&self, record: &CallRecord) {
        let mut recent = lock(&self.recent);
        // It is mostly one of the last.
        let found = recent
            .iter_mut()
            .rev()
            .find(|(begun, _)| begun.id == record.id);
        let Some((begun, end)) = found else {
            return;
        };
        *end = Some(record.clone());
        let begun = begun.clone();
        drop(recent);
        self.show(&begun, Some(record));
    }

    fn show(&self, begun: &CallRecord, end: Option<&CallRecord>) {
        if self.watchers.receiver_count() > 0
            && let Some(call) = call(begun, end)
        {
            let _nobody_watches = self.watchers.send(Arc::new(call));
        }
    }
}

fn call(begun: &CallRecord, end: Option<&CallRecord>) -> Option<Call> {
    let call = Call::of(begun)?;
    Some(match end {
        Some(end) => call.ended(end),
        None => call,
    })
}
