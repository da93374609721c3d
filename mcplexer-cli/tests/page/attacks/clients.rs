//! The tokens of clients: each with each address, from everywhere, and wherever in a request a token can be.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::attempt::{CARRIED, Own, TOKENS, Token, Try, Verdict};
use super::routes::routes;
use crate::http::Ask;
use crate::place::Place;

#[test]
fn a_client_is_answered_what_its_token_is_for() {
    let place = Place::with_secret();
    let own = Own::of(&place);
    let before = place.state();
    let mut tried = BTreeMap::new();
    for route in &routes(&own.opened) {
        for method in route.methods.keys() {
            for token in TOKENS {
                for carried in CARRIED {
                    for (origin, site) in [
                        (None, None),
                        (None, Some("cross-site")),
                        (Some("https://evil.example".to_owned()), None),
                    ] {
                        let it = Try {
                            method,
                            token,
                            carried,
                            origin,
                            site,
                            ..Try::own(route, &own)
                        };
                        if !it.acts(&own) {
                            let verdict = it.check(&own);
                            let key = (format!("{token:?}"), format!("{verdict:?}"));
                            *tried.entry(key).or_insert(0_u32) += 1;
                        }
                    }
                }
            }
        }
    }
    assert_eq!(place.state(), before);
    println!("{} requests", tried.values().sum::<u32>());
    // Each right makes a difference: what is never answered, or always, proves nothing.
    let tried = |token: Token, verdict: Verdict| {
        let key = (format!("{token:?}"), format!("{verdict:?}"));
        tried.get(&key).copied().unwrap_or(0)
    };
    let answered = |it| tried(it, Verdict::Answered);
    let forbidden = |it| tried(it, Verdict::Forbidden);
    assert_eq!(answered(Token::Tools), answered(Token::Removed));
    assert!(answered(Token::Reads) > answered(Token::Tools));
    assert_eq!(answered(Token::Writes), answered(Token::Reads));
    assert!(answered(Token::Session) > answered(Token::Reads));
    assert!(forbidden(Token::Tools) > forbidden(Token::Reads));
    assert!(forbidden(Token::Reads) > forbidden(Token::Writes));
    assert!(forbidden(Token::Writes) > 0);
    assert_eq!(forbidden(Token::Session) + forbidden(Token::Removed), 0);
}

/// What the matrix above leaves out: the acts that are let through.
#[test]
fn a_client_that_may_write_writes_until_it_is_removed() {
    let place = Place::with_secret();
    let own = Own::of(&place);
    let create = |token: &str, id: &str| {
        let ask = own.opened.ask("POST", "/api/v1/scopes").bearer(token);
        ask.json(&json!({"id": id, "kind": "env"})).send().status
    };
    assert_eq!(create(&own.writes, "made-by-a-client"), 201);
    assert!(place.run(&["scope", "list"]).contains("made-by-a-client"));
    place.run(&["client", "remove", "writes"]);
    assert_eq!(create(&own.writes, "made-later"), 401);
    assert!(!place.run(&["scope", "list"]).contains("made-later"));
}

/// A server gets each secret of its scope as a variable, and `npm_config_registry` says where npx finds programs.
#[test]
fn no_client_adds_variables_to_a_server() {
    let place = Place::with_secret();
    place.run(&[
        "server",
        "add",
        "whole",
        "--scope",
        "github-token",
        "--",
        "npx",
        "a",
    ]);
    place.run(&[
        "server", "add", "later", "--scope", "later", "--", "npx", "a",
    ]);
    let own = Own::of(&place);
    let file = json!({"file": ".env", "text": "npm_config_registry=http://127.0.0.1:1/"});
    let variable = json!({"value": "http://127.0.0.1:1/"});
    let send = |method: &str, target: &str, body: &Value, token: &str| {
        let target = format!("/api/v1/scopes/{target}");
        let ask = own.opened.ask(method, &target).bearer(token).json(body);
        ask.send()
    };
    for (method, target, body) in [
        ("PUT", "github-token/secrets/npm_config_registry", &variable),
        ("PUT", "later/secrets/npm_config_registry", &variable),
        ("POST", "github-token/import", &file),
        ("POST", "later/import", &file),
    ] {
        let answer = send(method, target, body, &own.writes);
        assert_eq!(answer.status, 403, "{target}: {answer:?}");
        assert!(
            answer.text().contains("would get it as a variable"),
            "{answer:?}"
        );
    }
    let names = place.run(&["scope", "show", "github-token"]);
    assert!(!names.contains("npm_config_registry"), "{names}");
    // It may replace what is there, and add what no server gets; and a person may add it.
    for (target, token) in [
        ("github-token/secrets/TOKEN", &own.writes),
        ("elsewhere/secrets/npm_config_registry", &own.writes),
        ("github-token/secrets/npm_config_registry", &own.session),
    ] {
        let answer = send("PUT", target, &variable, token);
        assert_eq!(answer.status, 200, "{target}: {answer:?}");
    }
}

/// Else a client could find out a value by trying.
#[test]
fn no_client_learns_whether_a_value_is_the_stored_one() {
    let place = Place::with_secret();
    let own = Own::of(&place);
    let import = |value: &str, on_conflict: &str, token: &str| {
        let ask = own.opened.ask("POST", "/api/v1/scopes/github-token/import");
        let body = json!({
            "file": ".env", "text": format!("TOKEN={value}"), "dry_run": true, "on_conflict": on_conflict,
        });
        let answer = ask.bearer(token).json(&body).send();
        (answer.status, answer.text())
    };
    let value = place.get("github-token", "TOKEN");
    for on_conflict in ["fail", "skip", "overwrite"] {
        let [right, wrong] = [&*value, "an0ther"].map(|it| import(it, on_conflict, &own.writes));
        assert_eq!(right, wrong, "{on_conflict}");
        assert_ne!(
            import(&value, on_conflict, &own.session),
            import("an0ther", on_conflict, &own.session)
        );
    }
    // Neither from the number of versions.
    let target = "/api/v1/scopes/github-token/import";
    for (version, value) in (2..).zip([value.as_str(), "an0ther", "an0ther"]) {
        let body =
            json!({"file": ".env", "text": format!("TOKEN={value}"), "on_conflict": "overwrite"});
        let ask = own.opened.ask("POST", target).bearer(&own.writes);
        let answer = ask.json(&body).send();
        assert_eq!(answer.status, 200, "{answer:?}");
        let target = "/api/v1/scopes/github-token/secrets/TOKEN";
        let secret = own.opened.asked(&own.writes, "GET", target).value();
        assert_eq!(secret["version"], version, "{secret}");
    }
}

/// Who gets in is for a person to say: no token of a client makes another one, ends a session or begins one.
#[test]
fn no_client_lets_anybody_in() {
    let place = Place::with_secret();
    let own = Own::of(&place);
    let before = place.run(&["client", "list"]);
    let acts = [
        (
            "POST",
            "/api/v1/clients",
            json!({"name": "evil", "api": "write"}),
        ),
        (
            "DELETE",
            "/api/v1/clients/reads",
            json!({"confirm": "reads"}),
        ),
        ("DELETE", "/api/v1/session", json!({})),
    ];
    for (method, target, body) in &acts {
        for token in own.clients() {
            let ask = own.opened.ask(method, target).bearer(token).json(body);
            let answer = ask.send();
            assert_eq!(answer.status, 403, "{method} {target}: {answer:?}");
        }
    }
    for token in own.clients() {
        let ask = own.opened.ask("POST", "/api/v1/session");
        let answer = ask.json(&json!({"ticket": token})).send();
        assert_eq!(answer.status, 401, "{answer:?}");
    }
    assert_eq!(place.run(&["client", "list"]), before);
    // A person may, with the same requests.
    for ((method, target, body), status) in acts.iter().zip([201, 204, 204]) {
        let ask = own.opened.ask(method, target).bearer(&own.session);
        let answer = ask.json(body).send();
        assert_eq!(answer.status, status, "{method} {target}: {answer:?}");
    }
}

/// The endpoints of the protocol have the same tokens: there, too, no address has one, and that of a session opens nothing.
#[test]
fn the_protocol_takes_the_token_of_a_client_alone() {
    let place = Place::with_secret();
    let own = Own::of(&place);
    let greeting = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"},
    }});
    let http = place.http();
    let ask = |target: &str| {
        let ask = Ask::new(&http, "POST", target).with("Host", &http);
        let ask = ask.json(&greeting);
        ask.with("Accept", "application/json, text/event-stream")
    };
    for target in ["/mcp", "/mcp/plain"] {
        for token in own.clients() {
            let status = |ask: Ask| ask.send().status;
            assert_eq!(status(ask(target).bearer(token)), 200, "{target}");
            assert_eq!(status(ask(target).basic(token)), 401, "{target}");
            let cookie = format!("mcplexer={token}; token={token}");
            assert_eq!(status(ask(target).with("Cookie", &cookie)), 401, "{target}");
            let named = format!("{target}?token={token}&access_token={token}");
            assert_eq!(status(ask(&named)), 401, "{target}");
            let other = ask(target)
                .bearer(token)
                .with("Origin", "https://evil.example");
            assert_eq!(status(other), 403, "{target}");
            let other = ask(target)
                .bearer(token)
                .with("Sec-Fetch-Site", "cross-site");
            assert_eq!(status(other), 403, "{target}");
        }
        let session = ask(target).bearer(&own.session).send();
        assert_eq!(session.status, 401, "{target}");
    }
}
