//! Servers of the SDKs for TypeScript and for Python over HTTP.
//!
//! `.ci/servers DIR` installs them, and `MCPLEXER_TEST_SERVERS` names that directory.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use test_support::{Running, skip};
use tokio::net::TcpStream;

use crate::client::{Client, at, world};

/// A server of the Python SDK, which takes the transport and the port.
const PYTHON: &str = r#"
import sys
from mcp.server.mcpserver import MCPServer, Context
server = MCPServer("py")
@server.tool()
async def echo(message: str, context: Context) -> str:
    for step in range(3):
        await context.report_progress(step, 3)
    return message
server.run(transport=sys.argv[1], port=int(sys.argv[2]))
"#;

/// How a server is started on a port, and the tool that reports progress.
struct Kind {
    command: fn(&Path, u16) -> Command,
    path: &'static str,
    slow: (&'static str, Value),
}

fn kinds() -> [Kind; 4] {
    let slow = || {
        let arguments = json!({"duration": 0.2, "steps": 4});
        ("trigger-long-running-operation", arguments)
    };
    let echo = || ("echo", json!({"message": "m"}));
    [
        Kind {
            command: |place, port| node(place, "streamableHttp", port),
            path: "mcp",
            slow: slow(),
        },
        Kind {
            command: |place, port| node(place, "sse", port),
            path: "sse",
            slow: slow(),
        },
        Kind {
            command: |place, port| python(place, "streamable-http", port),
            path: "mcp",
            slow: echo(),
        },
        Kind {
            command: |place, port| python(place, "sse", port),
            path: "sse",
            slow: echo(),
        },
    ]
}

fn node(place: &Path, transport: &str, port: u16) -> Command {
    let mut command = Command::new(place.join("node_modules/.bin/mcp-server-everything"));
    command.arg(transport).env("PORT", port.to_string());
    command
}

fn python(place: &Path, transport: &str, port: u16) -> Command {
    let mut command = Command::new(place.join("bin/python"));
    command.args(["-c", PYTHON, transport, &port.to_string()]);
    command
}

fn servers() -> Option<PathBuf> {
    let place = std::env::var_os("MCPLEXER_TEST_SERVERS").map(PathBuf::from);
    if place.is_none() {
        skip("servers", "MCPLEXER_TEST_SERVERS names no directory");
    }
    place
}

/// Starts a server.
async fn start(command: &mut Command, port: u16) -> Running {
    command.stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut running = Running::start(command).unwrap();
    // It is there once it takes a connection, or it has ended.
    while TcpStream::connect(("localhost", port)).await.is_err() {
        assert!(running.try_wait().unwrap().is_none(), "it has ended");
        tokio::task::yield_now().await;
    }
    running
}

/// Calls a tool. Returns the answer, and how often there was progress. Servers say by themselves what they offer, and
/// ask for what they want to know.
async fn call(client: &mut Client, name: &str, arguments: &Value) -> (Value, usize) {
    let params = json!({
        "name": name,
        "arguments": arguments,
        "_meta": {"progressToken": "mine"},
    });
    let id = client.begin("tools/call", params).await;
    let mut progress = 0;
    loop {
        let message = client.next().await;
        if message["method"] == "notifications/progress" {
            assert_eq!(message["params"]["progressToken"], "mine");
            progress += 1;
        }
        if message["id"] == id && message.get("method").is_none() {
            return (message, progress);
        }
    }
}

/// A session is lost with the server's process. What the servers answer then differs: 400, 404, or no event stream.
#[tokio::test]
async fn real_servers_answer_before_and_after_a_restart() {
    let Some(place) = servers() else { return };
    for Kind {
        command,
        path,
        slow: (slow, arguments),
    } in kinds()
    {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let running = start(&mut command(&place, port), port).await;
        let world = world(at(&format!("http://localhost:{port}/{path}"), &[]), &[]);
        let mut client = world.client().await;
        let (answer, progress) = call(&mut client, slow, &arguments).await;
        assert!(answer["result"].is_object() && progress >= 1, "{answer}");
        let message = json!({"message": "ü 1.50"});
        let (answer, _) = call(&mut client, "echo", &message).await;
        assert!(answer.to_string().contains("ü 1.50"), "{answer}");

        drop(running);
        let running = start(&mut command(&place, port), port).await;
        let (answer, _) = call(&mut client, "echo", &message).await;
        assert!(answer["result"].to_string().contains("ü 1.50"), "{answer}");
        drop(running);
    }
}
