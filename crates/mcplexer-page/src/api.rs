//! The same acts over HTTP, for the page and for programs. The types of the bodies are what `openapi.json` is made from.

mod everywhere;
pub(crate) mod scopes;
mod secrets;
mod session;

use std::fmt::Display;
use std::str::FromStr;

use axum::routing::get;
use axum::{Json, Router};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::problem::Problem;
use crate::site::App;

/// What the documentation begins with.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "mcplexer",
        description = "Secrets, servers and calls of a gateway. No answer has a value of a secret."
    ),
    tags(
        (name = "session", description = "Beginning and ending a session of a browser"),
        (name = "secrets", description = "Scopes and their secrets, without values"),
    )
)]
struct Documentation;

pub(crate) fn router() -> Router<App> {
    let (router, documentation) = documented().split_for_parts();
    let documentation = everywhere::complete(documentation);
    let documented = move || async move { Json(documentation) };
    router.route("/api/v1/openapi.json", get(documented))
}

fn documented() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Documentation::openapi())
        .routes(routes!(session::begin, session::end))
        .routes(routes!(scopes::list, scopes::create))
        .routes(routes!(scopes::show, scopes::delete))
        .routes(routes!(secrets::put, secrets::delete))
}

/// Reads a name, a time or something else that has a rule; fails with that rule.
pub(crate) fn parsed<T: FromStr<Err: Display>>(text: &str) -> Result<T, Problem> {
    text.parse().map_err(invalid::<T::Err>)
}

fn invalid<E: Display>(error: E) -> Problem {
    Problem::invalid(error.to_string())
}
