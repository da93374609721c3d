//! Real clients call real servers through the gateway.
//!
//! `.ci/servers DIR` installs them, and `MCPLEXER_TEST_SERVERS` names that directory.

use std::path::Path;

use serde_json::{Value, json};
use test_support::tool;
use tokio::process::Command;

use super::world::{World, installed, program};

const CLIENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/clients");

/// A server: its name, and the call that is made.
struct Real {
    name: &'static str,
    tool: &'static str,
    arguments: Value,
    /// What is in the answer.
    answer: &'static str,
}

/// The servers. `place` is a directory that they may read.
fn servers(place: &Path) -> [Real; 5] {
    let real = |name, tool, arguments, answer| Real {
        name,
        tool,
        arguments,
        answer,
    };
    let file = place.join("file.txt");
    let time =
        json!({ "source_timezone": "UTC", "time": "12:30", "target_timezone": "Asia/Tokyo" });
    [
        real(
            "everything",
            "echo",
            json!({ "message": "it is 1.50" }),
            "it is 1.50",
        ),
        real(
            "filesystem",
            "read_text_file",
            json!({ "path": file }),
            "what is in the file",
        ),
        real("memory", "read_graph", json!({}), "relations"),
        real(
            "git",
            "git_log",
            json!({ "repo_path": place }),
            "the first commit",
        ),
        real("time", "convert_time", time, "21:30"),
    ]
}

const KINDS: [&str; 5] = [
    "inspector",
    "typescript v1",
    "typescript v2",
    "python",
    "raw",
];

/// Lists the tools of a server and calls one. Returns all that the client says of it.
async fn calls(kind: &str, installed: &Path, world: &World, url: &str, server: &Real) -> String {
    let arguments = server.arguments.to_string();
    let node = installed.join("node22/node_modules/.bin/node");
    let script = |name: &str| Path::new(CLIENTS).join(name);
    let mut command = match kind {
        "raw" => {
            let mut client = world.client(Some(server.name)).await;
            let list = client.ask("tools/list", json!({})).await;
            let answer = client.call(server.tool, server.arguments.clone()).await;
            client.leave().await;
            return format!("{list}{answer}");
        }
        "inspector" => {
            let inspector = installed.join("node22/node_modules/.bin/mcp-inspector");
            let run = |method: &[&str]| {
                let mut command = Command::new(&node);
                command
                    .arg(&inspector)
                    .args(["--cli", url, "--transport", "http", "--method"])
                    .args(method);
                command
            };
            let list = said(&mut run(&["tools/list"])).await;
            let members = server.arguments.as_object().unwrap().iter();
            let pairs = members.map(|(name, value)| format!("{name}={}", value.as_str().unwrap()));
            let pairs: Vec<_> = pairs.flat_map(|it| ["--tool-arg".to_owned(), it]).collect();
            let answer = said(run(&["tools/call", "--tool-name", server.tool]).args(pairs)).await;
            return list + &answer;
        }
        "python" => {
            let mut command = Command::new(installed.join("bin/python"));
            command.arg(script("python")).arg("auto");
            command
        }
        typescript => {
            let mut command = Command::new(&node);
            command
                .arg(script("typescript"))
                .arg(typescript.split(' ').nth(1).unwrap());
            command
        }
    };
    said(command.args([server.tool, &arguments, url])).await
}

async fn said(command: &mut Command) -> String {
    let output = command.output().await.unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// Tries the pairs of a client and a server, each by its number.
async fn pairs(wanted: impl Fn(usize, usize) -> bool) {
    let Some(installed) = installed() else { return };
    if tool("git").is_none() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("file.txt"), "what is in the file").unwrap();
    for arguments in [
        &["init", "-q"][..],
        &[
            "-c",
            "user.name=x",
            "-c",
            "user.email=x@example.com",
            "commit",
            "-q",
            "--allow-empty",
            "-m",
            "the first commit",
        ],
    ] {
        said(
            Command::new("git")
                .args(arguments)
                .current_dir(place.path()),
        )
        .await;
    }
    let directory = place.path().to_str().unwrap();
    let npm = |name: &str| {
        installed
            .join(format!("node_modules/.bin/mcp-server-{name}"))
            .display()
            .to_string()
    };
    let python = installed.join("bin/python").display().to_string();
    let memory = format!("{directory}/memory.json");
    let mut world = World::new(
        vec![
            ("everything", program(&npm("everything"), &[], &[])),
            ("filesystem", program(&npm("filesystem"), &[directory], &[])),
            (
                "memory",
                program(&npm("memory"), &[], &[("MEMORY_FILE_PATH", &memory)]),
            ),
            (
                "git",
                program(
                    &python,
                    &["-m", "mcp_server_git", "--repository", directory],
                    &[],
                ),
            ),
            ("time", program(&python, &["-m", "mcp_server_time"], &[])),
        ],
        &[],
    );
    let url = world.serve().await;
    for (row, server) in servers(place.path()).iter().enumerate() {
        for (column, kind) in KINDS.iter().enumerate() {
            if !wanted(row, column) {
                continue;
            }
            let url = format!("{url}/{}", server.name);
            let said = calls(kind, &installed, &world, &url, server).await;
            for wanted in [server.tool, server.answer] {
                assert!(
                    said.contains(wanted),
                    "{kind} with {}: no {wanted} in {said}",
                    server.name
                );
            }
        }
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_client_calls_a_server_and_each_server_is_called() {
    pairs(|row, column| row == column).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes"]
async fn each_client_calls_each_server() {
    pairs(|_, _| true).await;
}
