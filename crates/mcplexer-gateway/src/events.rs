//! What an instance tells the server that it belongs to.

use std::fmt;
use std::sync::Arc;

use crate::instance::Instance;
use crate::message::Message;

/// Receives what concerns more than one request.
pub(crate) trait Events: fmt::Debug + Send + Sync {
    /// The instance has sent a notification, other than progress, a log message or a withdrawal.
    fn notified(&self, from: &Arc<Instance>, method: &str, message: Message, within: Option<u64>);

    /// The instance has asked for something while it served several clients.
    fn is_ambiguous(&self, from: &Arc<Instance>);
}
