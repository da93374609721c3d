//! What is said about a scope, changed.

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{Path, State};
use mcplexer_secrets::{ScopeEdit, ScopeId, SecretStore};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Scope, parsed};
use crate::access::Writer;
use crate::api::said;
use crate::problem::Problem;
use crate::site::App;

/// What to change of a scope. What is not here stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct ScopeChanges {
    /// A name for people; `null` removes it.
    #[serde(default, deserialize_with = "said::given")]
    #[schema(value_type = Option<String>)]
    name: Option<Option<String>>,
    /// How many earlier versions of each secret it keeps, at most 100. A lower number than before applies to a secret when
    /// its next value is stored.
    keep_versions: Option<u8>,
}

/// Changes the name of a scope, and how many versions it keeps.
#[utoipa::path(
    patch,
    path = "/api/v1/scopes/{scope}",
    operation_id = "change_scope",
    tag = "secrets",
    params(("scope" = String, Path, description = "The id of the scope")),
    request_body = ScopeChanges,
    responses((status = 200, body = Scope))
)]
pub(in crate::api) async fn change(
    State(app): State<App>,
    _: Writer,
    path: Result<Path<String>, PathRejection>,
    body: Result<Json<ScopeChanges>, JsonRejection>,
) -> Result<Json<Scope>, Problem> {
    let Path(scope) = path?;
    let id: ScopeId = parsed(&scope)?;
    let Json(changes) = body?;
    if changes.name.is_none() && changes.keep_versions.is_none() {
        let title = "there is nothing to change: give name or keep_versions";
        return Err(Problem::invalid(title));
    }
    let edit = ScopeEdit {
        display_name: said::change(changes.name, Ok)?,
        keep_versions: changes.keep_versions,
    };
    let changed = app.with_home(move |home| {
        home.store().edit_scope(&id, &edit)?;
        home.store().scope(&id)
    });
    let row = mcplexer_home::scopes::ScopeRow::from(changed.await?);
    Ok(Json(row.into()))
}
