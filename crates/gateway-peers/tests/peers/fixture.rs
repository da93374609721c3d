//! The fixture server.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use serde_json::{Value, json};
use test_support::{skip, tool};

use super::started::{Talk, serve};

const SERVER: &str = env!("CARGO_BIN_EXE_fixture-server");

fn modern(id: u32, method: &str, mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": { "elicitation": {} },
    });
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

fn legacy(id: u32, method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

fn initialize(version: &str) -> Value {
    let client = json!({ "name": "test", "version": "1" });
    legacy(
        0,
        "initialize",
        &json!({ "protocolVersion": version, "capabilities": { "elicitation": {} }, "clientInfo": client }),
    )
}

#[test]
fn the_official_suite_finds_no_fault() {
    if std::env::var_os("MCPLEXER_TEST_SERVERS").is_none() {
        return skip("servers", "MCPLEXER_TEST_SERVERS names no directory");
    }
    let Some(python) = tool("python3") else {
        return;
    };
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance");
    let check = |options: &[&str], revision: &str| {
        let (_server, url) = serve(SERVER, options);
        let mut command = Command::new(&python);
        command.arg(&suite).args(["server", revision, &url]);
        let output = command.output().unwrap();
        let verdict = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{options:?}: {verdict}");
        // Not even in what it runs and does not require.
        assert!(!verdict.contains(": FAILURE"), "{options:?}: {verdict}");
        assert!(!verdict.contains(": WARNING"), "{options:?}: {verdict}");
    };
    thread::scope(|scope| {
        let check = &check;
        for options in [&[][..], &["--events"]] {
            for revision in ["2025-11-25", "2026-07-28"] {
                scope.spawn(move || check(options, revision));
            }
        }
    });
}

#[test]
fn both_eras_have_the_same_lists() {
    let mut talk = Talk::start(SERVER, &[]);
    assert_eq!(
        talk.ask(&initialize("2025-06-18"))["result"]["protocolVersion"],
        "2025-06-18"
    );
    assert_eq!(
        talk.ask(&modern(1, "server/discover", json!({})))["result"]["supportedVersions"],
        json!(["2026-07-28"])
    );
    for (method, member) in [
        ("tools/list", "tools"),
        ("prompts/list", "prompts"),
        ("resources/list", "resources"),
        ("resources/templates/list", "resourceTemplates"),
    ] {
        let old = talk.ask(&json!({ "jsonrpc": "2.0", "id": 2, "method": method }));
        let new = talk.ask(&modern(3, method, json!({})));
        assert!(
            !old["result"][member].as_array().unwrap().is_empty(),
            "{old}"
        );
        assert_eq!(old["result"][member], new["result"][member]);
        assert_eq!(new["result"]["resultType"], "complete");
    }
}

#[test]
fn pages_make_up_the_whole_list() {
    let mut whole = Talk::start(SERVER, &[]);
    let mut pages = Talk::start(SERVER, &["--page", "5"]);
    let whole = whole.ask(&modern(1, "tools/list", json!({})))["result"]["tools"].clone();
    let mut tools = Vec::new();
    let mut params = json!({});
    loop {
        let page = pages.ask(&modern(1, "tools/list", params))["result"].clone();
        tools.extend(page["tools"].as_array().unwrap().clone());
        let Some(cursor) = page.get("nextCursor") else {
            break;
        };
        params = json!({ "cursor": cursor });
    }
    assert_eq!(Value::from(tools), whole);
}

#[test]
fn a_tool_asks_the_user_in_either_era() {
    let mut talk = Talk::start(SERVER, &[]);
    talk.ask(&initialize("2025-11-25"));
    let call = json!({ "name": "test_input_required_result_elicitation" });
    let question = talk.ask(&legacy(1, "tools/call", &call));
    assert_eq!(question["method"], "elicitation/create");
    let answer = json!({ "action": "accept", "content": { "name": "Ada" } });
    let old = talk.ask(&json!({ "jsonrpc": "2.0", "id": question["id"], "result": answer }));

    let asked = talk.ask(&modern(2, "tools/call", call.clone()));
    assert_eq!(asked["result"]["resultType"], "input_required");
    let key = "user_name";
    assert_eq!(
        asked["result"]["inputRequests"][key]["params"],
        question["params"]
    );
    let mut again = call;
    again["inputResponses"] = json!({ key: answer });
    again["requestState"] = asked["result"]["requestState"].clone();
    let new = talk.ask(&modern(3, "tools/call", again));
    assert_eq!(old["result"]["content"][0]["text"], "Hello, Ada!");
    assert_eq!(old["result"]["content"], new["result"]["content"]);
}

#[test]
fn a_cancelled_call_is_not_answered() {
    for call in [
        legacy(7, "tools/call", &json!({ "name": "wait" })),
        modern(7, "tools/call", json!({ "name": "wait" })),
    ] {
        let mut talk = Talk::start(SERVER, &[]);
        talk.ask(&initialize("2025-11-25"));
        talk.say(&call);
        talk.say(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 7 } }));
        let count = talk.ask(&legacy(
            8,
            "tools/call",
            &json!({ "name": "cancellations" }),
        ));
        assert_eq!(
            (&count["id"], &count["result"]["content"][0]["text"]),
            (&json!(8), &json!("1"))
        );
    }
}

#[test]
fn an_era_can_be_left_out() {
    let mut old = Talk::start(SERVER, &["--eras", "legacy"]);
    assert_eq!(
        old.ask(&modern(1, "server/discover", json!({})))["error"]["code"],
        -32022
    );
    assert_eq!(
        old.ask(&initialize("2025-03-26"))["result"]["protocolVersion"],
        "2025-03-26"
    );
    let mut new = Talk::start(SERVER, &["--eras", "modern"]);
    assert_eq!(new.ask(&initialize("2025-11-25"))["error"]["code"], -32601);
    assert!(new.ask(&modern(1, "server/discover", json!({})))["result"].is_object());
}

#[test]
fn every_member_is_sent_as_it_is_written() {
    let mut talk = Talk::start(SERVER, &[]);
    talk.say(&modern(1, "tools/call", json!({ "name": "everything" })));
    let line = String::from_utf8(talk.line()).unwrap();
    assert!(
        line.contains("[1, 2.50, 1E+2, 123456789012345678901234567890]"),
        "{line}"
    );
    talk.say(&modern(2, "tools/list", json!({})));
    assert!(
        String::from_utf8(talk.line())
            .unwrap()
            .contains(r#""vendorField": [1e3, "1.10", null]"#)
    );
}

#[test]
fn it_ends_with_its_input() {
    let mut talk = Talk::start(SERVER, &[]);
    talk.say(&modern(1, "tools/call", json!({ "name": "wait" })));
    talk.ask(&initialize("2025-11-25"));
    drop(talk.server.stdin.take());
    assert!(talk.server.wait().unwrap().success());
}

#[test]
fn a_client_does_what_the_scenarios_want() {
    let Some(place) = std::env::var_os("MCPLEXER_TEST_SERVERS").map(PathBuf::from) else {
        return skip("servers", "MCPLEXER_TEST_SERVERS names no directory");
    };
    let Some(python) = tool("python3") else {
        return;
    };
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let node = place.join("node22/node_modules/.bin/node");
    let client = format!(
        "{} {}",
        node.display(),
        here.join("clients/scenario").display()
    );
    for revision in ["2025-11-25", "2026-07-28"] {
        let mut command = Command::new(&python);
        command
            .arg(here.join("conformance"))
            .args(["client", revision, &client, "auth/"]);
        let output = command.output().unwrap();
        let verdict = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{verdict}");
    }
}

#[test]
fn real_clients_call_it() {
    let Some(place) = std::env::var_os("MCPLEXER_TEST_SERVERS").map(PathBuf::from) else {
        return skip("servers", "MCPLEXER_TEST_SERVERS names no directory");
    };
    let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
    let (node, python) = (
        place.join("node22/node_modules/.bin/node"),
        place.join("bin/python"),
    );
    let (_server, url) = serve(SERVER, &[]);
    for (program, client, mode) in [
        (&node, "typescript", "v1"),
        (&node, "typescript", "v2"),
        (&python, "python", "legacy"),
        (&python, "python", "auto"),
    ] {
        let called = |target: &str, tool: &str, arguments: &str| -> Value {
            let mut command = Command::new(program);
            command
                .arg(clients.join(client))
                .args([mode, tool, arguments, target]);
            let output = command.output().unwrap();
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(
                output.status.success(),
                "{client} {mode} {target}: {errors}"
            );
            serde_json::from_slice(&output.stdout).unwrap()
        };
        for target in [url.as_str(), SERVER] {
            let asked = called(target, "test_input_required_result_multi_round", "{}");
            let text = &asked["result"]["content"][0]["text"];
            assert_eq!(text, "Multi-round complete for Ada who likes Ada");
        }
        let reported = called(&url, "test_tool_with_progress", "");
        assert_eq!(
            reported["progress"].as_array().unwrap().len(),
            3,
            "{reported}"
        );
    }
}
