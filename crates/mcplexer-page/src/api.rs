//! The same acts over HTTP, for the page and for programs. The types of the bodies are what `openapi.json` is made from.

pub(crate) mod calls;
pub(crate) mod clients;
mod confidential;
pub(crate) mod doctor;
mod environment;
mod import;
mod said;
pub(crate) mod scopes;
mod search;
mod secrets;
pub(crate) mod servers;
mod session;

use std::fmt::Display;
use std::str::FromStr;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::{MethodFilter, MethodRouter, get, on};
use utoipa::Path;
use utoipa_axum::{PathItemExt, paste};

use calls::{stream, summary};

use crate::problem::Problem;
use crate::site::App;

/// The documentation of all operations: the tests make it from their types.
const OPENAPI: &str = include_str!("api/openapi.json");

/// Where a session begins and ends.
pub(crate) const SESSION: &str = "/api/v1/session";

/// Gives all operations to another macro.
macro_rules! operations {
    ($to:ident) => {
        $to! {
            session::begin, session::end, session::prove,
            clients::list, clients::add, clients::remove,
            doctor::check,
            search::find,
            scopes::list, scopes::create, scopes::show, scopes::change, scopes::delete,
            secrets::show, secrets::put, secrets::edit, secrets::delete, secrets::versions, secrets::restore,
            import::import,
            servers::list, servers::show, servers::start, servers::stop, servers::restart, servers::log, servers::tools,
            calls::list, stream::stream, summary::summary, calls::show,
        }
    };
}

#[cfg(test)]
mod documentation;

/// Makes a router of operations, each at the path and for the method that its documentation says.
macro_rules! router {
    ($($module:ident::$operation:ident),* $(,)?) => {
        paste! {
            Router::new()$(.merge(at::<$module::[<__path_ $operation>]>(|it| on(it, $module::$operation))))*
        }
    };
}

/// Returns a router of one operation.
fn at<P: Path>(method: impl Fn(MethodFilter) -> MethodRouter<App>) -> Router<App> {
    P::methods().iter().fold(Router::new(), |router, it| {
        router.route(&P::path(), method(it.to_method_filter()))
    })
}

pub(crate) fn router() -> Router<App> {
    let documented = async || ([(CONTENT_TYPE, "application/json")], OPENAPI);
    operations!(router).route("/api/v1/openapi.json", get(documented))
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
