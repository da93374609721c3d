//! HTTP as it goes over the wire: the client decides about every byte, since an attacker does.

use std::fmt;
use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

/// After so long without a byte, nothing comes any more.
const LIMIT: Duration = Duration::from_secs(120);

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    to: String,
    method: String,
    target: String,
    fields: Vec<(String, String)>,
    body: Vec<u8>,
}

/// What was answered.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Ask {
    /// Prepares a request with no field at all, not even `Host`. `to` is an address with a port.
    pub(crate) fn new(to: &str, method: &str, target: &str) -> Self {
        Self {
            to: to.to_owned(),
            method: method.to_owned(),
            target: target.to_owned(),
            fields: Vec::new(),
            body: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.with("Authorization", &format!("Bearer {token}"))
    }

    /// Adds what a browser sends that was given a password.
    pub(crate) fn basic(self, password: &str) -> Self {
        let pair = BASE64_STANDARD.encode(format!("mcplexer:{password}"));
        self.with("Authorization", &format!("Basic {pair}"))
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", &body.to_string())
    }

    pub(crate) fn body(mut self, media: &str, body: &str) -> Self {
        self.body = body.as_bytes().to_vec();
        self.with("Content-Type", media)
    }

    #[track_caller]
    pub(crate) fn send(&self) -> Answer {
        let sent = self.try_send();
        sent.unwrap_or_else(|error| panic!("{} {}: {error}", self.method, self.target))
    }

    /// Sends it on a connection of its own.
    pub(crate) fn try_send(&self) -> io::Result<Answer> {
        self.begin().map(|(answer, _)| answer)
    }

    /// Sends it on a connection of its own; returns that, too. Of a stream, the answer is the head alone.
    pub(crate) fn begin(&self) -> io::Result<(Answer, BufReader<TcpStream>)> {
        let stream = TcpStream::connect(&self.to)?;
        stream.set_read_timeout(Some(LIMIT))?;
        let mut text = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        for (name, value) in &self.fields {
            text += &format!("{name}: {value}\r\n");
        }
        text += &format!(
            "Connection: close\r\nContent-Length: {}\r\n\r\n",
            self.body.len()
        );
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(&self.body);
        (&stream).write_all(&bytes)?;
        let mut stream = BufReader::new(stream);
        let answer = Answer::read(&mut stream, self.method == "HEAD")?;
        Ok((answer, stream))
    }
}

impl Answer {
    fn read(stream: &mut impl BufRead, is_head: bool) -> io::Result<Self> {
        let first = line(stream)?;
        let status = first.split(' ').nth(1).and_then(|it| it.parse().ok());
        let mut answer = Self {
            status: status.ok_or(io::ErrorKind::InvalidData)?,
            fields: Vec::new(),
            body: Vec::new(),
        };
        loop {
            let line = line(stream)?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            let field = (name.to_ascii_lowercase(), value.trim().to_owned());
            answer.fields.push(field);
        }
        // A stream goes on until the client leaves.
        let goes_on = matches!(answer.media(), "text/event-stream" | "application/x-ndjson");
        if is_head || goes_on {
            return Ok(answer);
        }
        if answer.field("transfer-encoding") == Some("chunked") {
            loop {
                let length = usize::from_str_radix(&line(stream)?, 16).unwrap_or(0);
                let mut chunk = vec![0; length];
                stream.read_exact(&mut chunk)?;
                line(stream)?;
                if length == 0 {
                    break;
                }
                answer.body.extend(chunk);
            }
        } else {
            let length = answer
                .field("content-length")
                .and_then(|it| it.parse().ok());
            answer.body.resize(length.unwrap_or(0), 0);
            stream.read_exact(&mut answer.body)?;
        }
        Ok(answer)
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter().filter(|(it, _)| it == name);
        let field = fields.next().map(|(_, value)| value.as_str());
        assert!(fields.next().is_none(), "{name} is there twice");
        field
    }

    /// Returns the media type, without parameters; empty if the header is missing.
    pub(crate) fn media(&self) -> &str {
        let media = self.field("content-type").unwrap_or_default();
        media.split(';').next().unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(crate) fn value(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Returns all of it that could tell something: the head and the body.
    pub(crate) fn everything(&self) -> String {
        let fields = self
            .fields
            .iter()
            .map(|(name, value)| format!("{name}: {value}\n"));
        fields.collect::<String>() + &self.text()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.status, self.everything())
    }
}

fn line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    match stream.read_line(&mut line)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(line.trim_end().to_owned()),
    }
}
