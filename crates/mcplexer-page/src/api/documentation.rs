//! Makes `openapi.json` from the types of the operations. The program has the file only: the code that makes it is larger.

use std::collections::HashSet;

use serde_json::Value;
use snapbox::{assert_data_eq, file};
use utoipa::OpenApi as _;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Content, OpenApi, PathItem, Ref, RefOr, Response};

use super::{
    calls, clients, doctor, import, scopes, search, secrets, servers, session, stream, summary,
};

/// Describes operations.
macro_rules! document {
    ($($module:ident::$operation:ident),* $(,)?) => {
        #[derive(utoipa::OpenApi)]
        #[openapi(
            info(
                title = "mcplexer",
                description = "Secrets, servers and calls of a gateway. No answer has a value of a secret. A session begins, is proved and ends at the address of the page alone. At that of clients, `/api/v1/session` and what is below it are not found."
            ),
            tags(
                (name = "session", description = "Beginning and ending a session of a browser"),
                (name = "clients", description = "Who may connect over HTTP, and who is connected"),
                (name = "doctor", description = "What is wrong, and what fixes it"),
                (name = "search", description = "Everything that has a name"),
                (name = "secrets", description = "Scopes and their secrets, without values"),
                (name = "servers", description = "Tool servers: what they do, and starting and stopping them"),
                (name = "calls", description = "Calls of clients to servers"),
            ),
            paths($($module::$operation),*)
        )]
        struct Documentation;
    };
}

operations!(document);

/// The name of the one way to prove who asks.
const TOKEN: &str = "token";

/// The media type of a problem (RFC 9457).
const PROBLEM: &str = "application/problem+json";

/// Returns the documentation, with what holds for every operation, so that none can forget it: who may ask, and how it fails.
fn documentation() -> OpenApi {
    let mut documentation = Documentation::openapi();
    let mut components = documentation.components.take().unwrap_or_default();
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    components.add_security_scheme(TOKEN, SecurityScheme::Http(bearer));
    documentation.components = Some(components);
    for (path, item) in &mut documentation.paths.paths {
        for (method, operation) in operations(item) {
            complete_one(operation, path.contains('{'), takes_no_token(path, method));
        }
    }
    documentation
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let all = [
        ("get", &mut item.get),
        ("put", &mut item.put),
        ("post", &mut item.post),
        ("delete", &mut item.delete),
        ("patch", &mut item.patch),
    ];
    all.into_iter()
        .filter_map(|(method, it)| it.as_mut().map(|it| (method, it)))
}

/// Whether no token is sent with it: that which begins a session, and the proof that comes before a token is sent.
fn takes_no_token(path: &str, method: &str) -> bool {
    path == "/api/v1/session" && method == "post" || path == "/api/v1/session/proof"
}

fn complete_one(operation: &mut Operation, has_name: bool, is_open: bool) {
    let asks = operation.parameters.as_ref().is_some_and(|all| {
        all.iter()
            .any(|it| matches!(it, RefOr::T(it) if it.parameter_in == utoipa::openapi::path::ParameterIn::Query))
    });
    if !is_open {
        let none: [&str; 0] = [];
        operation.security = Some(vec![SecurityRequirement::new(TOKEN, none)]);
        can_be(
            operation,
            &[
                ("401", "There is no session, or it has ended"),
                ("423", "No key opens the store"),
                ("503", "The store or the gateway cannot do it now"),
            ],
        );
    }
    if operation.request_body.is_some() {
        can_be(
            operation,
            &[
                ("400", "The body is not JSON"),
                ("413", "The body is too large"),
                ("415", "The body has to be application/json"),
                ("422", "A part of the body is not as it has to be"),
            ],
        );
    }
    if asks {
        let why = "A part of the query is not as it has to be";
        can_be(operation, &[("400", why)]);
    }
    if has_name {
        can_be(
            operation,
            &[
                ("404", "Nothing has this name"),
                ("422", "A name in the address is not one"),
            ],
        );
    }
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && status.starts_with(['4', '5'])
            && let Some(content) = response.content.shift_remove("application/json")
        {
            response.content.insert(PROBLEM.to_owned(), content);
        }
    }
    // What is of another page never gets here: the gateway says so in plain words.
    let why = "The request is of another host or page, or its token may not do this";
    can_be(operation, &[("403", why)]);
    if let Some(RefOr::T(foreign)) = operation.responses.responses.get_mut("403") {
        let text = RefOr::T(Content::default());
        foreign.content.insert("text/plain".to_owned(), text);
    }
}

/// Documents failures, each unless the operation has said more about it.
fn can_be(operation: &mut Operation, failures: &[(&str, &str)]) {
    for (status, why) in failures {
        let mut failure = Response::new(*why);
        let problem = Content::new(Some(Ref::from_schema_name("Problem")));
        let content = RefOr::T(problem);
        failure.content.insert(PROBLEM.to_owned(), content);
        let failure = RefOr::T(failure);
        let responses = &mut operation.responses.responses;
        responses.entry((*status).to_owned()).or_insert(failure);
    }
}

/// `SNAPSHOTS=overwrite` makes the file anew.
#[test]
fn the_file_is_as_the_types_are() {
    let mut json = documentation().to_pretty_json().unwrap();
    json.push('\n');
    assert_data_eq!(json, file!["openapi.json"].raw());
}

#[test]
fn each_operation_has_an_id_of_its_own() {
    let mut seen = HashSet::new();
    for item in documentation().paths.paths.values_mut() {
        for (_, operation) in operations(item) {
            let id = operation.operation_id.clone().unwrap();
            assert!(seen.insert(id.clone()), "{id}");
        }
    }
}

#[test]
fn every_operation_says_who_may_ask_and_how_it_fails() {
    let documentation = serde_json::to_value(documentation()).unwrap();
    let paths = documentation["paths"].as_object().unwrap();
    for (path, item) in paths {
        for (method, operation) in item.as_object().unwrap() {
            assert_eq!(
                operation["security"] == Value::Null,
                takes_no_token(path, method),
                "{method} {path}"
            );
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.contains_key("401"), "{method} {path}");
            for (status, response) in responses {
                if status.starts_with(['4', '5']) && status != "403" {
                    let content = response["content"].as_object().unwrap();
                    let media: Vec<_> = content.keys().collect();
                    assert_eq!(
                        media,
                        ["application/problem+json"],
                        "{method} {path} {status}"
                    );
                }
            }
        }
    }
    assert_eq!(
        documentation["components"]["securitySchemes"]["token"]["scheme"],
        "bearer"
    );
}
