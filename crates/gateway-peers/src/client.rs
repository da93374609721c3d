//! A client with faults on demand.
//!
//! It speaks HTTP by hand, over TCP or a unix socket, so that nothing keeps it from saying what it should not.

mod faults;
mod wire;

use std::fmt;
use std::io;
use std::path::PathBuf;

use serde_json::{Value, json};

pub use wire::{Connection, Reply};

/// What the client does. It does each thing once, in this order.
#[derive(Debug, Clone, Default, clap::Args)]
#[non_exhaustive]
pub struct Faults {
    /// Open so many connections that call a tool and never read the answer: 100 if no number is given
    #[arg(long, value_name = "CONNECTIONS", num_args = 0..=1, default_missing_value = "100")]
    pub never_read: Option<usize>,
    /// Open so many sessions and abandon them: 10,000 if no number is given
    #[arg(long, value_name = "SESSIONS", num_args = 0..=1, default_missing_value = "10000")]
    pub abandon: Option<usize>,
    /// Use sessions that the server never opened
    #[arg(long)]
    pub forged_session: bool,
    /// Send a requestState that the server never wrote
    #[arg(long)]
    pub forged_state: bool,
    /// Send headers that do not say what the body says
    #[arg(long)]
    pub header_unlike_body: bool,
    /// Send several messages at once
    #[arg(long)]
    pub batch: bool,
    /// Send a body of so many bytes: 64 MiB if no size is given
    #[arg(long, value_name = "BYTES", num_args = 0..=1, default_missing_value = "67108864")]
    pub huge_body: Option<usize>,
    /// Call a tool and cancel the call so many times: 1,000 if no number is given
    #[arg(long, value_name = "CALLS", num_args = 0..=1, default_missing_value = "1000")]
    pub cancels: Option<usize>,
    /// Send bodies that are not JSON, or nested without end
    #[arg(long)]
    pub malformed: bool,
    /// Send the Host and the Origin of a page whose name was rebound to the server
    #[arg(long)]
    pub rebound: bool,
}

/// Whom the client talks to.
#[derive(Debug, Clone, clap::Args)]
#[non_exhaustive]
pub struct Server {
    /// The URL of the server: http://HOST:PORT/PATH
    #[arg(long, value_name = "URL", default_value = "http://localhost/mcp")]
    pub url: String,
    /// Talk over this unix socket; of the URL, only the path counts
    #[arg(long, value_name = "SOCKET")]
    pub unix: Option<PathBuf>,
    /// Send the value of this environment variable as bearer token
    #[arg(long, value_name = "VARIABLE")]
    pub bearer_env: Option<String>,
    /// The tool that returns its message
    #[arg(long, value_name = "TOOL", default_value = "echo")]
    pub echo: String,
    /// The tool that takes long
    #[arg(long, value_name = "TOOL", default_value = "wait")]
    pub wait: String,
    /// The tool that asks the user
    #[arg(
        long,
        value_name = "TOOL",
        default_value = "test_input_required_result_elicitation"
    )]
    pub ask: String,
}

impl Server {
    /// The server at a URL.
    #[must_use]
    pub fn at(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            unix: None,
            bearer_env: None,
            echo: "echo".to_owned(),
            wait: "wait".to_owned(),
            ask: "test_input_required_result_elicitation".to_owned(),
        }
    }
}

/// A client.
pub struct Client<'a> {
    server: &'a Server,
    report: &'a mut dyn FnMut(Value),
}

impl fmt::Debug for Client<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("server", self.server)
            .finish_non_exhaustive()
    }
}

impl<'a> Client<'a> {
    /// A client that reports what it gets.
    pub fn new(server: &'a Server, report: &'a mut dyn FnMut(Value)) -> Self {
        Self { server, report }
    }

    /// Does what the faults say.
    pub fn run(&mut self, faults: &Faults) {
        if let Some(connections) = faults.never_read {
            self.never_read(connections);
        }
        if let Some(sessions) = faults.abandon {
            self.abandon(sessions);
        }
        if faults.forged_session {
            self.forge_sessions();
        }
        if faults.forged_state {
            self.forge_states();
        }
        if faults.header_unlike_body {
            self.contradict();
        }
        if faults.batch {
            self.batch();
        }
        if let Some(bytes) = faults.huge_body {
            self.send_much(bytes);
        }
        if let Some(calls) = faults.cancels {
            self.cancel(calls);
        }
        if faults.malformed {
            self.malform();
        }
        if faults.rebound {
            self.rebind();
        }
    }

    /// Sends a body, and reports what comes back.
    fn try_body(
        &mut self,
        fault: &str,
        case: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Option<Reply> {
        let reply = self.post(headers, body);
        self.tell(fault, case, &reply);
        reply.ok()
    }

    fn post(&self, headers: &[(&str, &str)], body: &[u8]) -> io::Result<Reply> {
        let mut connection = Connection::open(self.server)?;
        let sent = connection.send("POST", headers, body);
        // A server may answer what it does not read to its end.
        let reply = connection.receive();
        if reply.is_err() {
            sent.and(reply)
        } else {
            reply
        }
    }

    fn tell(&mut self, fault: &str, case: &str, reply: &io::Result<Reply>) {
        (self.report)(match reply {
            Ok(reply) => {
                json!({ "fault": fault, "case": case, "status": reply.status, "body": reply.body })
            }
            Err(error) => json!({ "fault": fault, "case": case, "error": error.to_string() }),
        });
    }

    /// Begins a session, and returns its id.
    fn begin(&mut self, fault: &str) -> Option<String> {
        let reply = self.post(&[], initialize().to_string().as_bytes());
        if let Ok(session) = &reply
            && let Some(id) = session.header("mcp-session-id")
        {
            return Some(id.to_owned());
        }
        self.tell(fault, "initialize", &reply);
        None
    }
}

fn initialize() -> Value {
    let client = json!({ "name": "bad-client", "version": env!("CARGO_PKG_VERSION") });
    let params =
        json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client });
    json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params })
}

fn call(id: usize, tool: &str, arguments: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "name": tool, "arguments": arguments } })
}

/// The request as a modern client sends it.
fn modern(mut request: Value) -> Value {
    if let Some(params) = request["params"].as_object_mut() {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": crate::fixture::MODERN,
            "io.modelcontextprotocol/clientCapabilities": { "elicitation": {} },
        });
        params.insert("_meta".to_owned(), meta);
    }
    request
}
