//! A client of the gateway, which shows up on the page.

use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, ChildStdout, Stdio};

use serde_json::{Value, json};
use test_support::Running;

use super::place::Place;

/// A client that is connected. On drop it is killed.
pub(crate) struct Client {
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
    next: u32,
    _child: Running,
}

impl Client {
    /// Connects a client of this name.
    #[track_caller]
    pub(crate) fn connect(place: &Place, name: &str) -> Self {
        let mut command = place.command(env!("CARGO_BIN_EXE_mcplexer"));
        command.args(["connect", "--client", name]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = Running::start(command.stderr(Stdio::null())).unwrap();
        let mut client = Self {
            asks: child.stdin.take().unwrap(),
            answers: BufReader::new(child.stdout.take().unwrap()),
            next: 1,
            _child: child,
        };
        let params = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}});
        let id = client.begin("initialize", &params);
        client.end(id);
        client.say(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        client
    }

    fn say(&mut self, message: &Value) {
        writeln!(self.asks, "{message}").unwrap();
    }

    fn begin(&mut self, method: &str, params: &Value) -> u32 {
        let id = self.next;
        self.next += 1;
        self.say(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        id
    }

    /// Begins to call a tool; returns the id of the call.
    pub(crate) fn begin_call(&mut self, tool: &str) -> u32 {
        self.begin("tools/call", &json!({"name": tool, "arguments": {}}))
    }

    /// Waits for an answer, and returns it.
    #[track_caller]
    pub(crate) fn end(&mut self, id: u32) -> Value {
        loop {
            let mut line = String::new();
            self.answers.read_line(&mut line).unwrap();
            let message: Value = serde_json::from_str(&line).unwrap();
            if message["id"] == id {
                return message;
            }
        }
    }

    #[track_caller]
    pub(crate) fn call(&mut self, tool: &str) -> Value {
        let id = self.begin_call(tool);
        self.end(id)
    }
}
