//! Secrets: stored and deleted, never returned.

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use mcplexer_home::config::ScopeToMake;
use mcplexer_secrets::{
    Change, PutMode, ScopeId, SecretEdit, SecretName, SecretStore, SecretValue,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::scopes::Confirmation;
use super::{invalid, parsed};
use crate::access::Person;
use crate::generate;
use crate::problem::Problem;
use crate::site::App;

/// A value to store, and what is said about it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ValueToStore {
    /// The value. Exactly one of this and `generate` is there.
    #[schema(value_type = Option<String>)]
    value: Option<Zeroizing<String>>,
    /// Makes a random value of so many letters and digits, from 8 to 512. Nobody sees it.
    generate: Option<usize>,
    /// Fails unless this is the version that is replaced; 0 if there must be none.
    if_version: Option<u64>,
    /// A note for people.
    note: Option<String>,
    /// When the value expires (RFC 3339).
    expires: Option<String>,
}

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
}

/// Stores a value: a new secret, or a new version of one. A scope that does not exist is created.
#[utoipa::path(
    put,
    path = "/api/v1/scopes/{scope}/secrets/{key}",
    tag = "secrets",
    params(
        ("scope" = String, Path, description = "The id of the scope"),
        ("key" = String, Path, description = "The name of the secret"),
    ),
    request_body = ValueToStore,
    responses(
        (status = 200, body = StoredVersion),
        (status = 401, body = Problem),
        (status = 409, description = "Another version is there", body = Problem),
        (status = 422, body = Problem),
        (status = 423, body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(super) async fn put(
    State(app): State<App>,
    _: Person,
    path: Result<Path<(String, String)>, PathRejection>,
    body: Result<Json<ValueToStore>, JsonRejection>,
) -> Result<Json<StoredVersion>, Problem> {
    let (scope, key) = names(path)?;
    let Json(body) = body?;
    let value = match (body.value, body.generate) {
        (Some(value), None) => SecretValue::copy_of(value.as_bytes()).map_err(invalid)?,
        (None, Some(length)) => generate::value(length)?,
        _ => {
            return Err(Problem::invalid(
                "exactly one of value and generate has to be there",
            ));
        }
    };
    let mode = match body.if_version {
        None => PutMode::Overwrite,
        Some(0) => PutMode::Create,
        Some(version) => PutMode::Replace { version },
    };
    let mut edit = SecretEdit::default();
    if let Some(note) = body.note.filter(|it| !it.is_empty()) {
        edit.note = Change::Set(parsed(&note)?);
    }
    if let Some(expires) = body.expires {
        edit.expires = Change::Set(parsed(&expires)?);
    }
    let (id, name) = (scope.clone(), key.clone());
    let stored = app.with_home(move |home| {
        let new = ScopeToMake::find(&id, home)?;
        let stored = home
            .store()
            .put_with(&new.scope, &name, &value, mode, &edit);
        stored.map_err(mcplexer_home::config::Error::from)
    });
    let stored = stored.await?;
    Ok(Json(StoredVersion {
        scope: scope.to_string(),
        key: key.to_string(),
        version: stored.version,
        scope_created: stored.scope_created,
    }))
}

/// Deletes a secret with every version of it.
#[utoipa::path(
    delete,
    path = "/api/v1/scopes/{scope}/secrets/{key}",
    tag = "secrets",
    params(
        ("scope" = String, Path, description = "The id of the scope"),
        ("key" = String, Path, description = "The name of the secret"),
    ),
    request_body = Confirmation,
    responses(
        (status = 204),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 422, body = Problem),
        (status = 423, body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(super) async fn delete(
    State(app): State<App>,
    _: Person,
    path: Result<Path<(String, String)>, PathRejection>,
    body: Result<Json<Confirmation>, JsonRejection>,
) -> Result<StatusCode, Problem> {
    let (scope, key) = names(path)?;
    body?.check(key.as_str())?;
    app.with_home(move |home| home.store().delete(&scope, &key))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn names(
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<(ScopeId, SecretName), Problem> {
    let Path((scope, key)) = path?;
    Ok((parsed(&scope)?, parsed(&key)?))
}
