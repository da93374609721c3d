//! Calls: as they happen, filtered, and one by one.

use serde_json::{Value, json};

use crate::browser::Visit;
use crate::client::Client;
use crate::gate::Gate;
use crate::place::Place;

/// Returns what the rows of the table say: client, server, tool, outcome.
pub(super) const ROWS: &str = "[...document.querySelectorAll('live-calls tbody tr')]\n\
                    .map((it) => [...it.cells].slice(1, 5).map((cell) => cell.innerText))";

#[track_caller]
pub(super) fn wait_for_rows(visit: &Visit, rows: &Value) {
    visit.browser.wait(&format!(
        "JSON.stringify({ROWS}) === {}",
        json!(rows.to_string())
    ));
}

#[test]
fn a_call_shows_up_as_it_happens() {
    let place = Place::with_secret();
    let mut gate = Gate::of(&place);
    let Some(visit) = Visit::to(place) else {
        return;
    };
    let browser = &visit.browser;
    visit.at("/calls");
    browser.wait_for("No client has called a server yet");
    // It would be gone after a reload.
    browser.script("window.notReloaded = true", &json!([]));
    let mut client = Client::connect(&visit.place, "cursor");
    let call = client.begin_call("plain__wait");
    wait_for_rows(&visit, &json!([["cursor", "plain", "wait", "open"]]));
    assert!(!browser.text().contains("No client has called"));
    gate.open();
    client.end(call);
    wait_for_rows(&visit, &json!([["cursor", "plain", "wait", "ok"]]));
    client.call("plain__fail");
    let both = json!([
        ["cursor", "plain", "fail", "tool-error"],
        ["cursor", "plain", "wait", "ok"]
    ]);
    wait_for_rows(&visit, &both);
    // The plot follows, and the calls of tools that there are not have a row.
    browser.wait("document.querySelector('.legend')?.innerText.includes('plain')");
    // What is held back comes later, and nothing gets lost.
    browser.press("Pause");
    client.call("plain__echo");
    browser.wait_for("1 new");
    wait_for_rows(&visit, &both);
    browser.press("Resume");
    browser.wait(&format!("({ROWS}).length === 3"));
    client.call("plain__nope");
    browser.wait(&format!(
        "JSON.stringify(({ROWS})[0]) === '[\"cursor\",\"plain\",\"nope\",\"refused\"]'"
    ));
    // A name that would be read from right to left.
    client.call("nowhere__\u{202e}loot");
    let last = r#"String.raw`["cursor","–","nowhere__\\u{202e}loot","refused"]`"#;
    browser.wait(&format!("JSON.stringify(({ROWS})[0]) === {last}"));
    assert_eq!(
        browser.script("return window.notReloaded", &json!([])),
        true
    );
    // The page that the gateway makes says the same.
    browser.reload();
    browser.wait(&format!("JSON.stringify(({ROWS})[0]) === {last}"));
    browser.wait("document.querySelector('.legend')?.innerText.includes('no such server')");
    let outcomes = "return [...document.querySelectorAll('main tbody .badge')].map((it) => [it.innerText, it.className])";
    let outcomes = || browser.script(outcomes, &json!([]));
    let shown = outcomes();
    browser.click("Overview");
    browser.wait_for("Last calls");
    browser.wait("[...document.querySelectorAll('main tbody tr')].length === 5");
    assert_eq!(outcomes(), shown);
}

#[test]
fn filters_are_in_the_address() {
    let place = Place::with_secret();
    let server = place.root().join("server");
    place.run(&[
        "server",
        "add",
        "other",
        "--",
        "/bin/sh",
        server.to_str().unwrap(),
    ]);
    let Some(visit) = Visit::to(place) else {
        return;
    };
    let (browser, place) = (&visit.browser, &visit.place);
    let mut cursor = Client::connect(place, "cursor");
    let mut zed = Client::connect(place, "zed");
    for tool in ["plain__echo", "plain__fail", "other__echo"] {
        cursor.call(tool);
        zed.call(tool);
    }
    let row = |client: &str, server: &str, tool: &str, outcome: &str| {
        json!([client, server, tool, outcome])
    };
    let of_cursor = json!([
        row("cursor", "plain", "fail", "tool-error"),
        row("cursor", "plain", "echo", "ok"),
    ]);
    visit.at("/calls");
    browser.choose("Server", "plain");
    browser.fill("Client", "cursor");
    browser.press("Filter");
    wait_for_rows(&visit, &of_cursor);
    assert_eq!(visit.path(), "/calls?server=plain&client=cursor");
    browser.choose("Outcome", "tool-error");
    browser.press("Filter");
    wait_for_rows(
        &visit,
        &json!([row("cursor", "plain", "fail", "tool-error")]),
    );
    let filtered = "/calls?server=plain&client=cursor&outcome=tool-error";
    assert_eq!(visit.path(), filtered);
    // What happens meanwhile is filtered alike.
    zed.call("plain__fail");
    cursor.call("plain__echo");
    cursor.call("plain__fail");
    let failed = json!([
        row("cursor", "plain", "fail", "tool-error"),
        row("cursor", "plain", "fail", "tool-error"),
    ]);
    wait_for_rows(&visit, &failed);
    browser.reload();
    wait_for_rows(&visit, &failed);
    assert_eq!(
        (visit.path(), browser.filled("Client")),
        (filtered.to_owned(), "cursor".to_owned())
    );
    browser.back();
    browser.wait(&format!("({ROWS}).length === 4"));
    assert_eq!(visit.path(), "/calls?server=plain&client=cursor");
    visit.at("/calls");
    browser.fill("Tool", "fail");
    browser.press("Filter");
    browser.wait(&format!("({ROWS}).length === 4"));
    assert_eq!(visit.path(), "/calls?tool=fail");
    visit.at("/calls?client=CURS&tool=AI");
    browser.wait(&format!("({ROWS}).length === 2"));
    visit.at("/calls?outcome=nonsense");
    browser.click("Show all calls");
    browser.wait(&format!("({ROWS}).length === 9"));
    visit.at("/calls?client=nobody");
    browser.wait_for("No calls match");
    browser.click("Show all calls");
    browser.wait(&format!("({ROWS}).length === 9"));
}

#[test]
fn a_call_has_a_page_of_its_own() {
    let Some(visit) = Visit::to(Place::with_secret()) else {
        return;
    };
    let (browser, place) = (&visit.browser, &visit.place);
    Client::connect(place, "cursor").call("plain__echo");
    let call = place.json(&["calls"])["calls"][0].clone();
    visit.at("/calls");
    browser.script(
        "document.querySelector('live-calls tbody a').click()",
        &json!([]),
    );
    browser.wait("document.querySelector('h1')?.innerText === 'echo'");
    let shown = browser.text();
    for what in ["id", "digest", "time"] {
        let text = call[what].as_str().unwrap();
        assert!(shown.contains(text), "{what} {text}: {shown}");
    }
    for text in ["cursor", "github-token/TOKEN@1", "tools/call"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    browser.reload();
    browser.wait("document.querySelector('h1')?.innerText === 'echo'");
    browser.click("Calls like this");
    browser.wait(&format!("({ROWS}).length === 1"));
    assert_eq!(visit.path(), "/calls?server=plain&tool=echo");
}
