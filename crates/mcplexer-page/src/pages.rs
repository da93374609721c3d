//! The pages. Each address answers with the same empty frame, which needs no session; its script fetches what belongs into
//! it from the same address below `/parts`, with the token of the session.

mod calls;
mod clients;
mod doctor;
mod frame;
mod overview;
mod secrets;
mod servers;
mod visible;
mod words;

pub(crate) use frame::PLACES;
pub(crate) use words::segment;

use axum::Router;
use axum::middleware::map_response;
use axum::routing::get;
use maud::Markup;

use crate::site::App;

/// Returns the frame.
pub(crate) fn frame() -> Markup {
    frame::page()
}

pub(crate) fn router() -> Router<App> {
    let parts = Router::new()
        .route("/overview/findings", get(overview::findings))
        .route("/overview/clients", get(overview::clients))
        .route("/clients", get(clients::page))
        .route("/clients/connected", get(clients::connected_now))
        .route("/doctor", get(doctor::page))
        .route("/doctor/findings", get(doctor::findings))
        .route("/secrets", get(secrets::scopes))
        .route("/secrets/{scope}", get(secrets::scope::page))
        .route("/secrets/{scope}/{key}", get(secrets::secret::page))
        .route("/servers", get(servers::list))
        .route("/servers/{server}", get(servers::show))
        .route("/calls", get(calls::list))
        .route("/calls/plot", get(calls::plot))
        .route("/calls/{id}", get(calls::show));
    let frame = get(|| async { frame::page() });
    Router::new()
        .route("/", frame.clone())
        .route("/clients", frame.clone())
        .route("/doctor", frame.clone())
        .route("/secrets", frame.clone())
        .route("/secrets/{scope}", frame.clone())
        .route("/secrets/{scope}/{key}", frame.clone())
        .route("/servers", frame.clone())
        .route("/servers/{server}", frame.clone())
        .route("/calls", frame.clone())
        .route("/calls/{id}", frame)
        // What is nested has no address that ends in a slash.
        .route("/parts/", get(overview::page))
        .nest("/parts", parts)
        .layer(map_response(visible::visible))
}
