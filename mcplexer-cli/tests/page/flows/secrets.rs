//! One secret: its next value, its versions, and what is said about it.

use std::fs;

use serde_json::{Value, json};

use crate::browser::Visit;
use crate::hands::{CONTROL, ENTER};
use crate::place::{Place, STORED};

const PASTED: &str = "p4sted-S3cret-value-5566778899";

/// Returns what the whole document holds, fields and all.
fn document(visit: &Visit) -> String {
    let script = "return document.documentElement.outerHTML\n\
                  + [...document.querySelectorAll('input, textarea')].map((it) => it.value)";
    let document = visit.browser.script(script, &json!([]));
    document.as_str().unwrap().to_owned()
}

fn versions(place: &Place) -> Vec<Value> {
    let history = place.json(&["secret", "history", "github-token", "TOKEN"]);
    let versions = history["versions"].as_array().unwrap().iter();
    versions.map(|it| it["version"].clone()).collect()
}

#[test]
fn a_value_is_replaced_by_a_pasted_one() {
    let Some(visit) = Visit::to(Place::with_secret()) else {
        return;
    };
    let (browser, place) = (&visit.browser, &visit.place);
    visit.at("/secrets/github-token/TOKEN");
    browser.copy_elsewhere(PASTED);
    browser.click_into("Value");
    browser.chord(CONTROL, "v");
    assert_eq!(browser.filled("Value"), PASTED);
    // Nobody beside you reads it.
    let veil = "return getComputedStyle(document.querySelector('[name=value]')).webkitTextSecurity";
    assert_eq!(browser.script(veil, &json!([])), "disc");
    browser.press("Show");
    assert_eq!(browser.script(veil, &json!([])), "none");
    // A line end that nobody sees is no part of it.
    browser.press("Hide");
    browser.keys(ENTER);
    browser.wait_for("Store as version 3");
    assert_eq!(place.bytes("github-token", "TOKEN"), PASTED.as_bytes());
    assert!(!document(&visit).contains(PASTED));
}

#[test]
fn a_value_of_one_long_line_is_no_trouble() {
    let Some(visit) = Visit::to(Place::with_secret()) else {
        return;
    };
    let (browser, place) = (&visit.browser, &visit.place);
    visit.at("/secrets/github-token/TOKEN");
    let paste = "const it = document.querySelector('textarea');\n\
                 it.value = 'x'.repeat(arguments[0]);\n\
                 it.getBoundingClientRect();\n\
                 it.dispatchEvent(new Event('input', { bubbles: true }));";
    // More than may be stored is no trouble either, and is not sent.
    for (length, is_too_long) in [(1 << 21, true), (1 << 20, false)] {
        let paste = format!("{paste}\nreturn it.validity.customError;");
        assert_eq!(browser.script(&paste, &json!([length])), is_too_long);
    }
    browser.press("Store as version 2");
    browser.wait_for("Store as version 3");
    assert_eq!(place.bytes("github-token", "TOKEN").len(), 1 << 20);
}

#[test]
fn a_pasted_value_keeps_its_lines() {
    let Some(visit) = Visit::to(Place::with_secret()) else {
        return;
    };
    let (browser, place) = (&visit.browser, &visit.place);
    visit.at("/secrets/github-token/TOKEN");
    let lines = format!("-----BEGIN KEY-----\n{PASTED}\n\n-----END KEY-----\n");
    browser.copy_elsewhere(&lines);
    browser.click_into("Value");
    browser.chord(CONTROL, "v");
    browser.wait_for("4 lines, with a line end behind the last one");
    browser.press("Store as version 2");
    browser.wait_for("Store as version 3");
    assert_eq!(place.bytes("github-token", "TOKEN"), lines.as_bytes());
    assert!(!document(&visit).contains(PASTED));
}

#[test]
fn a_value_is_generated_and_taken_from_a_file() {
    let Some(visit) = Visit::to(Place::with_secret()) else {
        return;
    };
    let (browser, place) = (&visit.browser, &visit.place);
    visit.at("/secrets/github-token/TOKEN");
    browser.click("Generate");
    browser.empty("Letters and digits");
    browser.fill("Letters and digits", "48");
    browser.press("Store as version 2");
    browser.wait_for("Store as version 3");
    let made = place.get("github-token", "TOKEN");
    assert!(made.len() == 48 && made.chars().all(|it| it.is_ascii_alphanumeric()));
    assert!(!document(&visit).contains(&made));
    // Every byte counts.
    let bytes = b"-----BEGIN KEY-----\r\nMIIB\xff\0\n-----END KEY-----\n\n";
    let file = place.root().join("key.pem");
    fs::write(&file, bytes).unwrap();
    let empty = place.root().join("empty.pem");
    fs::write(&empty, "").unwrap();
    browser.click("From a file");
    browser.fill("File", empty.to_str().unwrap());
    browser
        .wait("document.querySelector('[name=base64]').validationMessage === 'The file is empty.'");
    browser.fill("File", file.to_str().unwrap());
    browser.press("Store as version 3");
    browser.wait_for("Store as version 4");
    assert_eq!(place.bytes("github-token", "TOKEN"), bytes);
    // A new secret can be made so, too.
    visit.at("/secrets/github-token");
    browser.click("From a file");
    browser.fill("Key", "PRIVATE_KEY");
    browser.fill("File", file.to_str().unwrap());
    browser.press("Store");
    browser.wait("document.querySelector('h1')?.innerText === 'PRIVATE_KEY'");
    assert_eq!(place.bytes("github-token", "PRIVATE_KEY"), bytes);
    assert!(!document(&visit).contains("MIIB"));
}

#[test]
fn an_older_version_is_restored() {
    let place = Place::with_secret();
    place.put("github-token", "TOKEN", "second-S3cret-value-0123456789");
    place.put("github-token", "TOKEN", PASTED);
    let Some(visit) = Visit::to(place) else {
        return;
    };
    let (browser, place) = (&visit.browser, &visit.place);
    visit.at("/secrets/github-token/TOKEN");
    let shown = "return [...document.querySelectorAll('main tbody tr')].map((it) => Number(it.cells[0].innerText))";
    assert_eq!(browser.script(shown, &json!([])), json!([3, 2, 1]));
    assert_eq!(versions(place), [3, 2, 1]);
    browser.press("Restore version 1");
    browser.wait_for("Store as version 5");
    assert_eq!(browser.script(shown, &json!([])), json!([4, 3, 2, 1]));
    assert_eq!(versions(place), [4, 3, 2, 1]);
    assert_eq!(place.get("github-token", "TOKEN"), STORED);
}

/// The secret was deleted and created again since this tab was loaded: its versions have the same numbers.
#[test]
fn a_tab_that_shows_what_is_gone_changes_nothing() {
    let place = Place::with_secret();
    place.put("github-token", "TOKEN", PASTED);
    let Some(visit) = Visit::to(place) else {
        return;
    };
    let (browser, place) = (&visit.browser, &visit.place);
    let anew = |first: &str| {
        visit.at("/secrets/github-token/TOKEN");
        place.run(&["secret", "delete", "github-token", "TOKEN"]);
        place.put("github-token", "TOKEN", first);
        place.put("github-token", "TOKEN", "second-S3cret-value-0123456789");
    };
    let refused = |before: Vec<String>| {
        browser.wait("document.querySelector('main form [role=alert]')?.innerText.includes('TOKEN changed concurrently')");
        assert_eq!(place.state(), before);
        assert_eq!(versions(place), [2, 1]);
    };
    anew("n3w-S3cret-value-1");
    let before = place.state();
    browser.press("Restore version 1");
    refused(before);
    anew("n3w-S3cret-value-2");
    let before = place.state();
    browser.fill("Note", "of the builds");
    browser.press("Save");
    refused(before);
    anew("n3w-S3cret-value-3");
    let before = place.state();
    browser.fill("Value", PASTED);
    browser.press("Store as version 3");
    refused(before);
    // Another tab has changed the note alone.
    visit.at("/secrets/github-token/TOKEN");
    place.run(&[
        "secret",
        "edit",
        "github-token",
        "TOKEN",
        "--note",
        "of another tab",
    ]);
    let before = place.state();
    browser.fill("Note", "of the builds");
    browser.press("Save");
    refused(before);
}

#[test]
fn what_is_said_about_a_secret_is_changed() {
    let Some(visit) = Visit::to(Place::with_secret()) else {
        return;
    };
    let (browser, place) = (&visit.browser, &visit.place);
    let said = || place.json(&["secret", "list", "github-token"])["secrets"][0].clone();
    visit.at("/secrets/github-token/TOKEN");
    browser.press("Save");
    browser.wait_for("Nothing was changed in these fields");
    // Later than a time can be, and earlier.
    let fits = "const it = document.querySelector('[name=expires]');\n\
                it.value = arguments[0];\n\
                const fits = it.validity.valid;\n\
                it.value = '';\n\
                return fits;";
    for (date, is_one) in [
        ("9999-12-31", false),
        ("2031-05-04", true),
        ("0001-01-01", false),
    ] {
        assert_eq!(browser.script(fits, &json!([date])), is_one, "{date}");
    }
    browser.fill("Note", "of the builds");
    // As Chromium takes a date in English: month, day, year.
    browser.fill("Expires", "05042031");
    browser.fill("Replace every", "90");
    browser.press("Save");
    browser.wait_for("every 90 days");
    browser.wait("document.querySelector('main h1 ~ p')?.innerText === 'of the builds'");
    let now = said();
    assert_eq!(now["note"], "of the builds", "{now}");
    assert!(
        now["expires"].as_str().unwrap().starts_with("2031-05-04"),
        "{now}"
    );
    // The fields have what there is, and one that is emptied removes it.
    assert_eq!(browser.filled("Expires"), "2031-05-04");
    browser.empty("Note");
    browser.press("Save");
    browser.wait("document.querySelector('[name=note]').defaultValue === ''");
    browser.settled();
    let now = said();
    assert_eq!(now["note"], Value::Null, "{now}");
    assert!(
        now["expires"].as_str().unwrap().starts_with("2031-05-04"),
        "{now}"
    );
    assert_eq!(
        (now["version"].clone(), place.get("github-token", "TOKEN")),
        (json!(1), STORED.to_owned())
    );
}
