//! Scopes.

mod change;

pub(super) use change::{__path_change, change};

use std::fmt;

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use mcplexer_home::scopes::{ScopeReport, ScopeRow, SecretRow};
use mcplexer_secrets::{NewScope, ScopeId, ScopeKind, SecretStore};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{parsed, parsed_field};
use crate::access::{Reader, Writer};
use crate::problem::Problem;
use crate::site::App;

/// All scopes.
#[derive(Serialize, ToSchema)]
pub(crate) struct Scopes {
    /// The scopes, by id.
    pub(crate) scopes: Vec<Scope>,
}

/// A scope, without its secrets.
#[derive(Serialize, ToSchema)]
pub(crate) struct Scope {
    /// Its id.
    pub(crate) id: String,
    /// How its secrets reach a tool server.
    pub(crate) kind: Kind,
    /// A name for people.
    pub(crate) name: Option<String>,
    /// How many earlier versions of each secret it keeps.
    pub(crate) keep_versions: u8,
    /// When it was created (RFC 3339).
    pub(crate) created: String,
    /// How many secrets it holds.
    pub(crate) secrets: usize,
}

/// How the secrets of a scope reach a tool server.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// As environment variables.
    #[default]
    Env,
    /// As HTTP header fields.
    Header,
    /// As tokens of OAuth 2.
    Oauth2,
}

impl From<ScopeKind> for Kind {
    fn from(kind: ScopeKind) -> Self {
        match kind {
            ScopeKind::Header => Self::Header,
            ScopeKind::OAuth2 => Self::Oauth2,
            _ => Self::Env,
        }
    }
}

impl From<Kind> for ScopeKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Env => Self::Env,
            Kind::Header => Self::Header,
            Kind::Oauth2 => Self::OAuth2,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(ScopeKind::from(*self).as_str())
    }
}

/// A scope with its secrets.
#[derive(Serialize, ToSchema)]
pub(crate) struct ScopeWithSecrets {
    #[serde(flatten)]
    pub(crate) scope: Scope,
    /// Its secrets, by name.
    pub(crate) keys: Vec<Secret>,
}

/// A secret, without its value.
#[derive(Serialize, ToSchema)]
pub(crate) struct Secret {
    /// Its name.
    pub(crate) key: String,
    /// Its version, from 1.
    pub(crate) version: u64,
    /// Changes whenever the secret is changed, or deleted and created again: `if_state` takes it.
    pub(crate) state: String,
    /// When it was first stored (RFC 3339).
    pub(crate) created: String,
    /// When this version was stored (RFC 3339).
    pub(crate) updated: String,
    /// A note for people.
    pub(crate) note: Option<String>,
    /// When its value expires (RFC 3339).
    pub(crate) expires: Option<String>,
    /// The number of days after which to replace its value.
    pub(crate) rotate_every_days: Option<u32>,
    /// When its value is to be replaced, as that number says (RFC 3339).
    pub(crate) rotate_by: Option<String>,
}

/// A scope to create.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ScopeToCreate {
    /// Its id.
    id: String,
    /// How its secrets reach a tool server.
    #[serde(default)]
    kind: Kind,
    /// A name for people.
    name: Option<String>,
    /// How many earlier versions of each secret it keeps.
    keep_versions: Option<u8>,
}

/// What is to be deleted, once more.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Confirmation {
    /// The name of it.
    pub(super) confirm: String,
}

impl Confirmation {
    /// Fails if another name was given.
    pub(super) fn check(&self, name: &str) -> Result<(), Problem> {
        match self.confirm == name {
            true => Ok(()),
            false => Err(Problem::invalid(format!("type {name} to confirm")).of("confirm")),
        }
    }
}

impl From<ScopeRow> for Scope {
    fn from(row: ScopeRow) -> Self {
        Self {
            id: row.id.to_string(),
            kind: row.kind.into(),
            name: row.name,
            keep_versions: row.keep_versions,
            created: row.created.to_string(),
            secrets: row.secrets,
        }
    }
}

impl From<ScopeReport> for ScopeWithSecrets {
    fn from(report: ScopeReport) -> Self {
        let keys: Vec<_> = report.secrets.into_iter().map(Secret::from).collect();
        Self {
            scope: Scope {
                id: report.id.to_string(),
                kind: report.kind.into(),
                name: report.name,
                keep_versions: report.keep_versions,
                created: report.created.to_string(),
                secrets: keys.len(),
            },
            keys,
        }
    }
}

impl From<SecretRow> for Secret {
    fn from(row: SecretRow) -> Self {
        Self::of(&row)
    }
}

impl Secret {
    pub(crate) fn of(row: &SecretRow) -> Self {
        let text = |it: mcplexer_secrets::Timestamp| it.to_string();
        Self {
            key: row.name.to_string(),
            version: row.version,
            state: row.state.to_string(),
            created: row.created.to_string(),
            updated: row.updated.to_string(),
            note: row.note.as_ref().map(|it| it.as_str().to_owned()),
            expires: row.expires.map(text),
            rotate_every_days: row.rotate_every_days,
            rotate_by: row.rotate_by.map(text),
        }
    }
}

/// Returns all scopes; none if there is no store yet.
pub(crate) async fn all(app: &App) -> Result<Vec<Scope>, Problem> {
    let list = app.with_home(|home| match home.has_store() {
        true => mcplexer_home::scopes::list(home).map(|it| it.scopes),
        false => Ok(Vec::new()),
    });
    Ok(list.await?.into_iter().map(Scope::from).collect())
}

/// Returns a scope.
pub(crate) async fn one(app: &App, id: ScopeId) -> Result<ScopeWithSecrets, Problem> {
    let report = app.with_home(move |home| mcplexer_home::scopes::show(&id, home));
    Ok(report.await?.into())
}

/// Returns all scopes.
#[utoipa::path(
    get,
    path = "/api/v1/scopes",
    operation_id = "list_scopes",
    tag = "secrets",
    responses((status = 200, body = Scopes))
)]
pub(super) async fn list(State(app): State<App>, _: Reader) -> Result<Json<Scopes>, Problem> {
    let scopes = all(&app).await?;
    Ok(Json(Scopes { scopes }))
}

/// Creates an empty scope.
#[utoipa::path(
    post,
    path = "/api/v1/scopes",
    operation_id = "create_scope",
    tag = "secrets",
    request_body = ScopeToCreate,
    responses((status = 201, body = ScopeWithSecrets), (status = 409, description = "The store holds something else, or config.yaml has problems", body = Problem))
)]
pub(super) async fn create(
    State(app): State<App>,
    _: Writer,
    body: Result<Json<ScopeToCreate>, JsonRejection>,
) -> Result<(StatusCode, Json<ScopeWithSecrets>), Problem> {
    let Json(new) = body?;
    let id: ScopeId = parsed_field("id", &new.id)?;
    let mut scope = NewScope::env(id.clone());
    scope.kind = new.kind.into();
    scope.display_name = new.name.filter(|it| !it.is_empty());
    if let Some(keep) = new.keep_versions {
        scope.keep_versions = keep;
    }
    app.with_home(move |home| home.store().create_scope(&scope))
        .await?;
    Ok((StatusCode::CREATED, Json(one(&app, id).await?)))
}

/// Returns a scope and its secrets, without values.
#[utoipa::path(
    get,
    path = "/api/v1/scopes/{scope}",
    operation_id = "show_scope",
    tag = "secrets",
    params(("scope" = String, Path, description = "The id of the scope")),
    responses((status = 200, body = ScopeWithSecrets))
)]
pub(super) async fn show(
    State(app): State<App>,
    _: Reader,
    path: Result<Path<String>, PathRejection>,
) -> Result<Json<ScopeWithSecrets>, Problem> {
    let Path(scope) = path?;
    Ok(Json(one(&app, parsed(&scope)?).await?))
}

/// Deletes a scope with all of its secrets.
#[utoipa::path(
    delete,
    path = "/api/v1/scopes/{scope}",
    operation_id = "delete_scope",
    tag = "secrets",
    params(("scope" = String, Path, description = "The id of the scope")),
    request_body = Confirmation,
    responses((status = 204))
)]
pub(super) async fn delete(
    State(app): State<App>,
    _: Writer,
    path: Result<Path<String>, PathRejection>,
    body: Result<Json<Confirmation>, JsonRejection>,
) -> Result<StatusCode, Problem> {
    let Path(scope) = path?;
    let id: ScopeId = parsed(&scope)?;
    body?.check(&scope)?;
    app.with_home(move |home| home.store().delete_scope(&id))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
