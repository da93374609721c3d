//! Tool servers. How one is reached can be read here, and not changed.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use mcplexer_files::config::{Server as Definition, ServerName, Transport};
use mcplexer_gateway::{
    EraStatus, InstanceStatus, NoServer, ServerStatus, State as Doing, ToolInfo,
};
use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::parsed;
use crate::access::{Reader, Writer};
use crate::problem::{Problem, Refused};
use crate::site::App;

mod words;

pub(crate) use words::{command_line, public_url};

/// How long an answer waits for a server that starts. The start goes on behind it.
const START_WAIT: Duration = Duration::from_secs(5);

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
    /// Its URL, without a query. It can be changed on the command line only.
    pub(crate) url: Option<String>,
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
    fn new(status: ServerStatus, definition: &Definition) -> Self {
        Self {
            state: status.state.into(),
            reason: status.reason,
            instances: status.instances.into_iter().map(Instance::from).collect(),
            tools: status.tools,
            ..Self::disabled(status.name.to_string(), definition)
        }
    }

    /// A server that the gateway leaves out.
    fn disabled(name: String, definition: &Definition) -> Self {
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
    fn new(server: Server, definition: &Definition) -> Self {
        let (command, url) = match &definition.transport {
            Transport::Stdio(stdio) => (Some(command_line(&stdio.command)), None),
            Transport::Http(http) => (None, Some(public_url(&http.url))),
            _ => (None, None),
        };
        let values = definition.transport.values().iter();
        let values = values.map(|(name, text)| (name.clone(), words::references(text)));
        Self {
            server,
            command,
            url,
            values: values.collect(),
        }
    }
}

/// Returns all servers: those of the gateway, and those that its configuration leaves out.
pub(crate) async fn all(app: &App) -> Result<Servers, Problem> {
    let status = app.gateway.status();
    let mut servers = BTreeMap::new();
    for server in status.servers {
        let name = server.name.clone();
        // A configuration may have taken it away meanwhile.
        if let Ok(definition) = app.gateway.definition(&name) {
            servers.insert(name.to_string(), Server::new(server, &definition));
        }
    }
    for (name, definition) in disabled(app).await? {
        let name = name.to_string();
        let server = Server::disabled(name.clone(), &definition);
        servers.entry(name).or_insert(server);
    }
    Ok(Servers {
        servers: servers.into_values().collect(),
        config_problem: status.config_problem,
    })
}

/// Returns the servers that are disabled. That the file has problems is said elsewhere.
async fn disabled(app: &App) -> Result<Vec<(ServerName, Definition)>, Problem> {
    let disabled = app.with_home(|home| {
        let list = mcplexer_home::servers::list(home.home());
        let rows = list.map(|it| it.servers).unwrap_or_default().into_iter();
        let disabled = rows.filter(|it| it.server.disabled);
        Ok::<_, Problem>(disabled.map(|it| (it.name, it.server)).collect())
    });
    disabled.await
}

/// Returns a server.
pub(crate) async fn one(app: &App, name: &ServerName) -> Result<ServerDetail, Problem> {
    if let Ok(definition) = app.gateway.definition(name) {
        let servers = app.gateway.status().servers;
        if let Some(status) = servers.into_iter().find(|it| it.name == *name) {
            return Ok(ServerDetail::new(
                Server::new(status, &definition),
                &definition,
            ));
        }
    }
    let disabled = disabled(app).await?;
    let found = disabled.into_iter().find(|(it, _)| it == name);
    let (_, definition) = found.ok_or_else(|| NoServer(name.clone()))?;
    let server = Server::disabled(name.to_string(), &definition);
    Ok(ServerDetail::new(server, &definition))
}

/// Returns the tools of a server.
pub(crate) fn tools_of(app: &App, name: &ServerName) -> Result<Tools, Problem> {
    let tools = app.gateway.tools(name)?;
    let is_known = tools.is_some();
    let tools: Vec<_> = tools
        .unwrap_or_default()
        .into_iter()
        .map(Tool::from)
        .collect();
    Ok(Tools {
        is_known,
        tokens: tools.iter().map(|it| it.tokens).sum(),
        tools,
    })
}

type NamedServer = Result<Path<String>, PathRejection>;

fn name(path: NamedServer) -> Result<ServerName, Problem> {
    let Path(name) = path?;
    parsed(&name)
}

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(start))
        .routes(routes!(stop))
        .routes(routes!(restart))
        .routes(routes!(log))
        .routes(routes!(tools))
}

/// Returns all servers.
#[utoipa::path(
    get,
    path = "/api/v1/servers",
    tag = "servers",
    responses((status = 200, body = Servers), Refused)
)]
async fn list(State(app): State<App>, _: Reader) -> Result<Json<Servers>, Problem> {
    Ok(Json(all(&app).await?))
}

/// Returns a server.
#[utoipa::path(
    get,
    path = "/api/v1/servers/{server}",
    tag = "servers",
    params(("server" = String, Path, description = "The name of the server")),
    responses(
        (status = 200, body = ServerDetail),
        Refused,
        (status = 404, body = Problem),
        (status = 422, body = Problem),
    )
)]
async fn show(
    State(app): State<App>,
    _: Reader,
    path: NamedServer,
) -> Result<Json<ServerDetail>, Problem> {
    Ok(Json(one(&app, &name(path)?).await?))
}

/// Starts a server if it does not run, and asks for its tools. If it takes longer than 5 seconds, the answer says that it is
/// starting.
#[utoipa::path(
    post,
    path = "/api/v1/servers/{server}/start",
    tag = "servers",
    params(("server" = String, Path, description = "The name of the server")),
    responses(
        (status = 200, body = ServerDetail),
        Refused,
        (status = 404, body = Problem),
        (status = 409, description = "It does not start", body = Problem),
        (status = 422, body = Problem),
    )
)]
async fn start(
    State(app): State<App>,
    _: Writer,
    path: NamedServer,
) -> Result<Json<ServerDetail>, Problem> {
    let name = name(path)?;
    begin(&app, &name).await?;
    Ok(Json(one(&app, &name).await?))
}

/// Ends what runs of a server. Calls that it has not answered fail; the next call starts it.
#[utoipa::path(
    post,
    path = "/api/v1/servers/{server}/stop",
    tag = "servers",
    params(("server" = String, Path, description = "The name of the server")),
    responses(
        (status = 200, body = ServerDetail),
        Refused,
        (status = 404, body = Problem),
        (status = 422, body = Problem),
    )
)]
async fn stop(
    State(app): State<App>,
    _: Writer,
    path: NamedServer,
) -> Result<Json<ServerDetail>, Problem> {
    let name = name(path)?;
    app.gateway.stop(&name)?;
    Ok(Json(one(&app, &name).await?))
}

/// Ends what runs of a server, and starts it again.
#[utoipa::path(
    post,
    path = "/api/v1/servers/{server}/restart",
    tag = "servers",
    params(("server" = String, Path, description = "The name of the server")),
    responses(
        (status = 200, body = ServerDetail),
        Refused,
        (status = 404, body = Problem),
        (status = 409, description = "It does not start again", body = Problem),
        (status = 422, body = Problem),
    )
)]
async fn restart(
    State(app): State<App>,
    _: Writer,
    path: NamedServer,
) -> Result<Json<ServerDetail>, Problem> {
    let name = name(path)?;
    app.gateway.restart(&name)?;
    begin(&app, &name).await?;
    Ok(Json(one(&app, &name).await?))
}

/// Starts a server, and waits for a moment.
async fn begin(app: &App, name: &ServerName) -> Result<(), Problem> {
    match timeout(START_WAIT, app.gateway.start(name)).await {
        Ok(started) => Ok(started?),
        // It goes on.
        Err(_) => Ok(()),
    }
}

/// Returns the last lines that a server wrote to standard error.
#[utoipa::path(
    get,
    path = "/api/v1/servers/{server}/log",
    tag = "servers",
    params(("server" = String, Path, description = "The name of the server")),
    responses(
        (status = 200, body = ServerLog),
        Refused,
        (status = 404, body = Problem),
        (status = 422, body = Problem),
    )
)]
async fn log(
    State(app): State<App>,
    _: Reader,
    path: NamedServer,
) -> Result<Json<ServerLog>, Problem> {
    let lines = app.gateway.log(&name(path)?)?;
    Ok(Json(ServerLog { lines }))
}

/// Returns the tools of a server, if it was asked for them.
#[utoipa::path(
    get,
    path = "/api/v1/servers/{server}/tools",
    tag = "servers",
    params(("server" = String, Path, description = "The name of the server")),
    responses(
        (status = 200, body = Tools),
        Refused,
        (status = 404, body = Problem),
        (status = 422, body = Problem),
    )
)]
async fn tools(
    State(app): State<App>,
    _: Reader,
    path: NamedServer,
) -> Result<Json<Tools>, Problem> {
    Ok(Json(tools_of(&app, &name(path)?)?))
}
