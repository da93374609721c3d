//! What is said on the daemon's socket before messages pass: one line of JSON each way.

use std::io;
use std::net::SocketAddr;

use mcplexer_files::config::ServerName;
use serde::{Deserialize, Serialize};

use crate::status::Status;

/// The version of this.
pub(crate) const VERSION: u32 = 1;

/// The longest line, in bytes.
pub(crate) const MAX_LINE: usize = 1 << 20;

/// What is said first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Hello {
    /// [`VERSION`].
    pub(crate) mcplexer: u32,
    /// What is asked for; absent to pass messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ask: Option<Ask>,
    /// The name of the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client: Option<String>,
    /// The server to connect to, absent for all; or the one that is asked about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) server: Option<ServerName>,
    /// The first id that a question to the client may have: it has been asked those below, by a gateway that is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) first_question: Option<u64>,
}

/// What the daemon can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Ask {
    /// What it does.
    Status,
    /// To end what runs of a server, and to forget that it has failed.
    Restart,
    /// The last lines that a server wrote to standard error.
    Logs,
    /// Where its page is, and a ticket for it.
    Page,
    /// To end the sessions of the page.
    EndSessions,
    /// To end.
    Stop,
}

/// What it answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Reply {
    /// It is done; or messages pass from now on.
    Ok,
    /// What it does.
    Status(Box<Status>),
    /// Lines.
    Lines(Vec<String>),
    /// Where the page is.
    Page {
        /// The address of its host.
        address: SocketAddr,
        /// With this, one browser can begin one session.
        ticket: String,
    },
    /// So many sessions, or instances of a server, were ended.
    Ended(usize),
    /// There is no such server.
    Unknown(ServerName),
    /// It will not.
    Error(String),
}

impl Hello {
    pub(crate) fn asking(ask: Ask, server: Option<ServerName>) -> Self {
        Self {
            mcplexer: VERSION,
            ask: Some(ask),
            client: None,
            server,
            first_question: None,
        }
    }
}

/// Returns something as a line.
pub(crate) fn line(content: &impl Serialize) -> io::Result<String> {
    Ok(serde_json::to_string(content)? + "\n")
}
