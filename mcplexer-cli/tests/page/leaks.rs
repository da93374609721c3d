//! Where a value could be found after it was used: nowhere but in the store, encrypted.

use std::fs;

use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use serde_json::{Value, json};

use super::browser::Visit;
use super::place::{PAGES, Place, STORED};

const TYPED: &str = "typ3d-S3cret-value-9876543210";

/// All that the page keeps, besides its variables.
pub(super) const KEPT: &str = r#"
const fields = [...document.querySelectorAll("input, textarea")].map((it) => it.value);
const databases = (await indexedDB.databases()).map((it) => it.name);
const caches = await window.caches.keys();
return JSON.stringify([
  document.documentElement.outerHTML, fields, { ...sessionStorage }, { ...localStorage }, databases, caches,
  location.href, document.title, document.cookie, history.state, performance.getEntries().map((it) => it.name),
]);
"#;

/// Returns a value as it could be written: as it is, in hex, in base64 at each offset.
pub(super) fn forms(value: &str) -> Vec<String> {
    let mut forms = vec![value.to_owned()];
    forms.push(value.bytes().map(|it| format!("{it:02x}")).collect());
    for before in 0..3 {
        let text = [&vec![0; before], value.as_bytes()].concat();
        let encoded = BASE64_STANDARD_NO_PAD.encode(&text);
        forms.push(encoded[(before * 8).div_ceil(6)..text.len() * 8 / 6].to_owned());
    }
    forms
}

#[track_caller]
pub(super) fn assert_none(forms: &[String], bytes: &[u8], place: &str) {
    let text = String::from_utf8_lossy(bytes);
    // A browser keeps texts in two bytes a character as well.
    let narrow: String = text.chars().filter(|it| *it != '\0').collect();
    for form in forms {
        assert!(
            !text.contains(form) && !narrow.contains(form),
            "{form} is in {place}"
        );
    }
}

/// Looks into the command lines of all processes of the machine: nobody may read which home a hardened one belongs to.
fn assert_not_in_command_lines(forms: &[String]) {
    for process in fs::read_dir("/proc").unwrap() {
        let file = process.unwrap().path().join("cmdline");
        // Most of what is there is no process, and one that is may have ended.
        assert_none(
            forms,
            &fs::read(&file).unwrap_or_default(),
            &file.display().to_string(),
        );
    }
}

/// Looks into every file, but not into what the browser has in its memory and writes there for itself.
fn assert_not_in_files(place: &Place, forms: &[String]) {
    for (path, bytes) in place.files() {
        assert_none(forms, &bytes, &path.display().to_string());
    }
}

#[test]
fn what_was_typed_is_nowhere_after_it_was_stored() {
    let Some(visit) = Visit::to(Place::with_secret()) else {
        return;
    };
    let (browser, place) = (&visit.browser, &visit.place);
    let forms = [forms(TYPED), forms(STORED)].concat();
    visit.at("/secrets/github-token");
    browser.fill("Key", "not a name");
    browser.fill("Value", TYPED);
    browser.press("Store");
    browser.wait("document.querySelector('main form [role=alert]')?.innerText");
    assert!(!browser.text().contains(TYPED));
    visit.at("/secrets/github-token");
    browser.fill("Key", "API_KEY");
    browser.fill("Value", TYPED);
    browser.press("Store");
    browser.wait("document.querySelector('h1')?.innerText === 'API_KEY'");
    browser.settled();
    assert_eq!(place.get("github-token", "API_KEY"), TYPED);
    for path in ["/secrets/github-token", "/secrets", "/"] {
        let kept = browser.promised(KEPT, &json!([]));
        assert_none(&forms, kept.as_str().unwrap().as_bytes(), &visit.path());
        assert_not_in_command_lines(&forms);
        visit.at(path);
    }
    // Going back must not fill the fields in again.
    browser.back();
    browser.settled();
    let kept = browser.promised(KEPT, &json!([]));
    assert_none(
        &forms,
        kept.as_str().unwrap().as_bytes(),
        "what was gone back to",
    );
    let profile = browser.profile.clone();
    drop(visit.browser);
    assert!(profile.join("Default").exists());
    assert_not_in_files(place, &forms);
}

/// Sends to everything that the documentation has, and reads every page: no answer has a value, and no log has one.
#[test]
fn no_answer_has_a_value() {
    let place = Place::with_secret();
    let opened = place.ui();
    let token = opened.token();
    let forms = [forms(TYPED), forms(STORED)].concat();
    let mut answers = Vec::new();
    let mut send = |method: &str, target: &str, body: &Value| {
        let ask = opened.ask(method, target).bearer(&token);
        let ask = if body.is_null() { ask } else { ask.json(body) };
        let answer = ask.send();
        answers.push((format!("{method} {target} {body}"), answer.clone()));
        answer
    };
    let key = "/api/v1/scopes/github-token/secrets/API_KEY";
    assert_eq!(
        send("PUT", key, &json!({"value": TYPED, "note": "of a test"})).status,
        200
    );
    // Wrong in every way that could be answered with what was sent.
    for body in [
        json!({"value": [TYPED]}),
        json!({"value": {"it": TYPED}}),
        json!({TYPED: 1}),
        json!({"value": TYPED, "generate": 20}),
        json!({"value": TYPED, "more": TYPED}),
        json!({"value": TYPED, "expires": TYPED}),
        json!({"value": TYPED, "if_version": TYPED}),
        json!({"value": TYPED, "if_version": 7}),
        json!(TYPED),
    ] {
        let status = send("PUT", key, &body).status;
        assert!(
            (400..500).contains(&status) || body.get("expires").is_some(),
            "{status} {body}"
        );
    }
    let cut = opened.ask("PUT", key).bearer(&token);
    let cut = cut
        .body("application/json", &format!("{{\"value\": \"{TYPED}"))
        .send();
    assert_eq!(cut.status, 400);
    for (_, page) in PAGES {
        assert_eq!(send("GET", page, &Value::Null).status, 200);
        assert_eq!(
            send("GET", &format!("/parts{page}"), &Value::Null).status,
            200
        );
    }
    let described = opened.openapi();
    for (path, operations) in described["paths"].as_object().unwrap() {
        if operations.get("get").is_some() {
            send("GET", &super::attacks::example(path), &Value::Null);
        }
    }
    answers.push(("a body that is cut off".to_owned(), cut));
    for (what, answer) in answers {
        let told = answer.everything();
        assert_none(&forms, told.as_bytes(), &what);
        assert!(!told.contains(&token), "{what}");
    }
    assert_not_in_command_lines(&forms);
    place.stop();
    // The log of the gateway is one of them.
    assert_not_in_files(&place, &forms);
    let token = self::forms(&token);
    assert_not_in_files(&place, &token);
}
