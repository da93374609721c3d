//! What is said about a secret, read and changed.

use axum::Json;
use axum::extract::Path;
use axum::extract::State;
use axum::extract::rejection::{JsonRejection, PathRejection};
use mcplexer_home::scopes::SecretRow;
use mcplexer_secrets::SecretEdit;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{names, state};
use crate::access::{Reader, Writer};
use crate::api::said;
use crate::api::scopes::Secret;
use crate::problem::Problem;
use crate::site::App;

/// What to change of what is said about a secret. What is not here stays, and `null` removes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct SecretChanges {
    /// A note for people, one line of 1 to 200 characters. It is not encrypted.
    #[serde(default, deserialize_with = "said::given")]
    #[schema(value_type = Option<String>)]
    note: Option<Option<String>>,
    /// When the value expires: a date, which stands for its first moment in UTC, or a time (RFC 3339). It has not passed.
    #[serde(default, deserialize_with = "said::given")]
    #[schema(value_type = Option<String>)]
    expires: Option<Option<String>>,
    /// The number of days after which to replace the value, from 1 to 36,500.
    #[serde(default, deserialize_with = "said::given")]
    #[schema(value_type = Option<u32>)]
    rotate_every_days: Option<Option<u32>>,
    /// Fails unless the secret is still in this state, as it was shown: nobody has changed it since.
    if_state: Option<String>,
}

/// Returns a secret without its value.
#[utoipa::path(
    get,
    path = "/api/v1/scopes/{scope}/secrets/{key}",
    operation_id = "show_secret",
    tag = "secrets",
    params(
        ("scope" = String, Path, description = "The id of the scope"),
        ("key" = String, Path, description = "The name of the secret"),
    ),
    responses((status = 200, body = Secret))
)]
pub(in crate::api) async fn show(
    State(app): State<App>,
    _: Reader,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<Json<Secret>, Problem> {
    let (scope, key) = names(path)?;
    let info = app.with_home(move |home| home.store().secret_info(&scope, &key));
    Ok(Json(SecretRow::from(info.await?).into()))
}

/// Changes the note, the expiry and the interval of a secret. Its value and its version stay.
#[utoipa::path(
    patch,
    path = "/api/v1/scopes/{scope}/secrets/{key}",
    operation_id = "edit_secret",
    tag = "secrets",
    params(
        ("scope" = String, Path, description = "The id of the scope"),
        ("key" = String, Path, description = "The name of the secret"),
    ),
    request_body = SecretChanges,
    responses((status = 200, body = Secret))
)]
pub(in crate::api) async fn edit(
    State(app): State<App>,
    _: Writer,
    path: Result<Path<(String, String)>, PathRejection>,
    body: Result<Json<SecretChanges>, JsonRejection>,
) -> Result<Json<Secret>, Problem> {
    let (scope, key) = names(path)?;
    let Json(body) = body?;
    let edit = SecretEdit {
        note: said::change(body.note, said::note)?,
        expires: said::change(body.expires, said::future)?,
        rotate_every: said::change(body.rotate_every_days, said::interval)?,
    };
    if edit == SecretEdit::default() {
        let title = "there is nothing to change: give note, expires or rotate_every_days";
        return Err(Problem::invalid(title));
    }
    let state = state(body.if_state.as_deref())?;
    let info = app.with_home(move |home| match state {
        None => home.store().edit(&scope, &key, &edit),
        Some(state) => home.store().edit_if(&scope, &key, &edit, state),
    });
    Ok(Json(SecretRow::from(info.await?).into()))
}
