//! A client over HTTP, with a session.

use std::io;
use std::net::TcpStream;

use super::*;

/// A client over HTTP that has greeted. It keeps its connection as long as that works.
pub(super) struct WebClient {
    address: String,
    token: String,
    session: Option<String>,
    stream: Option<BufReader<TcpStream>>,
    next: u32,
}

impl WebClient {
    pub(super) fn greeted(address: &str, token: &str) -> Self {
        let mut client = Self {
            address: address.to_owned(),
            token: token.to_owned(),
            session: None,
            stream: None,
            next: 1,
        };
        let params = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "web", "version": "1"}});
        let hello = client.ask("initialize", &params).unwrap();
        assert_eq!(hello["result"]["protocolVersion"], "2025-06-18", "{hello}");
        let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        client.post(&initialized).unwrap();
        client
    }

    /// Calls a tool; returns its answer. Fails if the gateway is not there, or goes before it has answered.
    pub(super) fn call(&mut self, tool: &str) -> io::Result<Value> {
        self.ask("tools/call", &json!({"name": tool}))
    }

    fn ask(&mut self, method: &str, params: &Value) -> io::Result<Value> {
        let id = self.next;
        self.next += 1;
        let body =
            self.post(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))?;
        let messages = body
            .lines()
            .map(|it| it.strip_prefix("data: ").unwrap_or(it));
        let mut messages = messages.filter_map(|it| serde_json::from_str::<Value>(it).ok());
        let answer = messages.find(|it| it["id"] == id);
        // The gateway may go when it has sent the head of an answer.
        answer.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// Sends a message; returns the body of the answer.
    fn post(&mut self, message: &Value) -> io::Result<String> {
        let stream = match self.stream.take() {
            Some(stream) => stream,
            None => BufReader::new(TcpStream::connect(&self.address)?),
        };
        let mut stream = stream;
        let (head, body) = self.exchange(&mut stream, &message.to_string())?;
        let status = head.split(' ').nth(1).unwrap_or_default();
        assert!(matches!(status, "200" | "202"), "{head}{body}");
        let session = field(&head, "mcp-session-id").map(str::to_owned);
        self.session = session.or(self.session.take());
        self.stream = Some(stream);
        Ok(body)
    }

    fn exchange(
        &self,
        stream: &mut BufReader<TcpStream>,
        body: &str,
    ) -> io::Result<(String, String)> {
        let session = self.session.as_deref();
        let session = session.map_or_else(String::new, |it| {
            format!("Mcp-Session-Id: {it}\r\nMCP-Protocol-Version: 2025-06-18\r\n")
        });
        write!(
            stream.get_mut(),
            "POST /mcp HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n{session}Content-Type: application/json\r\n\
             Accept: application/json, text/event-stream\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            self.token,
            body.len()
        )?;
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            read_line(stream, &mut head)?;
        }
        let mut answer = Vec::new();
        if field(&head, "transfer-encoding") != Some("chunked") {
            let length = field(&head, "content-length").and_then(|it| it.parse().ok());
            answer.resize(length.unwrap_or(0), 0);
            stream.read_exact(&mut answer)?;
        } else {
            loop {
                let mut length = String::new();
                read_line(stream, &mut length)?;
                let length = usize::from_str_radix(length.trim_end(), 16).unwrap();
                let mut chunk = vec![0; length + 2];
                stream.read_exact(&mut chunk)?;
                if length == 0 {
                    break;
                }
                answer.extend_from_slice(&chunk[..length]);
            }
        }
        Ok((head, String::from_utf8(answer).unwrap()))
    }
}

fn read_line(stream: &mut impl BufRead, line: &mut String) -> io::Result<()> {
    match stream.read_line(line)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

/// Returns a field of the head of an answer.
fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = head.lines().filter_map(|it| it.split_once(": "));
    let field = fields.find(|(it, _)| it.eq_ignore_ascii_case(name));
    field.map(|(_, value)| value)
}
