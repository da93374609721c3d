//! The servers of a configuration, and the texts in their entries.

use std::fmt;
use std::ops::Range;

use mcplexer_files::position::Position;
use zeroize::Zeroizing;

use crate::environment::Environment;
use crate::launch::Launch;

/// An MCP server of a configuration.
pub struct Server {
    /// The server's name.
    pub name: String,
    /// The directory of the project that the server is for, in a file that has several.
    pub project: Option<String>,
    /// Where in the file its entry begins.
    pub position: Position,
    /// How the client reaches it.
    pub start: Start,
    pub(crate) launch: Option<Launch>,
    /// Whether the command or its arguments are also elsewhere, by an alias of YAML.
    pub(crate) has_shared_command: bool,
    pub(crate) environment: Option<Environment>,
    pub(crate) texts: Vec<Text>,
    pub(crate) settings: Settings,
}

/// What else the entry of a server says.
#[derive(Default)]
pub(crate) struct Settings {
    /// The working directory.
    pub(crate) directory: Option<String>,
    /// Whether the client leaves the server out.
    pub(crate) is_disabled: bool,
    /// The names of all other members.
    pub(crate) others: Vec<String>,
}

/// How a client reaches a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Start {
    /// The client starts a command.
    Command,
    /// The client starts a command through `mcplexer run`.
    Adopted,
    /// The client connects to a URL.
    Remote,
    /// In no way that this crate knows, or by a line for a shell.
    Unknown,
}

/// Which text of a server's entry it is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// The value of this environment variable.
    Env(String),
    /// The value of this header field of requests to the server.
    Header(String),
    /// An argument of the command, counted from 1.
    Argument(usize),
    /// The URL.
    Url,
    /// The path of a file with variables, which the client reads.
    EnvFile,
    /// The value of another member; of a nested one as `auth.clientSecret`.
    Member(String),
    /// Elsewhere in the file, such as in a comment.
    Elsewhere,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env {name}"),
            Self::Header(name) => write!(f, "header {name}"),
            Self::Argument(number) => write!(f, "argument {number}"),
            Self::Url => f.write_str("url"),
            Self::EnvFile => f.write_str("envFile"),
            Self::Member(name) => f.write_str(name),
            Self::Elsewhere => f.write_str("elsewhere"),
        }
    }
}

/// A value in a server's entry.
pub(crate) struct Text {
    pub(crate) place: Place,
    pub(crate) span: Range<usize>,
    pub(crate) position: Position,
    /// `None` if it is not a string.
    pub(crate) value: Option<Zeroizing<String>>,
    /// As in [`Node`](crate::node::Node).
    pub(crate) in_flow: bool,
    /// As in [`Node`](crate::node::Node).
    pub(crate) is_shared: bool,
}

impl Text {
    pub(crate) fn is_argument(&self) -> bool {
        matches!(self.place, Place::Argument(_))
    }
}

impl Server {
    /// Returns the name with the project's directory before it, if there is one: `/srv/shop/github`.
    #[must_use]
    pub fn path(&self) -> Option<String> {
        let project = self.project.as_ref()?;
        Some(format!("{project}/{}", self.name))
    }

    /// Returns whether this is its name, the directory of its project, or its [`path`](Self::path).
    #[must_use]
    pub fn is_named(&self, name: &str) -> bool {
        name == self.name
            || self.project.as_deref() == Some(name)
            || self.path().as_deref() == Some(name)
    }

    /// Returns whether it may start through `mcplexer run`, also if that is in a line for a shell.
    pub(crate) fn may_be_resolved(&self) -> bool {
        match &self.launch {
            Some(launch) => launch.mentions_mcplexer(),
            None => self.start == Start::Unknown,
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("name", &self.name)
            .field("project", &self.project)
            .field("position", &self.position)
            .field("start", &self.start)
            .finish_non_exhaustive()
    }
}
