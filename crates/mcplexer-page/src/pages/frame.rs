//! What is around every page.

use maud::{DOCTYPE, Markup, html};

/// The pages that the navigation names: address, name, and what the icon is drawn with.
pub(crate) const PLACES: [(&str, &str, &str); 6] = [
    ("/", "Overview", "M4 13h7V4H4zM13 20h7V4h-7zM4 20h7v-5H4z"),
    (
        "/secrets",
        "Secrets",
        "M20 8.5a4.5 4.5 0 1 1-9 0 4.5 4.5 0 0 1 9 0zM12.3 11.7 4 20M7 17l2.5 2.5M10 14l2.5 2.5",
    ),
    (
        "/servers",
        "Servers",
        "M4 5h16v5H4zM4 14h16v5H4zM7 7.5h.01M7 16.5h.01",
    ),
    ("/calls", "Calls", "M4 12h4l3-8 4 16 3-8h2"),
    ("/clients", "Clients", "M4 5h16v10H4zM8 19h8M12 15v4"),
    (
        "/doctor",
        "Doctor",
        "M12 3l8 3v6c0 5-3.5 8-8 9-4.5-1-8-4-8-9V6zM8.5 12l2.5 2.5 4.5-5",
    ),
];

/// The scripts. A page's own ones come after that of the frame.
const SCRIPTS: [&str; 5] = [
    "/page.js",
    "/secrets.js",
    "/import.js",
    "/calls.js",
    "/servers.js",
];

/// What these import. Named here, it is fetched with them and not after the first one was read.
const IMPORTED: [&str; 3] = ["/dress.js", "/forms.js", "/search.js"];

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
                @for script in IMPORTED { link rel="modulepreload" href=(script); }
                @for script in SCRIPTS {
                    script type="module" src=(script) {}
                }
            }
            body {
                a .skip href="#main" { "Skip to content" }
                header {
                    a .brand href="/" { img src="/icon.svg" alt="" width="24" height="24"; "mcplexer" }
                    button #search type="button" aria-keyshortcuts="/" aria-haspopup="dialog" { "Search" kbd aria-hidden="true" { "/" } }
                    nav aria-label="Pages" {
                        @for (address, name, path) in PLACES {
                            a href=(address) {
                                svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" { path d=(path) {} }
                                span { (name) }
                            }
                        }
                    }
                }
                main #main tabindex="-1" aria-busy="true" { p .loading { "Loading…" } }
                div #said role="status" aria-live="polite" {}
                noscript { p .notice { "This page needs JavaScript." } }
                (finder())
                @for state in [none(), ended(), stale(), gone(), locked(), missing(), failed()] { (state) }
            }
        }
    }
}

/// Where everything is searched.
fn finder() -> Markup {
    html! {
        dialog #finder aria-label="Search" {
            input type="text" role="combobox" aria-label="Search" aria-expanded="false" aria-controls="found"
                aria-autocomplete="list" maxlength="200" autocomplete="off" spellcheck="false" placeholder="Scope, secret, server, client or page";
            ul #found role="listbox" aria-label="Results" {}
            p role="status" {}
        }
    }
}

/// A tab that never had a session.
fn none() -> Markup {
    html! {
        template #none {
            section .state {
                h1 { "This tab has no session" }
                p { "A session belongs to the tab in which it began. Go on there, or open another one here:" }
                pre .command { "mcplexer ui" }
            }
        }
    }
}

/// A tab whose session the gateway does not know any more. What was typed stays below it.
fn ended() -> Markup {
    html! {
        template #ended {
            section .state.locked {
                h1 { "The session has ended" }
                p { "It ends after 15 minutes without use, with " code { "mcplexer ui --stop" } " and with the gateway. Open the page again:" }
                pre .command { "mcplexer ui" }
                p .kept { "It opens in another tab. What you have typed is still here: copy it from below, this tab cannot send it." }
            }
        }
    }
}

/// A ticket that begins no session.
fn stale() -> Markup {
    html! {
        template #stale {
            section .state {
                h1 { "This link was used or has expired" }
                p { "A link works once, within a minute. Open the page again:" }
                pre .command { "mcplexer ui" }
            }
        }
    }
}

fn gone() -> Markup {
    html! {
        template #gone {
            section .state.failing {
                h1 { "The gateway does not answer" }
                p { "It may have ended. This starts it, and opens the page again:" }
                pre .command { "mcplexer ui" }
                p { button type="button" data-again="" { "Try again" } }
            }
        }
    }
}

fn locked() -> Markup {
    html! {
        template #locked {
            section .state.locked {
                h1 { "The secrets are locked" }
                div .why {}
                p { "The gateway has no key that opens the store. This says which one is missing:" }
                pre .command { "mcplexer doctor" }
                p { button type="button" data-again="" { "Try again" } }
            }
        }
    }
}

fn missing() -> Markup {
    html! {
        template #missing {
            section .state {
                h1 { "Not found" }
                div .why {}
                p { a href="/" { "Overview" } }
            }
        }
    }
}

fn failed() -> Markup {
    html! {
        template #failed {
            section .state.failing {
                h1 { "This page cannot be shown" }
                div .why {}
                p { button type="button" data-again="" { "Try again" } }
            }
        }
    }
}
