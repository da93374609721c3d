//! What is the same for every page: style, script and icon, which are part of the program.

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue};
use axum::response::IntoResponse;
use axum::routing::get;

use crate::site::App;

const STYLE: &str = include_str!("assets/page.css");
const SCRIPT: &str = include_str!("assets/page.js");
const SECRETS: &str = include_str!("assets/secrets.js");
const IMPORT: &str = include_str!("assets/import.js");
const ICON: &str = include_str!("assets/icon.svg");

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route(
            "/page.css",
            get(|| async { asset("text/css; charset=utf-8", STYLE) }),
        )
        .route(
            "/page.js",
            get(|| async { asset("text/javascript; charset=utf-8", SCRIPT) }),
        )
        .route(
            "/secrets.js",
            get(|| async { asset("text/javascript; charset=utf-8", SECRETS) }),
        )
        .route(
            "/import.js",
            get(|| async { asset("text/javascript; charset=utf-8", IMPORT) }),
        )
        .route("/icon.svg", get(|| async { asset("image/svg+xml", ICON) }))
}

fn asset(media: &'static str, text: &'static str) -> impl IntoResponse {
    let media: (HeaderName, HeaderValue) = (CONTENT_TYPE, HeaderValue::from_static(media));
    ([media], text)
}
