//! No process is left behind.

use super::*;

fn kill(client: &Client) {
    kill_process(client.pid(), Signal::KILL).unwrap();
}

/// Starts a gateway with a call under way at each server.
fn under_load(home: &Home, kinds: &[&str]) -> Client {
    let mut client = Client::greeted(home, &["serve"]);
    for kind in kinds {
        assert!(client.call(&format!("{kind}__pid")).parse::<u32>().is_ok());
        client.begin("tools/call", &json!({"name": format!("{kind}__hang")}));
    }
    client
}

fn run_files(home: &Home) -> usize {
    fs::read_dir(home.path("run/children")).map_or(0, Iterator::count)
}

#[test]
fn what_heeds_its_end_of_input_ends_with_a_killed_gateway() {
    let kinds = ["plain", "grandchild"];
    let home = home(&kinds);
    let held = held(&home);
    let client = under_load(&home, &kinds);
    assert_eq!(run_files(&home), 2);
    kill(&client);
    wait_until_none_runs(&home, held);
    // What says so is removed by the next one.
    let mut client = Client::greeted(&home, &["serve", "--server", "plain"]);
    let pid = client.call("pid");
    assert!(pid.parse::<u32>().is_ok(), "{pid}");
    assert_eq!(run_files(&home), 1);
    assert_eq!(client.leave(), 0);
    assert_eq!(run_files(&home), 0);
}

#[test]
fn what_ignores_every_request_ends_when_the_next_gateway_starts() {
    let kinds = ["plain", "stubborn"];
    let home = home(&kinds);
    let held = held(&home);
    let client = under_load(&home, &kinds);
    kill(&client);
    drop(client);
    assert_eq!(run_files(&home), 2);
    let mut next = Client::greeted(&home, &["serve", "--server", "plain"]);
    // No server starts before those that are left have ended.
    assert!(next.call("pid").parse::<u32>().is_ok());
    assert_eq!(run_files(&home), 1);
    assert_eq!(next.leave(), 0);
    wait_until_none_runs(&home, held);
    assert_eq!(run_files(&home), 0);
}

#[test]
fn what_another_gateway_has_started_is_left_alone() {
    let home = home(&["plain"]);
    let mut client = Client::greeted(&home, &["serve"]);
    let pid = client.call("plain__pid");
    let mut other = Client::greeted(&home, &["serve"]);
    assert_ne!(other.call("plain__pid"), pid);
    assert_eq!(other.leave(), 0);
    assert_eq!(client.call("plain__pid"), pid);
    assert_eq!(client.leave(), 0);
}

#[test]
fn a_gateway_that_is_asked_to_end_ends_what_ignores_that() {
    let home = home(&["plain", "grandchild", "stubborn"]);
    let held = held(&home);
    let mut client = Client::greeted(&home, &["serve"]);
    for kind in ["plain", "grandchild", "stubborn"] {
        client.call(&format!("{kind}__pid"));
    }
    kill_process(client.pid(), Signal::TERM).unwrap();
    assert_eq!(client.child.wait().unwrap().code(), Some(0));
    wait_until_none_runs(&home, held);
    assert_eq!(run_files(&home), 0);
}
