//! Each page by keyboard alone: everything is reached, in a circle, and seen to be where the focus is.

use serde_json::{Value, json};

use crate::browser::Visit;
use crate::client::Client;
use crate::hands::{ENTER, TAB};
use crate::place::{PAGES, Place};

/// Notes from then on where the focus comes, and without a ring.
const WATCH: &str = r#"
document.activeElement.blur();
window.reached = [];
window.ringless = [];
document.addEventListener("focusin", ({ target }) => {
  reached.push(target);
  const style = getComputedStyle(target);
  const hasRing = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
  if (!hasRing || !target.matches(":focus-visible")) ringless.push(target.outerHTML);
});
"#;

/// Whether the focus has gone once around.
const IS_ROUND: &str = "return reached.length > 1 && reached.lastIndexOf(reached[0]) > 0";

/// Returns what can be used and was not reached.
const MISSED: &str = r#"
const usable = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]:not([tabindex='-1']), [contenteditable]";
return [...document.querySelectorAll(usable)]
  .filter((it) => !it.disabled && it.checkVisibility({ visibilityProperty: true }) && !reached.includes(it))
  .map((it) => it.outerHTML);
"#;

const TYPED: &str = "typ3d-S3cret-value-9876543210";

/// Returns where the focus goes back within a round, but for its end.
const BACKWARDS: &str = r#"
const round = reached.slice(0, reached.indexOf(reached[0], 1) + 1);
const back = round.filter((it, at) => at && it.compareDocumentPosition(round[at - 1]) & Node.DOCUMENT_POSITION_FOLLOWING);
return back.slice(1).map((it) => it.outerHTML);
"#;

#[test]
fn every_page_is_gone_through_with_tab() {
    let place = Place::with_secret();
    place.run(&["client", "add", "cursor"]);
    let Some(visit) = Visit::to(place) else {
        return;
    };
    let browser = &visit.browser;
    // So that there is a call, and a server with tools and a log.
    Client::connect(&visit.place, "cursor").call("plain__echo");
    let mut wrong = Vec::new();
    for (name, path) in PAGES {
        visit.at(path);
        browser.wait("!document.querySelector('main [aria-busy=true]')");
        browser.open_all();
        browser.script(WATCH, &json!([]));
        let is_round = (0..40).any(|_| {
            browser.keys(&TAB.repeat(10));
            browser.script(IS_ROUND, &json!([])) == true
        });
        let missed = browser.script(MISSED, &json!([]));
        let ringless = browser.script("return ringless", &json!([]));
        let backwards = browser.script(BACKWARDS, &json!([]));
        let none = json!([]);
        if !is_round || [&missed, &ringless, &backwards] != [&none; 3] {
            wrong.push(
                json!({"page": name, "missed": missed, "ringless": ringless, "backwards": backwards, "is_round": is_round}),
            );
        }
    }
    assert!(wrong.is_empty(), "{:#}", Value::from(wrong));
}

#[test]
fn the_keyboard_is_enough() {
    let Some(visit) = Visit::to(Place::with_secret()) else {
        return;
    };
    let (browser, place) = (&visit.browser, &visit.place);
    browser.tab_to("it.matches('a.skip')");
    browser.tab_to("it.matches('nav a[href=\"/secrets\"]')");
    browser.keys(ENTER);
    browser.wait_for("New scope");
    // The focus is in what came, so Tab goes on from there.
    browser.wait("document.querySelector('main').contains(document.activeElement)");
    browser.tab_to("it.matches('main a') && it.innerText === 'github-token'");
    browser.keys(ENTER);
    browser.wait_for("Store a secret");
    browser.wait("document.querySelector('main').contains(document.activeElement)");
    browser.tab_to("it.name === 'key'");
    browser.keys("BY_KEYS");
    browser.tab_to("it.name === 'value'");
    browser.keys(TYPED);
    browser.keys(ENTER);
    browser.wait("document.querySelector('h1')?.innerText === 'BY_KEYS'");
    assert_eq!(place.get("github-token", "BY_KEYS"), TYPED);
    browser.tab_to("it.matches('summary') && it.innerText === 'Delete this secret'");
    browser.keys(&format!("{ENTER}{TAB}BY_KEYS{ENTER}"));
    browser.wait("location.pathname === '/secrets/github-token'");
    browser.settled();
    assert!(!browser.text().contains("BY_KEYS\t"));
}
