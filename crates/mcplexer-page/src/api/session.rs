//! Beginning and ending a session of a browser.

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use mcplexer_gateway::Remote;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::confidential::Confidential;
use crate::access::Person;
use crate::problem::Problem;
use crate::sessions::IDLE;
use crate::site::App;

/// A ticket of `mcplexer ui`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Ticket {
    /// What stands behind `#t=` in the address.
    ticket: String,
}

/// A session.
#[derive(Serialize, ToSchema)]
pub(super) struct Session {
    /// What every other request carries: `Authorization: Bearer TOKEN`.
    token: String,
    /// After so many seconds without a request it ends.
    idle_seconds: u64,
}

/// The longest body with a ticket, in bytes.
const MOST: usize = 1024;

/// The user of this gateway, or root, who can read all of it. Known before anything is read of what is sent.
#[derive(Debug)]
pub(super) struct Own;

impl FromRequestParts<App> for Own {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        let is_own = match parts.extensions.get::<Remote>().copied() {
            Some(remote) => remote.is_own().await,
            None => false,
        };
        let title = "a session is for the user of this gateway alone";
        is_own
            .then_some(Self)
            .ok_or_else(|| Problem::forbidden(title))
    }
}

/// Begins a session with a ticket, which is good for one minute and for one session.
#[utoipa::path(
    post,
    path = "/api/v1/session",
    operation_id = "begin_session",
    tag = "session",
    request_body = Ticket,
    responses(
        (status = 200, body = Session),
        (status = 401, description = "The ticket is unknown, used or expired", body = Problem),
        (status = 403, description = "Another user of this machine sends it", body = Problem),
    )
)]
pub(super) async fn begin(
    State(app): State<App>,
    _: Own,
    body: Result<Confidential<Ticket, MOST>, Problem>,
) -> Result<Json<Session>, Problem> {
    let Confidential(Ticket { ticket }) = body?;
    let refused = || {
        Problem::new(
            StatusCode::UNAUTHORIZED,
            "this ticket was used, or is older than a minute",
        )
        .with_hint("mcplexer ui opens the page again")
    };
    Ok(Json(Session {
        token: app.sessions.begin(&ticket).ok_or_else(refused)?,
        idle_seconds: IDLE.as_secs(),
    }))
}

/// Ends the session.
#[utoipa::path(
    delete,
    path = "/api/v1/session",
    operation_id = "end_session",
    tag = "session",
    responses((status = 204))
)]
pub(super) async fn end(State(app): State<App>, person: Person) -> StatusCode {
    app.sessions.end(&person.token);
    StatusCode::NO_CONTENT
}
