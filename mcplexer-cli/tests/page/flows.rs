//! What people do on the page, in a browser.

use serde_json::json;

use super::browser::Visit;
use super::place::Place;

mod calls;
mod clients;
mod doctor;
mod import;
mod keyboard;
mod live;
mod search;
mod secrets;
mod servers;

const TYPED: &str = "typ3d-S3cret-value-9876543210";

#[test]
fn a_ticket_begins_one_session_and_is_gone_from_the_address() {
    let Some(visit) = Visit::to(Place::with_secret()) else {
        return;
    };
    let browser = &visit.browser;
    browser.wait_for("Overview");
    assert_eq!(visit.path(), "/");
    assert_eq!(browser.script("return document.cookie", &json!([])), "");
    let former = browser.new_tab();
    browser.open(&visit.opened.address());
    browser.wait_for("mcplexer ui");
    assert!(!browser.address().contains("t="), "{}", browser.address());
    // The other one goes on.
    browser.go_to_tab(&former);
    browser.reload();
    browser.wait_for("Needs attention");
}

#[test]
fn a_scope_is_created_filled_and_deleted() {
    let Some(visit) = Visit::to(Place::with_secret()) else {
        return;
    };
    let (browser, place) = (&visit.browser, &visit.place);
    browser.click("Secrets");
    browser.fill("Id", "made-here");
    browser.press("Create");
    browser.wait("location.pathname === '/secrets/made-here'");
    browser.fill("Key", "API_KEY");
    browser.fill("Value", TYPED);
    browser.click("Note, expiry, rotation");
    browser.fill("Note", "of a test");
    browser.press("Store");
    browser.wait("location.pathname === '/secrets/made-here/API_KEY'");
    browser.settled();
    assert_eq!(place.get("made-here", "API_KEY"), TYPED);
    assert!(!browser.text().contains(TYPED));
    visit.at("/secrets/made-here");
    browser.wait_for("of a test");
    browser.click("API_KEY");
    browser.click("Delete this secret");
    browser.fill("Type API_KEY", "API_KEY");
    browser.press("Delete");
    browser.wait("location.pathname === '/secrets/made-here'");
    browser.settled();
    assert!(!browser.text().contains("of a test"));
    assert!(
        !place
            .run(&["scope", "show", "made-here"])
            .contains("API_KEY")
    );
    browser.click("Delete this scope");
    browser.fill("Type made-here", "made-here");
    browser.press("Delete the scope");
    browser.wait("location.pathname === '/secrets'");
    browser.settled();
    assert!(!place.run(&["scope", "list"]).contains("made-here"));
    // What is deleted cannot be gone back to, and the page says so.
    browser.back();
    browser.wait_for("no scope made-here");
}

#[test]
fn what_was_typed_is_kept_when_it_is_refused() {
    let Some(visit) = Visit::to(Place::with_secret()) else {
        return;
    };
    let browser = &visit.browser;
    visit.at("/secrets");
    browser.fill("Id", "No Such Id!");
    browser.press("Create");
    browser.wait("document.querySelector('main form [role=alert]')?.innerText");
    assert_eq!(browser.filled("Id"), "No Such Id!");
    visit.at("/secrets/github-token");
    browser.fill("Key", "not a name");
    browser.fill("Value", TYPED);
    browser.press("Store");
    // The rule is that of the scope, and the field is marked.
    browser.wait_for("1 to 128 of A-Z a-z 0-9 _");
    browser.wait("document.activeElement.matches('[name=key][aria-invalid=true]')");
    assert_eq!(
        (browser.filled("Key"), browser.filled("Value")),
        ("not a name".to_owned(), TYPED.to_owned())
    );
    assert!(!browser.text().contains(TYPED));
    visit.at("/secrets/github-token/TOKEN");
    browser.click("Delete this secret");
    browser.fill("Type TOKEN", "token");
    browser.press("Delete");
    browser.wait_for("type TOKEN to confirm");
    assert!(
        visit
            .place
            .run(&["scope", "show", "github-token"])
            .contains("TOKEN")
    );
}

#[test]
fn reload_and_back_show_what_was_there() {
    let Some(visit) = Visit::to(Place::with_secret()) else {
        return;
    };
    let browser = &visit.browser;
    browser.click("Secrets");
    browser.click("github-token");
    browser.wait_for("Store a secret");
    browser.reload();
    browser.wait_for("Store a secret");
    assert_eq!(visit.path(), "/secrets/github-token");
    browser.back();
    browser.wait_for("New scope");
    browser.back();
    browser.wait_for("Needs attention");
    assert_eq!(visit.path(), "/");
}

#[test]
fn two_tabs_have_two_sessions() {
    let Some(visit) = Visit::to(Place::with_secret()) else {
        return;
    };
    let (browser, place) = (&visit.browser, &visit.place);
    let first = browser.new_tab();
    // A tab of its own has no session of another one.
    browser.open(&visit.opened.origin);
    browser.wait_for("mcplexer ui");
    browser.open(&place.ui().address());
    browser.wait_for("Needs attention");
    visit.at("/secrets/github-token/TOKEN");
    place.run(&["secret", "delete", "github-token", "TOKEN"]);
    browser.click("Delete this secret");
    browser.fill("Type TOKEN", "TOKEN");
    browser.press("Delete");
    // Somebody else was quicker. It can be pressed again at once.
    browser.wait("document.querySelector('main form [role=alert]')?.innerText");
    browser.wait("document.activeElement.innerText === 'Delete'");
    browser.go_to_tab(&first);
    browser.reload();
    browser.wait_for("Needs attention");
    let ended = place
        .command(env!("CARGO_BIN_EXE_mcplexer"))
        .args(["ui", "--stop"])
        .output();
    let said = String::from_utf8(ended.unwrap().stderr).unwrap();
    assert_eq!(said, "ended 2 sessions\n");
    browser.reload();
    browser.wait_for("The session has ended");
}
