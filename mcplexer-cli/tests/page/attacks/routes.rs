//! Every address, and what each method of it needs.

use std::collections::{BTreeMap, BTreeSet};

use crate::place::{Opened, PAGES};

/// What a part fetches later, which is no page of its own.
pub(super) const PARTS: [&str; 5] = [
    "/overview/findings",
    "/overview/clients",
    "/doctor/findings",
    "/calls/plot",
    "/clients/connected",
];

/// An address that answers something.
#[derive(Debug, Clone)]
pub(super) struct Route {
    pub(super) target: String,
    /// What each method needs that it has. Where there is `GET`, there is `HEAD`.
    pub(super) methods: BTreeMap<String, Needs>,
    /// The methods that read a body.
    pub(super) reading: BTreeSet<String>,
}

/// What a request has to bring to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// Nothing: it tells nothing.
    Nothing,
    /// A ticket in its body.
    Ticket,
    /// The token of a session, or of a client that may read.
    Read,
    /// The token of a session, or of a client that may write.
    Write,
    /// The token of a session.
    Person,
}

impl Needs {
    /// What an operation of the API needs: who gets in is for a person to say, and so is everything that is shown as a page.
    fn of_api(path: &str, method: &str) -> Self {
        match (path, method) {
            ("/api/v1/session", "POST") => Self::Ticket,
            ("/api/v1/session/proof", _) => Self::Nothing,
            ("/api/v1/session", _) => Self::Person,
            (_, "GET") => Self::Read,
            (path, _) if path.starts_with("/api/v1/clients") => Self::Person,
            _ => Self::Write,
        }
    }
}

/// Returns every address: the pages with their parts and what they load, and the API as it documents itself.
pub(super) fn routes(opened: &Opened) -> Vec<Route> {
    let get = |target: String, needs: Needs| Route {
        target,
        methods: BTreeMap::from([("GET".to_owned(), needs)]),
        reading: BTreeSet::new(),
    };
    let mut routes = vec![get("/api/v1/openapi.json".to_owned(), Needs::Nothing)];
    for (_, page) in PAGES {
        routes.push(get(page.to_owned(), Needs::Nothing));
        routes.push(get(format!("/parts{page}"), Needs::Person));
    }
    routes.extend(PARTS.map(|it| get(format!("/parts{it}"), Needs::Person)));
    let frame = opened.ask("GET", "/").send().text();
    let loaded: BTreeSet<_> = quoted(&frame, "src=\"")
        .chain(quoted(&frame, "href=\""))
        .collect();
    let loaded = loaded.into_iter().filter(|it| it.contains('.'));
    routes.extend(loaded.map(|it| get(it.to_owned(), Needs::Nothing)));
    let api = opened.openapi();
    for (path, operations) in api["paths"].as_object().unwrap() {
        let mut route = Route {
            target: example(path),
            methods: BTreeMap::new(),
            reading: BTreeSet::new(),
        };
        for (method, operation) in operations.as_object().unwrap() {
            let method = method.to_uppercase();
            if operation.get("requestBody").is_some() {
                route.reading.insert(method.clone());
            }
            let needs = Needs::of_api(path, &method);
            route.methods.insert(method, needs);
        }
        routes.push(route);
    }
    routes
}

/// Puts what there is into a path of the documentation.
pub(crate) fn example(path: &str) -> String {
    let parts = path.split('/').map(|it| match it {
        "{scope}" => "github-token",
        "{key}" => "TOKEN",
        "{server}" | "{name}" => "plain",
        it => it.trim_matches(['{', '}']),
    });
    parts.collect::<Vec<_>>().join("/")
}

/// Returns what follows each `before`, up to the next quotation mark.
pub(super) fn quoted<'a>(text: &'a str, before: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(before)
        .skip(1)
        .filter_map(|it| it.split('"').next())
}
