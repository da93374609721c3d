//! What a gateway says of itself, its servers and its clients.

use mcplexer_files::config::ServerName;
use mcplexer_secrets::Timestamp;
use serde::{Deserialize, Serialize};

/// What a gateway does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Status {
    /// The process of the gateway.
    pub pid: u32,
    /// Its version.
    pub version: String,
    /// When it started.
    #[serde(with = "rfc_3339")]
    pub since: Timestamp,
    /// The address on which it serves HTTP, if it does.
    pub http: Option<String>,
    /// Why `config.yaml` as it is now is not used, if so: the gateway goes on with what it said before.
    pub config_problem: Option<String>,
    /// Since when the store cannot be reached, if so: servers get what its copy has.
    #[serde(default)]
    pub store_problem: Option<String>,
    /// The servers, in the order of their names.
    pub servers: Vec<ServerStatus>,
    /// The clients that are connected.
    pub clients: Vec<ClientStatus>,
}

/// What a server does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ServerStatus {
    /// Its name.
    pub name: ServerName,
    /// Whether it runs.
    pub state: State,
    /// Why it does not work, if it is failing.
    pub reason: Option<String>,
    /// What runs of it.
    pub instances: Vec<InstanceStatus>,
    /// How many tools it has, if it was asked.
    pub tools: Option<u64>,
}

/// Whether a server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum State {
    /// It starts when it is needed.
    Stopped,
    /// It has been started, and has not answered yet.
    Starting,
    /// It answers.
    Running,
    /// It did not start when it was needed last.
    Failing,
}

/// A running server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InstanceStatus {
    /// Its process, if it is one of this machine.
    pub pid: Option<u32>,
    /// When it started.
    #[serde(with = "rfc_3339")]
    pub since: Timestamp,
    /// Which revisions of the protocol it speaks.
    pub era: EraStatus,
    /// How many clients use it.
    pub clients: u64,
}

/// Which revisions of the protocol a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum EraStatus {
    /// Up to 2025-11-25, with sessions.
    Legacy,
    /// From 2026-07-28 on, without.
    Modern,
}

/// A client that is connected.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClientStatus {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// The server that it is connected to; `None` for all.
    pub server: Option<String>,
    /// The servers that it sees, if `config.yaml` says which ones; `None` for all.
    #[serde(default)]
    pub servers: Option<Vec<ServerName>>,
    /// Its process, if it is known.
    pub pid: Option<u32>,
    /// How many sessions it has.
    pub sessions: u64,
}

/// Times as the documents have them.
mod rfc_3339 {
    use mcplexer_secrets::Timestamp;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(time)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

/// Returns how many there are.
pub(crate) fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
