//! A client's file with real servers goes behind the gateway, and real clients use it as it is written.
//!
//! `.ci/servers DIR` installs them, and `MCPLEXER_TEST_SERVERS` names that directory.

#![cfg(feature = "serve")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Pid;
use serde_json::{Value, json};
use test_support::{Running, started_in, tool};

use super::built::built;
use super::home::{BINARY, Home, Run, assert_none_in, finish, forms};
use super::servers::servers;

/// The credentials in the file: the server, where it is, and its value.
const CREDENTIALS: [(&str, &str, &str); 4] = [
    ("everything", "EVERY_TOKEN", "m4rked-Every-t0ken-8cd1b7f02e"),
    ("filesystem", "FILES_API_KEY", "m4rked-Files-k3y-41b9e0d7aa"),
    ("git", "GIT_TOKEN", "m4rked-Git-t0ken-77aa20c4f1"),
    ("remote", "AUTHORIZATION", "m4rked-Remote-t0ken-90210f63b8"),
];

/// How long to wait for what takes a moment, so that a test that fails ends.
const PATIENCE: Duration = Duration::from_secs(30);

/// Lists the tools, makes the calls that are given all at once, prints the answers, and stays until it is told to go.
const PYTHON: &str = r#"
import asyncio, json, sys
from mcp import Client, StdioServerParameters

async def main(calls, command, *arguments):
    server = StdioServerParameters(command=command, args=list(arguments))
    async with Client(server, mode="legacy") as client:
        tools = [tool.name for tool in (await client.list_tools()).tools]
        answers = await asyncio.gather(*(client.call_tool(*call) for call in json.loads(calls)))
        texts = [answer.content[0].text for answer in answers]
        print(json.dumps({"tools": tools, "texts": texts}), flush=True)
        sys.stdin.readline()

asyncio.run(main(*sys.argv[1:]))
"#;

/// The parts that are installed, and a home whose project has the client's file.
struct World {
    place: PathBuf,
    home: Home,
    project: PathBuf,
}

impl World {
    fn new(place: PathBuf) -> Self {
        let home = Home::new();
        let project = home.root().join("project");
        let world = Self {
            place,
            home,
            project,
        };
        fs::create_dir(&world.project).unwrap();
        fs::write(world.project.join("file.txt"), "what is in the file").unwrap();
        let author = ["-c", "user.name=x", "-c", "user.email=x@example.org"];
        for arguments in [
            &["init", "--quiet"][..],
            &["add", "file.txt"],
            &[
                &author[..],
                &["commit", "--quiet", "-m", "the first commit"],
            ]
            .concat(),
        ] {
            finish(world.command(Path::new("git")).args(arguments)).succeeded();
        }
        world
    }

    /// A program, run in the project as a user's shell would.
    fn command(&self, program: &Path) -> Command {
        let mut command = self.home.command_of(program);
        command.env("PATH", std::env::var_os("PATH").unwrap());
        command.current_dir(&self.project);
        command
    }

    fn mcplexer(&self, arguments: &[&str]) -> Run {
        finish(self.command(Path::new(BINARY)).args(arguments))
    }

    /// The file as Claude Code has it in a project.
    fn file(&self, url: &str) -> String {
        let [every, files, git, remote] = CREDENTIALS;
        let program = |name: &str| self.place.join(name);
        let servers = json!({"mcpServers": {
            "everything": {
                "command": "npx",
                "args": ["--no", "--no-update-notifier", "--prefix", self.place, "mcp-server-everything"],
                "env": {every.1: every.2},
            },
            "filesystem": {
                "command": program("node_modules/.bin/mcp-server-filesystem"),
                "args": [self.project],
                "env": {files.1: files.2},
            },
            "git": {"command": program("bin/mcp-server-git"), "env": {git.1: git.2}},
            "remote": {"type": "http", "url": url, "headers": {"Authorization": format!("Bearer {}", remote.2)}},
        }});
        serde_json::to_string_pretty(&servers).unwrap()
    }

    /// A tool of each server, its arguments, and what its answer has in it.
    fn calls(&self) -> [(&'static str, Value, &'static str); 4] {
        let file = self.project.join("file.txt");
        let scrubbed = r#""EVERY_TOKEN": "[everything/EVERY_TOKEN]""#;
        [
            ("everything__get-env", json!({}), scrubbed),
            (
                "filesystem__read_text_file",
                json!({"path": file}),
                "what is in the file",
            ),
            (
                "git__git_log",
                json!({"repo_path": self.project}),
                "the first commit",
            ),
            (
                "remote__test_simple_text",
                json!({}),
                "This is a simple text response",
            ),
        ]
    }

    /// Runs a method by the inspector's command line, from the client's file.
    fn inspect(&self, method: &str, arguments: &[String]) -> Run {
        let modules = self.place.join("node22/node_modules/.bin");
        let mut command = self.command(&modules.join("node"));
        command
            .arg(modules.join("mcp-inspector"))
            .args(["--cli", "--config", ".mcp.json", "--server", "mcplexer"])
            .args(["--method", method])
            .args(arguments);
        let run = finish(&mut command).succeeded();
        assert_no_value_in(Path::new(method), &run.stdout);
        run
    }

    fn inspect_call(&self, tool: &str, arguments: &Value) -> String {
        let members = arguments.as_object().unwrap().iter();
        let pairs = members.map(|(name, value)| format!("{name}={}", value.as_str().unwrap()));
        let pairs = pairs.flat_map(|pair| ["--tool-arg".to_owned(), pair]);
        let tool = ["--tool-name".to_owned(), tool.to_owned()];
        let run = self.inspect(
            "tools/call",
            &tool.into_iter().chain(pairs).collect::<Vec<_>>(),
        );
        let answer: Value = serde_json::from_str(run.text()).unwrap();
        answer["content"][0]["text"].as_str().unwrap().to_owned()
    }

    /// A process that was killed may take a moment to go.
    fn wait_until_no_process_is_left(&self) {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = started_in(self.home.root());
            if left.is_empty() {
                return;
            }
            if Instant::now() > until {
                let command = |it: &Pid| fs::read_to_string(format!("/proc/{it}/cmdline"));
                panic!("{:?}", left.iter().map(command).collect::<Vec<_>>());
            }
        }
    }

    fn assert_no_file_has_a_value(&self) {
        for (_, _, value) in CREDENTIALS {
            self.home.assert_no_trace_of(value);
        }
    }

    /// Checks that no value is in a file, on a command line, or in what the commands show.
    fn assert_no_value_is_seen(&self) {
        self.assert_no_file_has_a_value();
        for process in fs::read_dir("/proc").unwrap().flatten() {
            // It may have ended meanwhile.
            let path = process.path().join("cmdline");
            assert_no_value_in(&path, &fs::read(&path).unwrap_or_default());
        }
        for arguments in [
            &["status"][..],
            &["status", "--json"],
            &["calls", "--json"],
            &["audit", "show"],
            &["server", "list", "--json"],
            &["server", "logs", "everything"],
            &["server", "logs", "filesystem"],
            &["server", "logs", "git"],
        ] {
            let run = self.mcplexer(arguments).succeeded();
            let name = PathBuf::from(arguments.join(" "));
            assert_no_value_in(&name, &run.stdout);
            assert_no_value_in(&name, run.stderr.as_bytes());
        }
    }
}

fn assert_no_value_in(name: &Path, bytes: &[u8]) {
    for (_, _, value) in CREDENTIALS {
        assert_none_in(&forms(value), name, bytes);
    }
}

/// Starts a server over HTTP that demands the header of the file; returns its URL.
fn remote() -> (Running, String) {
    let mut command = Command::new(built("fixture-server").join("fixture-server"));
    command
        .args([
            "--http",
            "127.0.0.1:0",
            "--demand",
            "authorization=DEMANDED",
        ])
        .env_clear()
        .env("DEMANDED", format!("Bearer {}", CREDENTIALS[3].2))
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut server = Running::start(&mut command).unwrap();
    let mut url = String::new();
    let mut lines = BufReader::new(server.stdout.take().unwrap());
    lines.read_line(&mut url).unwrap();
    (server, url.trim_end().to_owned())
}

#[test]
fn real_servers_go_behind_the_gateway_and_real_clients_use_them() {
    let Some(place) = servers() else { return };
    if tool("git").is_none() {
        return;
    }
    let world = World::new(place);
    let (_remote, url) = remote();
    let file = world.project.join(".mcp.json");
    let before = world.file(&url);
    fs::write(&file, &before).unwrap();
    world
        .mcplexer(&["adopt", ".mcp.json", "--gateway", "--write"])
        .succeeded();

    // The client's entry, as it is written now.
    let adopted: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let entries = adopted["mcpServers"].as_object().unwrap();
    assert_eq!(entries.keys().collect::<Vec<_>>(), ["mcplexer"]);
    let entry = &entries["mcplexer"];
    let calls = world.calls();

    // The inspector starts it from the file, once for each call.
    let listed = world.inspect("tools/list", &[]);
    for (tool, ..) in &calls {
        let quoted = format!("\"{tool}\"");
        assert!(
            listed.text().contains(&quoted),
            "{tool} in {}",
            listed.text()
        );
    }
    thread::scope(|scope| {
        for (tool, arguments, expected) in &calls {
            let world = &world;
            scope.spawn(move || {
                let answer = world.inspect_call(tool, arguments);
                assert!(answer.contains(expected), "{tool}: {answer}");
            });
        }
    });

    // The Python SDK starts it once, and is there while files and processes are looked through.
    let wanted: Vec<_> = calls
        .iter()
        .map(|(tool, arguments, _)| (tool, arguments))
        .collect();
    let mut python = world.command(&world.place.join("bin/python"));
    python.args(["-c", PYTHON, &json!(wanted).to_string()]);
    python.arg(entry["command"].as_str().unwrap());
    python.args(
        entry["args"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it.as_str().unwrap()),
    );
    python.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut python = Running::start(&mut python).unwrap();
    let mut said = String::new();
    let mut output = BufReader::new(python.stdout.take().unwrap());
    output.read_line(&mut said).unwrap();
    assert_no_value_in(Path::new("python"), said.as_bytes());
    let said: Value = serde_json::from_str(&said).unwrap();
    for (at, (tool, _, expected)) in calls.iter().enumerate() {
        assert!(
            said["tools"].as_array().unwrap().contains(&json!(tool)),
            "{said}"
        );
        let text = said["texts"][at].as_str().unwrap();
        assert!(text.contains(expected), "{tool}: {text}");
    }
    world.assert_no_value_is_seen();
    writeln!(python.stdin.take().unwrap()).unwrap();
    assert!(python.wait().unwrap().success());

    // Each call is in the log, with its secret.
    let log = world.mcplexer(&["calls", "--json"]).succeeded();
    let log: Value = serde_json::from_str(log.text()).unwrap();
    for (server, key, _) in CREDENTIALS {
        let of_server = |it: &&Value| it["server"] == server;
        let recorded: Vec<_> = log["calls"]
            .as_array()
            .unwrap()
            .iter()
            .filter(of_server)
            .collect();
        assert_eq!(recorded.len(), 2, "{server}: {recorded:?}");
        for call in recorded {
            assert_eq!(call["outcome"], "ok", "{call}");
            assert_eq!(call["client"], "claude-code", "{call}");
            assert!(call["secrets"].to_string().contains(key), "{call}");
        }
    }
    world.mcplexer(&["audit", "verify"]).succeeded();

    world.mcplexer(&["serve", "--stop"]).succeeded();
    world.wait_until_no_process_is_left();
    world.assert_no_file_has_a_value();
    world
        .mcplexer(&["adopt", "--undo", ".mcp.json"])
        .succeeded();
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
    assert_eq!(world.mcplexer(&["server", "list"]).succeeded().text(), "");
}
