//! Every address of the page and of the API, with everything that a web page or a program without a token can send.

mod attempt;
mod clients;
mod limited;
mod routes;

pub(super) use routes::example;

use std::collections::BTreeSet;

use serde_json::json;

use super::http::Ask;
use super::place::{PAGES, Place};
use attempt::{MEDIA, METHODS, Own, TOKENS, Try};
use routes::{PARTS, quoted, routes};

#[test]
fn only_a_program_of_this_machine_with_a_token_is_answered() {
    let place = Place::with_secret();
    let own = Own::of(&place);
    let before = place.state();
    let port = own.opened.port();
    let other = port.wrapping_add(1);
    let (name, _) = own.opened.host().split_once(':').unwrap();
    let named = |name: &str| vec![format!("{name}:{port}")];
    let mut hosts: Vec<Vec<String>> = own.hosts.iter().map(|it| vec![it.clone()]).collect();
    hosts.extend([
        named("rebound.example"),
        named("127.0.0.1.rebound.example"),
        named("127.0.0.1"),
        named("127.0.0.2"),
        named("localhost"),
        named("[::1]"),
        named("0.0.0.0"),
        vec![format!("{name}:{other}")],
        vec![name.to_owned()],
        vec![String::new()],
        vec![],
        vec![own.hosts[0].clone(), own.hosts[0].clone()],
        vec![own.hosts[0].clone(), format!("rebound.example:{port}")],
    ]);
    let mut origins: Vec<Option<String>> = vec![None];
    origins.extend(own.hosts.iter().map(|it| Some(format!("http://{it}"))));
    let foreign = [
        "null".to_owned(),
        format!("http://{name}:{other}"),
        format!("https://{name}:{port}"),
        format!("http://127.0.0.1:{port}"),
        format!("http://localhost:{port}"),
        format!("http://evil.example:{port}"),
        "https://evil.example".to_owned(),
    ];
    origins.extend(foreign.map(Some));
    let sites = [
        None,
        Some("none"),
        Some("same-origin"),
        Some("same-site"),
        Some("cross-site"),
    ];
    let mut tried = 0_u32;
    for route in &routes(&own.opened) {
        let mut check = |it: Try<'_>| {
            if !it.acts(&own) {
                it.check(&own);
                tried += 1;
            }
        };
        let base = Try::own(route, &own);
        // Where a request comes from: each with each, with the best token there is.
        for method in route.methods.keys() {
            for host in &hosts {
                for origin in &origins {
                    for site in sites {
                        let (hosts, origin) = (host.clone(), origin.clone());
                        check(Try {
                            method,
                            hosts,
                            origin,
                            site,
                            ..base.clone()
                        });
                    }
                }
            }
        }
        // What it asks for: each with each, from here.
        for method in METHODS {
            for media in MEDIA {
                for token in TOKENS {
                    check(Try {
                        method,
                        media,
                        token,
                        ..base.clone()
                    });
                }
            }
        }
    }
    println!("{tried} requests");
    assert!(tried > 5000, "{tried}");
    assert_eq!(place.state(), before);
    // The session was not ended by what was refused.
    let scopes = own.opened.asked(&own.session, "GET", "/api/v1/scopes");
    assert_eq!(scopes.status, 200);
}

/// A page that is rebound to this machine, or a proxy that is asked for it, writes the host into the request line.
#[test]
fn a_whole_address_in_the_request_line_is_compared_too() {
    let place = Place::with_secret();
    let own = Own::of(&place);
    let (host, port) = (own.opened.host(), own.opened.port());
    for target in [
        "/",
        "/parts/secrets",
        "/api/v1/scopes",
        "/page.js",
        "/nothing",
        "/mcp",
    ] {
        let foreign = format!("http://rebound.example:{port}{target}");
        for target in [foreign.as_str(), target] {
            let name = if target == foreign {
                host
            } else {
                "rebound.example"
            };
            let ask = Ask::new(host, "GET", target).with("Host", name);
            let answer = ask.bearer(&own.session).send();
            assert_eq!(answer.status, 403, "{target}: {answer:?}");
        }
    }
}

#[test]
fn a_ticket_is_good_once_and_a_token_is_in_no_address() {
    let place = Place::with_secret();
    let opened = place.ui();
    let begin = |ticket: &str| {
        let ask = opened.ask("POST", "/api/v1/session");
        ask.json(&json!({"ticket": ticket})).send()
    };
    // A guess does not use it up, and neither does another method.
    assert_eq!(begin("guessed").status, 401);
    let begun = begin(&opened.ticket);
    assert_eq!(begun.status, 200);
    let token = begun.value()["token"].as_str().unwrap().to_owned();
    let again = begin(&opened.ticket);
    assert_eq!(again.status, 401);
    assert!(!again.text().contains(&opened.ticket));
    assert_eq!(begin(&token).status, 401);
    for target in [
        format!("/api/v1/scopes?token={token}"),
        format!("/api/v1/scopes?access_token={token}"),
        format!("/parts/secrets?t={token}"),
    ] {
        assert_eq!(opened.ask("GET", &target).send().status, 401, "{target}");
    }
    let cookie = opened
        .ask("GET", "/api/v1/scopes")
        .with("Cookie", &format!("mcplexer={token}"));
    assert_eq!(cookie.send().status, 401);
    let twice = opened
        .ask("GET", "/api/v1/scopes")
        .bearer(&token)
        .bearer(&token);
    assert_eq!(twice.send().status, 401);
    assert_eq!(opened.asked(&token, "GET", "/api/v1/scopes").status, 200);
}

/// A page that is served, linked to, and not tried above would be a gap.
#[test]
fn every_page_is_tried() {
    let place = Place::with_secret();
    let own = Own::of(&place);
    let (mut seen, mut parts) = (BTreeSet::new(), BTreeSet::new());
    let mut next: Vec<String> = vec!["/".to_owned()];
    let frame = own.opened.ask("GET", "/").send().text();
    next.extend(quoted(&frame, "href=\"").map(str::to_owned));
    while let Some(page) = next.pop() {
        let path = page.split(['?', '#']).next().unwrap_or_default();
        if !path.starts_with('/') || path.contains('.') || !seen.insert(path.to_owned()) {
            continue;
        }
        let answer = own
            .opened
            .asked(&own.session, "GET", &format!("/parts{page}"));
        if answer.status == 404 {
            seen.remove(path);
            continue;
        }
        assert_eq!(answer.status, 200, "{page}: {answer:?}");
        let text = answer.text();
        next.extend(quoted(&text, "href=\"").map(str::to_owned));
        // What a part fetches later, it names without the prefix of all parts.
        let later = quoted(&text, "data-part=\"").filter_map(|it| it.strip_prefix("/parts"));
        parts.extend(
            later
                .filter_map(|it| it.split('?').next())
                .map(str::to_owned),
        );
    }
    let known: BTreeSet<_> = PARTS.map(str::to_owned).into();
    assert_eq!(parts.difference(&known).collect::<Vec<_>>(), [""; 0]);
    let tried: BTreeSet<_> = PAGES.map(|(_, page)| page.to_owned()).into();
    assert_eq!(seen.difference(&tried).collect::<Vec<_>>(), [""; 0]);
}
