//! Public tool servers that public clients start through `mcplexer run` get their tokens.
//!
//! `.ci/servers DIR` installs them, and `MCPLEXER_TEST_SERVERS` names that directory.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use test_support::{Running, skip};

use super::home::{BINARY, Home, Run, finish};
use super::mask::read_until;
use super::tasks::file;

const TOKEN: &str = "t0ken pa$$\"w0rd";

/// The tool that shows the environment.
const GET_ENV: [&str; 4] = ["--method", "tools/call", "--tool-name", "get-env"];

/// Returns the environment that it shows: its answer is JSON inside a JSON string.
fn environment(run: &Run) -> serde_json::Value {
    let answer: serde_json::Value = serde_json::from_str(run.text()).unwrap();
    serde_json::from_str(answer["content"][0]["text"].as_str().unwrap()).unwrap()
}

/// Returns where they are installed.
pub(crate) fn servers() -> Option<PathBuf> {
    let place = std::env::var_os("MCPLEXER_TEST_SERVERS").map(PathBuf::from);
    if place.is_none() {
        skip("servers", "MCPLEXER_TEST_SERVERS names no directory");
    }
    place
}

fn command(home: &Home, program: &Path) -> Command {
    let mut command = home.command_of(program);
    command.env("PATH", std::env::var_os("PATH").unwrap());
    command
}

/// `@modelcontextprotocol/server-everything`, whose tool `get-env` shows its environment, driven by
/// `@modelcontextprotocol/inspector --cli`.
#[test]
fn a_server_on_node_has_its_token() {
    let Some(place) = servers() else { return };
    let home = Home::with_secret(TOKEN);
    let server = place.join("node_modules/.bin/mcp-server-everything");
    let server = server.to_str().unwrap();
    let inspect = |arguments: &[&str]| -> Run {
        let mut inspector = command(&home, &place.join("node_modules/.bin/mcp-inspector"));
        inspector.env("MCPLEXER_ANYTHING", "stays behind");
        finish(inspector.arg("--cli").args(arguments))
    };
    let run = [BINARY, "run", "--scope", "github-token", "--", server];
    let shown = inspect(&[&GET_ENV[..], &run].concat()).succeeded();
    let environment_of_it = environment(&shown);
    assert_eq!(environment_of_it["TOKEN"], TOKEN);
    assert!(!shown.text().contains("MCPLEXER"));

    // Started from a client's configuration, and with masked output.
    let config = serde_json::json!({"mcpServers": {
        "plain": {"command": BINARY, "args": ["run", "--scope", "github-token", server]},
        "masked": {"command": BINARY, "args": ["run", "--mask", "--scope", "github-token", server]},
    }});
    fs::write(home.root().join("config.json"), config.to_string()).unwrap();
    for (name, expected) in [("plain", TOKEN), ("masked", "[github-token/TOKEN]")] {
        let which = ["--config", "config.json", "--server", name];
        let shown = inspect(&[&which[..], &GET_ENV].concat()).succeeded();
        assert_eq!(environment(&shown)["TOKEN"], expected, "{name}");
    }
}

/// The same server, started by a client that marks it as an agent's command, answers each request to the byte,
/// with its output masked by default.
#[test]
fn a_server_that_an_agent_starts_answers_alike() {
    let Some(place) = servers() else { return };
    let home = Home::with_secret(TOKEN);
    let server = place.join("node_modules/.bin/mcp-server-everything");
    let start = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}"#;
    let talk = |option: &[&str], requests: &[&str]| {
        let mut command = command(&home, Path::new(BINARY));
        command.env("GEMINI_CLI", "1");
        command
            .args(["run", "--scope", "github-token"])
            .args(option);
        command.arg("--").arg(&server);
        let command = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut server = Running::start(command).unwrap();
        let (mut asks, mut answers) = (server.stdin.take().unwrap(), server.stdout.take().unwrap());
        let mut said = Vec::new();
        for request in requests {
            writeln!(asks, "{request}").unwrap();
            let answer = |line: &[u8]| line.starts_with(br#"{"result""#);
            loop {
                let line = read_until(&mut answers, b"\n");
                let is_answer = answer(&line);
                said.push(String::from_utf8(line).unwrap());
                if is_answer {
                    break;
                }
            }
        }
        drop(asks);
        said
    };
    let list = r#"{"jsonrpc":"2.0","id":2,"method":"tools/list","params":{}}"#;
    let echo = r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"echo","arguments":{"message":"t0ken pa"}}}"#;
    let requests = [start, list, echo];
    assert_eq!(talk(&[], &requests), talk(&["--no-mask"], &requests));
    let env = r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"get-env","arguments":{}}}"#;
    let said = talk(&[], &[start, env]).concat();
    assert!(
        said.contains("[github-token/TOKEN]") && !said.contains("t0ken"),
        "{said}"
    );
}

/// `mcp-remote` sends a header whose value is a secret: as the documentation says, by its own replacement of a variable,
/// and by a reference in its argument.
#[test]
fn a_remote_server_is_sent_its_token() {
    let Some(place) = servers() else { return };
    let remote = place.join("node_modules/.bin/mcp-remote");
    if !remote.exists() {
        return skip("mcp-remote", "it is not among the servers");
    }
    let home = Home::new();
    home.run(["secret", "put", "tracker", "TOKEN", "m4rked-token"])
        .succeeded();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/mcp", server.local_addr().unwrap());
    let config: serde_json::Value = serde_json::from_str(&file("remote.json")).unwrap();
    let entry = &config["mcpServers"]["tracker"];
    let documented: Vec<_> = entry["args"].as_array().unwrap().iter().collect();
    let documented = documented.iter().map(|it| it.as_str().unwrap().to_owned());
    let documented: Vec<_> = documented
        .filter(|it| it != "npx" && it != "-y")
        .map(|it| match it.as_str() {
            "mcp-remote" => remote.to_str().unwrap().to_owned(),
            "https://mcp.example.org/mcp" => address.clone(),
            _ => it,
        })
        .collect();
    let mut by_argument = documented.clone();
    by_argument.insert(1, "--allow-arguments".to_owned());
    let header = by_argument.last_mut().unwrap();
    *header = header.replace("${TOKEN}", "mcplexer://tracker/TOKEN");
    for arguments in [documented, by_argument] {
        let mut command = command(&home, Path::new(BINARY));
        if arguments[1] != "--allow-arguments" {
            command.env("TOKEN", entry["env"]["TOKEN"].as_str().unwrap());
        }
        command
            .args(&arguments)
            .args(["--allow-http", "--transport", "http-only"]);
        let command = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let _client = Running::start(command).unwrap();
        let (mut request, _) = server.accept().unwrap();
        let head = String::from_utf8(read_until(&mut request, b"\r\n\r\n")).unwrap();
        let sent = head.to_lowercase();
        assert!(
            sent.contains("authorization: bearer m4rked-token\r\n"),
            "{head}"
        );
    }
}

/// The same server, adopted from a client's configuration and started as the rewritten file says.
#[test]
fn an_adopted_server_has_its_token() {
    let Some(place) = servers() else { return };
    let home = Home::new();
    let server = place.join("node_modules/.bin/mcp-server-everything");
    let config = serde_json::json!({"mcpServers": {
        "plain": {"command": server, "args": [], "env": {"EVERY_TOKEN": TOKEN, "LEVEL": "debug"}},
        "bare": {"command": server, "env": {"EVERY_TOKEN": TOKEN, "LEVEL": "debug"}},
    }});
    let file = home.root().join("config.json");
    let text = serde_json::to_string_pretty(&config).unwrap();
    fs::write(&file, &text).unwrap();
    home.run(["adopt", "config.json", "--write"]).succeeded();
    let adopted = fs::read_to_string(&file).unwrap();
    assert!(!adopted.contains("t0ken"), "{adopted}");
    for name in ["plain", "bare"] {
        let mut inspector = command(&home, &place.join("node_modules/.bin/mcp-inspector"));
        inspector.args(["--cli", "--config", "config.json", "--server", name]);
        let shown = finish(inspector.args(GET_ENV)).succeeded();
        let environment = environment(&shown);
        assert_eq!(environment["EVERY_TOKEN"], TOKEN, "{name}");
        assert_eq!(environment["LEVEL"], "debug", "{name}");
        assert!(!shown.text().contains("mcplexer:"), "{name}");
    }
    home.run(["adopt", "--undo", "config.json"]).succeeded();
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
}

/// `mcp-server-git`, driven by the Python package `mcp`, commits with the author address that is
/// its secret here.
#[test]
fn a_server_on_python_has_its_token() {
    let Some(place) = servers() else { return };
    let home = Home::new();
    home.run([
        "secret",
        "put",
        "git",
        "GIT_AUTHOR_EMAIL",
        "t0ken@example.org",
    ])
    .succeeded();
    let git = |arguments: &[&str]| {
        let mut git = command(&home, Path::new("git"));
        finish(
            git.args([
                "-c",
                "user.name=x",
                "-c",
                "user.email=x@example.org",
                "-C",
                "work",
            ])
            .args(arguments),
        )
        .succeeded()
    };
    fs::create_dir(home.root().join("work")).unwrap();
    git(&["init", "--quiet"]);
    git(&["config", "user.name", "x"]);
    git(&["config", "user.email", "x@example.org"]);
    fs::write(home.root().join("work/file"), "x").unwrap();
    git(&["add", "file"]);

    let client = r#"
import asyncio, sys
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

async def main():
    server = StdioServerParameters(command=sys.argv[1], args=sys.argv[2:])
    async with stdio_client(server) as streams, ClientSession(*streams) as session:
        await session.initialize()
        arguments = {"repo_path": "work", "message": "by a tool server"}
        result = await session.call_tool("git_commit", arguments)
        print(result.content[0].text)

asyncio.run(main())
"#;
    let mut python = command(&home, &place.join("bin/python"));
    python.args(["-c", client, BINARY, "run", "--scope", "git", "--"]);
    finish(python.arg(place.join("bin/mcp-server-git"))).succeeded();
    let author = git(&["log", "-1", "--format=%ae %s"]);
    assert_eq!(author.text(), "t0ken@example.org by a tool server\n");
}
