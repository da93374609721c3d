//! `mcplexer serve` and `mcplexer connect`, with servers that are shell scripts.

#![cfg(feature = "serve")]

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use test_support::{Running, STANDARD_PATH};

use super::home::{Home, finish, write_program};

mod api;
mod away;
mod daemon;
mod http;
mod kills;
mod others;
mod page;
mod processes;
mod soak;
mod starts;
mod watched;
mod web;

const VALUE: &str = "m4rked-S3cret-value-0123456789";

/// A server. `hang` is never answered, `stubborn` makes it ignore every request to end. It holds `$1`, a named pipe, open for
/// writing as long as it runs, and so does what it starts.
const SERVER: &str = r#"#!/bin/sh
exec 3<>"$1"
answer() { printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$id" "$1"; }
text() { answer "{\"content\":[{\"type\":\"text\",\"text\":\"$1\"}]}"; }
case $2 in
grandchild) "$0" "$1" plain; exit ;;
stubborn) trap '' HUP INT TERM ;;
esac
while :; do
  if ! IFS= read -r line; then
    [ "$2" = stubborn ] || exit
    kill -STOP $$
    continue
  fi
  id=${line#*\"id\":}; id=${id%%,*}
  case $line in
  *'"initialize"'*) answer '{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"sh","version":"1"}}' ;;
  *'"tools/list"'*) answer '{"tools":[{"name":"hang"},{"name":"fds"},{"name":"env"},{"name":"pid"}]}' ;;
  *'"hang"'*) echo hanging >&2 ;;
  *'"die"'*) exit 7 ;;
  *'"crash"'*) kill -SEGV $$ ;;
  *'"pid"'*) text $$ ;;
  *'"env"'*) text "$(env | sort | tr '\n' ' ')" ;;
  *'"fds"'*) list=; for fd in /proc/$$/fd/*; do list="$list ${fd##*/}"; done; text "${list# }" ;;
  *'"id"'*) printf '{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"no"}}\n' "$id" ;;
  esac
done
"#;

/// Makes a home with servers of these kinds, each under its own name, and the pipe that they hold open.
fn home(kinds: &[&str]) -> Home {
    let home = Home::with_secret(VALUE);
    write_program(&home.root().join("server"), SERVER);
    make_pipe(&pipe(&home));
    fs::write(home.path("config.yaml"), config(&home, kinds)).unwrap();
    home
}

fn make_pipe(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

fn config(home: &Home, kinds: &[&str]) -> String {
    let (program, pipe) = (home.root().join("server"), pipe(home));
    let server = |kind: &&str| {
        format!(
            "  {kind}:\n    command: [{}, {}, {kind}]\n    env: {{TOKEN: \"mcplexer://github-token/TOKEN\"}}\n",
            program.display(),
            pipe.display()
        )
    };
    let servers: String = kinds.iter().map(server).collect();
    format!("servers:\n{servers}")
}

fn pipe(home: &Home) -> PathBuf {
    home.root().join("pipe")
}

/// Opens the pipe that servers hold open, without waiting for them.
fn held(home: &Home) -> File {
    File::options()
        .read(true)
        .write(true)
        .open(pipe(home))
        .unwrap()
}

/// Waits until no server holds the pipe open.
fn wait_until_none_runs(home: &Home, held: File) {
    // Reading ends when nobody writes any more.
    let mut reader = File::open(Path::new("/dev/fd").join(fd(&held))).unwrap();
    drop(held);
    let mut rest = Vec::new();
    reader.read_to_end(&mut rest).unwrap();
    assert!(pipe(home).exists());
}

fn fd(file: &File) -> String {
    use std::os::fd::AsRawFd;
    file.as_raw_fd().to_string()
}

fn command(home: &Home, arguments: &[&str]) -> Command {
    let mut command = home.command();
    command.env("PATH", STANDARD_PATH).args(arguments);
    command
}

/// A client that talks with a command.
struct Client {
    child: Running,
    asks: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    next: u32,
}

impl Client {
    fn start(home: &Home, arguments: &[&str]) -> Self {
        Self::of(command(home, arguments).stderr(Stdio::null()))
    }

    fn of(command: &mut Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = Running::start(command).unwrap();
        Self {
            asks: child.stdin.take(),
            answers: BufReader::new(child.stdout.take().unwrap()),
            child,
            next: 1,
        }
    }

    /// Starts a client that has greeted.
    fn greeted(home: &Home, arguments: &[&str]) -> Self {
        Self::start(home, arguments).greet()
    }

    fn greet(self) -> Self {
        let mut client = self;
        let params = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}});
        let hello = client.ask("initialize", &params);
        assert_eq!(hello["result"]["protocolVersion"], "2025-06-18", "{hello}");
        client.say(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        client
    }

    fn say(&mut self, message: &Value) {
        writeln!(self.asks.as_mut().unwrap(), "{message}").unwrap();
    }

    /// Says something that is answered; returns its id.
    fn begin(&mut self, method: &str, params: &Value) -> u32 {
        let id = self.next;
        self.next += 1;
        self.say(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        id
    }

    /// Reads until a message fits.
    fn read(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let mut line = String::new();
            self.answers.read_line(&mut line).unwrap();
            assert!(line.ends_with('\n'), "the stream ends with {line:?}");
            let message: Value = serde_json::from_str(&line).unwrap();
            if fits(&message) {
                return message;
            }
        }
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        let id = self.begin(method, params);
        self.read(|it| it["id"] == id)
    }

    /// Calls a tool; returns its text, or its error.
    fn call(&mut self, tool: &str) -> String {
        let answer = self.ask("tools/call", &json!({"name": tool}));
        match answer["result"]["content"][0]["text"].as_str() {
            Some(text) => text.to_owned(),
            None => answer["error"].to_string(),
        }
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Ends the input, and waits for the end of the command.
    fn leave(mut self) -> i32 {
        drop(self.asks.take());
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

#[test]
fn a_server_has_its_credential_and_nothing_else_of_the_gateway() {
    let home = home(&["plain"]);
    let mut client = Client::greeted(&home, &["serve", "--server", "plain"]);
    let environment = client.call("env");
    assert!(
        environment.contains("TOKEN=[github-token/TOKEN]"),
        "{environment}"
    );
    assert!(!environment.contains("MCPLEXER"), "{environment}");
    // 3 is the pipe, 4 the directory that is listed, and a shell has its script at 10 and 11.
    let descriptors = client.call("fds");
    let own = ["3", "4", "10", "11"];
    let given = descriptors.split(' ').filter(|it| !own.contains(it));
    assert_eq!(given.collect::<Vec<_>>(), ["0", "1", "2"]);
    assert_eq!(client.leave(), 0);
    let mut client = Client::greeted(&home, &["serve"]);
    let tools = client.ask("tools/list", &json!({}));
    assert_eq!(tools["result"]["tools"][0]["name"], "plain__hang");
    assert_eq!(client.leave(), 0);
}

/// A client would show an empty list otherwise.
#[test]
fn a_server_that_is_not_in_the_file_is_named_at_once() {
    let home = home(&["plain"]);
    for command in ["serve", "connect"] {
        let run = finish(&mut self::command(&home, &[command, "--server", "nope"]));
        run.failed(
            4,
            &["config.yaml has no server nope", "mcplexer server list"],
        );
    }
}

#[test]
fn a_server_is_tested_by_itself() {
    let home = home(&["plain"]);
    fs::write(
        home.path("config.yaml"),
        config(&home, &["plain"]) + "  off: {command: [x], disabled: true}\n  none: {command: [/none]}\n  dead: {command: [/bin/sh, -c, \"echo dying >&2\"]}\n",
    )
    .unwrap();
    let test = |name: &str| finish(&mut command(&home, &["server", "test", name]));
    let works = test("plain").succeeded();
    assert!(
        works
            .text()
            .starts_with("plain works: sh 1, 4 tools, with sessions, "),
        "{}",
        works.text()
    );
    test("off").failed(4, &["server off is disabled"]);
    test("other").failed(
        4,
        &["server other is not in config.yaml", "mcplexer server list"],
    );
    test("none").failed(1, &["server none cannot be started", "No such file"]);
    test("dead").failed(1, &["server dead cannot be started", "\n  dying\n"]);
    home.run(["secret", "delete", "github-token", "TOKEN"])
        .succeeded();
    test("plain").failed(
        1,
        &[
            "server plain was not started",
            "mcplexer secret put github-token TOKEN",
        ],
    );
}
