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
const DRESS: &str = include_str!("assets/dress.js");
const FORMS: &str = include_str!("assets/forms.js");
const SEARCH: &str = include_str!("assets/search.js");
const CALLS: &str = include_str!("assets/calls.js");
const SERVERS: &str = include_str!("assets/servers.js");
const ICON: &str = include_str!("assets/icon.svg");

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route(
            "/page.css",
            get(|| async { asset("text/css; charset=utf-8", STYLE) }),
        )
        .route("/page.js", get(|| async { script(SCRIPT) }))
        .route("/dress.js", get(|| async { script(DRESS) }))
        .route("/forms.js", get(|| async { script(FORMS) }))
        .route("/search.js", get(|| async { script(SEARCH) }))
        .route("/secrets.js", get(|| async { script(SECRETS) }))
        .route("/import.js", get(|| async { script(IMPORT) }))
        .route("/calls.js", get(|| async { script(CALLS) }))
        .route("/servers.js", get(|| async { script(SERVERS) }))
        .route("/icon.svg", get(|| async { asset("image/svg+xml", ICON) }))
}

fn script(text: &'static str) -> impl IntoResponse {
    asset("text/javascript; charset=utf-8", text)
}

fn asset(media: &'static str, text: &'static str) -> impl IntoResponse {
    let media: (HeaderName, HeaderValue) = (CONTENT_TYPE, HeaderValue::from_static(media));
    ([media], text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::frame;

    const SCRIPTS: [&str; 8] = [
        SCRIPT, DRESS, FORMS, SEARCH, SECRETS, IMPORT, CALLS, SERVERS,
    ];

    #[test]
    fn they_are_small() {
        assert!(STYLE.len() < 24 << 10, "{}", STYLE.len());
        let scripts: usize = SCRIPTS.iter().map(|it| it.len()).sum();
        assert!(scripts < 60 << 10, "{scripts}");
    }

    #[test]
    fn the_frame_has_what_the_scripts_look_for() {
        let frame = frame().into_string();
        for script in SCRIPTS {
            let ids = script.split("getElementById(\"").skip(1);
            for id in ids.filter_map(|it| it.split('"').next()) {
                assert!(frame.contains(&format!("id=\"{id}\"")), "{id}");
            }
        }
        for state in [
            "none", "ended", "stale", "gone", "locked", "missing", "failed",
        ] {
            assert!(
                frame.contains(&format!("<template id=\"{state}\">")),
                "{state}"
            );
        }
    }

    #[test]
    fn nothing_is_inline_and_nothing_comes_from_elsewhere() {
        let frame = frame().into_string();
        for text in [
            "style=", "<style", " onclick", "http:", "https:", "<script>",
        ] {
            assert!(!frame.contains(text), "{text}");
        }
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
        for script in SCRIPTS {
            let writes = script.matches("innerHTML").count();
            // Parts of our own are put in as markup, in one place, and nothing else is.
            assert_eq!(writes, usize::from(script == SCRIPT));
            for text in [
                "eval(",
                "localStorage",
                "document.cookie",
                "outerHTML",
                "insertAdjacentHTML",
            ] {
                assert!(!script.contains(text), "{text}");
            }
        }
    }
}
