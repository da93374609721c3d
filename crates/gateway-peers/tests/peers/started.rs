//! A peer that was started.

use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdout, Command, Stdio};

use serde_json::Value;
use test_support::Running;

/// A server over stdio, with which a test exchanges lines.
pub(crate) struct Talk {
    pub(crate) server: Running,
    answers: BufReader<ChildStdout>,
}

impl Talk {
    pub(crate) fn start(program: &str, options: &[&str]) -> Self {
        Self::of(Command::new(program).args(options))
    }

    pub(crate) fn of(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut server = Running::start(command).unwrap();
        let answers = BufReader::new(server.stdout.take().unwrap());
        Self { server, answers }
    }

    pub(crate) fn say(&mut self, message: &Value) {
        writeln!(self.server.stdin.as_mut().unwrap(), "{message}").unwrap();
    }

    /// The next line as it is, without its end.
    pub(crate) fn line(&mut self) -> Vec<u8> {
        let mut line = Vec::new();
        self.answers.read_until(b'\n', &mut line).unwrap();
        line.pop();
        line
    }

    pub(crate) fn hear(&mut self) -> Value {
        let line = self.line();
        serde_json::from_slice(&line)
            .unwrap_or_else(|error| panic!("{error}: {:?}", String::from_utf8_lossy(&line)))
    }

    pub(crate) fn ask(&mut self, message: &Value) -> Value {
        self.say(message);
        self.hear()
    }
}

/// Starts a server over HTTP. Returns its URL too.
pub(crate) fn serve(program: &str, options: &[&str]) -> (Running, String) {
    let mut command = Command::new(program);
    command
        .args(["--http", "127.0.0.1:0"])
        .args(options)
        .stdout(Stdio::piped());
    let mut server = Running::start(&mut command).unwrap();
    let mut url = String::new();
    BufReader::new(server.stdout.as_mut().unwrap())
        .read_line(&mut url)
        .unwrap();
    (server, url.trim().to_owned())
}
