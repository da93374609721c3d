//! Secrets: stored, changed and deleted; their values are never returned.

mod edit;
mod value;
mod versions;

pub(super) use edit::{__path_edit, __path_show, edit, show};
pub(super) use value::{__path_put, put};
pub(super) use versions::{__path_restore, __path_versions, restore, versions};

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use mcplexer_secrets::{ScopeId, SecretName, SecretState, SecretStore, Stored};
use serde::Serialize;
use utoipa::ToSchema;

use super::scopes::Confirmation;
use super::{parsed, parsed_field};
use crate::access::Writer;
use crate::problem::Problem;
use crate::site::App;

/// What was stored.
#[derive(Serialize, ToSchema)]
pub(super) struct StoredVersion {
    /// The scope.
    scope: String,
    /// The name of the secret.
    key: String,
    /// The version, from 1.
    version: u64,
    /// Whether the scope was created with it.
    scope_created: bool,
    /// The expiry of the value before, which has passed and was removed (RFC 3339).
    expiry_dropped: Option<String>,
}

impl StoredVersion {
    fn of(scope: &ScopeId, key: &SecretName, stored: &Stored) -> Json<Self> {
        Json(Self {
            scope: scope.to_string(),
            key: key.to_string(),
            version: stored.version,
            scope_created: stored.scope_created,
            expiry_dropped: stored.expiry_dropped.map(|it| it.to_string()),
        })
    }
}

/// Deletes a secret with every version of it.
#[utoipa::path(
    delete,
    path = "/api/v1/scopes/{scope}/secrets/{key}",
    operation_id = "delete_secret",
    tag = "secrets",
    params(
        ("scope" = String, Path, description = "The id of the scope"),
        ("key" = String, Path, description = "The name of the secret"),
    ),
    request_body = Confirmation,
    responses((status = 204))
)]
pub(super) async fn delete(
    State(app): State<App>,
    _: Writer,
    path: Result<Path<(String, String)>, PathRejection>,
    body: Result<Json<Confirmation>, JsonRejection>,
) -> Result<StatusCode, Problem> {
    let (scope, key) = names(path)?;
    body?.check(key.as_str())?;
    app.with_home(move |home| home.store().delete(&scope, &key))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Reads the state in which a secret has to be.
fn state(text: Option<&str>) -> Result<Option<SecretState>, Problem> {
    text.map(|it| parsed_field("if_state", it)).transpose()
}

fn names(
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<(ScopeId, SecretName), Problem> {
    let Path((scope, key)) = path?;
    Ok((parsed(&scope)?, parsed_field("key", &key)?))
}
