//! Clients: who is connected, and who has a token for HTTP.

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use mcplexer_files::config::ServerName;
use mcplexer_gateway::{ApiAccess, ClientStatus, HttpClient, HttpClients};
use mcplexer_home::OpenHome;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::scopes::Confirmation;
use super::{parsed, parsed_field};
use crate::access::{Person, Reader};
use crate::problem::Problem;
use crate::sight::Sight;
use crate::site::App;

/// The clients of the gateway.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Clients {
    /// Those that have a token, by name.
    pub(crate) clients: Vec<Client>,
    /// Those that are connected now, with a token or without.
    pub(crate) connected: Vec<Connected>,
}

/// A client that has a token for HTTP.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Client {
    /// Its name, as `config.yaml` has it.
    pub(crate) name: String,
    /// What it may do over this API.
    pub(crate) api: Access,
}

/// A client that is connected.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Connected {
    /// Its name, if it has one.
    pub(crate) name: Option<String>,
    /// The servers whose tools it sees; null for all.
    pub(crate) servers: Option<Vec<String>>,
    /// Its process, if it is known.
    pub(crate) pid: Option<u32>,
    /// How many sessions it has.
    pub(crate) sessions: u64,
}

/// What a client may do over this API, beside connecting.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Access {
    /// Nothing.
    #[default]
    None,
    /// Read what there is.
    Read,
    /// Change secrets and servers, too.
    Write,
}

impl From<ApiAccess> for Access {
    fn from(access: ApiAccess) -> Self {
        match access {
            ApiAccess::Read => Self::Read,
            ApiAccess::Write => Self::Write,
            _ => Self::None,
        }
    }
}

impl From<Access> for ApiAccess {
    fn from(access: Access) -> Self {
        match access {
            Access::None => Self::None,
            Access::Read => Self::Read,
            Access::Write => Self::Write,
        }
    }
}

impl From<HttpClient> for Client {
    fn from(client: HttpClient) -> Self {
        Self {
            name: client.name.to_string(),
            api: client.api.into(),
        }
    }
}

impl Connected {
    fn new(client: ClientStatus, sight: &Sight) -> Self {
        let mut servers: Option<Vec<String>> = match client.server {
            Some(server) => Some(vec![server]),
            None => client
                .servers
                .map(|it| it.iter().map(ToString::to_string).collect()),
        };
        if let Some(servers) = &mut servers {
            servers.retain(|it| sight.sees_named(it));
        }
        Self {
            name: client.name,
            servers,
            pid: client.pid,
            sessions: client.sessions,
        }
    }
}

/// A client to add.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ClientToAdd {
    /// Its name, as `config.yaml` has it.
    name: String,
    /// What it may do over this API.
    #[serde(default)]
    api: Access,
}

/// A client that was added.
#[derive(Serialize, ToSchema)]
pub(super) struct Added {
    /// Its name.
    name: String,
    /// What it may do over this API.
    api: Access,
    /// Its token, which is kept nowhere: `Authorization: Bearer TOKEN`.
    #[schema(value_type = String)]
    token: Zeroizing<String>,
    /// Where it connects.
    url: Option<String>,
}

/// Returns the clients. Of their servers, those are named that are seen.
pub(crate) async fn all(app: &App, sight: &Sight) -> Result<Clients, Problem> {
    let clients = app.with_home(|home: &OpenHome| HttpClients::of(home.home()).list());
    let connected = app.gateway.status().clients;
    Ok(Clients {
        clients: clients.await?.into_iter().map(Client::from).collect(),
        connected: connected
            .into_iter()
            .map(|it| Connected::new(it, sight))
            .collect(),
    })
}

/// Returns the clients that have a token, and those that are connected.
#[utoipa::path(
    get,
    path = "/api/v1/clients",
    operation_id = "list_clients",
    tag = "clients",
    responses((status = 200, body = Clients))
)]
pub(super) async fn list(
    State(app): State<App>,
    Reader { sight }: Reader,
) -> Result<Json<Clients>, Problem> {
    Ok(Json(all(&app, &sight).await?))
}

/// Adds a client that connects over HTTP, and returns its token. Only a session may do this.
#[utoipa::path(
    post,
    path = "/api/v1/clients",
    operation_id = "add_client",
    tag = "clients",
    request_body = ClientToAdd,
    responses(
        (status = 201, body = Added),
        (status = 409, description = "There is one", body = Problem),
    )
)]
pub(super) async fn add(
    State(app): State<App>,
    _: Person,
    body: Result<Json<ClientToAdd>, JsonRejection>,
) -> Result<(StatusCode, Json<Added>), Problem> {
    let Json(ClientToAdd { name, api }) = body?;
    let name: ServerName = parsed_field("name", &name)?;
    let new = name.clone();
    let token = app.with_home(move |home| HttpClients::of(home.home()).add(&new, api.into()));
    let added = Added {
        token: token.await?,
        name: name.to_string(),
        api,
        url: app.gateway.address().map(|it| format!("http://{it}/mcp")),
    };
    Ok((StatusCode::CREATED, Json(added)))
}

/// Removes a client: its token is invalid from now on. Only a session may do this.
#[utoipa::path(
    delete,
    path = "/api/v1/clients/{name}",
    operation_id = "remove_client",
    tag = "clients",
    params(("name" = String, Path, description = "The name of the client")),
    request_body = Confirmation,
    responses((status = 204), (status = 404, body = Problem))
)]
pub(super) async fn remove(
    State(app): State<App>,
    _: Person,
    path: Result<Path<String>, PathRejection>,
    body: Result<Json<Confirmation>, JsonRejection>,
) -> Result<StatusCode, Problem> {
    let Path(text) = path?;
    let name: ServerName = parsed(&text)?;
    let Json(confirmation) = body?;
    confirmation.check(&text)?;
    app.with_home(move |home| HttpClients::of(home.home()).remove(&name))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
