//! Tool servers: started, stopped, slow, and broken.

use serde_json::{Value, json};
use test_support::tool;

use crate::browser::Visit;
use crate::documented::installed;
use crate::driver::Browser;
use crate::gate::Gate;
use crate::place::Place;

const BADGE: &str = "document.querySelector('main h1 ~ p .badge')?.innerText";

/// Waits until the page of a server says that it is in this state.
#[track_caller]
fn wait_until(browser: &Browser, state: &str) {
    browser.wait(&format!("{BADGE} === {}", json!(state)));
    browser.settled();
}

/// Returns the process that runs.
fn process(browser: &Browser) -> u64 {
    let script = "return Number(document.querySelector('main tbody th').innerText)";
    browser.script(script, &json!([])).as_u64().unwrap()
}

#[test]
fn a_server_is_started_and_stopped() {
    let Some(visit) = Visit::to(Place::with_secret()) else {
        return;
    };
    let (browser, place) = (&visit.browser, &visit.place);
    browser.click("Servers");
    browser.click("plain");
    wait_until(browser, "stopped");
    browser.wait_for("Tools not loaded yet");
    browser.press("Start plain");
    wait_until(browser, "running");
    browser.wait_for("3 tools, about");
    let shown = browser.text();
    // What it calls itself is text.
    assert!(
        shown.contains("<img src=x onerror=\"document.title=1\">"),
        "{shown}"
    );
    let log = place.run(&["server", "logs", "plain"]);
    assert!(
        log.contains("started <script>") && shown.contains(log.trim()),
        "{log}{shown}"
    );
    assert_eq!(
        browser.script("return document.title", &json!([])),
        "plain · mcplexer"
    );
    let first = process(browser);
    let command = std::fs::read_to_string(format!("/proc/{first}/cmdline")).unwrap();
    assert!(
        command.contains(place.root().to_str().unwrap()),
        "{command}"
    );
    browser.press("Restart plain");
    browser.wait(&format!(
        "Number(document.querySelector('main tbody th')?.innerText) !== {first}"
    ));
    wait_until(browser, "running");
    assert_ne!(process(browser), first);
    browser.press("Stop plain");
    wait_until(browser, "stopped");
    // Its log and its tools are still known.
    let shown = browser.text();
    assert!(
        shown.contains("3 tools, about") && shown.contains("started <script>"),
        "{shown}"
    );
    assert!(!shown.contains("What runs"), "{shown}");
}

#[test]
fn a_server_that_does_not_start_says_why() {
    let place = Place::with_secret();
    place.add_dead();
    let Some(visit) = Visit::to(place) else {
        return;
    };
    let (browser, place) = (&visit.browser, &visit.place);
    visit.at("/servers/dead");
    browser.press("Start dead");
    // The page is of one mind: it does not call it stopped as well.
    wait_until(browser, "failing");
    browser.wait_for("It does not start");
    browser.wait("document.querySelector('main .failing')?.innerText.includes('no licence found')");
    browser.wait_for("it ended at once; exit status 3");
    assert!(
        place
            .run(&["server", "logs", "dead"])
            .contains("no licence found")
    );
    visit.at("/doctor");
    browser.wait_for("server dead does not work");
    browser.wait_for("mcplexer server logs dead");
    visit.at("/servers");
    browser.wait_for("no licence found");
    browser.click("Overview");
    browser.wait_for("dead does not start");
    browser.click("Secrets");
    browser.wait_for("github-token");
}

#[test]
fn a_slow_server_holds_up_nothing() {
    let place = Place::with_secret();
    let server = place.root().join("server");
    place.run(&[
        "server",
        "add",
        "slow",
        "--",
        "/bin/sh",
        server.to_str().unwrap(),
        "slow",
    ]);
    let mut gate = Gate::of(&place);
    let Some(visit) = Visit::to(place) else {
        return;
    };
    let (browser, place) = (&visit.browser, &visit.place);
    visit.at("/servers/slow");
    browser.press("Start slow");
    browser.wait("document.querySelector('form.act[aria-busy=true]')");
    // Others go on, and see what it does.
    browser.click("Servers");
    browser.wait("document.querySelector('main tbody')?.innerText.includes('starting')");
    browser.click("plain");
    browser.press("Start plain");
    wait_until(browser, "running");
    browser.click("Secrets");
    browser.fill("Id", "typed-meanwhile");
    // The answer comes after some seconds, when the page has moved on: nothing that was typed since is lost.
    browser.wait("performance.getEntriesByType('resource').some((it) => it.name.endsWith('/servers/slow/start'))");
    browser.wait_for("It is starting.");
    browser.settled();
    assert_eq!(browser.filled("Id"), "typed-meanwhile");
    let focused = browser.script("return document.activeElement.name", &json!([]));
    assert_eq!(focused, Value::from("id"));
    visit.at("/servers/slow");
    wait_until(browser, "starting");
    assert!(!browser.text().contains("Start\n"), "{}", browser.text());
    // One that takes too long is stopped, and may be started again.
    browser.press("Stop slow");
    wait_until(browser, "stopped");
    assert!(!place.run(&["status"]).contains("starting"));
    browser.press("Start slow");
    wait_until(browser, "starting");
    gate.open();
    // Nobody has to load the page again.
    wait_until(browser, "running");
    assert!(browser.text().contains("3 tools, about"));
    assert_eq!(place.run(&["server", "logs", "slow"]).lines().count(), 2);
}

/// `@modelcontextprotocol/server-everything`: tools that others have written, with long descriptions.
#[test]
fn a_public_server_shows_its_tools() {
    let server = installed("node_modules/@modelcontextprotocol/server-everything/dist/index.js");
    let (Some(server), Some(node)) = (server, tool("node")) else {
        return;
    };
    let place = Place::with_secret();
    let [node, server] = [&node, &server].map(|it| it.to_str().unwrap());
    place.run(&["server", "add", "everything", "--", node, server]);
    let Some(visit) = Visit::to(place) else {
        return;
    };
    let (browser, place) = (&visit.browser, &visit.place);
    visit.at("/servers/everything");
    browser.press("Start everything");
    wait_until(browser, "running");
    let tools = "return [...document.querySelectorAll('main tr')]\n\
                 .filter((it) => it.cells.length === 3 && Number(it.cells[2].innerText) > 0).length";
    let tools = browser.script(tools, &json!([]));
    // The command line starts one of its own, and asks it.
    let tested = place.run(&["server", "test", "everything"]);
    assert!(
        tested.contains(&format!(" {tools} tools, ")),
        "{tools}: {tested}"
    );
    browser.wait_for(&format!("{tools} tools, about"));
}

/// Who runs the command as it is shown changes nothing.
#[test]
fn the_command_that_changes_a_server_has_all_of_it() {
    let Some(visit) = Visit::to(Place::with_secret()) else {
        return;
    };
    let (browser, place) = (&visit.browser, &visit.place);
    let before = place.run(&["server", "show", "plain", "--json"]);
    visit.at("/servers/plain");
    let command = "return [...document.querySelectorAll('pre.command')].at(-1).innerText";
    let command = browser.script(command, &json!([]));
    let command = command.as_str().unwrap();
    assert!(command.starts_with("mcplexer server add plain --replace "));
    let own = format!("exec \"$0\" {}", command.strip_prefix("mcplexer ").unwrap());
    let mut shell = place.command("/bin/sh");
    let ran = shell.args(["-c", &own, env!("CARGO_BIN_EXE_mcplexer")]);
    assert!(ran.output().unwrap().status.success(), "{command}");
    assert_eq!(place.run(&["server", "show", "plain", "--json"]), before);
}

/// Answers with 600 tools, each of which has a long description, and writes a long log.
const TALKER: &str = r#"#!/bin/sh
awk 'BEGIN { while (n++ < 5000) print n ": a line of a log that is much too long" }' >&2
while IFS= read -r line; do
  id=${line#*\"id\":}; id=${id%%,*}
  case $line in
  *'"initialize"'*) printf '{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"sh","version":"1"}}}\n' "$id" ;;
  *'"tools/list"'*) awk -v id="$id" 'BEGIN {
    while (length(d) < 5000) d = d "<"
    printf "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"tools\":[", id
    while (n++ < 600) printf "%s{\"name\":\"tool-%d\",\"description\":\"%s\",\"inputSchema\":{\"type\":\"object\"}}", (n > 1 ? "," : ""), n, substr(d, 1, (n % 7 ? 700 : 5000))
    print "]}}"
  }' ;;
  esac
done
"#;

#[test]
fn a_server_that_says_too_much_fills_no_page() {
    let place = Place::with_secret();
    let server = place.root().join("talker");
    std::fs::write(&server, TALKER).unwrap();
    let server = server.to_str().unwrap();
    place.run(&["server", "add", "talker", "--", "/bin/sh", server]);
    let opened = place.ui();
    let token = opened.token();
    let started = opened.asked(&token, "POST", "/api/v1/servers/talker/start");
    assert_eq!(started.value()["tools"], 600, "{started:?}");
    let page = opened.asked(&token, "GET", "/parts/servers/talker").text();
    assert!(page.len() < 100 << 10, "{} bytes", page.len());
    for shown in ["600 tools, about", "tool-1<", "more, which the API lists"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
}
