//! Calls that happen while nobody looks, or while the stream is broken off.

use serde_json::json;

use super::calls::{ROWS, wait_for_rows};
use crate::browser::Visit;
use crate::client::Client;
use crate::gate::Gate;
use crate::place::Place;

/// Whether calls come in as they happen.
const LIVE: &str = "document.querySelector('live-calls [data-state]')?.innerText === 'live'";

/// Remembers whether the tab reads a stream once it is not seen.
const REMEMBER: &str = "document.addEventListener('visibilitychange', () => {\n\
      if (document.hidden) window.isQuiet = document.querySelector('live-calls').reading.signal.aborted;\n\
    });";

/// Breaks off streams with `cut()`, and lets no other one begin until `reconnect()`.
const BREAKABLE: &str = "const real = window.fetch;\n\
    let whole = Promise.resolve();\n\
    window.fetch = async (...all) => {\n\
      if (!String(all[0]).includes('/calls/stream')) return real(...all);\n\
      await whole;\n\
      const answer = await real(...all);\n\
      const start = (it) => { window.cut = () => {\n\
        whole = new Promise((resolve) => (window.reconnect = resolve));\n\
        it.error(new TypeError('cut'));\n\
      } };\n\
      return new Response(answer.body.pipeThrough(new TransformStream({ start })), answer);\n\
    };";

#[test]
fn calls_that_were_missed_are_fetched_when_the_stream_goes_on() {
    let place = Place::with_secret();
    let mut gate = Gate::of(&place);
    let Some(visit) = Visit::to(place) else {
        return;
    };
    let browser = &visit.browser;
    browser.before_each_page(BREAKABLE);
    let mut client = Client::connect(&visit.place, "cursor");
    client.call("plain__echo");
    visit.at("/calls");
    browser.wait(LIVE);
    let waiting = client.begin_call("plain__wait");
    let row = |tool: &str, outcome: &str| json!(["cursor", "plain", tool, outcome]);
    let before = json!([row("wait", "open"), row("echo", "ok")]);
    wait_for_rows(&visit, &before);
    browser.script("window.cut()", &json!([]));
    browser.wait(&format!("!({LIVE})"));
    gate.open();
    client.end(waiting);
    client.call("plain__fail");
    client.call("plain__nope");
    assert_eq!(
        browser.script(&format!("return {ROWS}"), &json!([])),
        before
    );
    browser.script("window.reconnect()", &json!([]));
    let after = json!([
        row("nope", "refused"),
        row("fail", "tool-error"),
        row("wait", "ok"),
        row("echo", "ok")
    ]);
    wait_for_rows(&visit, &after);
    browser.wait(LIVE);
    // What is held back is held back still.
    browser.press("Pause");
    browser.script("window.cut()", &json!([]));
    client.call("plain__echo");
    browser.script("window.reconnect()", &json!([]));
    browser.wait_for("1 new");
    wait_for_rows(&visit, &after);
    browser.press("Resume");
    browser.wait(&format!("({ROWS}).length === 5"));
}

#[test]
fn a_tab_that_nobody_sees_takes_no_connection_and_misses_nothing() {
    let place = Place::with_secret();
    let mut gate = Gate::of(&place);
    let Some(visit) = Visit::to(place) else {
        return;
    };
    let browser = &visit.browser;
    let mut client = Client::connect(&visit.place, "cursor");
    client.call("plain__echo");
    let waiting = client.begin_call("plain__wait");
    visit.at("/calls?outcome=open");
    browser.wait(LIVE);
    wait_for_rows(&visit, &json!([["cursor", "plain", "wait", "open"]]));
    browser.script(REMEMBER, &json!([]));
    let mut tabs = vec![browser.new_tab()];
    // A browser has six connections to an origin.
    for _ in 0..6 {
        browser.open(&visit.place.ui().address());
        browser.settled();
        visit.at("/calls");
        browser.wait(LIVE);
        browser.script(REMEMBER, &json!([]));
        tabs.push(browser.new_tab());
    }
    gate.open();
    client.end(waiting);
    client.call("plain__fail");
    for tab in &tabs[1..] {
        browser.go_to_tab(tab);
        browser.wait(&format!("window.isQuiet && ({ROWS}).length === 3"));
    }
    // The call that went on has ended, so that this filter does not let it through any more.
    browser.go_to_tab(&tabs[0]);
    browser.wait(&format!("window.isQuiet && ({ROWS}).length === 0"));
}

/// How the window gets its calls.
const STATE: &str = "document.querySelector('live-calls [data-state]')?.innerText";

#[test]
fn windows_side_by_side_share_one_stream_and_leave_connections_to_the_rest() {
    let place = Place::with_secret();
    let Some(visit) = Visit::to(place) else {
        return;
    };
    let browser = &visit.browser;
    let mut client = Client::connect(&visit.place, "cursor");
    client.call("plain__echo");
    let mut windows = Vec::new();
    // A browser has six connections to an origin.
    for count in 1..=7 {
        if count > 1 {
            browser.new_window();
            browser.open(&visit.place.ui().address());
            browser.settled();
        }
        visit.at("/calls");
        browser.wait("document.querySelector('live-calls [data-state].good')");
        windows.push(browser.tab());
    }
    client.call("plain__fail");
    let rows = format!("!document.hidden && ({ROWS}).length === 2");
    for window in &windows {
        browser.go_to_tab(window);
        browser.wait(&rows);
    }
    // The one that is turned to has the stream.
    for pair in [[&windows[6], &windows[0]], [&windows[0], &windows[6]]] {
        browser.go_to_tab(pair[0]);
        browser.script("dispatchEvent(new Event('focus'))", &json!([]));
        browser.wait(LIVE);
        browser.go_to_tab(pair[1]);
        browser.wait(&format!("{STATE} === 'every 3 s'"));
    }
    let held = "return (await navigator.locks.query()).held.length";
    assert_eq!(browser.promised(held, &json!([])), 1);
    visit.at("/secrets/github-token");
    browser.fill("Key", "OTHER");
    browser.fill("Value", "st0red-then-S3cret-value-01234");
    browser.press("Store");
    browser.wait("document.querySelector('h1')?.innerText === 'OTHER'");
    // When its window is closed, another one gets it.
    browser.go_to_tab(&windows[0]);
    browser.close();
    for _ in 0..2 {
        client.call("plain__echo");
    }
    browser.go_to_tab(&windows[1]);
    browser.wait(&format!("({ROWS}).length === 4"));
    let taken = "while (!(await navigator.locks.query()).held.length) await new Promise((done) => setTimeout(done, 20));\n\
                 return true;";
    assert_eq!(browser.promised(taken, &json!([])), true);
}
