//! What is said of a tool server.

use std::collections::BTreeMap;

use mcplexer_files::config::{Server as Definition, Transport};
use mcplexer_gateway::{EraStatus, InstanceStatus, ServerStatus, State as Doing, ToolInfo};
use serde::Serialize;
use utoipa::ToSchema;

use super::words::{Hidden, add_command, command_line, references};
use crate::sight::Sight;

/// All servers.
#[derive(Serialize, ToSchema)]
pub(crate) struct Servers {
    /// The servers, by name.
    pub(crate) servers: Vec<Server>,
    /// Why `config.yaml` as it is now is not used, if so: these are the servers that it had before.
    pub(crate) config_problem: Option<String>,
}

/// A tool server.
#[derive(Serialize, ToSchema)]
pub(crate) struct Server {
    /// Its name.
    pub(crate) name: String,
    /// Whether it runs.
    pub(crate) state: ServerState,
    /// Why it does not work, if it is failing.
    pub(crate) reason: Option<String>,
    /// What runs of it.
    pub(crate) instances: Vec<Instance>,
    /// How many tools it has, if it was asked.
    pub(crate) tools: Option<u64>,
    /// How it is reached.
    pub(crate) transport: TransportKind,
    /// The secrets that it gets.
    pub(crate) secrets: Vec<UsedSecret>,
}

/// Whether a server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ServerState {
    /// It starts when it is needed.
    Stopped,
    /// It has been started, and has not answered yet.
    Starting,
    /// It answers.
    Running,
    /// It did not start when it was needed last.
    Failing,
    /// The configuration leaves it out.
    Disabled,
}

/// How a server is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TransportKind {
    /// As a program, on its standard input and output.
    Stdio,
    /// Over HTTP.
    Http,
}

/// A running server.
#[derive(Serialize, ToSchema)]
pub(crate) struct Instance {
    /// Its process, if it is one of this machine.
    pub(crate) pid: Option<u32>,
    /// When it started (RFC 3339).
    pub(crate) since: String,
    /// Which revisions of the protocol it speaks.
    pub(crate) era: Era,
    /// How many clients use it.
    pub(crate) clients: u64,
}

/// Which revisions of the protocol a server speaks.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Era {
    /// Up to 2025-11-25, with sessions.
    Legacy,
    /// From 2026-07-28 on, without.
    Modern,
}

/// A secret that a server gets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub(crate) struct UsedSecret {
    /// The id of its scope.
    pub(crate) scope: String,
    /// Its name; missing if the server gets every secret of the scope.
    pub(crate) key: Option<String>,
}

/// A server, and how it is configured.
#[derive(Serialize, ToSchema)]
pub(crate) struct ServerDetail {
    #[serde(flatten)]
    pub(crate) server: Server,
    /// Its command, as a line for a shell. It can be changed on the command line only.
    pub(crate) command: Option<String>,
    /// Its URL, without a query, and without its path for a client. It can be changed on the command line only.
    pub(crate) url: Option<String>,
    /// The command that adds it as it is now, to be changed and run. Missing if no command says all of it.
    pub(crate) add: Option<String>,
    /// Its variables or header fields, by name: the references to secrets in each. What else is in one is left out.
    pub(crate) values: BTreeMap<String, Vec<String>>,
}

/// The last lines that a server wrote to standard error.
#[derive(Serialize, ToSchema)]
pub(crate) struct ServerLog {
    /// The lines, oldest first. Values of its secrets are replaced by their names.
    pub(crate) lines: Vec<String>,
}

/// The tools of a server.
#[derive(Serialize, ToSchema)]
pub(crate) struct Tools {
    /// Whether the server was asked for them. Starting it does that.
    pub(crate) is_known: bool,
    /// The tools, in the order of the server.
    pub(crate) tools: Vec<Tool>,
    /// About how many tokens their definitions take in a conversation: a quarter of their bytes. An estimate.
    pub(crate) tokens: usize,
}

/// A tool, in the words of its server.
#[derive(Serialize, ToSchema)]
pub(crate) struct Tool {
    /// Its name.
    pub(crate) name: String,
    /// What it does.
    pub(crate) description: Option<String>,
    /// About how many tokens its definition takes in a conversation: a quarter of its bytes. An estimate.
    pub(crate) tokens: usize,
}

impl From<ToolInfo> for Tool {
    fn from(tool: ToolInfo) -> Self {
        Self {
            name: tool.name,
            description: tool.description,
            tokens: tool.bytes.saturating_add(2) / 4,
        }
    }
}

impl From<InstanceStatus> for Instance {
    fn from(it: InstanceStatus) -> Self {
        Self {
            pid: it.pid,
            since: it.since.to_string(),
            era: match it.era {
                EraStatus::Modern => Era::Modern,
                _ => Era::Legacy,
            },
            clients: it.clients,
        }
    }
}

impl From<Doing> for ServerState {
    fn from(state: Doing) -> Self {
        match state {
            Doing::Starting => Self::Starting,
            Doing::Running => Self::Running,
            Doing::Failing => Self::Failing,
            _ => Self::Stopped,
        }
    }
}

impl Server {
    pub(super) fn new(status: ServerStatus, definition: &Definition, sight: &Sight) -> Self {
        let hidden = Hidden::of(definition, sight);
        Self {
            state: status.state.into(),
            reason: status.reason.map(|it| hidden.reason(it)),
            instances: status.instances.into_iter().map(Instance::from).collect(),
            tools: status.tools,
            ..Self::disabled(status.name.to_string(), definition)
        }
    }

    /// A server that the gateway leaves out.
    pub(super) fn disabled(name: String, definition: &Definition) -> Self {
        Self {
            name,
            state: ServerState::Disabled,
            reason: None,
            instances: Vec::new(),
            tools: None,
            transport: match definition.transport {
                Transport::Http(_) => TransportKind::Http,
                _ => TransportKind::Stdio,
            },
            secrets: used_secrets(definition),
        }
    }

    /// Returns how many clients use it.
    pub(crate) fn clients(&self) -> u64 {
        self.instances.iter().map(|it| it.clients).sum()
    }

    /// Returns when the oldest of it started.
    pub(crate) fn since(&self) -> Option<&str> {
        self.instances.iter().map(|it| it.since.as_str()).min()
    }
}

fn used_secrets(definition: &Definition) -> Vec<UsedSecret> {
    let named = mcplexer_home::servers::references(definition);
    let named = named.into_iter().map(|it| UsedSecret {
        scope: it.scope.to_string(),
        key: Some(it.name.to_string()),
    });
    let whole = definition.transport.scopes().map(|it| UsedSecret {
        scope: it.to_string(),
        key: None,
    });
    let mut secrets: Vec<_> = named.chain(whole).collect();
    secrets.sort();
    secrets
}

impl ServerDetail {
    pub(super) fn new(server: Server, definition: &Definition, sight: &Sight) -> Self {
        let hidden = Hidden::of(definition, sight);
        let (command, url) = match &definition.transport {
            Transport::Stdio(stdio) => (Some(command_line(&stdio.command)), None),
            Transport::Http(http) => (None, Some(hidden.url(&http.url))),
            _ => (None, None),
        };
        let values = definition.transport.values().iter();
        let values = values.map(|(name, text)| (name.clone(), references(text)));
        Self {
            add: match hidden.is_something() {
                true => None,
                false => add_command(&server.name, definition),
            },
            server,
            command,
            url,
            values: values.collect(),
        }
    }
}
