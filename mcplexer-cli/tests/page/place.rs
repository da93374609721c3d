//! A home with a gateway that serves its page.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::{Running, STANDARD_PATH, kill_started_in, restore_signals};

use super::http::{Answer, Ask};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_mcplexer");

/// A value of the store that no page may show.
pub(crate) const STORED: &str = "st0red-S3cret-value-0123456789";

/// The pages, each with a name for its picture, and as they are in [`Place::with_secret`]. A test fails if a page links to
/// one that is not here.
pub(crate) const PAGES: [(&str, &str); 9] = [
    ("overview", "/"),
    ("secrets", "/secrets"),
    ("scope", "/secrets/github-token"),
    ("secret", "/secrets/github-token/TOKEN"),
    ("servers", "/servers"),
    ("server", "/servers/plain"),
    ("calls", "/calls"),
    ("clients", "/clients"),
    ("doctor", "/doctor"),
];

/// A server that calls itself what a page would run, had it not escaped it. It stops at the gate beside it, if its tool `wait` is
/// called or it was started with `slow`; its tool `fail` fails.
pub(crate) const SERVER: &str = r#"#!/bin/sh
echo 'started <script>document.title="run"</script>' >&2
answer() { printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$id" "$1"; }
while IFS= read -r line; do
  id=${line#*\"id\":}; id=${id%%,*}
  case $line in
  *'"initialize"'*) [ "$1" != slow ] || read -r go <"$0.gate"; answer '{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"sh","version":"1"}}' ;;
  *'"tools/list"'*) answer '{"tools":[{"name":"echo","description":"<img src=x onerror=\"document.title=1\">","inputSchema":{"type":"object"}},{"name":"wait"},{"name":"fail"}]}' ;;
  *'"wait"'*) read -r go <"$0.gate"; answer '{"content":[]}' ;;
  *'"fail"'*) answer '{"content":[{"type":"text","text":"failed"}],"isError":true}' ;;
  *'"id"'*) answer '{"content":[{"type":"text","text":"done"}]}' ;;
  esac
done
"#;

/// A home. On drop its gateway ends, and what else was started in it.
pub(crate) struct Place {
    directory: TempDir,
}

impl Place {
    /// Makes a home without a store.
    pub(crate) fn empty() -> Self {
        restore_signals();
        let mut builder = tempfile::Builder::new();
        let private = builder.permissions(Permissions::from_mode(0o700));
        Self {
            directory: private.prefix("page").tempdir().unwrap(),
        }
    }

    /// Makes a home with a secret, `github-token/TOKEN`, and a server that has it.
    pub(crate) fn with_secret() -> Self {
        let place = Self::empty();
        place.put("github-token", "TOKEN", STORED);
        let server = place.root().join("server");
        fs::write(&server, SERVER).unwrap();
        let config = format!(
            "servers:\n  plain:\n    command: [/bin/sh, {}]\n    env: {{TOKEN: \"mcplexer://github-token/TOKEN\"}}\n",
            server.display()
        );
        fs::write(place.path("config.yaml"), config).unwrap();
        place
    }

    pub(crate) fn root(&self) -> &Path {
        self.directory.path()
    }

    /// Returns a path in the directory of the store.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root().join(".mcplexer").join(name)
    }

    /// Returns a program as a command in this home, with an otherwise empty environment.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command
            .env_clear()
            .env("HOME", self.root())
            .env("PATH", STANDARD_PATH)
            .current_dir(self.root())
            .stdin(Stdio::null());
        command
    }

    /// Runs the command line; returns what it prints.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let output = self.command(BINARY).args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Adds a server, `dead`, that says why it does not start.
    pub(crate) fn add_dead(&self) {
        let script = "echo 'no licence found' >&2; exit 3";
        self.run(&["server", "add", "dead", "--", "/bin/sh", "-c", script]);
    }

    /// Stores a value, which no argument has.
    pub(crate) fn put(&self, scope: &str, key: &str, value: &str) {
        let mut command = self.command(BINARY);
        command.args(["secret", "put", scope, key]);
        let streams = command.stdin(Stdio::piped()).stderr(Stdio::null());
        let mut child = Running::start(streams).unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(value.as_bytes()).unwrap();
        drop(input);
        assert!(child.wait().unwrap().success());
    }

    pub(crate) fn get(&self, scope: &str, key: &str) -> String {
        self.run(&["secret", "get", scope, key])
            .trim_end()
            .to_owned()
    }

    /// Returns a value to the byte.
    #[track_caller]
    pub(crate) fn bytes(&self, scope: &str, key: &str) -> Vec<u8> {
        let mut command = self.command(BINARY);
        let output = command
            .args(["secret", "get", scope, key])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        output.stdout
    }

    /// Runs the command line; returns what it prints as JSON.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.run(&[arguments, &["--json"]].concat())).unwrap()
    }

    /// Opens the page; returns its address with a ticket. Starts the gateway if need be.
    pub(crate) fn ui(&self) -> Opened {
        let address = self.run(&["ui", "--no-browser"]);
        let (origin, ticket) = address.trim_end().split_once("/#t=").unwrap();
        Opened {
            origin: origin.to_owned(),
            ticket: ticket.to_owned(),
        }
    }

    /// Returns the host with its port at which clients and scripts connect.
    pub(crate) fn http(&self) -> String {
        let status = self.json(&["status"]);
        status["http"].as_str().unwrap().to_owned()
    }

    /// Starts a gateway at an address; returns when it serves.
    pub(crate) fn serve(&self, address: &str) -> Running {
        let mut command = self.command(BINARY);
        command.args(["serve", "--http", address]);
        let streams = command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = Running::start(streams).unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let served = lines.find(|it| it.as_ref().is_ok_and(|it| it.contains("serving")));
        assert!(served.is_some(), "it does not serve at {address}");
        // It goes on writing.
        std::thread::spawn(move || lines.for_each(drop));
        child
    }

    /// Ends the gateway.
    pub(crate) fn stop(&self) {
        self.run(&["serve", "--stop"]);
    }

    /// Returns what the store holds, as far as it may be told, so that two of them can be compared.
    pub(crate) fn state(&self) -> Vec<String> {
        let config = fs::read_to_string(self.path("config.yaml")).unwrap_or_default();
        vec![
            self.run(&["scope", "list", "--json"]),
            self.run(&["scope", "show", "github-token", "--json"]),
            config,
        ]
    }

    /// Returns every file below the home that is not a program's, with what it holds.
    pub(crate) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        let mut directories = vec![self.root().to_owned()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
                let kind = entry.file_type().unwrap();
                if kind.is_dir() {
                    directories.push(entry.path());
                } else if kind.is_file() {
                    // A browser removes some of its own meanwhile.
                    let bytes = fs::read(entry.path()).unwrap_or_default();
                    files.push((entry.path(), bytes));
                }
            }
        }
        files
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // The test may have ended it itself.
        let _ended = self.command(BINARY).args(["serve", "--stop"]).output();
        kill_started_in(self.root());
    }
}

/// Where the page is.
#[derive(Debug, Clone)]
pub(crate) struct Opened {
    /// `http://127.X.Y.Z:PORT`
    pub(crate) origin: String,
    pub(crate) ticket: String,
}

impl Opened {
    /// Returns the address that a person opens.
    pub(crate) fn address(&self) -> String {
        format!("{}/#t={}", self.origin, self.ticket)
    }

    /// Returns the host with its port.
    pub(crate) fn host(&self) -> &str {
        self.origin.strip_prefix("http://").unwrap()
    }

    pub(crate) fn port(&self) -> u16 {
        self.host().rsplit_once(':').unwrap().1.parse().unwrap()
    }

    /// Begins a session without a browser; returns its token.
    pub(crate) fn token(&self) -> String {
        let ticket = json!({"ticket": self.ticket});
        let answer = self.ask("POST", "/api/v1/session").json(&ticket).send();
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.value()["token"].as_str().unwrap().to_owned()
    }

    pub(crate) fn ask(&self, method: &str, target: &str) -> Ask {
        Ask::new(self.host(), method, target).with("Host", self.host())
    }

    /// Asks with a token.
    pub(crate) fn asked(&self, token: &str, method: &str, target: &str) -> Answer {
        self.ask(method, target).bearer(token).send()
    }

    /// Returns the description of the API.
    pub(crate) fn openapi(&self) -> Value {
        let answer = self.ask("GET", "/api/v1/openapi.json").send();
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.value()
    }
}
