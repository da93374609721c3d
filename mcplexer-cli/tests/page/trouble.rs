//! What the page says when something is in the way.

use std::fs;

use super::browser::Visit;
use super::place::Place;

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
fn an_address_of_a_former_gateway_says_what_to_do() {
    let Some(visit) = Visit::to(Place::with_secret()) else {
        return;
    };
    let (browser, place) = (&visit.browser, &visit.place);
    place.stop();
    let address = visit.opened.host().to_owned();
    let _again = place.serve(&address);
    browser.click("Secrets");
    browser.wait_for("The session has ended");
    browser.wait_for("mcplexer ui");
    browser.open(&place.ui().address());
    browser.wait_for("Needs attention");
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

#[test]
fn without_a_store_the_page_says_how_to_begin() {
    let Some(visit) = Visit::to(Place::empty()) else {
        return;
    };
    let browser = &visit.browser;
    browser.click("Secrets");
    browser.wait_for("no secrets yet");
    assert!(!visit.place.path("store.redb").exists());
}
