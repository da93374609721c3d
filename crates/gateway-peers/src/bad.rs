//! A server with faults on demand.
//!
//! It has two tools: `echo` always behaves, `misbehave` has the faults that the options name. Faults of the process
//! itself begin with its start.

mod plan;
mod secret;

pub mod stdio;
pub mod web;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::message::{Failure, answer};

pub use secret::Form;

/// How the server misbehaves.
#[derive(Debug, Clone, Default, clap::Args)]
#[non_exhaustive]
pub struct Faults {
    /// Never answer misbehave
    #[arg(long)]
    pub never: bool,
    /// Answer misbehave after so many milliseconds
    #[arg(long, value_name = "MILLISECONDS")]
    pub late: Option<u64>,
    /// Answer misbehave twice
    #[arg(long)]
    pub twice: bool,
    /// Answer misbehave with the id of no request
    #[arg(long)]
    pub other_id: bool,
    /// Write lines that are not JSON to the standard output, at the start and before each answer
    #[arg(long)]
    pub banner: bool,
    /// Answer misbehave with a line that is so long: 20 MiB if no size is given
    #[arg(long, value_name = "BYTES", num_args = 0..=1, default_missing_value = "20971520")]
    pub long_line: Option<usize>,
    /// Answer misbehave with a NUL byte in a string
    #[arg(long)]
    pub nul: bool,
    /// Answer misbehave with bytes that are not UTF-8 in a string
    #[arg(long)]
    pub invalid_utf8: bool,
    /// Write to the standard error without end
    #[arg(long)]
    pub flood_stderr: bool,
    /// Go on when the standard input ends
    #[arg(long)]
    pub ignore_eof: bool,
    /// Go on at SIGTERM, and so do the processes that are started
    #[arg(long)]
    pub ignore_sigterm: bool,
    /// Start so many processes that wait for ever, with the server's input and output
    #[arg(
        long,
        value_name = "PROCESSES",
        default_value_t = 0,
        hide_default_value = true
    )]
    pub grandchildren: usize,
    /// Append the process id of the server, and of what it starts, to a file
    #[arg(long, value_name = "FILE")]
    pub pids: Option<PathBuf>,
    /// Exit in the middle of the answer to misbehave
    #[arg(long)]
    pub exit_mid_call: bool,
    /// After misbehave, say so many times a second that the tools changed: 1,000 if no number is given
    #[arg(long, value_name = "TIMES", num_args = 0..=1, default_missing_value = "1000")]
    pub storm: Option<u32>,
    /// Exit at a second initialize
    #[arg(long)]
    pub initialize_once: bool,
    /// Do not answer methods that the server does not know
    #[arg(long)]
    pub silent: bool,
    /// Describe the tools in other words at each tools/list
    #[arg(long)]
    pub changing_description: bool,
    /// Say the secret in this form, in all that is sent for misbehave
    #[arg(long, value_enum, value_name = "FORM")]
    pub secret: Option<Form>,
    /// Take the secret from this environment variable
    #[arg(long, value_name = "VARIABLE")]
    pub secret_env: Option<String>,
    /// Take the secret from this header of the request
    #[arg(long, value_name = "HEADER")]
    pub secret_header: Option<String>,
    /// Over HTTP, forget a session after so many calls
    #[arg(long, value_name = "CALLS")]
    pub lose_session: Option<usize>,
    /// Over HTTP, cut the connection in the middle of the event with misbehave's answer
    #[arg(long)]
    pub cut: bool,
    /// Over HTTP, answer everything with 401
    #[arg(long)]
    pub unauthorized: bool,
    /// Over HTTP, answer misbehave with 403 and the scope that it needs
    #[arg(long, value_name = "SCOPE")]
    pub step_up: Option<String>,
    /// Over HTTP, answer everything with a redirection
    #[arg(long, value_name = "URL")]
    pub redirect: Option<String>,
    /// The status of a redirection
    #[arg(long, value_name = "STATUS", default_value_t = 307)]
    pub redirect_status: u16,
}

/// The server.
#[derive(Debug)]
pub struct Bad {
    faults: Faults,
    initialized: AtomicUsize,
    listed: AtomicUsize,
}

impl Bad {
    /// A server with the faults.
    #[must_use]
    pub fn new(faults: Faults) -> Self {
        Self {
            faults,
            initialized: AtomicUsize::new(0),
            listed: AtomicUsize::new(0),
        }
    }

    /// The good answer to a request, or nothing if it gets no answer.
    fn answer(&self, request: &Value) -> Option<String> {
        let (id, params) = (request.get("id")?, &request["params"]);
        let method = request["method"].as_str()?;
        let result = match method {
            "initialize" => json!({
                "protocolVersion": params["protocolVersion"],
                "capabilities": { "logging": {}, "tools": { "listChanged": true } },
                "serverInfo": { "name": "bad-server", "version": env!("CARGO_PKG_VERSION") },
            }),
            "ping" | "logging/setLevel" => json!({}),
            "tools/list" => self.tools(),
            "tools/call" => match params["name"].as_str() {
                Some("echo") => text(params["arguments"]["message"].as_str().unwrap_or_default()),
                Some("misbehave") => text("No fault was asked for."),
                _ => return Some(Failure::invalid("there is no such tool").answer(id)),
            },
            _ if self.faults.silent => return None,
            _ => return Some(Failure::no_method(method).answer(id)),
        };
        Some(answer(id, &result.to_string()))
    }

    fn tools(&self) -> Value {
        let times = self.listed.fetch_add(1, Ordering::SeqCst);
        let changes = if self.faults.changing_description {
            format!(", in wording {times}")
        } else {
            String::new()
        };
        let tool = |name: &str, description: &str, properties: Value| {
            let schema = json!({ "type": "object", "properties": properties });
            json!({ "name": name, "description": format!("{description}{changes}"), "inputSchema": schema })
        };
        json!({ "tools": [
            tool("echo", "Returns the message", json!({ "message": { "type": "string" } })),
            tool("misbehave", "Does what it should not", json!({ "error": { "type": "boolean" } })),
        ] })
    }
}

/// A tool's result with a text.
fn text(text: &str) -> Value {
    json!({ "content": [{ "type": "text", "text": text }] })
}
