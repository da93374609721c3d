//! A parsed configuration file.

use std::fmt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::error::InvalidConfig;
use crate::find::ServerMap;
use crate::server::{Place, Server, Start, Text};
use crate::syntax::Syntax;
use crate::variables::Variables;
use crate::{document, elsewhere, find};

/// The largest file that should be read, in bytes.
pub const MAX_CONFIG_LEN: u64 = 64 << 20;

const BYTE_ORDER_MARK: &str = "\u{feff}";

/// A configuration file of an AI client.
pub struct ClientConfig {
    /// The text after the byte order mark.
    pub(crate) text: Zeroizing<String>,
    /// Whether the file begins with a byte order mark.
    has_mark: bool,
    pub(crate) syntax: Syntax,
    pub(crate) variables: Variables,
    home: Option<PathBuf>,
    pub(crate) servers: Vec<Server>,
    pub(crate) maps: Vec<ServerMap>,
}

impl ClientConfig {
    /// Parses a file.
    ///
    /// # Errors
    /// Returns [`InvalidConfig`], which says what is wrong and where, without repeating the file.
    pub fn parse(bytes: &[u8], syntax: Syntax) -> Result<Self, InvalidConfig> {
        let text = str::from_utf8(bytes).map_err(|_| InvalidConfig::NotUtf8)?;
        let (has_mark, text) = match text.strip_prefix(BYTE_ORDER_MARK) {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let document = document::parse(text, syntax)?;
        let found = find::servers(&document, text, syntax);
        let found = found.ok_or_else(|| InvalidConfig::NoServers {
            credentials: elsewhere::positions(text),
        })?;
        Ok(Self {
            text: Zeroizing::new(text.to_owned()),
            has_mark,
            syntax,
            variables: found.variables,
            home: None,
            servers: found.servers,
            maps: found.maps,
        })
    }

    /// Sets how the client writes the variables that it replaces, unless the format of the file says it.
    #[must_use]
    pub fn with_variables(self, variables: Variables) -> Self {
        let variables = match self.variables {
            Variables::Braced => variables,
            of_format => of_format,
        };
        Self { variables, ..self }
    }

    /// Sets the home directory of the user, in which mcplexer finds its store.
    ///
    /// A server whose environment has another one keeps its credentials.
    #[must_use]
    pub fn with_home(self, home: Option<PathBuf>) -> Self {
        Self { home, ..self }
    }

    /// Returns whether a server starts with another home directory than the user's.
    pub(crate) fn has_other_home(&self, server: &Server) -> bool {
        let is_home = |it: &&Text| matches!(&it.place, Place::Env(name) if name == "HOME");
        let home = server.texts.iter().find(is_home);
        let home = home.and_then(|it| it.value.as_deref()).map(Path::new);
        home.is_some_and(|it| self.home.as_deref() != Some(it))
    }

    /// Returns whether a server may start with another store than the user's.
    pub(crate) fn has_other_store(&self, server: &Server) -> bool {
        let names_store =
            |it: &Text| matches!(&it.place, Place::Env(name) if name == "MCPLEXER_HOME");
        self.has_other_home(server) || server.texts.iter().any(names_store)
    }

    /// Accepts commands that look like a line for a shell if `is_program` knows a program of that
    /// path.
    ///
    /// `/opt/my tools/server` without `args` may be either. Unless this says that it is a program,
    /// its server counts as [`Start::Unknown`] and keeps its credentials.
    #[must_use]
    pub fn with_programs(mut self, is_program: impl Fn(&Path) -> bool) -> Self {
        for server in &mut self.servers {
            let line = server.launch.as_ref().and_then(|it| it.possible_line());
            if line.is_some_and(|line| is_program(Path::new(line))) {
                server.start = Start::Command;
            }
        }
        self
    }

    /// Returns the servers, in the order of the file.
    #[must_use]
    pub fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// Returns the bytes of a file that has this text, with the byte order mark of this one.
    pub(crate) fn bytes(&self, text: &str) -> Zeroizing<Vec<u8>> {
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
