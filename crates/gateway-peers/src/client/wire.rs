//! HTTP/1.1 by hand.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::Server;

/// How long the client waits for each piece of an answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// How much of a body is reported.
const REPORTED: usize = 4096;

trait Socket: Read + Write {}
impl<S: Read + Write> Socket for S {}

/// A connection to the server.
pub struct Connection {
    socket: BufReader<Box<dyn Socket>>,
    host: String,
    path: String,
    bearer: Option<String>,
}

/// What the server answered.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers' names in lower case, and their values.
    pub headers: Vec<(String, String)>,
    /// The beginning of the body.
    pub body: String,
}

impl Reply {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(each, _)| each == name)
            .map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("host", &self.host)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Connection {
    /// Connects to the server.
    ///
    /// # Errors
    ///
    /// The URL is no `http` URL, or nothing listens there.
    pub fn open(server: &Server) -> io::Result<Self> {
        let address = server
            .url
            .strip_prefix("http://")
            .ok_or(io::ErrorKind::InvalidInput)?;
        let (host, path) = address.split_once('/').unwrap_or((address, ""));
        let socket: Box<dyn Socket> = if let Some(socket) = &server.unix {
            let stream = UnixStream::connect(socket)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            Box::new(stream)
        } else {
            let stream = TcpStream::connect(host)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            stream.set_nodelay(true)?;
            Box::new(stream)
        };
        let bearer = server
            .bearer_env
            .as_deref()
            .and_then(|name| std::env::var(name).ok());
        Ok(Self {
            socket: BufReader::new(socket),
            host: host.to_owned(),
            path: format!("/{path}"),
            bearer,
        })
    }

    /// Sends a request with these headers. They replace the usual ones; one without a value is left out.
    ///
    /// # Errors
    ///
    /// The server closed the connection, or does not read.
    pub fn send(&mut self, method: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<()> {
        let length = body.len().to_string();
        let bearer = self
            .bearer
            .as_ref()
            .map(|token| format!("Bearer {token}"))
            .unwrap_or_default();
        let usual = [
            ("Host", self.host.as_str()),
            ("Content-Type", "application/json"),
            ("Accept", "application/json, text/event-stream"),
            ("Content-Length", &length),
            ("Authorization", &bearer),
        ];
        let mut head = format!("{method} {} HTTP/1.1\r\n", self.path);
        let replaced = |name: &str| {
            headers
                .iter()
                .any(|(each, _)| each.eq_ignore_ascii_case(name))
        };
        for (name, value) in usual
            .into_iter()
            .filter(|(name, _)| !replaced(name))
            .chain(headers.iter().copied())
        {
            if !value.is_empty() {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        head.push_str("\r\n");
        let socket = self.socket.get_mut();
        // In one piece, as most clients do.
        socket.write_all(&[head.as_bytes(), body].concat())?;
        socket.flush()
    }

    /// Reads one response with its whole body.
    ///
    /// # Errors
    ///
    /// The server closed the connection, does not answer, or does not speak HTTP.
    pub fn receive(&mut self) -> io::Result<Reply> {
        let status = self.line()?;
        let status = status
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .ok_or(io::ErrorKind::InvalidData)?;
        let mut reply = Reply {
            status,
            headers: Vec::new(),
            body: String::new(),
        };
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            reply
                .headers
                .push((name.to_lowercase(), value.trim().to_owned()));
        }
        let body = if reply.header("transfer-encoding").is_some() {
            self.chunks()?
        } else {
            let length = reply
                .header("content-length")
                .and_then(|length| length.parse().ok())
                .unwrap_or(0);
            let mut body = Vec::new();
            self.socket.by_ref().take(length).read_to_end(&mut body)?;
            body
        };
        reply.body = String::from_utf8_lossy(body.get(..REPORTED).unwrap_or(&body)).into_owned();
        Ok(reply)
    }

    fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let size =
                u64::from_str_radix(&self.line()?, 16).map_err(|_| io::ErrorKind::InvalidData)?;
            self.socket.by_ref().take(size).read_to_end(&mut body)?;
            self.line()?;
            if size == 0 {
                return Ok(body);
            }
        }
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.socket.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }
}
