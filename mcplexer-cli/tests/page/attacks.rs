//! Every address of the page and of the API, with everything that a web page or a program without a token can send.
//!
//! The rule is written here once more, in the words of the threat: what may be answered does not follow from the program.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::http::{Answer, Ask};
use super::place::{Opened, PAGES, Place};

/// What a part fetches later, which is no page of its own.
const PARTS: [&str; 3] = ["/overview/findings", "/doctor/findings", "/calls/plot"];

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const MEDIA: [&str; 4] = [
    "application/json",
    "application/x-www-form-urlencoded",
    "text/plain",
    "multipart/form-data; boundary=x",
];

/// An address that answers something.
#[derive(Debug, Clone)]
struct Route {
    target: String,
    /// What each method needs that it has. Where there is `GET`, there is `HEAD`.
    methods: BTreeMap<String, Needs>,
    /// The methods that read a body.
    reading: BTreeSet<String>,
}

/// What a request has to bring to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    /// Nothing: it tells nothing.
    Nothing,
    /// A ticket in its body.
    Ticket,
    Token,
}

/// A request that is tried.
#[derive(Debug, Clone)]
struct Try<'a> {
    route: &'a Route,
    method: &'a str,
    hosts: Vec<String>,
    origin: Option<String>,
    site: Option<&'a str>,
    media: &'a str,
    token: Token,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    None,
    Wrong,
    UsedTicket,
    Ended,
    Valid,
}

const TOKENS: [Token; 5] = [
    Token::None,
    Token::Wrong,
    Token::UsedTicket,
    Token::Ended,
    Token::Valid,
];

/// What a request has to be answered with.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// 403, before anything was looked at.
    Foreign,
    /// 401, and nothing else.
    NoToken,
    /// 405.
    NoMethod,
    /// 415: a form can send it.
    NotJson,
    /// As its documentation says.
    Answered,
}

impl Try<'_> {
    fn verdict(&self, own: &Own) -> Verdict {
        let here = |it: &String| own.hosts.contains(it);
        let is_own_host = self.hosts.len() == 1 && self.hosts.iter().all(here);
        let is_own_page = self.origin.as_ref().is_none_or(|it| {
            it.strip_prefix("http://")
                .is_some_and(|it| here(&it.to_owned()))
        });
        let is_own_site = matches!(self.site, None | Some("same-origin" | "none"));
        if !is_own_host || !is_own_page || !is_own_site {
            return Verdict::Foreign;
        }
        let Some(needs) = self.route.methods.get(self.means()) else {
            return Verdict::NoMethod;
        };
        if *needs == Needs::Token && self.token != Token::Valid {
            return Verdict::NoToken;
        }
        let reads = self.route.reading.contains(self.method);
        if reads && !self.media.starts_with("application/json") {
            return Verdict::NotJson;
        }
        Verdict::Answered
    }

    /// Returns the method that answers it.
    fn means(&self) -> &str {
        match self.method {
            "HEAD" => "GET",
            method => method,
        }
    }

    /// Whether it does what it says, if it is let through: that is tested elsewhere.
    fn acts(&self, own: &Own) -> bool {
        let changes = !matches!(self.method, "GET" | "HEAD" | "OPTIONS");
        let needs = self.route.methods.get(self.method);
        changes && needs == Some(&Needs::Token) && self.verdict(own) == Verdict::Answered
    }

    fn send(&self, own: &Own) -> Answer {
        let mut ask = Ask::new(own.opened.host(), self.method, &self.route.target);
        for host in &self.hosts {
            ask = ask.with("Host", host);
        }
        if let Some(origin) = &self.origin {
            ask = ask.with("Origin", origin);
        }
        if let Some(site) = self.site {
            ask = ask.with("Sec-Fetch-Site", site);
        }
        ask = match self.token {
            Token::None => ask,
            Token::Wrong => ask.bearer("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
            Token::UsedTicket => ask.bearer(&own.opened.ticket),
            Token::Ended => ask.bearer(&own.ended),
            Token::Valid => ask.bearer(&own.token),
        };
        // What it would do harm with, were it read; and what a form can send of it.
        let body =
            r#"{"confirm":"github-token","id":"evil","value":"evil","key":"evil","ticket":"evil"}"#;
        ask.body(self.media, body).send()
    }
}

/// What the requests are made of.
struct Own {
    opened: Opened,
    hosts: Vec<String>,
    token: String,
    ended: String,
}

impl Own {
    fn of(place: &Place) -> Self {
        let opened = place.ui();
        let (token, gone) = (opened.token(), place.ui());
        let ended = gone.token();
        assert_eq!(gone.asked(&ended, "DELETE", "/api/v1/session").status, 204);
        let port = opened.port();
        let names = ["127.0.0.1", "localhost", "[::1]"];
        Self {
            hosts: names.map(|it| format!("{it}:{port}")).into(),
            opened,
            token,
            ended,
        }
    }
}

/// Returns every address: the pages with their parts and what they load, and the API as it documents itself.
fn routes(own: &Own) -> Vec<Route> {
    let get = |target: String, needs: Needs| Route {
        target,
        methods: BTreeMap::from([("GET".to_owned(), needs)]),
        reading: BTreeSet::new(),
    };
    let mut routes = vec![get("/api/v1/openapi.json".to_owned(), Needs::Nothing)];
    for (_, page) in PAGES {
        routes.push(get(page.to_owned(), Needs::Nothing));
        routes.push(get(format!("/parts{page}"), Needs::Token));
    }
    routes.extend(PARTS.map(|it| get(format!("/parts{it}"), Needs::Token)));
    let frame = own.opened.ask("GET", "/").send().text();
    let loaded: BTreeSet<_> = quoted(&frame, "src=\"")
        .chain(quoted(&frame, "href=\""))
        .collect();
    let loaded = loaded.into_iter().filter(|it| it.contains('.'));
    routes.extend(loaded.map(|it| get(it.to_owned(), Needs::Nothing)));
    let api = own.opened.openapi();
    for (path, operations) in api["paths"].as_object().unwrap() {
        let mut route = get(example(path), Needs::Token);
        route.methods.clear();
        for (method, operation) in operations.as_object().unwrap() {
            let method = method.to_uppercase();
            if operation.get("requestBody").is_some() {
                route.reading.insert(method.clone());
            }
            let begins = path == "/api/v1/session" && method == "POST";
            let needs = if begins { Needs::Ticket } else { Needs::Token };
            route.methods.insert(method, needs);
        }
        routes.push(route);
    }
    routes
}

/// Puts what there is into a path of the documentation.
pub(super) fn example(path: &str) -> String {
    let parts = path.split('/').map(|it| match it {
        "{scope}" => "github-token",
        "{key}" => "TOKEN",
        "{server}" | "{name}" => "plain",
        it => it.trim_matches(['{', '}']),
    });
    parts.collect::<Vec<_>>().join("/")
}

fn quoted<'a>(text: &'a str, before: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(before)
        .skip(1)
        .filter_map(|it| it.split('"').next())
}

/// Checks what every answer has to have, whatever it says.
fn check_fields(answer: &Answer, what: &str) {
    for (name, wanted) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("x-frame-options", "DENY"),
    ] {
        assert_eq!(
            answer.field(name),
            Some(wanted),
            "{name} of {what}: {answer:?}"
        );
    }
    let policy = answer.field("content-security-policy").unwrap_or_default();
    let mut policy: Vec<_> = policy.split(';').map(str::trim).collect();
    policy.sort_unstable();
    let wanted = [
        "base-uri 'none'",
        "connect-src 'self'",
        "default-src 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "img-src 'self' data:",
        "script-src 'self'",
        "style-src 'self'",
    ];
    assert_eq!(policy, wanted, "{what}");
    assert_no_permission(answer, what);
}

/// Nothing lets another origin read an answer, and nothing is kept in the browser.
fn assert_no_permission(answer: &Answer, what: &str) {
    for (name, _) in &answer.fields {
        let gives = name == "set-cookie" || name.starts_with("access-control-");
        assert!(!gives, "{what}: {answer:?}");
    }
}

/// Tries a request, and checks its answer.
fn check(it: &Try<'_>, own: &Own) -> Verdict {
    let verdict = it.verdict(own);
    let answer = it.send(own);
    let what = format!("{it:?}");
    let status = answer.status;
    match verdict {
        Verdict::Foreign => assert_eq!(status, 403, "{what}: {answer:?}"),
        Verdict::NoToken => assert_eq!(status, 401, "{what}: {answer:?}"),
        Verdict::NoMethod => assert!(matches!(status, 401 | 405), "{what}: {answer:?}"),
        Verdict::NotJson => assert_eq!(status, 415, "{what}: {answer:?}"),
        Verdict::Answered => assert!(
            matches!(status, 200..=204 | 400..=499),
            "{what}: {answer:?}"
        ),
    }
    assert_no_permission(&answer, &what);
    if verdict != Verdict::Foreign {
        check_fields(&answer, &what);
    }
    if verdict != Verdict::Answered {
        let told = answer.everything();
        for name in ["github-token", "TOKEN\"", super::place::STORED] {
            assert!(!told.contains(name), "{name} in {what}: {told}");
        }
    }
    verdict
}

#[test]
fn only_a_program_of_this_machine_with_a_token_is_answered() {
    let place = Place::with_secret();
    let own = Own::of(&place);
    let before = place.state();
    let port = own.opened.port();
    let other = port.wrapping_add(1);
    let named = |name: &str| vec![format!("{name}:{port}")];
    let mut hosts: Vec<Vec<String>> = own.hosts.iter().map(|it| vec![it.clone()]).collect();
    hosts.extend([
        named("rebound.example"),
        named("127.0.0.1.rebound.example"),
        named("127.0.0.2"),
        named("0.0.0.0"),
        vec![format!("127.0.0.1:{other}")],
        vec!["127.0.0.1".to_owned()],
        vec![String::new()],
        vec![],
        vec![own.hosts[0].clone(), own.hosts[0].clone()],
        vec![own.hosts[0].clone(), format!("rebound.example:{port}")],
    ]);
    let mut origins: Vec<Option<String>> = vec![None];
    origins.extend(own.hosts.iter().map(|it| Some(format!("http://{it}"))));
    let foreign = [
        "null".to_owned(),
        format!("http://127.0.0.1:{other}"),
        format!("https://127.0.0.1:{port}"),
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
    for route in &routes(&own) {
        let mut check = |it: Try<'_>| {
            if !it.acts(&own) {
                check(&it, &own);
                tried += 1;
            }
        };
        let base = Try {
            route,
            method: "GET",
            hosts: hosts[0].clone(),
            origin: None,
            site: None,
            media: MEDIA[0],
            token: Token::Valid,
        };
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
    assert!(tried > 5000, "{tried}");
    assert_eq!(place.state(), before);
    // The session was not ended by what was refused.
    assert_eq!(
        own.opened.asked(&own.token, "GET", "/api/v1/scopes").status,
        200
    );
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
            let answer = ask.bearer(&own.token).send();
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
    // The token of a client of the protocol opens nothing here.
    let client = place.run(&["client", "add", "editor"]);
    let answer = opened.asked(client.trim_end(), "GET", "/parts/secrets");
    // Known, and not let in; or not known at all.
    assert!(matches!(answer.status, 401 | 403), "{answer:?}");
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
            .asked(&own.token, "GET", &format!("/parts{page}"));
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
