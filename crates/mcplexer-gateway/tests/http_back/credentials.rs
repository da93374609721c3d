//! Credentials in header fields: of the newest version, to the configured origin only, and never back.

use mcplexer_secrets::ScopeKind::{Header, OAuth2};
use serde_json::json;

use crate::client::{at, put, text, with_scope, world};
use crate::fake::{Fake, Seen, empty, of};

const TOKEN: &str = "tok-0123456789abcdef";
const OTHER: &str = "tok-fedcba9876543210";

const SECRET: (&str, mcplexer_secrets::ScopeKind, &str, &str) = ("web", Header, "TOKEN", TOKEN);

/// A server that answers with the header fields that it got.
async fn echo() -> Fake {
    Fake::start(|seen| match seen.rpc() {
        "tools/call" => seen.text(&format!("{:?}", seen.headers)),
        _ => seen.usual(),
    })
    .await
}

#[tokio::test]
async fn every_request_has_the_credential_and_no_answer_does() {
    let fake = echo().await;
    let field = ("Authorization", "Bearer mcplexer://web/TOKEN");
    let world = world(at(&fake.url, &[field]), &[SECRET]);
    let mut client = world.client().await;
    let answer = client.call("t").await;
    assert!(text(&answer).contains("Bearer [web/TOKEN]"), "{answer}");
    assert!(!answer.to_string().contains(TOKEN));
    world
        .gateway
        .configure(&mcplexer_files::config::Config::default());
    client.close().await;
    let seen = fake.seen();
    assert!(seen.len() >= 3);
    for one in seen {
        assert_eq!(
            one.field("authorization"),
            format!("Bearer {TOKEN}"),
            "{} {}",
            one.method,
            one.rpc()
        );
    }
}

#[tokio::test]
async fn a_scope_gives_its_fields_as_its_kind_has_them() {
    for (kind, name, field, value) in [
        (Header, "X-Api-Key", "x-api-key", TOKEN.to_owned()),
        (
            OAuth2,
            "ACCESS_TOKEN",
            "authorization",
            format!("Bearer {TOKEN}"),
        ),
    ] {
        let fake = echo().await;
        let world = world(
            with_scope(&fake.url, "web", kind),
            &[("web", kind, name, TOKEN)],
        );
        let mut client = world.client().await;
        let answer = client.call("t").await;
        assert!(text(&answer).contains("[web/"), "{answer}");
        assert!(fake.seen().iter().all(|it| it.field(field) == value));
    }
}

/// The session goes on. Each version is opened once, and the audit log says so.
#[tokio::test]
async fn a_replaced_secret_reaches_the_next_request() {
    let fake = echo().await;
    let field = ("X-Token", "mcplexer://web/TOKEN");
    let world = world(at(&fake.url, &[field]), &[SECRET]);
    let mut client = world.client().await;
    for _ in 0..3 {
        client.call("t").await;
    }
    assert_eq!(world.injections().len(), 1, "{:?}", world.injections());
    put(&world.home, "web", Header, "TOKEN", OTHER);
    for _ in 0..3 {
        let answer = client.call("t").await;
        assert!(!answer.to_string().contains(OTHER), "{answer}");
    }
    assert_eq!(world.injections().len(), 2);
    let calls: Vec<_> = fake
        .seen()
        .into_iter()
        .filter(|it| it.rpc() == "tools/call")
        .collect();
    let tokens: Vec<_> = calls.iter().map(|it| it.field("x-token")).collect();
    assert_eq!(tokens, [TOKEN, TOKEN, TOKEN, OTHER, OTHER, OTHER]);
    let (before, after) = ("web/TOKEN@1", "web/TOKEN@2");
    assert_eq!(world.used(), [before, before, before, after, after, after]);
    assert!(
        calls
            .iter()
            .all(|it| it.field("mcp-session-id") == "session-1")
    );
    assert_eq!(
        fake.methods()
            .iter()
            .filter(|it| *it == "POST initialize")
            .count(),
        1
    );
}

/// An answer to a request from before may still have the old value.
#[tokio::test]
async fn the_value_before_the_last_does_not_come_back_either() {
    let fake = Fake::start(|seen| match seen.rpc() {
        "tools/call" => seen.text(&format!("{TOKEN} {OTHER}")),
        _ => seen.usual(),
    })
    .await;
    let field = ("X-Token", "mcplexer://web/TOKEN");
    let world = world(at(&fake.url, &[field]), &[SECRET]);
    let mut client = world.client().await;
    put(&world.home, "web", Header, "TOKEN", OTHER);
    assert_eq!(text(&client.call("t").await), "[web/TOKEN] [web/TOKEN]");
}

#[tokio::test]
async fn nothing_is_sent_without_the_credential() {
    for (field, value, problem) in [
        (
            "X-Token",
            "mcplexer://web/MISSING",
            "mcplexer secret put web MISSING stores it",
        ),
        (
            "X-Token",
            "mcplexer://none/TOKEN",
            "mcplexer secret put none TOKEN stores it",
        ),
        ("X-Token", "mcplexer://web/BROKEN", "line end"),
        ("X-Token", "mcplexer://web", "X-Token"),
        (
            "Host",
            "mcplexer://web/TOKEN",
            "the gateway sets this header field itself",
        ),
        (
            "MCP-Session-Id",
            "mcplexer://web/TOKEN",
            "the gateway sets this header field itself",
        ),
        (
            "X Token",
            "mcplexer://web/TOKEN",
            "not the name of a header field",
        ),
    ] {
        let fake = echo().await;
        let broken = ("web", Header, "BROKEN", "tok-one\r\nX-Other: two");
        let world = world(at(&fake.url, &[(field, value)]), &[SECRET, broken]);
        let answer = world.connect().initialize().await;
        let error = answer["error"]["message"].as_str().unwrap();
        assert!(
            error.contains("remote") && error.contains(problem),
            "{error}"
        );
        assert!(!error.contains("tok-"), "{error}");
        assert_eq!(fake.connections(), 0, "{problem}");
    }
}

/// A secret that is deleted while the session lasts fails the next call.
#[tokio::test]
async fn a_deleted_secret_fails_the_next_call() {
    let fake = echo().await;
    let field = ("X-Token", "mcplexer://web/TOKEN");
    let world = world(
        at(&fake.url, &[field]),
        &[SECRET, ("web", Header, "OTHER", OTHER)],
    );
    let mut client = world.client().await;
    client.call("t").await;
    use mcplexer_secrets::SecretStore;
    let (scope, name) = ("web".parse().unwrap(), "TOKEN".parse().unwrap());
    world.home.store().delete(&scope, &name).unwrap();
    let error = client.fails("t").await;
    assert!(error.contains("mcplexer secret put web TOKEN"), "{error}");
    assert_eq!(
        fake.methods()
            .iter()
            .filter(|it| *it == "POST tools/call")
            .count(),
        1
    );
}

/// Public faults: litellm#29936, mcpo#133. No token of the challenge, of the body or of the URL is repeated.
#[tokio::test]
async fn a_refused_credential_is_named_and_not_shown() {
    for (status, challenge, said) in [
        (
            401,
            r#"Bearer error="invalid_token", error_description="tok-0123456789abcdef", scope="a b""#,
            "401 Unauthorized (Bearer, error invalid_token, scope a b)",
        ),
        (
            403,
            r#"Bearer error="insufficient_scope", scope="write""#,
            "403 Forbidden (Bearer, error insufficient_scope, scope write)",
        ),
        (401, "", "401 Unauthorized;"),
    ] {
        let mut fake = Fake::start(move |seen| {
            if seen.rpc() != "tools/call" {
                return seen.usual();
            }
            let mut answer = of(status, "text/plain", TOKEN);
            if !challenge.is_empty() {
                let challenge = challenge.parse().unwrap();
                answer.headers_mut().insert("www-authenticate", challenge);
            }
            answer
        })
        .await;
        fake.url.push_str("?key=hidden");
        let field = ("Authorization", "Bearer mcplexer://web/TOKEN");
        let world = world(at(&fake.url, &[field]), &[SECRET]);
        let mut client = world.client().await;
        let error = client.fails("t").await;
        assert!(
            error.contains("server remote denies access: http://127.0.0.1:"),
            "{error}"
        );
        assert!(error.contains(said), "{error}");
        assert!(
            error.ends_with("; mcplexer secret put web TOKEN stores another credential"),
            "{error}"
        );
        assert!(
            !error.contains("tok-") && !error.contains("hidden"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_server_without_a_credential_is_said_to_want_one() {
    for (status, said) in [(401, "401 Unauthorized"), (403, "403 Forbidden")] {
        for (method, meta) in [
            ("initialize", json!({})),
            (
                "server/discover",
                json!({
                    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                    "io.modelcontextprotocol/clientCapabilities": {},
                }),
            ),
        ] {
            let fake = Fake::start(move |_| empty(status)).await;
            let world = world(at(&fake.url, &[]), &[]);
            let params = json!({"_meta": meta, "protocolVersion": "2025-11-25"});
            let answer = world.connect().ask(method, params).await;
            let error = answer["error"]["message"].as_str().unwrap();
            assert!(
                error.contains(said) && error.contains("mcplexer secret put SCOPE KEY"),
                "{error}"
            );
            // It is no other protocol, older or newer.
            assert_eq!(fake.methods(), [format!("POST {method}")]);
        }
    }
}

/// A credential that was replaced after failures is tried at once.
#[tokio::test]
async fn a_new_credential_does_not_wait_for_the_failures_of_the_old_one() {
    let fake = Fake::start(|seen| match seen.field("x-token") {
        TOKEN => empty(401),
        _ => seen.usual(),
    })
    .await;
    let field = ("X-Token", "mcplexer://web/TOKEN");
    let world = world(at(&fake.url, &[field]), &[SECRET]);
    // Clients that differ have sessions of their own, so that none waits for the failure of another.
    let mut clients = Vec::new();
    for number in 0..5 {
        let mut client = world.connect();
        let capabilities = json!({"experimental": {"number": number}});
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": capabilities});
        client.begin("initialize", params).await;
        clients.push(client);
    }
    for client in &mut clients {
        let refused = client.next().await["error"]["message"].to_string();
        assert!(refused.contains("401 Unauthorized"), "{refused}");
    }
    let mut client = world.connect();
    let refused = client.initialize().await["error"]["message"].to_string();
    assert!(refused.contains("(next attempt in "), "{refused}");
    put(&world.home, "web", Header, "TOKEN", OTHER);
    let hello = client.initialize().await;
    assert!(hello.get("result").is_some(), "{hello}");
}

/// Values do not come back in errors, headers of the protocol or the log either.
#[tokio::test]
async fn an_error_with_the_credential_in_it_is_scrubbed() {
    for status in [400, 404, 500] {
        let fake = Fake::start(move |seen| {
            if seen.rpc() != "tools/call" {
                return seen.usual();
            }
            match seen.body["params"]["name"].as_str() {
                Some("text") => of(status, "text/plain", &format!("bad token {TOKEN}")),
                _ => {
                    let error = json!({"code": -32601, "message": TOKEN, "data": {"token": TOKEN}});
                    let body = json!({"jsonrpc": "2.0", "id": seen.body["id"], "error": error});
                    of(status, "application/json", &body.to_string())
                }
            }
        })
        .await;
        let field = ("X-Token", "mcplexer://web/TOKEN");
        let world = world(at(&fake.url, &[field]), &[SECRET]);
        let mut client = world.client().await;
        let answer = client.call("json").await;
        assert_eq!(answer["error"]["message"], "[web/TOKEN]", "{status}");
        assert_eq!(answer["error"]["data"]["token"], "[web/TOKEN]");
        let error = client.fails("text").await;
        assert!(!error.contains(TOKEN), "{error}");
    }
}

/// What the gateway says of an answer has parts of it: where it leads, where it came from, and its type.
#[tokio::test]
async fn an_error_about_an_answer_with_the_credential_in_it_is_scrubbed() {
    let hex: String = TOKEN.bytes().map(|byte| format!("{byte:02x}")).collect();
    let in_hex = hex.clone();
    let to = |status: u16, location: String| {
        let mut answer = empty(status);
        let location = location.parse().unwrap();
        answer.headers_mut().insert("location", location);
        answer
    };
    let fake =
        Fake::start(
            move |seen| match (seen.path.as_str(), seen.body["params"]["name"].as_str()) {
                ("/mcp", Some("get")) => to(302, format!("/{TOKEN}")),
                ("/mcp", Some("moved")) => to(307, format!("/{TOKEN}/x")),
                ("/mcp", Some("type")) => of(200, &format!("text/{in_hex}"), "no"),
                ("/mcp", _) => seen.usual(),
                _ => empty(500),
            },
        )
        .await;
    let field = ("X-Token", "mcplexer://web/TOKEN");
    let world = world(at(&fake.url, &[field]), &[SECRET]);
    let mut client = world.client().await;
    for (tool, said) in [
        ("get", "/[web/TOKEN]"),
        ("moved", "/[web/TOKEN]/x answered 500"),
        ("type", "with text/[web/TOKEN], which is no message"),
    ] {
        let error = client.fails(tool).await;
        assert!(error.contains(said), "{tool}: {error}");
        assert!(!error.contains(TOKEN) && !error.contains(&hex), "{error}");
    }
}

/// The same of a server that does not even greet: what is said of it comes into the log and the status as well.
#[tokio::test]
async fn a_start_that_fails_shows_no_credential() {
    let fake = Fake::start(|_| {
        let mut answer = empty(302);
        let location = format!("/{TOKEN}").parse().unwrap();
        answer.headers_mut().insert("location", location);
        answer
    })
    .await;
    let field = ("X-Token", "mcplexer://web/TOKEN");
    let world = world(at(&fake.url, &[field]), &[SECRET]);
    let answer = world.connect().initialize().await;
    let error = answer["error"]["message"].as_str().unwrap();
    assert!(error.contains("/[web/TOKEN]"), "{error}");
    assert!(!error.contains(TOKEN), "{error}");
}

#[tokio::test]
async fn redirects_stay_at_the_origin() {
    let other = Fake::start(Seen::usual).await;
    let elsewhere = other.url.clone();
    let to = move |status: u16, location: &str| {
        let mut answer = empty(status);
        answer
            .headers_mut()
            .insert("location", location.parse().unwrap());
        answer
    };
    let fake =
        Fake::start(
            move |seen| match (seen.path.as_str(), seen.body["params"]["name"].as_str()) {
                ("/mcp", Some("moved")) => to(308, "/moved?x=1"),
                ("/moved?x=1", _) => to(307, "again"),
                ("/mcp", Some("loop")) => to(307, "/mcp"),
                ("/mcp", Some("get")) => to(302, "/moved"),
                ("/mcp", Some("away")) => to(307, &elsewhere),
                ("/mcp", Some("tls")) => to(308, "https://127.0.0.1/mcp"),
                ("/mcp", Some("user")) => to(308, "//ann@127.0.0.1/mcp"),
                ("/mcp", Some("none")) => empty(307),
                _ => seen.usual(),
            },
        )
        .await;
    let field = ("X-Token", "mcplexer://web/TOKEN");
    let world = world(at(&fake.url, &[field]), &[SECRET]);
    let mut client = world.client().await;
    assert_eq!(text(&client.call("moved").await), "done");
    let last = fake.seen().pop().unwrap();
    assert_eq!(
        (last.path.as_str(), last.field("x-token")),
        ("/again", TOKEN)
    );
    assert_eq!(
        last.body["params"]["name"], "moved",
        "the body is sent again"
    );
    for (tool, said) in [
        ("loop", "redirects more than 5 times"),
        (
            "get",
            "302 Found, which would lose the message; set the server's url to http://127.0.0.1:",
        ),
        ("away", "leads to another origin"),
        ("tls", "leads to another origin"),
        ("user", "leads to another origin"),
        ("none", "leads to another origin"),
    ] {
        let error = client.fails(tool).await;
        assert!(
            error.contains("server remote failed") && error.contains(said),
            "{error}"
        );
    }
    assert_eq!(other.connections(), 0);
}

/// Public fault: MCPJungle#252. What a client says goes into messages, and into no header field.
#[tokio::test]
async fn a_url_that_credentials_must_not_go_to_is_refused() {
    for (url, said) in [
        ("http://example.com/mcp", "use https"),
        ("https://ann:hidden@example.com/mcp", "user name"),
        ("ftp://127.0.0.1/mcp", "neither https nor http"),
        ("mcp", "neither https nor http"),
    ] {
        let field = ("X-Token", "mcplexer://web/TOKEN");
        let world = world(at(url, &[field]), &[SECRET]);
        let answer = world.connect().initialize().await;
        let error = answer["error"]["message"].as_str().unwrap();
        assert!(
            error.contains("remote") && error.contains(said) && !error.contains("hidden"),
            "{error}"
        );
        assert!(world.injections().is_empty(), "it was opened in vain");
    }
}
