//! What the client does.

use std::collections::BTreeMap;
use std::io;

use serde_json::{Value, json};

use super::wire::{Connection, Reply};
use super::{Client, call, initialize, modern};
use crate::fixture::MODERN;

/// How deep a body is nested that is nested without end.
const DEEP: usize = 100_000;

impl Client<'_> {
    /// Calls that send and want much, and a stream of notifications, of which nothing is ever read. The connections
    /// stay open until the end, while one more client sees whether the server still answers.
    pub(super) fn never_read(&mut self, connections: usize) {
        let Some(session) = self.begin("never-read") else {
            return;
        };
        let headers = [("Mcp-Session-Id", session.as_str())];
        let message = "unread ".repeat(1 << 17);
        let open: Vec<io::Result<Connection>> = (0..connections)
            .map(|id| {
                let mut connection = Connection::open(self.server)?;
                let body = call(id, &self.server.echo, &json!({ "message": message })).to_string();
                connection.send("POST", &headers, body.as_bytes())?;
                Ok(connection)
            })
            .collect();
        let listens = Connection::open(self.server).and_then(|mut connection| {
            connection.send("GET", &headers, b"")?;
            Ok(connection)
        });
        let sent = open.iter().filter(|connection| connection.is_ok()).count();
        (self.report)(
            json!({ "fault": "never-read", "case": "sent", "connections": sent, "listens": listens.is_ok() }),
        );
        let body = call(
            connections,
            &self.server.echo,
            &json!({ "message": "still there?" }),
        )
        .to_string();
        self.try_body("never-read", "another call", &headers, body.as_bytes());
    }

    pub(super) fn abandon(&mut self, sessions: usize) {
        let body = initialize().to_string();
        let mut connection = Connection::open(self.server);
        let mut outcomes = BTreeMap::<String, usize>::new();
        for _ in 0..sessions {
            let reply = connection
                .as_mut()
                .map_err(|error| io::Error::from(error.kind()))
                .and_then(|connection| {
                    connection.send("POST", &[], body.as_bytes())?;
                    connection.receive()
                });
            let outcome = match &reply {
                Ok(reply) => reply.status.to_string(),
                Err(error) => error.to_string(),
            };
            *outcomes.entry(outcome).or_default() += 1;
            if reply.is_err() {
                connection = Connection::open(self.server);
            }
        }
        (self.report)(json!({ "fault": "abandon", "case": "sessions", "outcomes": outcomes }));
    }

    pub(super) fn forge_sessions(&mut self) {
        let body = call(1, &self.server.echo, &json!({ "message": "let me in" })).to_string();
        let Some(session) = self.begin("forged-session") else {
            return;
        };
        let changed = |at: usize| {
            let mut letters: Vec<char> = session.chars().collect();
            if let Some(letter) = letters.get_mut(at) {
                *letter = if *letter == 'A' { 'B' } else { 'A' };
            }
            letters.into_iter().collect::<String>()
        };
        for (case, id) in [
            ("genuine", session.clone()),
            ("invented", "0123456789abcdef".to_owned()),
            ("first letter changed", changed(0)),
            ("middle letter changed", changed(session.len() / 2)),
            ("longer", format!("{session}A")),
            (
                "shorter",
                session
                    .get(..session.len().saturating_sub(1))
                    .unwrap_or_default()
                    .to_owned(),
            ),
            ("very long", "A".repeat(8000)),
        ] {
            self.try_body(
                "forged-session",
                case,
                &[("Mcp-Session-Id", &id)],
                body.as_bytes(),
            );
        }
    }

    pub(super) fn forge_states(&mut self) {
        let tool = self.server.ask.clone();
        let headers = [
            ("MCP-Protocol-Version", MODERN),
            ("Mcp-Method", "tools/call"),
            ("Mcp-Name", tool.as_str()),
        ];
        let mut request = modern(call(1, &tool, &json!({})));
        let asked = self.try_body(
            "forged-state",
            "question",
            &headers,
            request.to_string().as_bytes(),
        );
        let state = asked
            .and_then(|asked| serde_json::from_str::<Value>(&asked.body).ok())
            .unwrap_or_default();
        let state = state["result"]["requestState"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let answer = json!({ "action": "accept", "content": { "name": "Mallory" } });
        let mut swapped: Vec<char> = state.chars().collect();
        let length = swapped.len();
        if length > 2 {
            swapped.swap(length / 2, length / 2 - 1);
            if let Some(letter) = swapped.get_mut(2) {
                *letter = if *letter == 'x' { 'y' } else { 'x' };
            }
        }
        for (case, forged) in [
            ("genuine", json!(state)),
            ("changed", json!(swapped.iter().collect::<String>())),
            ("longer", json!(format!("{state}-FORGED"))),
            ("invented", json!(r#"{"answers":{},"name":"admin"}"#)),
            ("a number", json!(7)),
        ] {
            request["params"]["requestState"] = forged;
            request["params"]["inputResponses"] = json!({ "user_name": answer });
            self.try_body(
                "forged-state",
                case,
                &headers,
                request.to_string().as_bytes(),
            );
        }
    }

    pub(super) fn contradict(&mut self) {
        let tool = self.server.echo.clone();
        let body = modern(call(1, &tool, &json!({ "message": "which?" }))).to_string();
        let (version, method, name) = (
            ("MCP-Protocol-Version", MODERN),
            ("Mcp-Method", "tools/call"),
            ("Mcp-Name", tool.as_str()),
        );
        for (case, headers) in [
            ("agreeing", vec![version, method, name]),
            (
                "another version",
                vec![("MCP-Protocol-Version", "2026-01-01"), method, name],
            ),
            (
                "a legacy version",
                vec![("MCP-Protocol-Version", "2025-11-25"), method, name],
            ),
            ("no version", vec![method, name]),
            (
                "another method",
                vec![version, ("Mcp-Method", "tools/list"), name],
            ),
            ("no method", vec![version, name]),
            (
                "another name",
                vec![version, method, ("Mcp-Name", "another")],
            ),
            ("no name", vec![version, method]),
            (
                "two names",
                vec![version, method, name, ("Mcp-Name", "another")],
            ),
        ] {
            self.try_body("header-unlike-body", case, &headers, body.as_bytes());
        }
    }

    pub(super) fn batch(&mut self) {
        let Some(session) = self.begin("batch") else {
            return;
        };
        let echo = |id| call(id, &self.server.echo, &json!({ "message": "one of many" }));
        let two = json!([echo(1), echo(2)]).to_string();
        let begins = json!([initialize(), echo(1)]).to_string();
        let news = [modern(echo(1)), modern(echo(2))];
        let news = json!(news).to_string();
        let old = [("Mcp-Session-Id", session.as_str())];
        let new = [
            ("MCP-Protocol-Version", MODERN),
            ("Mcp-Method", "tools/call"),
            ("Mcp-Name", "echo"),
        ];
        self.try_body("batch", "two calls", &old, two.as_bytes());
        self.try_body("batch", "none", &old, b"[]");
        self.try_body("batch", "initialize and a call", &[], begins.as_bytes());
        self.try_body("batch", "two modern calls", &new, news.as_bytes());
    }

    pub(super) fn send_much(&mut self, bytes: usize) {
        let Some(session) = self.begin("huge-body") else {
            return;
        };
        let session = ("Mcp-Session-Id", session.as_str());
        let body = call(
            1,
            &self.server.echo,
            &json!({ "message": "x".repeat(bytes) }),
        )
        .to_string();
        self.try_body("huge-body", "with its length", &[session], body.as_bytes());
        let chunks = [
            format!("{:x}\r\n", body.len()).as_bytes(),
            body.as_bytes(),
            b"\r\n0\r\n\r\n",
        ]
        .concat();
        let chunked = [
            session,
            ("Transfer-Encoding", "chunked"),
            ("Content-Length", ""),
        ];
        self.try_body("huge-body", "in chunks", &chunked, &chunks);
        let lie = [
            session,
            ("Content-Length", "99999999999999"),
            ("Connection", "close"),
        ];
        self.try_body("huge-body", "with a length that is far more", &lie, b"{}");
        let small = call(2, &self.server.echo, &json!({ "message": "still there?" })).to_string();
        self.try_body("huge-body", "another call", &[session], small.as_bytes());
    }

    pub(super) fn cancel(&mut self, calls: usize) {
        let Some(session) = self.begin("cancels") else {
            return;
        };
        let headers = [("Mcp-Session-Id", session.as_str())];
        let tool = self.server.wait.clone();
        let new = [
            ("MCP-Protocol-Version", MODERN),
            ("Mcp-Method", "tools/call"),
            ("Mcp-Name", tool.as_str()),
        ];
        let mut outcomes = BTreeMap::<String, usize>::new();
        for id in 1..=calls {
            let waiting = call(id, &tool, &json!({ "milliseconds": 600_000 }));
            let cancel = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": id } });
            let outcome = (|| {
                let mut connection = Connection::open(self.server)?;
                connection.send("POST", &headers, waiting.to_string().as_bytes())?;
                let cancelled = self.post(&headers, cancel.to_string().as_bytes());
                // A modern client closes the connection, and nothing else.
                Connection::open(self.server)?.send(
                    "POST",
                    &new,
                    modern(waiting).to_string().as_bytes(),
                )?;
                cancelled
            })();
            let outcome = outcome.map_or_else(
                |error| error.to_string(),
                |reply: Reply| reply.status.to_string(),
            );
            *outcomes.entry(outcome).or_default() += 1;
        }
        (self.report)(json!({ "fault": "cancels", "case": "calls", "outcomes": outcomes }));
        let body = call(
            calls + 1,
            &self.server.echo,
            &json!({ "message": "still there?" }),
        )
        .to_string();
        self.try_body("cancels", "another call", &headers, body.as_bytes());
    }

    pub(super) fn malform(&mut self) {
        let nested = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{}{}}}"#,
            "[".repeat(DEEP),
            "]".repeat(DEEP)
        );
        for (case, body) in [
            ("nothing", &b""[..]),
            ("no JSON", b"hello"),
            ("a string", b"\"hello\""),
            (
                "an end too early",
                br#"{"jsonrpc":"2.0","id":1,"method":"pi"#,
            ),
            (
                "not UTF-8",
                b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}",
            ),
            ("nested without end", nested.as_bytes()),
            ("no method", br#"{"jsonrpc":"2.0","id":1}"#),
        ] {
            self.try_body("malformed", case, &[], body);
        }
    }

    pub(super) fn rebind(&mut self) {
        let body = initialize().to_string();
        for (case, header) in [
            ("host", ("Host", "evil.example.com")),
            ("origin", ("Origin", "http://evil.example.com")),
            ("another port", ("Origin", "http://127.0.0.1:1")),
            ("origin null", ("Origin", "null")),
        ] {
            self.try_body("rebound", case, &[header], body.as_bytes());
        }
    }
}
