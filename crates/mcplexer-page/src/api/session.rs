//! Beginning and ending a session of a browser.

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use mcplexer_gateway::Remote;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::confidential::Confidential;
use crate::access::Person;
use crate::asked::Asked;
use crate::problem::Problem;
use crate::sessions::{Begun, IDLE};
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
    /// What the session is called where the token must not be sent: good for a proof, and for nothing else.
    id: String,
    /// With this, the gateway proves who answers: 32 bytes in base64url (RFC 4648, section 5).
    #[schema(value_type = String)]
    key: Zeroizing<String>,
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
            "this link was used or has expired",
        )
        .with_hint("mcplexer ui opens the page again")
    };
    let Begun { token, id, key } = app.sessions.begin(&ticket).ok_or_else(refused)?;
    Ok(Json(Session {
        token,
        id,
        key,
        idle_seconds: IDLE.as_secs(),
    }))
}

/// What is to be proved.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Challenge {
    /// The `id` of the session.
    session: String,
    /// Random bytes, 16 to 64, in base64url (RFC 4648, section 5), without padding.
    #[param(min_length = 22, max_length = 86)]
    nonce: String,
}

/// A proof.
#[derive(Serialize, ToSchema)]
pub(super) struct Proof {
    /// HMAC-SHA-256 (RFC 2104) of the bytes of `nonce` with those of the session's `key`, in base64url.
    proof: String,
}

/// Proves that this is the gateway with which the session began: after its end, another program can have its address. The page
/// asks for this before each request, without its token.
#[utoipa::path(
    get,
    path = "/api/v1/session/proof",
    operation_id = "prove_session",
    tag = "session",
    params(Challenge),
    responses(
        (status = 200, body = Proof),
        (status = 400, body = Problem),
        (status = 401, description = "There is no such session, or it has ended", body = Problem),
        (status = 422, description = "The nonce is too short or too long, or not in base64url", body = Problem),
    )
)]
pub(super) async fn prove(
    State(app): State<App>,
    Asked(Challenge { session, nonce }): Asked<Challenge>,
) -> Result<Json<Proof>, Problem> {
    let nonce = BASE64_URL_SAFE_NO_PAD.decode(nonce).ok();
    let nonce = nonce.filter(|it| (16..=64).contains(&it.len()));
    let nonce =
        nonce.ok_or_else(|| Problem::invalid("nonce has to be 16 to 64 bytes in base64url"))?;
    let proof = app.sessions.proof(&session, &nonce);
    Ok(Json(Proof {
        proof: proof.ok_or_else(Problem::no_session)?,
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
