//! Who sends a request: a person in a browser, who has a session, or a script with the token of a client.

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use mcplexer_files::config::ServerName;
use mcplexer_gateway::{ApiAccess, HttpClient};

use crate::problem::Problem;
use crate::sight::Sight;
use crate::site::{App, is_page};

/// A person in a browser, who has a session.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) token: String,
}

/// A page that looks by itself for what has changed, in a session that this does not prolong.
#[derive(Debug)]
pub(crate) struct Onlooker;

/// A person, or a client whose token may read over the API.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) sight: Sight,
}

/// A reader who watches what happens, which does not prolong a session.
#[derive(Debug)]
pub(crate) struct Watcher {
    pub(crate) token: String,
    pub(crate) sight: Sight,
}

/// A person, or a client whose token may change secrets and servers over the API.
#[derive(Debug)]
pub(crate) struct Writer {
    /// The name of the client, if it is one.
    pub(crate) client: Option<ServerName>,
    pub(crate) sight: Sight,
}

impl FromRequestParts<App> for Person {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let token = session(parts, app, |token| is_session(parts, app, token))?;
        Ok(Self { token })
    }
}

impl FromRequestParts<App> for Onlooker {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        session(parts, app, |token| {
            is_page(&parts.extensions) && app.sessions.lasts(token)
        })
        .map(|_| Self)
    }
}

/// Returns the token of a session.
fn session(parts: &Parts, app: &App, is_one: impl Fn(&str) -> bool) -> Result<String, Problem> {
    let token = bearer(&parts.headers).ok_or_else(|| unknown(parts))?;
    match is_one(token) {
        true => Ok(token.to_owned()),
        false if app.tokens.find(token).is_some() => Err(Problem::forbidden(
            "this takes a session: no client may do it",
        )
        .with_hint("mcplexer ui opens one")),
        false => Err(unknown(parts)),
    }
}

/// Says what who sends a request has to bring: a page a session, a script the token of a client.
fn unknown(parts: &Parts) -> Problem {
    match parts.uri.path().starts_with("/api/") {
        true => Problem::no_token(),
        false => Problem::no_session(),
    }
}

impl FromRequestParts<App> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let client = check(parts, app, ApiAccess::Read)?;
        let sight = Sight::of(app, client.as_ref());
        Ok(Self { sight })
    }
}

impl FromRequestParts<App> for Watcher {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let token = bearer(&parts.headers).ok_or_else(Problem::no_token)?;
        let is_session = is_page(&parts.extensions) && app.sessions.lasts(token);
        let client = client(app, token, is_session, ApiAccess::Read)?;
        Ok(Self {
            token: token.to_owned(),
            sight: Sight::of(app, client.as_ref()),
        })
    }
}

impl FromRequestParts<App> for Writer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let client = check(parts, app, ApiAccess::Write)?;
        let sight = Sight::of(app, client.as_ref());
        Ok(Self { client, sight })
    }
}

/// Fails unless the request has the token of a session, or of a client that may do as much as this. Returns the client's
/// name.
fn check(parts: &Parts, app: &App, needed: ApiAccess) -> Result<Option<ServerName>, Problem> {
    let token = bearer(&parts.headers).ok_or_else(Problem::no_token)?;
    client(app, token, is_session(parts, app, token), needed)
}

/// Returns the client that has a token, unless it is that of a session. Fails if it may not do as much as this.
fn client(
    app: &App,
    token: &str,
    is_session: bool,
    needed: ApiAccess,
) -> Result<Option<ServerName>, Problem> {
    if is_session {
        return Ok(None);
    }
    let client = app.tokens.find(token).ok_or_else(Problem::no_token)?;
    match client.api >= needed {
        true => Ok(Some(client.name)),
        false => {
            let needed = needed.as_str();
            let title = format!("client {} may not {needed} over the API", client.name);
            let hint = format!("mcplexer client add NAME --api {needed} adds one that may");
            Err(Problem::new(StatusCode::FORBIDDEN, title).with_hint(hint))
        }
    }
}

/// Whether this is the token of a session, which goes on. A session is of the page alone.
fn is_session(parts: &Parts, app: &App, token: &str) -> bool {
    is_page(&parts.extensions) && app.sessions.goes_on(token)
}

/// Returns what the holder of a token sees; `None` once the token may not read. It does not prolong a session.
pub(crate) fn still_sees(app: &App, token: &str) -> Option<Sight> {
    if app.sessions.lasts(token) {
        return Some(Sight::default());
    }
    let may_read = |client: &HttpClient| client.api >= ApiAccess::Read;
    let client = app.tokens.find(token).filter(may_read)?;
    Some(Sight::of(app, Some(&client.name)))
}

/// Returns the token of a request (RFC 6750, section 2.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next()?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let is_bearer = scheme.eq_ignore_ascii_case("bearer") && values.next().is_none();
    is_bearer.then(|| token.trim())
}
