//! The pages. Each address answers with the same empty frame, which needs no session; its script fetches what belongs into
//! it from the same address below `/parts`, with the token of the session.

mod frame;
mod overview;
mod secrets;
mod words;

use axum::Router;
use axum::routing::get;

use crate::site::App;

pub(crate) fn router() -> Router<App> {
    let parts = Router::new()
        .route("/secrets", get(secrets::scopes))
        .route("/secrets/{scope}", get(secrets::scope));
    let frame = get(|| async { frame::page() });
    Router::new()
        .route("/", frame.clone())
        .route("/secrets", frame.clone())
        .route("/secrets/{scope}", frame)
        // Nested, it would be at /parts alone.
        .route("/parts/", get(overview::page))
        .nest("/parts", parts)
}
