//! Servers as data, for taking them over into another file.

use std::fmt;

use mcplexer_files::template::without_marks;

use crate::config::ClientConfig;
use crate::server::{Place, Server, Start, Text};
use crate::undo::without_added;

/// What a client's file says about a server. It may have credentials in it.
pub struct Entry<'a> {
    /// The server.
    pub server: &'a Server,
    /// How the client reaches it.
    pub reach: Reach,
    /// Values in which the client replaces its own variables, such as `${NAME}`.
    pub variables: Vec<Place>,
}

/// How a client reaches a server. References have no mark of adopting behind them.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reach {
    /// It starts a program.
    Command {
        /// The program and its arguments, without `mcplexer run` before them.
        line: Vec<String>,
        /// The environment.
        env: Vec<(String, String)>,
    },
    /// It connects to a URL.
    Url {
        /// The URL.
        url: String,
        /// The header fields of its requests.
        headers: Vec<(String, String)>,
    },
    /// In no way that this crate knows, or by a line for a shell.
    Unknown,
}

impl Entry<'_> {
    /// Returns the working directory of the program.
    #[must_use]
    pub fn directory(&self) -> Option<&str> {
        self.server.settings.directory.as_deref()
    }

    /// Returns whether the client leaves the server out.
    #[must_use]
    pub fn is_disabled(&self) -> bool {
        self.server.settings.is_disabled
    }

    /// Returns the names of the members that say something else, such as `envFile` and `timeout`.
    #[must_use]
    pub fn others(&self) -> &[String] {
        &self.server.settings.others
    }
}

impl ClientConfig {
    /// Returns what the file says about each server, in the order of the file.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry<'_>> {
        self.servers.iter().map(|it| self.entry(it)).collect()
    }

    fn entry<'a>(&'a self, server: &'a Server) -> Entry<'a> {
        let mut env = Vec::new();
        let mut headers = Vec::new();
        let mut url = None;
        let mut variables = Vec::new();
        for text in &server.texts {
            let value = self.value(text);
            match &text.place {
                Place::Env(name) => env.extend(value.map(|it| (name.clone(), it))),
                Place::Header(name) => headers.extend(value.map(|it| (name.clone(), it))),
                Place::Url => url = url.or(value),
                Place::Argument(_) => {}
                _ => continue,
            }
            let value = text.value.as_deref();
            // `mcp-remote` replaces what adopting has given it.
            let value = value.map(|it| match text.place {
                Place::Argument(_) => without_added(server, it),
                _ => it,
            });
            if value.is_some_and(|it| self.has_variables(it)) {
                variables.push(text.place.clone());
            }
        }
        let line = server.launch.as_ref().map(|it| it.line(&self.text));
        let reach = match (server.start, line, url) {
            (Start::Command | Start::Adopted, Some(line), _) => Reach::Command {
                line: line.into_iter().map(str::to_owned).collect(),
                env,
            },
            (Start::Remote, _, Some(url)) => Reach::Url { url, headers },
            _ => Reach::Unknown,
        };
        Entry {
            server,
            reach,
            variables,
        }
    }

    fn has_variables(&self, value: &str) -> bool {
        self.variables.are_in(value) || self.variables.is_one(value)
    }

    /// Returns a value as a client passes it on: a number as it is written, and nothing for a null.
    fn value(&self, text: &Text) -> Option<String> {
        match text.value.as_deref() {
            Some(value) => Some(without_marks(value)),
            None => {
                let written = self.text.get(text.span.clone())?;
                let is_null = written.is_empty() || "~" == written || "null" == written;
                (!is_null).then(|| written.to_owned())
            }
        }
    }
}

impl fmt::Debug for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("server", &self.server)
            .field("variables", &self.variables)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Reach {
    /// Writes no text, which may have secrets in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Command { .. } => "Command",
            Self::Url { .. } => "Url",
            Self::Unknown => "Unknown",
        };
        f.debug_struct(name).finish_non_exhaustive()
    }
}
