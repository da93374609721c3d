//! The official suite finds in a server behind the gateway what it finds in the server itself, and in a client before
//! the gateway what it finds in the client itself, check for check.
//!
//! The fixture closes no event stream in the middle of a call here. To take one up again is a matter of one HTTP
//! connection, which a server over stdio does not have.

use std::path::Path;
use std::process::Stdio;

use test_support::{Running, tool};
use tokio::process::Command;

use super::world::{World, installed, program, remote};

const FIXTURE: &str = env!("CARGO_BIN_EXE_fixture-server");
const CRATE: &str = env!("CARGO_MANIFEST_DIR");

/// Starts the fixture over HTTP. Returns its URL too.
async fn fixture() -> (Running, String) {
    let mut command = std::process::Command::new(FIXTURE);
    command
        .args(["--http", "127.0.0.1:0", "--no-polling"])
        .stdout(Stdio::piped());
    let mut server = Running::start(&mut command).unwrap();
    let mut url = String::new();
    std::io::BufRead::read_line(
        &mut std::io::BufReader::new(server.stdout.as_mut().unwrap()),
        &mut url,
    )
    .unwrap();
    (server, url.trim().to_owned())
}

/// Runs the suite. Returns the verdict, a line a check, and whether it passed.
async fn verdict(arguments: &[&str]) -> (String, bool) {
    let suite = Path::new(CRATE).join("conformance");
    let output = Command::new("python3")
        .arg(suite)
        .args(arguments)
        .output()
        .await
        .unwrap();
    (
        String::from_utf8(output.stdout).unwrap(),
        output.status.success(),
    )
}

async fn is_the_same(revision: &str) {
    if installed().is_none() || tool("python3").is_none() {
        return;
    }
    let (_direct, direct) = fixture().await;
    let (_behind, behind) = fixture().await;
    let stdio = program(FIXTURE, &["--no-polling"], &[]);
    let servers = vec![("child", stdio), ("remote", remote(&behind, &[]))];
    let mut world = World::new(servers, &[]);
    let url = world.serve().await;
    let (child, remote) = (format!("{url}/child"), format!("{url}/remote"));
    let runs = [direct, child, remote]
        .map(|url| async move { verdict(&["server", revision, &url]).await });
    let [direct, child, remote] = runs;
    let (direct, child, remote) = tokio::join!(direct, child, remote);
    assert!(direct.0.lines().count() > 30, "{}", direct.0);
    are_equal("stdio", &direct, &child);
    are_equal("HTTP", &direct, &remote);
    world.stop().await;
}

async fn is_the_same_client(revision: &str) {
    let Some(installed) = installed() else { return };
    if tool("python3").is_none() {
        return;
    }
    let node = installed.join("node22/node_modules/.bin/node");
    let client = format!("{} {CRATE}/clients/scenario", node.display());
    // Examples are built beside the tests.
    let tests = std::env::current_exe().unwrap();
    let gateway = tests.ancestors().nth(2).unwrap();
    let behind = format!("{client} {}/examples/stdio-gateway", gateway.display());
    // The gateway has no OAuth of its own to be tested here.
    let runs = [client, behind]
        .map(|client| async move { verdict(&["client", revision, &client, "auth/"]).await });
    let [direct, behind] = runs;
    let (direct, mut behind) = tokio::join!(direct, behind);
    assert!(direct.0.lines().count() > 3, "{}", direct.0);
    // The gateway listens to changes of lists, which the client does not. That has been checked, too.
    let is_own = |line: &&str| line.ends_with("Header_subscriptions_listen: SUCCESS");
    let clients = behind.0.lines().filter(|line| !is_own(line));
    behind.0 = clients.map(|line| format!("{line}\n")).collect();
    are_equal("client", &direct, &behind);
}

/// Compares the verdicts, which are to be the same, and good.
fn are_equal(what: &str, direct: &(String, bool), through: &(String, bool)) {
    let pairs = direct.0.lines().zip(through.0.lines());
    let differs: Vec<_> = pairs.filter(|(one, other)| one != other).collect();
    assert!(direct.0 == through.0, "{what}: {differs:#?}\n{}", through.0);
    assert!(direct.1 && through.1, "{what}: {}", direct.0);
    eprintln!("{what}: {} lines are the same", direct.0.lines().count());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_verdict_is_the_same_with_sessions() {
    is_the_same("2025-11-25").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_verdict_is_the_same_without_sessions() {
    is_the_same("2026-07-28").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_verdict_on_a_client_is_the_same_with_sessions() {
    is_the_same_client("2025-11-25").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_verdict_on_a_client_is_the_same_without_sessions() {
    is_the_same_client("2026-07-28").await;
}
