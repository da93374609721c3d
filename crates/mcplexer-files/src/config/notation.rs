//! A server as the file has it: the fields of both transports side by side.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use mcplexer_secrets::ScopeId;
use serde::{Deserialize, Serialize};

use super::server::{Auth, Http, SearchPath, Server, Start, Stdio, Timeouts, Transport};
use super::waiting::{NotWaiting, Waiting};

/// The fields of a server; those with default values are absent.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Notation {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    command: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    env: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    scopes: Vec<ScopeId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    directory: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "is_default")]
    path: SearchPath,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    auth: Option<Auth>,
    #[serde(default, skip_serializing_if = "is_default")]
    start: Start,
    #[serde(default, skip_serializing_if = "is_default")]
    idle_stop: IdleStop,
    #[serde(default, skip_serializing_if = "is_default")]
    timeouts: Waits,
    #[serde(default, skip_serializing_if = "is_default")]
    disabled: bool,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Why fields do not make a server.
#[derive(Debug, thiserror::Error)]
#[error("a server has either a command or a url")]
pub(super) struct NotOneTransport;

/// A duration, or `never`.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct IdleStop(Option<Duration>);

const NEVER: &str = "never";

impl Default for IdleStop {
    fn default() -> Self {
        Self(Some(Server::IDLE_STOP))
    }
}

impl TryFrom<String> for IdleStop {
    type Error = NotWaiting;

    fn try_from(text: String) -> Result<Self, NotWaiting> {
        match text.as_str() {
            NEVER => Ok(Self(None)),
            text => Ok(Self(Some(text.parse::<Waiting>()?.0))),
        }
    }
}

impl From<IdleStop> for String {
    fn from(stop: IdleStop) -> Self {
        stop.0
            .map_or_else(|| NEVER.to_owned(), |it| Waiting(it).to_string())
    }
}

/// [`Timeouts`], those with default values absent.
#[derive(Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Waits {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    connect: Option<Waiting>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    start: Option<Waiting>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    call: Option<Waiting>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    total: Option<Waiting>,
}

impl From<Waits> for Timeouts {
    fn from(waits: Waits) -> Self {
        let default = Self::default();
        let or = |wait: Option<Waiting>, default| wait.map_or(default, |wait| wait.0);
        Self {
            connect: or(waits.connect, default.connect),
            start: or(waits.start, default.start),
            call: or(waits.call, default.call),
            total: or(waits.total, default.total),
        }
    }
}

impl From<Timeouts> for Waits {
    fn from(timeouts: Timeouts) -> Self {
        let default = Timeouts::default();
        let unless = |wait, default| (wait != default).then_some(Waiting(wait));
        Self {
            connect: unless(timeouts.connect, default.connect),
            start: unless(timeouts.start, default.start),
            call: unless(timeouts.call, default.call),
            total: unless(timeouts.total, default.total),
        }
    }
}

impl TryFrom<Notation> for Server {
    type Error = NotOneTransport;

    fn try_from(from: Notation) -> Result<Self, NotOneTransport> {
        let transport = match (from.command, from.url) {
            (Some(command), None) => Transport::Stdio(Stdio {
                command,
                env: from.env,
                scopes: from.scopes,
                directory: from.directory,
                path: from.path,
            }),
            (None, Some(url)) => Transport::Http(Http {
                url,
                headers: from.headers,
                auth: from.auth,
            }),
            _ => return Err(NotOneTransport),
        };
        Ok(Self {
            start: from.start,
            idle_stop: from.idle_stop.0,
            timeouts: from.timeouts.into(),
            disabled: from.disabled,
            ..Self::new(transport)
        })
    }
}

impl From<Server> for Notation {
    fn from(server: Server) -> Self {
        let mut notation = Self {
            command: None,
            url: None,
            env: BTreeMap::new(),
            scopes: Vec::new(),
            directory: None,
            path: SearchPath::default(),
            headers: BTreeMap::new(),
            auth: None,
            start: server.start,
            idle_stop: IdleStop(server.idle_stop),
            timeouts: server.timeouts.into(),
            disabled: server.disabled,
        };
        match server.transport {
            Transport::Stdio(stdio) => {
                notation.command = Some(stdio.command);
                notation.env = stdio.env;
                notation.scopes = stdio.scopes;
                notation.directory = stdio.directory;
                notation.path = stdio.path;
            }
            Transport::Http(http) => {
                notation.url = Some(http.url);
                notation.headers = http.headers;
                notation.auth = http.auth;
            }
        }
        notation
    }
}
