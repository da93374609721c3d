//! Clients: who is connected, and tokens, each of which is shown once.

use serde_json::{Value, json};

use crate::browser::Visit;
use crate::client::Client;
use crate::leaks::KEPT;
use crate::place::Place;

#[test]
fn a_token_is_shown_once() {
    let Some(visit) = Visit::to(Place::with_secret()) else {
        return;
    };
    let (browser, place) = (&visit.browser, &visit.place);
    browser.click("Clients");
    browser.wait_for("No client has a token");
    browser.fill("Name", "cursor");
    browser.choose("Over the API", "read");
    browser.press("Make a token");
    browser.wait_for("The token of cursor is shown only now");
    let shown = "return [...document.querySelectorAll('.revealed pre')].map((it) => it.innerText)";
    let shown = browser.script(shown, &json!([]));
    let token = shown[0].as_str().unwrap();
    let snippet: Value = serde_json::from_str(shown[1].as_str().unwrap()).unwrap();
    let server = &snippet["mcpServers"]["mcplexer"];
    assert_eq!(server["url"], format!("http://{}/mcp", place.http()));
    assert_eq!(
        server["headers"]["Authorization"],
        format!("Bearer {token}")
    );
    // It is what it says.
    let scopes = visit.opened.asked(token, "GET", "/api/v1/scopes");
    assert_eq!(scopes.status, 200, "{scopes:?}");
    let put = visit
        .opened
        .ask("PUT", "/api/v1/scopes/github-token/secrets/TOKEN");
    let put = put
        .bearer(token)
        .json(&json!({"value": "n0t-stored"}))
        .send();
    assert_eq!(put.status, 403, "{put:?}");
    assert_eq!(place.json(&["client", "list"])[0]["name"], "cursor");
    let script = shown[2].as_str().unwrap();
    let address = place.http();
    assert_eq!(
        script,
        format!("curl -H 'Authorization: Bearer {token}' http://{address}/api/v1/scopes")
    );
    browser.wait_for("This address changes when the gateway restarts");
    browser.press("Copy");
    assert_eq!(browser.pasted(), token);
    browser.reload();
    browser.wait("document.querySelector('#tokens ~ .scroll tbody')?.innerText.includes('read')");
    let kept = browser.promised(KEPT, &json!([]));
    assert!(!kept.as_str().unwrap().contains(token));
    browser.click("Remove cursor");
    browser.fill("Type cursor", "cursor");
    browser.press("Remove");
    browser.wait_for("No client has a token");
    assert_eq!(place.json(&["client", "list"]), json!([]));
    assert_eq!(
        visit.opened.asked(token, "GET", "/api/v1/scopes").status,
        401
    );
}

#[test]
fn who_is_connected_is_listed() {
    let Some(visit) = Visit::to(Place::with_secret()) else {
        return;
    };
    let browser = &visit.browser;
    browser.click("Clients");
    browser.wait_for("No client is connected");
    let _client = Client::connect(&visit.place, "zed");
    // Nobody has to load the page again.
    browser.wait("document.querySelector('main tbody')?.innerText.includes('zed\\tall servers')");
}
