//! The same acts over HTTP, for the page and for programs. The types of the bodies are what `openapi.json` is made from.

pub(crate) mod calls;
pub(crate) mod clients;
mod confidential;
pub(crate) mod doctor;
mod environment;
mod everywhere;
mod import;
mod said;
pub(crate) mod scopes;
mod search;
mod secrets;
pub(crate) mod servers;
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

/// Where a session begins and ends.
pub(crate) const SESSION: &str = "/api/v1/session";

/// What the documentation begins with.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "mcplexer",
        description = "Secrets, servers and calls of a gateway. No answer has a value of a secret."
    ),
    tags(
        (name = "session", description = "Beginning and ending a session of a browser"),
        (name = "clients", description = "Who may connect over HTTP, and who is connected"),
        (name = "doctor", description = "What is wrong, and what fixes it"),
        (name = "search", description = "Everything that has a name"),
        (name = "secrets", description = "Scopes and their secrets, without values"),
        (name = "servers", description = "Tool servers: what they do, and starting and stopping them"),
        (name = "calls", description = "Calls of clients to servers"),
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
        .routes(routes!(session::prove))
        .routes(routes!(clients::list, clients::add))
        .routes(routes!(clients::remove))
        .routes(routes!(doctor::check))
        .routes(routes!(search::find))
        .routes(routes!(scopes::list, scopes::create))
        .routes(routes!(scopes::show, scopes::change, scopes::delete))
        .routes(routes!(
            secrets::show,
            secrets::put,
            secrets::edit,
            secrets::delete
        ))
        .routes(routes!(secrets::versions))
        .routes(routes!(secrets::restore))
        .routes(routes!(import::import))
        .merge(servers::router())
        .merge(calls::router())
}

/// Reads a name, a time or something else that has a rule; fails with that rule.
pub(crate) fn parsed<T: FromStr<Err: Display>>(text: &str) -> Result<T, Problem> {
    text.parse().map_err(invalid::<T::Err>)
}

/// Reads a field of a body; fails with its rule, and its name.
pub(crate) fn parsed_field<T: FromStr<Err: Display>>(
    field: &'static str,
    text: &str,
) -> Result<T, Problem> {
    parsed(text).map_err(|it| it.of(field))
}

fn invalid<E: Display>(error: E) -> Problem {
    Problem::invalid(error.to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::Value;

    use super::*;

    /// Returns each operation of the documentation.
    fn operations() -> Vec<(String, Value)> {
        let documentation = serde_json::to_value(documented().into_openapi()).unwrap();
        let paths = documentation["paths"].as_object().unwrap().clone();
        let operations = paths.into_iter().flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().clone().into_iter();
            methods.map(move |(method, it)| (format!("{method} {path}"), it))
        });
        operations.collect()
    }

    #[test]
    fn each_operation_has_an_id_of_its_own() {
        let mut seen = HashSet::new();
        for (name, operation) in operations() {
            let id = operation["operationId"].as_str().unwrap().to_owned();
            assert!(seen.insert(id.clone()), "{name}: {id}");
        }
    }
}
