//! Tool servers. How one is reached can be read here, and not changed.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use mcplexer_files::config::{Server as Definition, ServerName};
use mcplexer_gateway::{NoServer, NotStarted, State as Doing};
use tokio::time::timeout;

use crate::access::Reader;
use crate::asked::{ReadServer, RunServer};
use crate::problem::Problem;
use crate::sight::Sight;
use crate::site::App;

mod described;
mod words;

use words::Hidden;

pub(crate) use described::{
    Era, Server, ServerDetail, ServerLog, ServerState, Servers, Tool, Tools, TransportKind,
    UsedSecret,
};

/// How long an answer waits for a server that starts. The start goes on behind it.
const START_WAIT: Duration = Duration::from_secs(5);

/// Returns all servers that are seen: those of the gateway, and those that its configuration leaves out.
pub(crate) async fn all(app: &App, sight: &Sight) -> Result<Servers, Problem> {
    let status = app.gateway.status();
    let mut servers = BTreeMap::new();
    for server in status.servers {
        let name = server.name.clone();
        // A configuration may have taken it away meanwhile.
        if let Ok(definition) = app.gateway.definition(&name) {
            servers.insert(name.to_string(), Server::new(server, &definition, sight));
        }
    }
    for (name, definition) in disabled(app).await? {
        let name = name.to_string();
        let server = Server::disabled(name.clone(), &definition);
        servers.entry(name).or_insert(server);
    }
    servers.retain(|name, _| sight.sees_named(name));
    // What it says may name other servers.
    let config_problem = status.config_problem.map(|it| match sight.is_limited() {
        true => "config.yaml has problems".to_owned(),
        false => it,
    });
    Ok(Servers {
        servers: servers.into_values().collect(),
        config_problem,
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
pub(crate) async fn one(
    app: &App,
    name: &ServerName,
    sight: &Sight,
) -> Result<ServerDetail, Problem> {
    if let Ok(definition) = app.gateway.definition(name) {
        let servers = app.gateway.status().servers;
        if let Some(status) = servers.into_iter().find(|it| it.name == *name) {
            return Ok(ServerDetail::new(
                Server::new(status, &definition, sight),
                &definition,
                sight,
            ));
        }
    }
    let disabled = disabled(app).await?;
    let found = disabled.into_iter().find(|(it, _)| it == name);
    let (_, definition) = found.ok_or_else(|| NoServer(name.clone()))?;
    let server = Server::disabled(name.to_string(), &definition);
    Ok(ServerDetail::new(server, &definition, sight))
}

/// Returns the servers that did not start when they were needed last, each with why.
pub(crate) fn failing(app: &App, sight: &Sight) -> Vec<(ServerName, Option<String>)> {
    let servers = app.gateway.status().servers.into_iter();
    let failing = servers.filter(|it| it.state == Doing::Failing);
    let failing = failing.filter_map(|it| {
        let definition = app.gateway.definition(&it.name).ok()?;
        let hidden = Hidden::of(&definition, sight);
        Some((it.name, it.reason.map(|it| hidden.reason(it))))
    });
    failing.collect()
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

/// Returns all servers.
#[utoipa::path(
    get,
    path = "/api/v1/servers",
    operation_id = "list_servers",
    tag = "servers",
    responses((status = 200, body = Servers))
)]
pub(super) async fn list(
    State(app): State<App>,
    Reader { sight }: Reader,
) -> Result<Json<Servers>, Problem> {
    Ok(Json(all(&app, &sight).await?))
}

/// Returns a server.
#[utoipa::path(
    get,
    path = "/api/v1/servers/{server}",
    operation_id = "show_server",
    tag = "servers",
    params(("server" = String, Path, description = "The name of the server")),
    responses(
        (status = 200, body = ServerDetail),
        (status = 404, body = Problem),
        (status = 422, body = Problem),
    )
)]
pub(super) async fn show(
    State(app): State<App>,
    ReadServer { name, sight }: ReadServer,
) -> Result<Json<ServerDetail>, Problem> {
    Ok(Json(one(&app, &name, &sight).await?))
}

/// Starts a server if it does not run, and asks for its tools. If it takes longer than 5 seconds, the answer says that it is
/// starting.
#[utoipa::path(
    post,
    path = "/api/v1/servers/{server}/start",
    operation_id = "start_server",
    tag = "servers",
    params(("server" = String, Path, description = "The name of the server")),
    responses(
        (status = 200, body = ServerDetail),
        (status = 404, body = Problem),
        (status = 409, description = "It does not start", body = Problem),
        (status = 422, body = Problem),
    )
)]
pub(super) async fn start(
    State(app): State<App>,
    RunServer { name, sight }: RunServer,
) -> Result<Json<ServerDetail>, Problem> {
    begin(&app, &name, &sight).await?;
    Ok(Json(one(&app, &name, &sight).await?))
}

/// Ends what runs of a server. Calls that it has not answered fail; the next call starts it.
#[utoipa::path(
    post,
    path = "/api/v1/servers/{server}/stop",
    operation_id = "stop_server",
    tag = "servers",
    params(("server" = String, Path, description = "The name of the server")),
    responses(
        (status = 200, body = ServerDetail),
        (status = 404, body = Problem),
        (status = 422, body = Problem),
    )
)]
pub(super) async fn stop(
    State(app): State<App>,
    RunServer { name, sight }: RunServer,
) -> Result<Json<ServerDetail>, Problem> {
    app.gateway.stop(&name)?;
    Ok(Json(one(&app, &name, &sight).await?))
}

/// Ends what runs of a server, and starts it again.
#[utoipa::path(
    post,
    path = "/api/v1/servers/{server}/restart",
    operation_id = "restart_server",
    tag = "servers",
    params(("server" = String, Path, description = "The name of the server")),
    responses(
        (status = 200, body = ServerDetail),
        (status = 404, body = Problem),
        (status = 409, description = "It does not start again", body = Problem),
        (status = 422, body = Problem),
    )
)]
pub(super) async fn restart(
    State(app): State<App>,
    RunServer { name, sight }: RunServer,
) -> Result<Json<ServerDetail>, Problem> {
    app.gateway.restart(&name)?;
    begin(&app, &name, &sight).await?;
    Ok(Json(one(&app, &name, &sight).await?))
}

/// Starts a server, and waits for a moment.
async fn begin(app: &App, name: &ServerName, sight: &Sight) -> Result<(), Problem> {
    let definition = app.gateway.definition(name)?;
    match timeout(START_WAIT, app.gateway.start(name)).await {
        Ok(started) => started.map_err(|error| match error {
            NotStarted::NoServer(error) => error.into(),
            error => {
                let problem = Problem::from(error);
                let title = Hidden::of(&definition, sight).reason(problem.title);
                Problem { title, ..problem }
            }
        }),
        // It goes on.
        Err(_) => Ok(()),
    }
}

/// Returns the last lines that a server wrote to standard error. A client gets none of a server over HTTP.
#[utoipa::path(
    get,
    path = "/api/v1/servers/{server}/log",
    operation_id = "show_log",
    tag = "servers",
    params(("server" = String, Path, description = "The name of the server")),
    responses(
        (status = 200, body = ServerLog),
        (status = 404, body = Problem),
        (status = 422, body = Problem),
    )
)]
pub(super) async fn log(
    State(app): State<App>,
    ReadServer { name, sight }: ReadServer,
) -> Result<Json<ServerLog>, Problem> {
    let definition = app.gateway.definition(&name)?;
    let hidden = Hidden::of(&definition, &sight);
    let lines = hidden.log(app.gateway.log(&name)?);
    Ok(Json(ServerLog { lines }))
}

/// Returns the tools of a server, if it was asked for them.
#[utoipa::path(
    get,
    path = "/api/v1/servers/{server}/tools",
    operation_id = "list_tools",
    tag = "servers",
    params(("server" = String, Path, description = "The name of the server")),
    responses(
        (status = 200, body = Tools),
        (status = 404, body = Problem),
        (status = 422, body = Problem),
    )
)]
pub(super) async fn tools(
    State(app): State<App>,
    ReadServer { name, .. }: ReadServer,
) -> Result<Json<Tools>, Problem> {
    Ok(Json(tools_of(&app, &name)?))
}
