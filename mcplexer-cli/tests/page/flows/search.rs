//! Search over everything, with `/`, and no mouse.

use serde_json::json;

use crate::browser::Visit;
use crate::hands::{DOWN, ENTER, ESCAPE, UP};
use crate::place::Place;

const IS_OPEN: &str = "document.getElementById('finder').open";

/// Returns what is selected: its kind and its name.
const SELECTED: &str = "(() => {\n\
                          const it = document.querySelector('#found [aria-selected=true]');\n\
                          return it && document.querySelector('#finder input').getAttribute('aria-activedescendant') === it.id\n\
                            && it.querySelector('.kind').innerText + ' ' + it.querySelector('.name').innerText;\n\
                        })()";

fn furnished() -> Place {
    let place = Place::with_secret();
    place.put("linear", "LINEAR_API_KEY", "an0ther-S3cret-value-of-a-test");
    place.run(&["client", "add", "cursor"]);
    place
}

#[test]
fn everything_is_found_by_keyboard() {
    let Some(visit) = Visit::to(furnished()) else {
        return;
    };
    let browser = &visit.browser;
    for (typed, found, path) in [
        ("hub-tok", "scope github-token", "/secrets/github-token"),
        (
            "linear_api",
            "secret LINEAR_API_KEY",
            "/secrets/linear/LINEAR_API_KEY",
        ),
        ("lai", "server plain", "/servers/plain"),
        ("curs", "client cursor", "/clients"),
        ("doct", "page Doctor", "/doctor"),
    ] {
        browser.keys("/");
        browser.wait(IS_OPEN);
        browser.keys(typed);
        browser.wait(&format!("{SELECTED} === {}", json!(found)));
        browser.keys(ENTER);
        browser.wait(&format!("location.pathname === {}", json!(path)));
        browser.settled();
        browser.wait(&format!(
            "!{IS_OPEN} && document.querySelector('main').contains(document.activeElement)"
        ));
    }
    // Who types quickly gets what was typed, and not what was shown a moment before.
    browser.keys(&format!("/github-token{ENTER}"));
    browser.wait("location.pathname === '/secrets/github-token'");
    browser.settled();
    browser.keys("/nothing-of-the-kind");
    browser.wait_for("Nothing has “nothing-of-the-kind” in its name.");
    browser.keys(ENTER);
    assert_eq!(visit.path(), "/secrets/github-token");
}

#[test]
fn arrows_choose_and_escape_leaves() {
    let Some(visit) = Visit::to(furnished()) else {
        return;
    };
    let browser = &visit.browser;
    browser.tab_to("it.matches('nav a[href=\"/servers\"]')");
    browser.keys("/linear");
    browser.wait(&format!("{SELECTED} === 'scope linear'"));
    browser.keys(DOWN);
    browser.wait(&format!("{SELECTED} === 'secret LINEAR_API_KEY'"));
    // Behind the last one comes the first, and before it the last.
    browser.keys(DOWN);
    browser.wait(&format!("{SELECTED} === 'scope linear'"));
    browser.keys(UP);
    browser.wait(&format!("{SELECTED} === 'secret LINEAR_API_KEY'"));
    browser.keys(ESCAPE);
    browser.wait(&format!("!{IS_OPEN}"));
    // The focus is where it was, and nothing has moved.
    browser.wait("document.activeElement.matches('nav a[href=\"/servers\"]')");
    assert_eq!(visit.path(), "/");
    browser.keys("/linear");
    browser.wait(&format!("{SELECTED} === 'scope linear'"));
    browser.keys(&format!("{DOWN}{ENTER}"));
    browser.wait("location.pathname === '/secrets/linear/LINEAR_API_KEY'");
    // In a field, it is a letter.
    browser.settled();
    browser.click_into("Value");
    browser.keys("a/b");
    assert_eq!(browser.filled("Value"), "a/b");
    assert_eq!(
        browser.script(&format!("return {IS_OPEN}"), &json!([])),
        false
    );
}
