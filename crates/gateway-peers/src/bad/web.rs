//! The server over Streamable HTTP, in sessions.

use std::collections::HashMap;
use std::io;
use std::process;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hyper::{Method, Request, Response, StatusCode};
use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;

use super::plan::{Act, is_misbehaviour};
use super::{Bad, Form};
use crate::http::{Sent, accepted, document, event, events, header, text, with};
use crate::message::Failure;

const SESSION: &str = "mcp-session-id";

/// The server, and how many calls there were in each of its sessions.
#[derive(Debug)]
pub struct Web {
    bad: Bad,
    given: String,
    sessions: Mutex<HashMap<String, usize>>,
}

type Stream = UnboundedSender<io::Result<Bytes>>;

impl Web {
    /// A server without sessions yet.
    #[must_use]
    pub fn new(bad: Bad) -> Self {
        let given = bad
            .faults
            .secret_env
            .as_deref()
            .and_then(|name| std::env::var(name).ok())
            .unwrap_or_default();
        Self {
            bad,
            given,
            sessions: Mutex::default(),
        }
    }

    /// Answers one HTTP request.
    pub async fn respond(&self, request: Request<Bytes>) -> Response<Sent> {
        let faults = &self.bad.faults;
        let secret = match &faults.secret_header {
            Some(name) => header(&request, name).unwrap_or_default(),
            None => &self.given,
        };
        let said = faults
            .secret
            .map(|form| form.write(secret))
            .unwrap_or_default();
        if let Some(url) = &faults.redirect {
            let status = StatusCode::from_u16(faults.redirect_status)
                .unwrap_or(StatusCode::TEMPORARY_REDIRECT);
            return with(text(status, &said), "location", url);
        }
        if faults.unauthorized {
            let response = text(
                StatusCode::UNAUTHORIZED,
                &format!("{said} is no longer good"),
            );
            return with(
                response,
                "www-authenticate",
                r#"Bearer error="invalid_token""#,
            );
        }
        if request.method() == Method::DELETE {
            self.forget(header(&request, SESSION).unwrap_or_default());
            return text(StatusCode::OK, "");
        }
        if request.method() != Method::POST {
            return with(
                text(StatusCode::METHOD_NOT_ALLOWED, ""),
                "allow",
                "POST, DELETE",
            );
        }
        let Ok(message) = serde_json::from_slice::<Value>(request.body()) else {
            return document(
                400,
                Failure::new(-32700, "the body is not JSON", 400).answer(&Value::Null),
            );
        };
        let begins = message["method"] == "initialize";
        if !begins && !self.counts(header(&request, SESSION), &message) {
            return document(
                404,
                Failure::new(-32001, "the session does not exist", 404).answer(&message["id"]),
            );
        }
        if message.get("method").is_none() || message.get("id").is_none() {
            return accepted();
        }
        if let Some(scope) = faults
            .step_up
            .as_deref()
            .filter(|_| is_misbehaviour(&message))
        {
            let challenge = format!(r#"Bearer error="insufficient_scope", scope="{scope}""#);
            return with(
                text(StatusCode::FORBIDDEN, &said),
                "www-authenticate",
                &challenge,
            );
        }
        let acts = self.bad.plan(&message, secret);
        let cut = faults.cut && is_misbehaviour(&message);
        let response = match acts.as_slice() {
            [Act::Say(only)] if !cut => document(200, only.clone()),
            _ => {
                let (stream, response) = events();
                tokio::spawn(perform(acts, stream, cut));
                response
            }
        };
        if begins {
            with(response, SESSION, &self.begin())
        } else {
            response
        }
    }

    fn begin(&self) -> String {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let mut random = [0; 16];
        // Without randomness, the names are still different.
        let _ = getrandom::fill(&mut random);
        let name = format!(
            "{}-{}",
            sessions.len(),
            Form::Hex.write(&String::from_utf8_lossy(&random))
        );
        sessions.insert(name.clone(), 0);
        name
    }

    fn forget(&self, session: &str) {
        self.sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(session);
    }

    /// Counts a call. Returns whether the session exists.
    fn counts(&self, session: Option<&str>, message: &Value) -> bool {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((name, calls)) = session.and_then(|session| sessions.get_key_value(session))
        else {
            return false;
        };
        let (name, calls) = (
            name.clone(),
            calls + usize::from(message["method"] == "tools/call"),
        );
        if self
            .bad
            .faults
            .lose_session
            .is_some_and(|most| calls > most)
        {
            sessions.remove(&name);
            return false;
        }
        sessions.insert(name, calls);
        true
    }
}

async fn perform(acts: Vec<Act>, stream: Stream, cut: bool) {
    for act in acts {
        match act {
            Act::Say(message) if cut => {
                let whole = as_event(&message);
                let half = whole.slice(..whole.len() / 2);
                let _ = stream.send(Ok(half));
                // The half is sent before the connection is cut.
                tokio::time::sleep(Duration::from_millis(20)).await;
                let _ = stream.send(Err(io::ErrorKind::ConnectionReset.into()));
                return;
            }
            Act::Say(message) => drop(stream.send(Ok(as_event(&message)))),
            Act::Pieces(one, two) => {
                let _ = stream.send(Ok([b"event: message\ndata: ", one.as_slice()]
                    .concat()
                    .into()));
                tokio::time::sleep(Duration::from_millis(20)).await;
                let _ = stream.send(Ok([two.as_slice(), b"\n\n"].concat().into()));
            }
            Act::Die(beginning) => {
                let _ = stream.send(Ok([b"data: ", beginning.as_slice()].concat().into()));
                tokio::time::sleep(Duration::from_millis(20)).await;
                process::exit(3);
            }
            Act::Complain(complaint) => drop(io::Write::write_all(
                &mut io::stderr(),
                complaint.as_bytes(),
            )),
            Act::Wait(time) => tokio::time::sleep(time).await,
            Act::Storm(pause) => {
                while stream.send(Ok(event(None, super::plan::CHANGED))).is_ok() {
                    tokio::time::sleep(pause).await;
                }
            }
            Act::Never => stream.closed().await,
        }
    }
}

/// A message as an event, byte for byte.
fn as_event(message: &[u8]) -> Bytes {
    [b"event: message\ndata: ", message, b"\n\n"]
        .concat()
        .into()
}
