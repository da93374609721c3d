//! Beginning and ending a session of a browser.

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::{Extension, Json};
use mcplexer_gateway::Remote;
use rustix::process::getuid;
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;
use utoipa::ToSchema;

use crate::access::Person;
use crate::owner;
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
    remote: Option<Extension<Remote>>,
    ticket: Result<Json<Ticket>, JsonRejection>,
) -> Result<Json<Session>, Problem> {
    let Json(Ticket { ticket }) = ticket?;
    if let (Some(Extension(Remote(remote))), Some(own)) = (remote, app.gateway.address()) {
        let uid = getuid().as_raw();
        let looked = spawn_blocking(move || owner::may_be_own(remote, own, uid));
        if !looked.await.unwrap_or_default() {
            let title = "a session is for the user of this gateway alone";
            return Err(Problem::forbidden(title));
        }
    }
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
