//! When servers start, how many at once, and when they end by themselves.

use std::time::Instant;

use test_support::started_in;

use super::daemon::{run, status_with, stop, with_http_on};
use super::kills::PATIENCE;
use super::*;

/// A server that notes how many start at the same time, and answers its greeting when it is let.
const SLOW: &str = r#"#!/bin/sh
cd "$1" || exit
: > "busy/$2"
ls busy | wc -l >> seen
read line
read go < go
rm "busy/$2"
id=${line#*\"id\":}; id=${id%%,*}
printf '{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"slow","version":"1"}}}\n' "$id"
while read line; do
  id=${line#*\"id\":}; id=${id%%,*}
  case $line in
  *'"id"'*) printf '{"jsonrpc":"2.0","id":%s,"result":{"tools":[{"name":"x"}]}}\n' "$id" ;;
  esac
done
"#;

/// Adds a line to a server of a configuration.
fn with_line(config: &str, kind: &str, line: &str) -> String {
    let head = format!("  {kind}:\n");
    assert!(config.contains(&head));
    config.replace(&head, &format!("{head}    {line}\n"))
}

fn state<'a>(status: &'a Value, server: &str) -> &'a Value {
    let servers = status["servers"].as_array().unwrap();
    servers.iter().find(|it| it["name"] == server).unwrap()
}

/// Makes a home with servers that answer their greeting when they are let.
fn slow_home(names: &[&str]) -> Home {
    let home = Home::with_secret(VALUE);
    let root = home.root();
    write_program(&root.join("slow"), SLOW);
    fs::create_dir(root.join("busy")).unwrap();
    make_pipe(&root.join("go"));
    let server = |name: &&str| {
        format!(
            "  {name}: {{command: [{0}/slow, {0}, {name}]}}\n",
            root.display()
        )
    };
    let servers: String = names.iter().map(server).collect();
    fs::write(home.path("config.yaml"), format!("servers:\n{servers}")).unwrap();
    home
}

#[test]
fn at_most_four_servers_start_at_once() {
    let names = ["a", "b", "c", "d", "e", "f", "g"];
    let home = slow_home(&names);
    let root = home.root();
    let mut client = Client::greeted(&home, &["connect"]);
    let listed = client.begin("tools/list", &json!({}));
    let started = || {
        let seen = fs::read_to_string(root.join("seen")).unwrap_or_default();
        seen.lines().count()
    };
    let mut go = File::options()
        .read(true)
        .write(true)
        .open(root.join("go"))
        .unwrap();
    // One of them is let go at a time, when as many have started as may.
    for expected in 4..=names.len() {
        status_with(&home, |it| {
            let states = it["servers"].as_array().unwrap().iter();
            let starting = states.filter(|it| it["state"] == "starting").count();
            assert!(starting <= 4, "{it}");
            started() == expected
        });
        go.write_all(b"\n").unwrap();
    }
    go.write_all(b"\n\n\n").unwrap();
    client.read(|it| it["id"] == listed);
    // One that took long is in the next list.
    let count = |list: &Value| list["result"]["tools"].as_array().unwrap().len();
    while count(&client.ask("tools/list", &json!({}))) < names.len() {}
    let seen = fs::read_to_string(root.join("seen")).unwrap();
    let most = seen
        .lines()
        .map(|it| it.trim().parse::<u32>().unwrap())
        .max();
    assert_eq!(most, Some(4), "{seen}");
    assert_eq!(client.leave(), 0);
    stop(&home);
}

/// A client may name anything, at any length, and a name that it made up is no server.
#[test]
fn a_call_to_no_server_is_recorded_as_refused() {
    let home = home(&["plain"]);
    let long = "x".repeat(100_000);
    let call = |arguments: &[&str], tool: &str| {
        let mut client = Client::greeted(&home, &[&["connect"], arguments].concat());
        let answer = client.ask("tools/call", &json!({"name": tool, "arguments": {}}));
        assert!(answer["error"]["message"].is_string(), "{answer}");
        assert_eq!(client.leave(), 0);
    };
    call(&[], "nosuch__tool");
    call(&[], &long);
    // Then both are in the log wholly.
    stop(&home);
    let calls = run(&home, &["calls", "--json"]).succeeded();
    let calls: Value = serde_json::from_str(calls.text()).unwrap();
    let seen = |at: usize, member: &str| calls["calls"][at][member].as_str().unwrap().to_owned();
    for at in 0..2 {
        let (server, outcome) = (seen(at, "server"), seen(at, "outcome"));
        assert_eq!((server.as_str(), outcome.as_str()), ("", "refused"));
        assert_eq!(calls["calls"][at]["digest"], Value::Null);
    }
    assert_eq!(seen(0, "object"), "nosuch__tool");
    assert_eq!(seen(1, "object"), long[..128]);
    let shown = run(&home, &["calls"]).succeeded();
    let line = shown.text().lines().find(|it| it.contains("nosuch__tool"));
    let words: Vec<_> = line.unwrap().split_ascii_whitespace().collect();
    assert_eq!(words[2..5], ["-", "nosuch__tool", "refused"]);
}

#[test]
fn the_error_of_a_call_says_how_its_server_ended() {
    let home = home(&["plain"]);
    let mut client = Client::greeted(&home, &["connect", "--server", "plain"]);
    for (tool, end) in [("die", "exit status 7"), ("crash", "signal 11 (SIGSEGV)")] {
        let answer = client.ask("tools/call", &json!({"name": tool, "arguments": {}}));
        let said = answer["error"]["message"].as_str().unwrap();
        let expected = format!("ended before it answered, so the outcome is unknown; {end}");
        assert!(said.contains(&expected), "{answer}");
    }
    assert_eq!(client.leave(), 0);
    stop(&home);
}

/// Starts a gateway with a client whose call waits for a server that is starting.
fn while_starting(home: &Home) -> (Client, u32) {
    let mut client = Client::greeted(home, &["connect"]);
    let listed = client.begin("tools/list", &json!({}));
    status_with(home, |it| it["servers"][0]["state"] == "starting");
    (client, listed)
}

/// Returns how many processes of the server run.
fn running(home: &Home) -> usize {
    let started = started_in(home.root()).into_iter();
    let commands = started.filter_map(|it| {
        let pid = it.as_raw_nonzero();
        fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()
    });
    commands.filter(|it| it.contains("/slow\0")).count()
}

/// What starts when its server is restarted, changed or removed is not forgotten: it would run until the gateway ends.
#[test]
fn a_server_that_is_starting_is_not_forgotten() {
    let others = "  other: {command: [/bin/false]}\n";
    for after in ["restart", "change", "remove"] {
        let home = slow_home(&["a"]);
        let before = fs::read_to_string(home.path("config.yaml")).unwrap();
        let mut go = File::options()
            .read(true)
            .write(true)
            .open(home.root().join("go"))
            .unwrap();
        let (mut client, listed) = while_starting(&home);
        match after {
            "restart" => drop(run(&home, &["server", "restart", "a"]).succeeded()),
            "change" => {
                let text = with_line(
                    &before.replace(": {", ":\n    ").replace("]}", "]"),
                    "a",
                    "idle_stop: 9m",
                );
                fs::write(home.path("config.yaml"), text + others).unwrap();
            }
            _ => fs::write(home.path("config.yaml"), format!("servers:\n{others}")).unwrap(),
        }
        if after != "restart" {
            status_with(&home, |it| it["servers"].to_string().contains("other"));
        }
        // As often as one may be started.
        go.write_all(b"\n\n\n\n").unwrap();
        client.read(|it| it["id"] == listed);
        let listed = client.ask("tools/list", &json!({}));
        let expected = usize::from(after != "remove");
        assert_eq!(
            listed["result"]["tools"].as_array().unwrap().len(),
            expected,
            "{after}: {listed}"
        );
        let until = Instant::now() + PATIENCE;
        while running(&home) != expected {
            assert!(Instant::now() < until, "{after}: {} run", running(&home));
        }
        let status = status_with(&home, |_| true);
        let instances = status["servers"][0]["instances"].as_array().unwrap();
        assert_eq!(instances.len(), expected, "{after}: {status}");
        assert_eq!(client.leave(), 0);
        stop(&home);
    }
}

/// A start goes on when nobody waits for it any more, and the next call uses what was started.
#[test]
fn a_server_whose_call_is_cancelled_is_not_forgotten() {
    for how in ["cancel", "leave", "kill"] {
        let home = slow_home(&["a"]);
        let mut go = File::options()
            .read(true)
            .write(true)
            .open(home.root().join("go"))
            .unwrap();
        let (mut other, listed) = while_starting(&home);
        go.write_all(b"\n").unwrap();
        other.read(|it| it["id"] == listed);
        run(&home, &["server", "restart", "a"]).succeeded();
        let mut client = Client::greeted(&home, &["connect", "--client", "passing"]);
        let call = client.begin("tools/call", &json!({"name": "a__x"}));
        let seen = || {
            let seen = fs::read_to_string(home.root().join("seen")).unwrap();
            seen.lines().count()
        };
        while seen() < 2 {}
        match how {
            "cancel" => {
                let params = json!({"requestId": call});
                client.say(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}));
                client.ask("ping", &json!({}));
            }
            "leave" => assert_eq!(client.leave(), 0),
            _ => drop(client),
        }
        if how != "cancel" {
            status_with(&home, |it| it["clients"].as_array().unwrap().len() == 1);
        }
        go.write_all(b"\n").unwrap();
        let until = Instant::now() + PATIENCE;
        status_with(&home, |it| {
            assert!(Instant::now() < until, "{how}: {it}");
            it["servers"][0]["instances"].as_array().unwrap().len() == 1
        });
        let answer = other.ask("tools/call", &json!({"name": "a__x"}));
        assert!(answer["result"].is_object(), "{how}: {answer}");
        assert_eq!((seen(), running(&home)), (2, 1), "{how}");
        assert_eq!(other.leave(), 0);
        stop(&home);
    }
}

#[test]
fn a_server_without_calls_ends_and_one_with_a_call_does_not() {
    let home = home(&["plain", "grandchild"]);
    let text = config(&home, &["plain", "grandchild"]);
    let text = with_line(&text, "plain", "idle_stop: 500ms");
    let text = with_line(&text, "grandchild", "idle_stop: 500ms");
    fs::write(home.path("config.yaml"), text).unwrap();
    let mut client = Client::greeted(&home, &["connect"]);
    let busy = client.call("grandchild__pid");
    client.begin("tools/call", &json!({"name": "grandchild__hang"}));
    let first = client.call("plain__pid");
    let status = status_with(&home, |it| state(it, "plain")["state"] == "stopped");
    assert_eq!(state(&status, "grandchild")["state"], "running", "{status}");
    let second = client.call("plain__pid");
    assert_ne!(second, first);
    status_with(&home, |it| state(it, "plain")["state"] == "stopped");
    assert_eq!(client.call("grandchild__pid"), busy);
    assert_eq!(client.leave(), 0);
    // The call is cancelled, and nothing is left to do.
    status_with(&home, |it| state(it, "grandchild")["state"] == "stopped");
    stop(&home);
}

#[test]
fn an_eager_server_starts_without_a_client() {
    let home = home(&["plain", "grandchild"]);
    let text = config(&home, &["plain", "grandchild"]);
    let eager = with_line(&text, "plain", "start: eager");
    fs::write(home.path("config.yaml"), &eager).unwrap();
    let _daemon = with_http_on(&home, "127.0.0.1:0");
    let runs = |server: &'static str, instances: usize| {
        move |status: &Value| {
            let server = state(status, server);
            server["instances"].as_array().unwrap().len() == instances
        }
    };
    let status = status_with(&home, runs("plain", 1));
    assert_eq!(state(&status, "grandchild")["state"], "stopped", "{status}");
    assert_eq!(status["clients"], json!([]));

    // One that becomes eager, one whose credential is missing, and one that is restarted.
    let both = with_line(&eager, "grandchild", "start: eager");
    let missing =
        "  missing:\n    command: [x]\n    start: eager\n    env: {T: \"mcplexer://gone/T\"}\n";
    fs::write(home.path("config.yaml"), both + missing).unwrap();
    let status = status_with(&home, |it| {
        runs("grandchild", 1)(it) && state(it, "missing")["state"] == "failing"
    });
    let reason = state(&status, "missing")["reason"].to_string();
    assert!(
        reason.contains("mcplexer secret put gone T stores it"),
        "{reason}"
    );
    let first = state(&status, "plain")["instances"][0]["pid"].clone();
    run(&home, &["server", "restart", "plain"]).succeeded();
    status_with(&home, |it| {
        let pid = &state(it, "plain")["instances"][0]["pid"];
        pid.is_number() && *pid != first
    });

    // A client that speaks otherwise than the gateway itself has one of its own before it calls.
    let mut client = Client::greeted(&home, &["connect"]);
    let status = status_with(&home, runs("plain", 2));
    let instances = state(&status, "plain")["instances"].as_array().unwrap();
    let pids: Vec<_> = instances.iter().map(|it| it["pid"].to_string()).collect();
    let called = client.call("plain__pid");
    assert!(pids.contains(&called), "{called} in {pids:?}");
    status_with(&home, runs("plain", 2));
    assert_eq!(client.leave(), 0);
    stop(&home);
}
