//! What the server does for one request.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Bad, Form, text};
use crate::message::answer;

/// One thing that is done.
#[derive(Debug, Clone)]
pub(super) enum Act {
    /// Sends a message: a line, or an event.
    Say(Vec<u8>),
    /// Sends a message in two pieces.
    Pieces(Vec<u8>, Vec<u8>),
    /// Sends the beginning of a message, and exits.
    Die(Vec<u8>),
    /// Writes to the standard error.
    Complain(String),
    Wait(Duration),
    /// Says again and again that the tools changed, after such a time.
    Storm(Duration),
    /// Does nothing for ever.
    Never,
}

pub(super) const CHANGED: &str = r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#;

impl Act {
    fn say(text: impl Into<String>) -> Self {
        Self::Say(text.into().into_bytes())
    }

    /// That the tools changed.
    pub(super) fn changed() -> Self {
        Self::say(CHANGED)
    }
}

/// Whether the request calls the tool that misbehaves.
pub(super) fn is_misbehaviour(request: &Value) -> bool {
    request["method"] == "tools/call" && request["params"]["name"] == "misbehave"
}

impl Bad {
    /// What is done for a request. The secret is the one that came with it, or that the server was given.
    pub(super) fn plan(&self, request: &Value, secret: &str) -> Vec<Act> {
        let Some(good) = self.answer(request) else {
            return vec![Act::Never];
        };
        if !is_misbehaviour(request) {
            return vec![Act::say(good)];
        }
        let mut acts = self.misbehave(request, &good, secret);
        if self.faults.flood_stderr {
            // More than a pipe holds: it is answered only if somebody reads this.
            acts.insert(0, Act::Complain("a complaint\n".repeat(100_000)));
        }
        acts
    }

    fn misbehave(&self, request: &Value, good: &str, secret: &str) -> Vec<Act> {
        let (id, faults) = (&request["id"], &self.faults);
        let broken = |bytes: &[u8]| {
            let (before, after) = good.split_once("No fault").unwrap_or_default();
            Act::Say([before.as_bytes(), bytes, after.as_bytes()].concat())
        };
        if faults.never {
            vec![Act::Never]
        } else if let Some(milliseconds) = faults.late {
            vec![
                Act::Wait(Duration::from_millis(milliseconds)),
                Act::say(good),
            ]
        } else if faults.twice {
            vec![Act::say(good), Act::say(good)]
        } else if faults.other_id {
            vec![
                Act::say(answer(
                    &json!("nobody asked"),
                    &text("An answer to nobody.").to_string(),
                )),
                Act::Never,
            ]
        } else if let Some(bytes) = faults.long_line {
            vec![Act::say(answer(id, &text(&"x".repeat(bytes)).to_string()))]
        } else if faults.nul {
            vec![broken(b"\0")]
        } else if faults.invalid_utf8 {
            vec![broken(b"\xff\xfe")]
        } else if faults.exit_mid_call {
            vec![Act::Die(
                good.as_bytes()
                    .get(..good.len() / 2)
                    .unwrap_or_default()
                    .to_vec(),
            )]
        } else if let Some(times) = faults.storm {
            vec![
                Act::say(good),
                Act::Storm(Duration::from_secs(1) / times.max(1)),
            ]
        } else if let Some(form) = faults.secret {
            tell(request, form, secret)
        } else {
            vec![Act::say(good)]
        }
    }
}

/// Says the secret in a log line, a log message and the answer.
fn tell(request: &Value, form: Form, secret: &str) -> Vec<Act> {
    let id = &request["id"];
    let log = |what: &str| {
        let params = format!(r#"{{"level":"info","data":"it is {what}"}}"#);
        format!(r#"{{"jsonrpc":"2.0","method":"notifications/message","params":{params}}}"#)
    };
    let answer = |what: &str| {
        if request["params"]["arguments"]["error"] == true {
            let error =
                format!(r#"{{"code":-32603,"message":"it is {what}","data":{{"it":"{what}"}}}}"#);
            return format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#);
        }
        let content = format!(r#"[{{"type":"text","text":"it is {what}"}}]"#);
        let result =
            format!(r#"{{"content":{content},"structuredContent":{{"it":"{what}","{what}":1}}}}"#);
        format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#)
    };
    let middle = secret
        .char_indices()
        .nth(secret.chars().count() / 2)
        .map_or(0, |(at, _)| at);
    let (first, second) = secret.split_at(middle);
    let written = form.write(secret);
    let complaint = Act::Complain(format!("it is {written}\n"));
    match form {
        Form::Messages => vec![
            Act::Complain(format!("it begins with {first}\n")),
            Act::say(log(&form.write(first))),
            Act::say(log(&form.write(second))),
            Act::say(answer(&form.write(second))),
        ],
        Form::Pieces => {
            let whole = answer(&written);
            let cut = whole.find(&written).map_or(0, |at| at + written.len() / 2);
            let bytes = whole.as_bytes();
            let (one, two) = bytes.split_at_checked(cut).unwrap_or((bytes, &[]));
            vec![complaint, Act::Pieces(one.to_vec(), two.to_vec())]
        }
        _ => vec![
            complaint,
            Act::say(log(&written)),
            Act::say(answer(&written)),
        ],
    }
}
