//! What is around every page.

use maud::{DOCTYPE, Markup, html};

/// The pages that the navigation names: address, name, and what the icon is drawn with.
const PLACES: [(&str, &str, &str); 6] = [
    ("/", "Overview", "M4 13h7V4H4zM13 20h7V4h-7zM4 20h7v-5H4z"),
    (
        "/secrets",
        "Secrets",
        "M15 7a4 4 0 1 1-3.9 5H8v3H5v3H2v-3l9-6.1A4 4 0 0 1 15 7z",
    ),
    (
        "/servers",
        "Servers",
        "M4 5h16v5H4zM4 14h16v5H4zM7 7.5h.01M7 16.5h.01",
    ),
    ("/calls", "Calls", "M4 12h4l3-8 4 16 3-8h2"),
    ("/clients", "Clients", "M4 5h16v10H4zM8 19h8M12 15v4"),
    ("/doctor", "Doctor", "M12 4v16M4 12h16"),
];

/// The frame of every page, without anything that needs a session.
pub(super) fn page() -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "mcplexer" }
                link rel="icon" href="/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/page.css";
                script type="module" src="/page.js" {}
                script type="module" src="/secrets.js" {}
                script type="module" src="/import.js" {}
            }
            body {
                a .skip href="#main" { "Skip to content" }
                header {
                    a .brand href="/" { img src="/icon.svg" alt="" width="24" height="24"; "mcplexer" }
                    nav aria-label="Pages" {
                        @for (address, name, path) in PLACES {
                            a href=(address) {
                                svg viewBox="0 0 24 24" width="18" height="18" aria-hidden="true" { path d=(path) {} }
                                span { (name) }
                            }
                        }
                    }
                    button #search type="button" aria-keyshortcuts="/" { "Search" kbd { "/" } }
                }
                main #main tabindex="-1" aria-busy="true" { p .loading { "Loading…" } }
                div #said role="status" aria-live="polite" {}
                noscript { p .notice { "This page needs JavaScript." } }
                template #ended {
                    section .state {
                        h1 { "The session has ended" }
                        p { "It ends after 15 minutes without use, with " code { "mcplexer ui --stop" } " and with the gateway." }
                        p { "Open the page again: " code { "mcplexer ui" } }
                    }
                }
                template #gone {
                    section .state {
                        h1 { "The gateway does not answer" }
                        p { "It may have ended. " code { "mcplexer ui" } " starts it and opens the page again." }
                        p { button type="button" data-again="" { "Try again" } }
                    }
                }
            }
        }
    }
}
