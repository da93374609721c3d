//! The page as the gateway serves it.

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::http::header::ACCEPT;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Uri};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use mcplexer_gateway::{Entrance, Handle, HttpClients, MakeSite, Remote, Site, SiteAnswer, Tokens};
use mcplexer_home::OpenHome;
use tokio::sync::Mutex;
use tower_service::Service;

use crate::places::Places;
use crate::problem::Problem;
use crate::sessions::Sessions;
use crate::streams::Streams;
use crate::{api, assets, pages, slow, turn};

/// Header fields of every answer: nothing of another origin is loaded, nothing is kept, and no other page may
/// frame it, read it or send to it.
const FIELDS: [(HeaderName, HeaderValue); 8] = [
    (
        HeaderName::from_static("content-security-policy"),
        HeaderValue::from_static(
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
             form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
        ),
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), display-capture=(), geolocation=(), microphone=()"),
    ),
    (
        HeaderName::from_static("referrer-policy"),
        HeaderValue::from_static("no-referrer"),
    ),
    (
        HeaderName::from_static("x-content-type-options"),
        HeaderValue::from_static("nosniff"),
    ),
    (
        HeaderName::from_static("x-frame-options"),
        HeaderValue::from_static("DENY"),
    ),
    (
        HeaderName::from_static("cache-control"),
        HeaderValue::from_static("no-store"),
    ),
];

/// Returns what makes the page of a gateway.
#[must_use]
pub fn page() -> MakeSite {
    MakeSite::new(|gateway| Arc::new(Page::new(gateway)))
}

/// What the answers are made of.
#[derive(Clone)]
pub(crate) struct App(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) gateway: Handle,
    pub(crate) sessions: Sessions,
    /// The tokens of clients, some of which may use the API.
    pub(crate) tokens: Tokens,
    pub(crate) streams: Streams,
    /// Numbers in the place of positions in the log.
    pub(crate) places: Places,
    /// Held while everything is checked.
    pub(crate) checking: Arc<Mutex<()>>,
    /// Held while lines of the log are read.
    pub(crate) reading: Arc<Mutex<()>>,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    /// Works with the home, one at a time of those that hold `turn`. Who asks may leave meanwhile: the work goes on to its end,
    /// and the next one waits for that.
    pub(crate) async fn in_turn<T, E>(
        &self,
        turn: &Arc<Mutex<()>>,
        work: impl FnOnce(&OpenHome) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Problem>
    where
        T: Send + 'static,
        E: Send + 'static,
        Problem: From<E>,
    {
        Ok(turn::take(turn, self.at_home(work)).await??)
    }

    /// Works with the home where it holds up nobody.
    pub(crate) async fn with_home<T, E>(
        &self,
        work: impl FnOnce(&OpenHome) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Problem>
    where
        T: Send + 'static,
        E: Send + 'static,
        Problem: From<E>,
    {
        Ok(turn::apart(self.at_home(work)).await??)
    }

    /// Returns the work, with the home.
    fn at_home<T>(
        &self,
        work: impl FnOnce(&OpenHome) -> T + Send + 'static,
    ) -> impl FnOnce() -> T + Send + 'static {
        let home = Arc::clone(self.gateway.home());
        move || work(&home)
    }
}

/// The page of a gateway.
struct Page {
    app: App,
    /// Made for the first request: a gateway whose page nobody opens does without it.
    router: OnceLock<Router>,
}

impl Page {
    fn new(gateway: Handle) -> Self {
        let tokens = HttpClients::of(gateway.home().home()).tokens();
        let app = App(Arc::new(Parts {
            gateway,
            tokens,
            sessions: Sessions::default(),
            streams: Streams::default(),
            places: Places::default(),
            checking: Arc::default(),
            reading: Arc::default(),
        }));
        Self {
            app,
            router: OnceLock::new(),
        }
    }

    fn router(&self) -> Router {
        Router::new()
            .merge(api::router())
            .merge(pages::router())
            .merge(assets::router())
            .fallback(nothing)
            .method_not_allowed_fallback(|| async {
                let title = "this method is not allowed here";
                Problem::new(StatusCode::METHOD_NOT_ALLOWED, title).into_response()
            })
            .layer(map_response(with_fields))
            .with_state(self.app.clone())
    }
}

/// Whether a request comes in at the address of the page. A browser may keep what another program has left behind at any other
/// one, so nothing that a browser shows is there, and no session.
pub(crate) fn is_page(extensions: &Extensions) -> bool {
    let remote = extensions.get::<Remote>();
    remote.is_some_and(|it| it.entrance() == Entrance::Page)
}

/// Whether something is at the address of clients, too.
fn is_for_scripts(path: &str) -> bool {
    path.starts_with("/api/v1/") && path != api::SESSION && !path.starts_with("/api/v1/session/")
}

/// Answers at an address where nothing is: a browser gets the page, which says so.
async fn nothing(uri: Uri, headers: HeaderMap) -> Response {
    let accepts = headers.get(ACCEPT).and_then(|it| it.to_str().ok());
    let is_page = !["/api/", "/parts/"]
        .iter()
        .any(|it| uri.path().starts_with(it));
    match is_page && accepts.is_some_and(|it| it.contains("text/html")) {
        true => (StatusCode::NOT_FOUND, pages::frame()).into_response(),
        false => {
            Problem::new(StatusCode::NOT_FOUND, "there is nothing at this address").into_response()
        }
    }
}

/// Answers at the address of clients, for what is at that of the page alone.
fn elsewhere(path: &str) -> Response {
    let hint = "mcplexer ui opens the page";
    match path.starts_with("/api/") {
        true => Problem::new(
            StatusCode::NOT_FOUND,
            "this is not at the address of clients",
        )
        .with_hint(hint)
        .into_response(),
        false => (StatusCode::NOT_FOUND, format!("{hint}\n")).into_response(),
    }
}

/// Adds the header fields of every answer.
async fn with_fields(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in FIELDS {
        headers.entry(name).or_insert(value);
    }
    response
}

impl Site for Page {
    fn answer(&self, request: Request<Incoming>) -> SiteAnswer<'_> {
        let mut router = self.router.get_or_init(|| self.router()).clone();
        Box::pin(async move {
            let is_here = is_page(request.extensions()) || is_for_scripts(request.uri().path());
            let response = if is_here {
                let answering = Service::call(&mut router, request.map(slow::limited));
                let Ok(response) = answering.await;
                response
            } else {
                with_fields(elsewhere(request.uri().path())).await
            };
            response.map(|body| body.map_err(Into::into).boxed_unsync())
        })
    }

    fn ticket(&self) -> String {
        self.app.sessions.ticket()
    }

    fn end_sessions(&self) -> usize {
        self.app.sessions.end_all()
    }
}
