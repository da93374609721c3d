//! A server over Streamable HTTP.

use std::io;

use crate::client::{Connection, Reply, Server};

use super::Client;

/// A session on a connection of its own.
pub(super) struct Session {
    connection: Connection,
    id: Option<String>,
}

impl Session {
    /// Begins a session; returns the answer as well.
    pub(super) fn open(server: &Server, hello: &str) -> io::Result<(Self, String)> {
        let mut session = Self {
            connection: Connection::open(server)?,
            id: None,
        };
        let reply = session.post(hello)?;
        session.id = reply.header("mcp-session-id").map(str::to_owned);
        Ok((session, reply.body))
    }

    fn post(&mut self, message: &str) -> io::Result<Reply> {
        self.write(message)?;
        self.connection.receive()
    }

    fn write(&mut self, message: &str) -> io::Result<()> {
        let mut headers = vec![("Mcp-Protocol-Version", "2025-11-25")];
        if let Some(id) = &self.id {
            headers.push(("Mcp-Session-Id", id));
        }
        self.connection.send("POST", &headers, message.as_bytes())
    }
}

impl Client for Session {
    fn send(&mut self, message: &str) -> io::Result<()> {
        self.write(message)?;
        // What asks for no answer is accepted.
        match message.contains("\"id\"") {
            true => Ok(()),
            false => self.connection.receive().map(drop),
        }
    }

    fn receive(&mut self) -> io::Result<String> {
        Ok(self.connection.receive()?.body)
    }
}
