//! A file is imported: it is shown what would change, and stored when a person says so.

use std::fs::{self, File};
use std::path::PathBuf;
use std::time::SystemTime;

use serde_json::json;

use crate::browser::Visit;
use crate::leaks::{KEPT, assert_none, forms};
use crate::place::{Place, STORED};

const OTHER: &str = "0ther-S3cret-value-1122334455";
const NEW: &str = "n3w-S3cret-value-6677889900";

/// Waits until the preview is there.
const PREVIEWED: &str = "document.querySelector('[data-preview] table')";

/// Returns the rows of the preview.
const ROWS: &str = "return [...document.querySelectorAll('[data-preview] tbody tr')]\n\
                    .map((it) => [...it.cells].map((cell) => cell.innerText))";

/// Writes a file of an app, which has a key of the store as well.
fn env(visit: &Visit) -> PathBuf {
    let file = visit.place.root().join("app.env");
    let text = format!(
        "# of the app\nTOKEN={OTHER}\nexport NEW_KEY=\"{NEW}\"\nBLANK=\nHASHED=tail-{NEW}#part\n"
    );
    fs::write(&file, text).unwrap();
    file
}

/// Whether the preview of a choice is there.
fn previewed(hash: &str) -> String {
    let preview = "document.querySelector('[data-preview]')";
    format!(
        "{preview}.querySelector('select').value === '{hash}' && !{preview}.querySelector(':scope > button').disabled"
    )
}

#[test]
fn a_dropped_file_is_stored_after_its_preview() {
    let Some(visit) = Visit::to(Place::with_secret()) else {
        return;
    };
    let (browser, place) = (&visit.browser, &visit.place);
    visit.at("/secrets/github-token");
    let before = place.state();
    browser.drop_file("import-file", &env(&visit));
    browser.wait(PREVIEWED);
    browser.wait_for("2 new, 1 with another value, 0 unchanged");
    browser.wait_for("Left out because blank: BLANK");
    let rows = json!([
        ["TOKEN", "another value"],
        ["NEW_KEY", "new"],
        ["HASHED", "new"]
    ]);
    assert_eq!(browser.script(ROWS, &json!([])), rows);
    assert_eq!(place.state(), before, "nothing is stored yet");
    browser.choose("The # right behind", "the beginning of a comment");
    browser.wait(&previewed("cut"));
    // Another choice, and a click before its preview is there.
    let quick = "const select = document.querySelector('[data-preview] select');\n\
                 select.value = 'keep';\n\
                 select.dispatchEvent(new Event('change'));\n\
                 document.querySelector('[data-preview] > button').click();";
    browser.script(quick, &json!([]));
    browser.wait(&previewed("keep"));
    assert_eq!(place.state(), before, "nothing is stored yet");
    browser.choose("The # right behind", "the beginning of a comment");
    browser.wait(&previewed("cut"));
    browser.press("Import");
    browser.wait("!document.querySelector('[data-preview]') && document.querySelector('main').innerText.includes('NEW_KEY')");
    browser.settled();
    assert_eq!(place.get("github-token", "TOKEN"), OTHER);
    assert_eq!(place.get("github-token", "NEW_KEY"), NEW);
    assert_eq!(place.get("github-token", "HASHED"), format!("tail-{NEW}"));
    let kept = browser.promised(KEPT, &json!([]));
    let forms = [forms(OTHER), forms(NEW), forms(STORED)].concat();
    assert_none(&forms, kept.as_str().unwrap().as_bytes(), "the page");
}

#[test]
fn a_chosen_file_leaves_what_is_to_be_kept() {
    let Some(visit) = Visit::to(Place::with_secret()) else {
        return;
    };
    let (browser, place) = (&visit.browser, &visit.place);
    visit.at("/secrets/github-token");
    let before = place.state();
    let env = env(&visit);
    browser.fill("A .env", env.to_str().unwrap());
    browser.wait(PREVIEWED);
    // Another file has other keys: nothing of this choice is left.
    browser.tick("HASHED");
    browser.press("Cancel");
    browser.wait("!document.querySelector('[data-preview]')");
    // Nor is it, if the page is loaded again in the middle.
    browser.fill("A .env", env.to_str().unwrap());
    browser.wait(PREVIEWED);
    assert!(!browser.text().contains("1 left out"));
    browser.reload();
    browser.wait_for("Import a file");
    assert_eq!(browser.script(ROWS, &json!([])), json!([]));
    assert_eq!(place.state(), before);
    browser.fill("A .env", env.to_str().unwrap());
    browser.wait(PREVIEWED);
    browser.choose("Where the store has another value", "keep it");
    browser.tick("HASHED");
    browser.wait_for("1 new, 1 with another value, 0 unchanged, 1 left out");
    browser.press("Import");
    browser.wait("!document.querySelector('[data-preview]') && document.querySelector('main').innerText.includes('NEW_KEY')");
    assert_eq!(place.get("github-token", "TOKEN"), STORED);
    assert_eq!(place.get("github-token", "NEW_KEY"), NEW);
    let names = place.run(&["scope", "show", "github-token"]);
    assert!(!names.contains("HASHED"), "{names}");
    // What is ticked again is imported, and nothing is left to be done without a tick.
    browser.fill("A .env", env.to_str().unwrap());
    browser.wait(PREVIEWED);
    for key in ["TOKEN", "HASHED"] {
        browser.tick(key);
    }
    browser
        .wait("[...document.querySelectorAll('[data-preview] button')].some((it) => it.disabled)");
    browser.tick("HASHED");
    browser.press("Import");
    browser.wait("!document.querySelector('[data-preview]') && document.querySelector('main').innerText.includes('HASHED')");
    assert_eq!(place.get("github-token", "TOKEN"), STORED);
    assert_eq!(
        place.get("github-token", "HASHED"),
        format!("tail-{NEW}#part")
    );
}

#[test]
fn a_file_that_cannot_be_imported_says_why() {
    let Some(visit) = Visit::to(Place::with_secret()) else {
        return;
    };
    let (browser, place) = (&visit.browser, &visit.place);
    visit.at("/secrets/github-token");
    let before = place.state();
    let bad_line = format!("GOOD={NEW}\nnot a line of it {OTHER}\n");
    for (name, bytes, why) in [
        ("bad.env", bad_line.as_bytes(), "line 2"),
        ("letter.txt", b"Dear all", "Unknown file type"),
        ("none.env", b"# nothing\n", "no secrets"),
        ("key.env", b"KEY=\xff\n", "not text"),
    ] {
        let file = place.root().join(name);
        fs::write(&file, bytes).unwrap();
        browser.drop_file("import-file", &file);
        browser.wait(&alert(why));
        assert!(!browser.text().contains(OTHER) && !browser.text().contains(NEW));
    }
    // All of it at once, each with its line.
    let several = format!("not a line {OTHER}\nGOOD={NEW}\nGOOD={NEW}\n\nnor this\n");
    let file = place.root().join("several.env");
    fs::write(&file, several).unwrap();
    browser.drop_file("import-file", &file);
    browser.wait(&alert("line 5"));
    let said = "return [...document.querySelectorAll('import-file [role=alert] .title')].map((it) => it.innerText)";
    let said = browser.script(said, &json!([]));
    let expected = "expected NAME=value; a value of several lines must be in quotes";
    let lines = json!([
        format!("several.env, line 1: {expected}"),
        "line 3 (GOOD): duplicate name; the first is on line 2",
        format!("line 5: {expected}"),
    ]);
    assert_eq!(said, lines);
    // What is imported is what was shown.
    let env = env(&visit);
    browser.drop_file("import-file", &env);
    browser.wait(PREVIEWED);
    fs::write(&env, "EVIL=1\n").unwrap();
    let changed = File::options().write(true).open(&env).unwrap();
    changed.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    browser.press("Import");
    browser.wait(&alert("cannot be read any more"));
    assert_eq!(place.state(), before);
}

/// Another tab stores a secret after the preview: it is not replaced, also if another secret of the file is.
#[test]
fn what_was_stored_since_the_preview_stays() {
    let Some(visit) = Visit::to(Place::with_secret()) else {
        return;
    };
    let (browser, place) = (&visit.browser, &visit.place);
    visit.at("/secrets/github-token");
    browser.drop_file("import-file", &env(&visit));
    browser.wait_for("2 new, 1 with another value, 0 unchanged");
    place.put("github-token", "NEW_KEY", "typed-in-another-tab");
    let before = place.state();
    browser.press("Import");
    browser.wait(&alert("NEW_KEY changed concurrently"));
    assert_eq!(place.state(), before);
    assert_eq!(place.get("github-token", "TOKEN"), STORED);
    // A preview of what is there now is imported.
    browser.drop_file("import-file", &env(&visit));
    browser.wait_for("1 new, 2 with another value, 0 unchanged");
    browser.press("Import");
    browser.wait("!document.querySelector('[data-preview]') && document.querySelector('main').innerText.includes('HASHED')");
    assert_eq!(place.get("github-token", "NEW_KEY"), NEW);
}

/// Whether an alert has these words.
fn alert(words: &str) -> String {
    format!(
        "document.querySelector('import-file [role=alert]')?.innerText.includes({})",
        json!(words)
    )
}

/// As the command line warns: its value can make a command run other code.
#[test]
fn what_takes_over_a_command_is_left_out_until_it_is_ticked() {
    let Some(visit) = Visit::to(Place::with_secret()) else {
        return;
    };
    let (browser, place) = (&visit.browser, &visit.place);
    visit.at("/secrets/github-token");
    let file = place.root().join("over.env");
    fs::write(&file, "PLAIN=value-of-plain\nBASH_ENV=/tmp/x\n").unwrap();
    browser.drop_file("import-file", &file);
    browser.wait_for("takes over a command that gets it");
    browser.wait_for("1 new, 0 with another value, 0 unchanged, 1 left out");
    browser.press("Import");
    browser.wait("!document.querySelector('[data-preview]') && document.querySelector('main').innerText.includes('PLAIN')");
    let names = place.run(&["scope", "show", "github-token"]);
    assert!(!names.contains("BASH_ENV"), "{names}");
}
