//! What the page says when something is in the way.

use std::fs;
use std::process::Stdio;

use rexpect::session::spawn_command;
use serde_json::{Value, json};

use super::browser::Visit;
use super::place::{PAGES, Place};

#[test]
fn a_gateway_that_was_restarted_asks_for_a_new_ticket() {
    let Some(visit) = Visit::to(Place::with_secret()) else {
        return;
    };
    let (browser, place) = (&visit.browser, &visit.place);
    visit.at("/secrets/github-token");
    browser.fill("Key", "TYPED_BEFORE");
    place.stop();
    browser.click("Secrets");
    browser.wait_for("The gateway does not answer");
    browser.wait_for("mcplexer ui");
    // It comes back at another address, or at the same one without the sessions.
    let opened = place.ui();
    browser.open(&opened.address());
    browser.wait_for("Needs attention");
}

#[test]
fn an_address_that_was_the_page_once_is_none_again() {
    let Some(visit) = Visit::to(Place::with_secret()) else {
        return;
    };
    let (browser, place) = (&visit.browser, &visit.place);
    place.stop();
    let _again = place.serve(visit.opened.host());
    browser.click("Secrets");
    browser.wait_for("The session has ended");
    browser.reload();
    browser.wait_for("mcplexer ui");
    browser.open(&place.ui().address());
    browser.wait_for("Needs attention");
}

#[test]
fn what_was_typed_stays_when_the_session_ends() {
    let Some(visit) = Visit::to(Place::with_secret()) else {
        return;
    };
    let (browser, place) = (&visit.browser, &visit.place);
    visit.at("/secrets/github-token");
    browser.fill("Key", "TYPED_BEFORE");
    browser.fill("Value", "typ3d-before-the-end");
    place.run(&["ui", "--stop"]);
    browser.press("Store");
    browser.wait_for("The session has ended");
    browser.wait_for("What you have typed is still here");
    assert_eq!(
        (browser.filled("Key"), browser.filled("Value")),
        ("TYPED_BEFORE".to_owned(), "typ3d-before-the-end".to_owned())
    );
    // This tab had one, and says so.
    browser.click("Servers");
    browser.wait("document.querySelector('h1')?.innerText === 'The session has ended'");
    browser.reload();
    browser.wait("document.querySelector('h1')?.innerText === 'The session has ended'");
}

#[test]
fn an_address_without_a_page_is_not_found() {
    let Some(visit) = Visit::to(Place::with_secret()) else {
        return;
    };
    visit.at("/nowhere");
    let browser = &visit.browser;
    browser.wait("document.querySelector('h1')?.innerText === 'Not found'");
    let ask = |path: &str| visit.opened.ask("GET", path);
    let page = ask("/nowhere").with("Accept", "text/html").send();
    assert_eq!((page.status, page.media()), (404, "text/html"));
    for path in ["/nowhere", "/api/v1/nowhere"] {
        let answer = ask(path).with("Accept", "*/*").send();
        assert_eq!(
            (answer.status, answer.media()),
            (404, "application/problem+json")
        );
    }
    // A script is told what it needs.
    let refused = ask("/api/v1/scopes").send();
    assert_eq!(refused.status, 401);
    let hint = "mcplexer client add NAME --api read makes a token for a script";
    assert_eq!(refused.value()["hints"][0], hint, "{refused:?}");
}

#[test]
fn calls_that_are_paused_say_that_the_gateway_has_ended() {
    let Some(visit) = Visit::to(Place::with_secret()) else {
        return;
    };
    visit.at("/calls");
    let browser = &visit.browser;
    browser.wait("document.querySelector('live-calls [data-state]')?.innerText === 'live'");
    browser.press("Pause");
    visit.place.stop();
    browser.wait_for("the gateway does not answer");
}

#[test]
fn calls_are_waited_for_until_the_session_ends() {
    let Some(visit) = Visit::to(Place::with_secret()) else {
        return;
    };
    let (browser, place) = (&visit.browser, &visit.place);
    let is = |state: &str| {
        browser.wait(&format!(
            "document.querySelector('live-calls [data-state]')?.innerText === '{state}'"
        ))
    };
    visit.at("/calls");
    is("live");
    place.stop();
    is("connecting");
    let _again = place.serve(visit.opened.host());
    browser.wait_for("The session has ended");
}

/// Has the next request wait in the browser, behind its proof, until `free()`: streams hold the six connections that there are.
const BUSY: &str = "const real = window.fetch, held = [];\n\
    const headers = { authorization: 'Bearer ' + sessionStorage.mcplexer };\n\
    const hold = async () => {\n\
      const stop = new AbortController();\n\
      await real('/api/v1/calls/stream', { headers, signal: stop.signal });\n\
      held.push(stop);\n\
    };\n\
    window.waits = false;\n\
    window.free = () => held.forEach((it) => it.abort());\n\
    window.fetch = async (path, how) => {\n\
      if (path.includes('/proof?')) return real(path, how);\n\
      window.fetch = real;\n\
      while (held.length < 6) await hold();\n\
      const answer = real(path, how);\n\
      window.waits = true;\n\
      return answer;\n\
    };";

#[test]
fn what_waits_for_a_connection_behind_its_proof_is_done_once_and_without_an_error() {
    let Some(visit) = Visit::to(Place::with_secret()) else {
        return;
    };
    let (browser, place) = (&visit.browser, &visit.place);
    let wait = || {
        browser.wait("window.waits");
        // Whatever the gateway does meanwhile.
        place.json(&["status"]);
        let said = "return document.querySelector('main [role=alert], main .failing')?.innerText";
        assert_eq!(browser.script(said, &json!([])), Value::Null);
        browser.script("window.free()", &json!([]));
    };
    visit.at("/servers/plain");
    browser.script(BUSY, &json!([]));
    browser.press("Start plain");
    wait();
    browser.wait("document.querySelector('main .badge')?.innerText === 'running'");
    browser.script(BUSY, &json!([]));
    browser.click("Calls to this server");
    wait();
    browser.wait("document.querySelector('h1')?.innerText === 'Calls'");
    let log = place.run(&["server", "logs", "plain"]);
    assert_eq!(log.matches("started").count(), 1, "{log}");
}

#[test]
fn a_store_without_its_key_says_which_one_is_missing() {
    let Some(visit) = Visit::to(Place::with_secret()) else {
        return;
    };
    let (browser, place) = (&visit.browser, &visit.place);
    let (key, aside) = (place.path("age.key"), place.root().join("aside"));
    place.stop();
    fs::rename(&key, &aside).unwrap();
    browser.open(&place.ui().address());
    browser.wait_for("Needs attention");
    browser.click("Secrets");
    browser.click("github-token");
    browser.fill("Key", "OTHER");
    browser.fill("Value", "n0t-stored-S3cret-value-01234");
    browser.press("Store");
    browser.wait("document.querySelector('main form [role=alert]')?.innerText.includes('age.key')");
    assert_eq!(browser.filled("Key"), "OTHER");
    fs::rename(&aside, &key).unwrap();
    browser.press("Store");
    browser.wait("document.querySelector('h1')?.innerText === 'OTHER'");
}

/// Gives the key of a home a passphrase, `right`.
fn give_passphrase(place: &Place) {
    let passphrase = age::secrecy::SecretString::from("right".to_owned());
    let mut recipient = age::scrypt::Recipient::new(passphrase);
    recipient.set_work_factor(2);
    let file = place.path("age.key");
    let sealed = age::encrypt(&recipient, &fs::read(&file).unwrap()).unwrap();
    fs::write(file, sealed).unwrap();
}

#[test]
fn a_key_with_a_passphrase_is_opened_in_a_terminal() {
    let place = Place::with_secret();
    give_passphrase(&place);
    let Some(visit) = Visit::to(place) else {
        return;
    };
    let (browser, place) = (&visit.browser, &visit.place);
    browser.wait_for("The secrets are locked");
    assert!(
        browser
            .text()
            .contains("mcplexer serve --http in a terminal")
    );
    // Everything that needs no key goes on.
    for (_, path) in PAGES {
        visit.at(path);
        browser.wait("!document.querySelector('main [aria-busy=true]')");
        let states = "return ['This page cannot be shown', 'Not found', 'The gateway does not answer']\n\
                      .filter((it) => document.body.innerText.includes(it))";
        assert_eq!(browser.script(states, &json!([])), json!([]), "{path}");
        let is_secret = path.starts_with("/secrets");
        let has_way = browser
            .text()
            .contains("mcplexer serve --http in a terminal");
        assert!(has_way || !is_secret, "{path}: {}", browser.text());
    }
    visit.at("/secrets/github-token");
    browser.fill("Key", "OTHER");
    browser.fill("Value", "n0t-stored-S3cret-value-01234");
    browser.press("Store");
    browser
        .wait("document.querySelector('main form [role=alert]')?.innerText.includes('passphrase')");
    assert_eq!(browser.filled("Value"), "n0t-stored-S3cret-value-01234");
    visit.at("/servers/plain");
    browser.press("Start plain");
    browser.wait("document.querySelector('main .failing')?.innerText.includes('passphrase')");
    // What the page says to do.
    place.stop();
    let mut command = place.command(env!("CARGO_BIN_EXE_mcplexer"));
    command.args(["serve", "--http", "127.0.0.1:0"]);
    command.env("TERM", "dumb").stdin(Stdio::inherit());
    let mut terminal = spawn_command(command, Some(60_000)).unwrap();
    terminal.exp_string("passphrase for").unwrap();
    terminal.send_line("right").unwrap();
    terminal.exp_string("serving").unwrap();
    browser.open(&place.ui().address());
    browser.wait_for("Needs attention");
    assert!(!browser.text().contains("locked"));
    browser.click("Secrets");
    browser.click("github-token");
    browser.fill("Key", "OTHER");
    browser.fill("Value", "st0red-then-S3cret-value-01234");
    browser.press("Store");
    browser.wait("document.querySelector('h1')?.innerText === 'OTHER'");
}

#[test]
fn without_a_store_the_page_says_how_to_begin() {
    let Some(visit) = Visit::to(Place::empty()) else {
        return;
    };
    let browser = &visit.browser;
    browser.click("Secrets");
    browser.wait_for("no secrets yet");
    assert!(!visit.place.path("secrets.redb").exists());
}
