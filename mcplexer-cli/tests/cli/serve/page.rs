//! The page of the gateway, as a browser asks for it.

use std::net::TcpStream;

use super::daemon::{Daemon, page, run, with_http};
use super::*;

mod imports;
mod secrets;

/// A session of a browser.
pub(super) struct Session {
    _daemon: Daemon,
    address: String,
    token: String,
}

/// The status and the body of an answer.
#[derive(Debug)]
pub(super) struct Answer {
    status: u16,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{self:?}"))
    }

    /// Checks the status; returns the body.
    #[track_caller]
    fn is(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        match self.text.as_str() {
            "" => Value::Null,
            _ => self.json(),
        }
    }
}

impl Session {
    /// Begins a session at the gateway of a home, which starts with it.
    pub(super) fn begin(home: &Home) -> Self {
        let daemon = with_http(home);
        let (address, ticket) = page(home);
        let mut session = Self {
            _daemon: daemon,
            address,
            token: String::new(),
        };
        let begun = session.send("POST", "/api/v1/session", &json!({"ticket": ticket}));
        session.token = begun.is(200)["token"].as_str().unwrap().to_owned();
        session
    }

    pub(super) fn get(&self, path: &str) -> Answer {
        self.request("GET", path, "", "")
    }

    pub(super) fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.request(method, path, "application/json", &body.to_string())
    }

    pub(super) fn request(&self, method: &str, path: &str, media: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let (address, token, length) = (&self.address, &self.token, body.len());
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nContent-Type: {media}\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(!head.contains("chunked"), "{head}");
        Answer {
            status: head.get(9..12).unwrap().parse().unwrap(),
            text: body.to_owned(),
        }
    }
}
