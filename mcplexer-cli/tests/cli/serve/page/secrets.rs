//! Secrets over HTTP.

use super::super::super::home::forms;
use super::*;

const TOKEN: &str = "/api/v1/scopes/github-token/secrets/TOKEN";

/// Fails if a value is in an answer, in any notation.
#[track_caller]
fn assert_hidden(answer: &Answer, value: &str) {
    for form in forms(value) {
        assert!(!answer.text.contains(&form), "{}", answer.text);
    }
}

#[test]
fn a_value_comes_pasted_made_or_from_a_file_and_never_back() {
    let home = home(&["plain"]);
    let page = Session::begin(&home);
    let stored = page.send("PUT", TOKEN, &json!({"value": "pasted\nin lines"}));
    assert_eq!(stored.is(200)["version"], 2);
    assert_eq!(home.get("github-token", "TOKEN"), b"pasted\nin lines");
    let stored = page.send("PUT", TOKEN, &json!({"base64": "AP8K", "if_version": 2}));
    assert_eq!(stored.is(200)["version"], 3);
    assert_eq!(home.get("github-token", "TOKEN"), [0, 255, 10]);
    let stored = page.send("PUT", TOKEN, &json!({"generate": 40}));
    assert_eq!(stored.is(200)["version"], 4);
    let made = String::from_utf8(home.get("github-token", "TOKEN")).unwrap();
    assert_eq!(made.len(), 40);
    for path in [
        TOKEN.to_owned(),
        format!("{TOKEN}/versions"),
        "/api/v1/scopes/github-token".to_owned(),
        "/parts/secrets".to_owned(),
        "/parts/secrets/github-token".to_owned(),
        "/parts/secrets/github-token/TOKEN".to_owned(),
    ] {
        let answer = page.get(&path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        for value in [made.as_str(), "pasted", VALUE] {
            assert_hidden(&answer, value);
        }
    }
    let again = page.send("PUT", TOKEN, &json!({"value": "x", "if_version": 3}));
    assert!(again.is(409)["hints"][0].is_string());
    let twice = page.send("PUT", TOKEN, &json!({"value": "x", "if_version": 0}));
    twice.is(409);
    let new = page.send(
        "PUT",
        "/api/v1/scopes/fresh/secrets/KEY",
        &json!({"value": "x", "if_version": 0, "note": "a note", "expires": "9998-01-31", "rotate_every_days": 90}),
    );
    assert_eq!(new.is(200)["scope_created"], true);
    let info = page.get("/api/v1/scopes/fresh/secrets/KEY").is(200);
    assert_eq!(info["note"], "a note");
    assert_eq!(info["expires"], "9998-01-31T00:00:00.000000Z");
    assert_eq!(info["rotate_every_days"], 90);
}

/// Each kind of wrong input, with a value in it.
#[test]
fn no_refusal_repeats_a_value() {
    let home = home(&["plain"]);
    let page = Session::begin(&home);
    let scope = "/api/v1/scopes/github-token";
    let (import, restore) = (format!("{scope}/import"), format!("{TOKEN}/restore"));
    let own = "h1dden-Value-of-a-Secret";
    let bodies = [
        (422, "PUT", TOKEN, json!({"value": [own]})),
        (422, "PUT", TOKEN, json!({"value": {"a": own}})),
        (422, "PUT", TOKEN, json!({"value": own, "generate": own})),
        (422, "PUT", TOKEN, json!({"value": own, "generate": 20})),
        (422, "PUT", TOKEN, json!({"value": own, "base64": own})),
        (422, "PUT", TOKEN, json!({"base64": own})),
        (422, "PUT", TOKEN, json!({"value": own, "if_version": own})),
        (422, "PUT", TOKEN, json!({"value": own, "expires": own})),
        (
            422,
            "PUT",
            TOKEN,
            json!({"value": own, "expires": "2020-01-01"}),
        ),
        (
            422,
            "PUT",
            TOKEN,
            json!({"value": own, "note": format!("{own}\n")}),
        ),
        (
            422,
            "PUT",
            TOKEN,
            json!({"value": own, "rotate_every_days": 0}),
        ),
        (
            422,
            "PUT",
            TOKEN,
            json!({"value": own, "rotate_every_days": own}),
        ),
        (422, "PUT", TOKEN, json!({"value": own, own: 1})),
        (422, "PUT", TOKEN, json!(own)),
        (422, "PUT", TOKEN, json!([own])),
        (422, "PUT", TOKEN, json!({"value": ""})),
        (422, "PATCH", TOKEN, json!({})),
        (422, "PATCH", TOKEN, json!({"value": own})),
        (422, "PATCH", TOKEN, json!({"expires": own})),
        (422, "PATCH", TOKEN, json!({"note": [own]})),
        (422, "PATCH", TOKEN, json!({"note": ""})),
        (422, "PATCH", scope, json!({})),
        (422, "PATCH", scope, json!({"name": [own]})),
        (422, "PATCH", scope, json!({"name": format!("{own}\n")})),
        (422, "PATCH", scope, json!({"keep_versions": own})),
        (422, "PATCH", scope, json!({"keep_versions": 101})),
        (422, "DELETE", TOKEN, json!({"confirm": own})),
        (422, "DELETE", scope, json!({"confirm": own})),
        (422, "POST", &restore, json!({"version": own})),
        (404, "POST", &restore, json!({"version": 7})),
        (
            422,
            "POST",
            "/api/v1/scopes",
            json!({"id": format!("{own} ")}),
        ),
        (
            422,
            "POST",
            "/api/v1/scopes",
            json!({"id": "a", "kind": own}),
        ),
        (422, "POST", &import, json!({"file": ".env"})),
        (422, "POST", &import, json!({"file": own, "text": "A=b"})),
        (422, "POST", &import, json!({"file": ".env", "text": [own]})),
        (422, "POST", &import, json!({"file": ".env", "text": own})),
        (
            422,
            "POST",
            &import,
            json!({"file": ".env", "text": format!("A={own}\nA={own}")}),
        ),
        (
            422,
            "POST",
            &import,
            json!({"file": "a.json", "text": format!("\"{own}\"")}),
        ),
        (
            422,
            "POST",
            &import,
            json!({"file": "a.json", "text": format!("{{\"A\":[\"{own}\"]}}")}),
        ),
        (
            422,
            "POST",
            &import,
            json!({"file": "a.json", "text": format!("{{\"A\":\"{own}")}),
        ),
        (
            422,
            "POST",
            &import,
            json!({"file": "a.yaml", "text": format!("A: [{own}]")}),
        ),
        (
            422,
            "POST",
            &import,
            json!({"file": "a.yaml", "text": format!("A: *{own}")}),
        ),
        (
            422,
            "POST",
            &import,
            json!({"file": "a.yaml", "text": format!("- {own}")}),
        ),
        (
            422,
            "POST",
            &import,
            json!({"file": "a.sh", "text": format!("A={own}")}),
        ),
        (
            422,
            "POST",
            &import,
            json!({"file": ".env", "text": format!("A={own}"), "on_conflict": own}),
        ),
        (
            422,
            "POST",
            &import,
            json!({"file": ".env", "text": format!("{own} {own}=1")}),
        ),
    ];
    for (status, method, path, body) in bodies {
        let answer = page.send(method, path, &body);
        assert_eq!(
            answer.status, status,
            "{method} {path} {body}: {}",
            answer.text
        );
        assert_hidden(&answer, own);
        assert!(answer.json()["title"].is_string(), "{}", answer.text);
    }
    let half = |field: &str| format!("{{\"{field}\":\"{own}");
    let whole = format!("{{\"value\":\"{own}\"}}");
    for (status, method, path, media, body) in [
        (400, "PUT", TOKEN, "application/json", &*half("value")),
        (400, "PUT", TOKEN, "application/json", own),
        (415, "PUT", TOKEN, "text/plain", &whole),
        (415, "PUT", TOKEN, "application/x-www-form-urlencoded", own),
        (400, "PATCH", TOKEN, "application/json", &half("note")),
        (415, "PATCH", TOKEN, "text/plain", &whole),
        (400, "POST", &import, "application/json", &half("text")),
        (415, "POST", &import, "text/plain", &whole),
        (400, "POST", &restore, "application/json", own),
    ] {
        let answer = page.request(method, path, media, body);
        answer.is(status);
        assert_hidden(&answer, own);
    }
    let (_, key) = TOKEN.rsplit_once('/').unwrap();
    let wrong = TOKEN.replace(key, "h1dden%20Value");
    let answer = page.send("PUT", &wrong, &json!({"value": own}));
    answer.is(422);
    assert_hidden(&answer, "h1dden");
    assert_eq!(home.get("github-token", "TOKEN"), VALUE.as_bytes());
}

#[test]
fn a_value_is_up_to_1_mib_and_a_body_has_an_end() {
    let home = home(&["plain"]);
    let page = Session::begin(&home);
    // Six bytes of JSON for each byte of the value.
    let longest = "\u{1}".repeat(1 << 20);
    page.send("PUT", TOKEN, &json!({"value": longest})).is(200);
    assert_eq!(home.get("github-token", "TOKEN"), longest.as_bytes());
    let more = page.send("PUT", TOKEN, &json!({"value": "x".repeat((1 << 20) + 1)}));
    assert_eq!(
        more.is(422)["title"],
        "the value is longer than 1 MiB (1048576 bytes)"
    );
    let long = page.send("PUT", TOKEN, &json!({"value": "x".repeat(7 << 20)}));
    assert!(
        long.is(413)["title"]
            .as_str()
            .unwrap()
            .contains("longer than")
    );
    let note = page.send("PATCH", TOKEN, &json!({"note": "x".repeat(3 << 20)}));
    note.is(413);
}

#[test]
fn what_is_said_is_changed_and_removed() {
    let home = home(&["plain"]);
    let page = Session::begin(&home);
    let set =
        json!({"note": "<b>bold</b>", "expires": "9998-01-31T12:00:00Z", "rotate_every_days": 30});
    let changed = page.send("PATCH", TOKEN, &set).is(200);
    assert_eq!(changed["version"], 1);
    assert_eq!(changed["note"], "<b>bold</b>");
    let shown = page.get("/parts/secrets/github-token").text;
    assert!(
        shown.contains("&lt;b&gt;bold&lt;/b&gt;") && !shown.contains("<b>"),
        "{shown}"
    );
    let changed = page.send(
        "PATCH",
        TOKEN,
        &json!({"note": null, "rotate_every_days": null}),
    );
    let changed = changed.is(200);
    assert_eq!(changed["note"], Value::Null);
    assert_eq!(changed["rotate_by"], Value::Null);
    assert_eq!(changed["expires"], "9998-01-31T12:00:00.000000Z");
    let scope = "/api/v1/scopes/github-token";
    let named = page.send(
        "PATCH",
        scope,
        &json!({"name": "GitHub", "keep_versions": 1}),
    );
    let named = named.is(200);
    assert_eq!(
        (&named["name"], &named["keep_versions"]),
        (&json!("GitHub"), &json!(1))
    );
    let named = page.send("PATCH", scope, &json!({"name": null})).is(200);
    assert_eq!(
        (&named["name"], &named["keep_versions"]),
        (&json!(null), &json!(1))
    );
    for (method, path) in [
        ("GET", "none"),
        ("PATCH", "none"),
        ("GET", "github-token/secrets/NO"),
        ("PATCH", "github-token/secrets/NO"),
    ] {
        let path = format!("/api/v1/scopes/{path}");
        let body = json!({"name": "x"});
        let body = if path.ends_with("NO") {
            json!({"note": "x"})
        } else {
            body
        };
        page.send(method, &path, &body).is(404);
    }
}

#[test]
fn an_earlier_version_is_restored_as_the_next_one() {
    let home = home(&["plain"]);
    let page = Session::begin(&home);
    for value in ["second", "third"] {
        page.send("PUT", TOKEN, &json!({"value": value})).is(200);
    }
    let numbers = || {
        let versions = page.get(&format!("{TOKEN}/versions")).is(200);
        let versions = versions["versions"].as_array().unwrap().clone();
        versions
            .iter()
            .map(|it| it["version"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(numbers(), [3, 2, 1]);
    let restore = format!("{TOKEN}/restore");
    let restored = page.send("POST", &restore, &json!({"version": 1})).is(200);
    assert_eq!(restored["version"], 4);
    assert_eq!(home.get("github-token", "TOKEN"), VALUE.as_bytes());
    assert_eq!(numbers()[0], 4);
    let shown = page.get("/parts/secrets/github-token/TOKEN").text;
    for part in [
        "class=\"plot\"",
        ">current<",
        "/restore\"",
        "mcplexer://github-token/TOKEN",
        "href=\"/servers/plain\"",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn what_is_due_and_who_uses_it_is_shown() {
    let home = home(&["plain"]);
    let page = Session::begin(&home);
    let shown = page.get("/parts/secrets").text;
    assert!(!shown.contains("Needs a new value"), "{shown}");
    home.run([
        "secret",
        "edit",
        "github-token",
        "TOKEN",
        "--expires",
        "10d",
    ])
    .succeeded();
    home.run([
        "secret",
        "put",
        "github-token",
        "LATER",
        "x",
        "--expires",
        "31d",
    ])
    .succeeded();
    let shown = page.get("/parts/secrets").text;
    for part in [
        "Needs a new value",
        "<a href=\"/secrets/github-token/TOKEN\">github-token/TOKEN</a>",
        "<span class=\"badge warn\">expires soon</span>",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains("LATER"), "{shown}");
    let path = "/parts/secrets/github-token/TOKEN";
    assert!(page.get(path).text.contains("in none of the latest calls"));
    let mut client = Client::greeted(&home, &["connect"]);
    client.call("plain__pid");
    let shown = page.get(path).text;
    assert!(
        shown.contains(", by <a href=\"/servers/plain\">"),
        "{shown}"
    );
    let other = page.get("/parts/secrets/github-token/LATER").text;
    assert!(!other.contains("/servers/plain"), "{other}");
    assert_eq!(client.leave(), 0);
}

#[test]
fn thousands_of_secrets_are_shown_in_hundreds() {
    let home = home(&["plain"]);
    let page = Session::begin(&home);
    let text: String = (0..3000)
        .map(|it| format!("KEY_{it:04}=value-{it}\n"))
        .collect();
    let import = json!({"file": ".env", "text": text});
    page.send("POST", "/api/v1/scopes/many/import", &import)
        .is(200);
    let first = page.get("/parts/secrets/many");
    assert!(first.text.len() < 64 << 10, "{}", first.text.len());
    assert_eq!(first.text.matches("<tr>").count(), 101);
    assert!(
        first.text.contains("Page 1 of 30, 3000 in all"),
        "{}",
        first.text
    );
    let last = page.get("/parts/secrets/many?page=30").text;
    assert!(last.contains("KEY_2999") && !last.contains("rel=\"next\""));
    let some = page.get("/parts/secrets/many?q=key_29&page=1").text;
    assert!(some.contains("KEY_2900") && !some.contains("KEY_2899"));
    let none = page.get("/parts/secrets/many?q=%22%3E%3Cb%3E").text;
    assert!(none.contains("value=\"&quot;&gt;&lt;b&gt;\""), "{none}");
    assert!(none.contains("No key matches."), "{none}");
}

/// A script that may read does not write, and none gets a page.
#[test]
fn the_token_of_a_client_does_what_it_may() {
    let home = home(&["plain"]);
    let mut page = Session::begin(&home);
    let token = |name: &str, api: &str| {
        let added = run(&home, &["client", "add", name, "--api", api]).succeeded();
        added.text().trim_end().to_owned()
    };
    let (reads, writes) = (token("reads", "read"), token("writes", "write"));
    page.token = reads;
    page.get("/api/v1/scopes").is(200);
    page.get(TOKEN).is(200);
    page.get(&format!("{TOKEN}/versions")).is(200);
    let scope = "/api/v1/scopes/github-token";
    for (method, path, body) in [
        ("POST", "/api/v1/scopes", json!({"id": "a"})),
        ("PATCH", scope, json!({"name": "a"})),
        ("DELETE", scope, json!({"confirm": "github-token"})),
        ("PUT", TOKEN, json!({"value": "a"})),
        ("PATCH", TOKEN, json!({"note": "a"})),
        ("DELETE", TOKEN, json!({"confirm": "TOKEN"})),
        ("POST", &format!("{TOKEN}/restore"), json!({"version": 1})),
        (
            "POST",
            &format!("{scope}/import"),
            json!({"file": ".env", "text": "A=b"}),
        ),
    ] {
        page.send(method, path, &body).is(403);
    }
    page.get("/parts/secrets").is(403);
    page.token = writes;
    page.send("PUT", TOKEN, &json!({"value": "a"})).is(200);
    page.get("/parts/secrets/github-token/TOKEN").is(403);
}

/// The key of the store gets a passphrase, or is gone.
#[test]
fn a_locked_store_says_how_to_open_it() {
    let home = home(&["plain"]);
    let key = home.path("age.key");
    let plain = fs::read(&key).unwrap();
    let mut recipient = age::scrypt::Recipient::new("right".to_owned().into());
    recipient.set_work_factor(2);
    fs::write(&key, age::encrypt(&recipient, &plain).unwrap()).unwrap();
    let page = Session::begin(&home);
    let is_locked = |title: &str, hint: &str| {
        // Names can be read without a key.
        for path in [
            "/parts/secrets",
            "/parts/secrets/github-token",
            "/parts/secrets/github-token/TOKEN",
        ] {
            let shown = page.get(path);
            assert_eq!(shown.status, 200, "{}", shown.text);
            for part in ["class=\"state", "github-token", title, hint] {
                assert!(shown.text.contains(part), "{part}: {}", shown.text);
            }
        }
        let problem = page.send("PUT", TOKEN, &json!({"value": "x"})).is(423);
        assert!(problem["hints"].to_string().contains(hint), "{problem}");
        assert!(problem["title"].to_string().contains(title), "{problem}");
        let api = page.get("/api/v1/scopes").is(200);
        assert_eq!(api["scopes"][0]["id"], "github-token");
    };
    is_locked("needs a passphrase", "mcplexer serve --http");
    fs::remove_file(&key).unwrap();
    is_locked("age.key does not exist", "put the key back");
}

#[test]
fn a_home_without_secrets_says_what_to_do() {
    let home = Home::new();
    let page = Session::begin(&home);
    assert_eq!(page.get("/api/v1/scopes").is(200), json!({"scopes": []}));
    let shown = page.get("/parts/secrets").text;
    assert!(
        shown.contains("class=\"state") && shown.contains("mcplexer adopt"),
        "{shown}"
    );
    let scope = page.send("POST", "/api/v1/scopes", &json!({"id": "github"}));
    assert_eq!(scope.is(201)["keys"], json!([]));
    page.send("POST", "/api/v1/scopes", &json!({"id": "github"}))
        .is(409);
    let shown = page.get("/parts/secrets/github").text;
    assert!(shown.contains("No secrets yet"), "{shown}");
}
