//! The configuration files of AI clients, and moving the credentials in them into the store.
//!
//! Understood are the files of Claude Desktop, Claude Code, Cursor, Windsurf and Gemini CLI
//! (`mcpServers`), VS Code (`servers`, also within `mcp`), Zed (`context_servers`) and Codex
//! (`mcp_servers`, in TOML); JSON may have comments and trailing commas.
//!
//! [`ClientConfig::plan`] tells what would be done, without changing anything. Then
//! [`Adoption::store`] puts the credentials into the store and reads each back, and
//! [`Adoption::text`] is the file without them: where a credential was, it refers to the secret, as
//! `mcplexer://scope/KEY?adopted`, and the server starts through `mcplexer run`, which resolves that.
//! [`ClientConfig::undo`] is the way back; it goes by `?adopted`, so what was written by hand stays. All else in the file stays byte for byte as it was, and
//! adopting and undoing gives the same file; a plan that would not is an error.

use std::fmt;
use std::path::Path;

use zeroize::Zeroizing;

use mcplexer_files::position::Position;

mod adopt;
mod document;
mod edit;
mod elsewhere;
mod launch;
mod literal;
mod places;
mod plan;
mod reason;
mod scopes;
mod server;
mod undo;
mod variables;

pub use places::{StandardPlace, standard_places};
pub use plan::{Adoption, Becomes, Choice, ChosenKey, Finding, Stays};
pub use server::{Place, Server, Start};
pub use undo::Undone;
pub use variables::Variables;

/// Largest file that is read, in bytes.
pub const MAX_CONFIG_LEN: u64 = 64 << 20;

/// The syntax of a configuration file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Syntax {
    /// JSON: RFC 8259, and comments and trailing commas.
    Json,
    /// TOML 1.0.
    Toml,
}

impl Syntax {
    /// That of a file, by its name: TOML if it ends with `.toml`.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        match path.extension() {
            Some(extension) if extension.eq_ignore_ascii_case("toml") => Self::Toml,
            _ => Self::Json,
        }
    }
}

/// Why a file is no configuration. Has nothing of the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidConfig {
    /// It is not UTF-8.
    #[error("it is not UTF-8 text")]
    NotUtf8,
    /// It cannot be parsed.
    #[error("{position}: {problem}")]
    Syntax {
        /// Where.
        position: Position,
        /// What is wrong.
        problem: String,
    },
    /// It has no tool servers.
    #[error("it has no tool servers: no mcpServers, servers, context_servers or mcp_servers")]
    NoServers,
}

/// A configuration file of an AI client.
pub struct ClientConfig {
    /// Its text, behind the byte order mark.
    text: Zeroizing<String>,
    /// Whether it begins with one.
    has_mark: bool,
    syntax: Syntax,
    variables: Variables,
    servers: Vec<Server>,
}

const BYTE_ORDER_MARK: &str = "\u{feff}";

impl ClientConfig {
    /// Reads a file.
    ///
    /// # Errors
    /// [`InvalidConfig`] says what is wrong and where, without repeating anything of the file.
    pub fn parse(bytes: &[u8], syntax: Syntax) -> Result<Self, InvalidConfig> {
        let text = str::from_utf8(bytes).map_err(|_| InvalidConfig::NotUtf8)?;
        let (has_mark, text) = match text.strip_prefix(BYTE_ORDER_MARK) {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let document = document::parse(text, syntax)?;
        let servers = server::find(&document, text).ok_or(InvalidConfig::NoServers)?;
        Ok(Self {
            text: Zeroizing::new(text.to_owned()),
            has_mark,
            syntax,
            variables: Variables::default(),
            servers,
        })
    }

    /// The same, of a client that replaces such variables.
    #[must_use]
    pub fn with_variables(self, variables: Variables) -> Self {
        Self { variables, ..self }
    }

    /// Its servers, in the order of the file.
    #[must_use]
    pub fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// The text of another state of this file, as the file has it.
    fn bytes(&self, text: &str) -> Zeroizing<Vec<u8>> {
        let mark = if self.has_mark { BYTE_ORDER_MARK } else { "" };
        let mut bytes = Zeroizing::new(Vec::with_capacity(mark.len() + text.len()));
        bytes.extend_from_slice(mark.as_bytes());
        bytes.extend_from_slice(text.as_bytes());
        bytes
    }
}

impl fmt::Debug for ClientConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientConfig")
            .field("syntax", &self.syntax)
            .field("servers", &self.servers)
            .finish_non_exhaustive()
    }
}
