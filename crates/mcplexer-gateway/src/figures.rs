//! What a gateway has done, in figures for a monitoring system.

use std::fmt;
use std::sync::Arc;

use mcplexer_secrets::audit::{AuditOutcome, CallRecord, CallStep};
use prometheus_client::encoding::{
    EncodeLabelSet, EncodeLabelValue, LabelValueEncoder, prometheus_text,
};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::hub::Hub;
use crate::status::{ServerStatus, State};

/// The type of the content of [`text`].
pub(crate) const CONTENT_TYPE: &str = prometheus_text::CONTENT_TYPE;

/// The upper bounds of the times that calls take, in seconds.
const TIMES: [f64; 12] = [
    0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0,
];

/// Counts calls.
#[derive(Debug, Clone)]
pub(crate) struct Figures {
    ended: Family<Ended, Counter>,
    took: Family<Server, Histogram, fn() -> Histogram>,
    bytes: Family<Server, Counter>,
    scrubbed: Family<Server, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Server {
    server: Arc<str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    server: Arc<str>,
    outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Outcome(AuditOutcome);

impl EncodeLabelValue for Outcome {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        let text = serde_json::to_string(&self.0).map_err(|_| fmt::Error)?;
        EncodeLabelValue::encode(&text.trim_matches('"'), encoder)
    }
}

impl Default for Figures {
    fn default() -> Self {
        Self {
            ended: Family::default(),
            took: Family::new_with_constructor(|| Histogram::new(TIMES)),
            bytes: Family::default(),
            scrubbed: Family::default(),
        }
    }
}

impl Figures {
    /// Counts a call that has ended.
    pub(crate) fn count(&self, record: &CallRecord) {
        let CallStep::Ended {
            outcome,
            took,
            bytes,
            scrubbed,
        } = &record.step
        else {
            return;
        };
        let server = Server {
            server: Arc::clone(&record.server),
        };
        let ended = Ended {
            server: Arc::clone(&record.server),
            outcome: Outcome(*outcome),
        };
        self.ended.get_or_create(&ended).inc();
        self.took.get_or_create(&server).observe(took.as_secs_f64());
        self.bytes.get_or_create(&server).inc_by(*bytes);
        self.scrubbed.get_or_create(&server).inc_by(*scrubbed);
    }
}

/// Returns the figures of a gateway (the text format of Prometheus, version 0.0.4).
///
/// # Errors
/// None, if memory lasts.
pub(crate) fn text(hub: &Hub) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix("mcplexer");
    let Figures {
        ended,
        took,
        bytes,
        scrubbed,
    } = hub.calls().figures().clone();
    registry.register("calls", "Calls that have ended", ended);
    registry.register("call_duration_seconds", "How long calls took", took);
    registry.register("answer_bytes", "The length of the answers to calls", bytes);
    registry.register(
        "scrubbed_values",
        "Values of secrets taken out of the answers to calls",
        scrubbed,
    );
    let (up, instances) = servers(&hub.server_status());
    registry.register(
        "server_up",
        "Whether a server runs (1), is stopped (0) or does not start (-1)",
        up,
    );
    registry.register(
        "server_instances",
        "How many processes or connections a server has",
        instances,
    );
    let sessions = Gauge::<i64>::default();
    let count: u64 = hub.client_status().iter().map(|it| it.sessions).sum();
    sessions.set(signed(count));
    registry.register("sessions", "How many sessions clients have", sessions);
    let mut text = String::new();
    prometheus_text::encode(&mut text, &registry)?;
    Ok(text)
}

fn servers(all: &[ServerStatus]) -> (Family<Server, Gauge>, Family<Server, Gauge>) {
    let (up, instances) = (
        Family::<Server, Gauge>::default(),
        Family::<Server, Gauge>::default(),
    );
    for status in all {
        let server = Server {
            server: status.name.to_string().into(),
        };
        up.get_or_create(&server).set(match status.state {
            State::Running => 1,
            State::Stopped | State::Starting => 0,
            State::Failing => -1,
        });
        let count = crate::status::number(status.instances.len());
        instances.get_or_create(&server).set(signed(count));
    }
    (up, instances)
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
