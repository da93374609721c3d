//! The versions of a secret.

use axum::Json;
use axum::extract::Path;
use axum::extract::State;
use axum::extract::rejection::{JsonRejection, PathRejection};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{StoredVersion, names, state};
use crate::access::{Reader, Writer};
use crate::problem::Problem;
use crate::site::App;

/// The versions of a secret.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct Versions {
    /// The scope.
    scope: String,
    /// The name of the secret.
    key: String,
    /// The current version, and those before it that the scope keeps; the newest first.
    versions: Vec<Version>,
}

/// A version of a secret, without its value.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct Version {
    /// Its number, from 1.
    version: u64,
    /// When it was stored (RFC 3339).
    updated: String,
}

/// A version to restore.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct VersionToRestore {
    /// Its number.
    version: u64,
    /// Fails unless the secret is still in this state, as it was shown: nobody has changed it since.
    if_state: Option<String>,
}

/// Returns the versions of a secret, without values.
#[utoipa::path(
    get,
    path = "/api/v1/scopes/{scope}/secrets/{key}/versions",
    operation_id = "list_versions",
    tag = "secrets",
    params(
        ("scope" = String, Path, description = "The id of the scope"),
        ("key" = String, Path, description = "The name of the secret"),
    ),
    responses((status = 200, body = Versions))
)]
pub(in crate::api) async fn versions(
    State(app): State<App>,
    _: Reader,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<Json<Versions>, Problem> {
    let (scope, key) = names(path)?;
    let history = app.with_home(move |home| mcplexer_home::scopes::history(&scope, &key, home));
    let history = history.await?;
    let versions = history.versions.into_iter().map(|it| Version {
        version: it.version,
        updated: it.updated.to_string(),
    });
    Ok(Json(Versions {
        scope: history.scope.to_string(),
        key: history.key.to_string(),
        versions: versions.collect(),
    }))
}

/// Stores the value of a version again, as the next version.
#[utoipa::path(
    post,
    path = "/api/v1/scopes/{scope}/secrets/{key}/restore",
    operation_id = "restore_version",
    tag = "secrets",
    params(
        ("scope" = String, Path, description = "The id of the scope"),
        ("key" = String, Path, description = "The name of the secret"),
    ),
    request_body = VersionToRestore,
    responses((status = 200, body = StoredVersion))
)]
pub(in crate::api) async fn restore(
    State(app): State<App>,
    _: Writer,
    path: Result<Path<(String, String)>, PathRejection>,
    body: Result<Json<VersionToRestore>, JsonRejection>,
) -> Result<Json<StoredVersion>, Problem> {
    let (scope, key) = names(path)?;
    let Json(VersionToRestore { version, if_state }) = body?;
    let state = state(if_state.as_deref())?;
    let (id, name) = (scope.clone(), key.clone());
    let stored = app.with_home(move |home| match state {
        None => home.store().restore_version(&id, &name, version),
        Some(state) => home.store().restore_version_if(&id, &name, version, state),
    });
    Ok(StoredVersion::of(&scope, &key, &stored.await?))
}
