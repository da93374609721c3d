//! Tool servers, and the clients that may use them, as `config.yaml` describes them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use mcplexer_secrets::{ScopeId, ScopeKind};
use serde::{Deserialize, Serialize};

use super::notation::Notation;

/// The longest name of a server or a client, in bytes.
pub const MAX_SERVER_NAME_LEN: usize = 32;

/// The name of a server or a client: lower-case letters, digits, `-` and `_`, beginning with a letter or a digit.
///
/// Two underscores in a row are not allowed: they stand between the names of a server and a tool.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServerName(String);

/// A text that is not the name of a server or a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "invalid name: it is 1 to {MAX_SERVER_NAME_LEN} of a-z, 0-9, - and _, begins with a letter or a digit, and has no __"
)]
pub struct InvalidServerName;

impl ServerName {
    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ServerName {
    type Err = InvalidServerName;

    fn from_str(text: &str) -> Result<Self, InvalidServerName> {
        let is_allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
        let is_name = (1..=MAX_SERVER_NAME_LEN).contains(&text.len())
            && text.bytes().all(is_allowed)
            && !text.starts_with(['-', '_'])
            && !text.contains("__")
            && !text.ends_with('_');
        match is_name {
            true => Ok(Self(text.to_owned())),
            false => Err(InvalidServerName),
        }
    }
}

impl TryFrom<String> for ServerName {
    type Error = InvalidServerName;

    fn try_from(text: String) -> Result<Self, InvalidServerName> {
        text.parse()
    }
}

impl From<ServerName> for String {
    fn from(name: ServerName) -> Self {
        name.0
    }
}

impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A tool server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Notation", into = "Notation")]
#[non_exhaustive]
pub struct Server {
    /// How it is reached.
    pub transport: Transport,
    /// Whether it starts before it is needed.
    pub start: Start,
    /// How long it runs without a call; `None` for as long as the gateway runs.
    pub idle_stop: Option<Duration>,
    /// How long to wait for it.
    pub timeouts: Timeouts,
    /// Whether it is left out.
    pub disabled: bool,
}

/// How a server is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transport {
    /// A program that is started, and speaks on its standard input and output.
    Stdio(Stdio),
    /// An HTTP server.
    Http(Http),
}

/// A program to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stdio {
    /// The program and its arguments. No argument has a reference in it: other users can see it.
    pub command: Vec<String>,
    /// Variables, by name. A value may have references to secrets in it.
    pub env: BTreeMap<String, String>,
    /// Scopes of which every secret becomes a variable.
    pub scopes: Vec<ScopeId>,
    /// The working directory, as the file has it: it begins with `/` or `~`, as [`directory_in`](Self::directory_in)
    /// reads it. `None` for the user's home.
    pub directory: Option<PathBuf>,
    /// Where the variable `PATH` comes from.
    pub path: SearchPath,
}

/// Where a program's variable `PATH` comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum SearchPath {
    /// From the gateway's own environment.
    #[default]
    Inherit,
    /// From the user's login shell, for a gateway that was started without one.
    Login,
}

/// An HTTP server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    /// The URL of its endpoint: `https`, or `http` on this machine.
    pub url: String,
    /// Header fields, by name. A value may have references to secrets in it.
    pub headers: BTreeMap<String, String>,
    /// The scope whose secrets it gets as well.
    pub auth: Option<Auth>,
}

/// The scope whose secrets an HTTP server gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// The scope.
    pub scope: ScopeId,
    /// Its kind: of a `header` scope every secret is a header field, of an `oauth2` scope `ACCESS_TOKEN` is the bearer token.
    #[serde(rename = "type")]
    pub kind: ScopeKind,
}

/// Whether a server starts before it is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Start {
    /// With the first call.
    #[default]
    Lazy,
    /// With the gateway.
    Eager,
}

/// How long to wait for a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// For a connection to an HTTP server.
    pub connect: Duration,
    /// For the first answer of a program that was started: a first `npx` downloads the program.
    pub start: Duration,
    /// For an answer, from the call or from its last progress on.
    pub call: Duration,
    /// For an answer, however often there is progress.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            start: Duration::from_secs(60),
            call: Duration::from_secs(300),
            total: Duration::from_secs(30 * 60),
        }
    }
}

impl Server {
    /// How long a server runs without a call, if its configuration does not say so.
    pub const IDLE_STOP: Duration = Duration::from_secs(10 * 60);

    /// Returns a server that is reached like this, and has the default settings.
    #[must_use]
    pub fn new(transport: Transport) -> Self {
        Self {
            transport,
            start: Start::default(),
            idle_stop: Some(Self::IDLE_STOP),
            timeouts: Timeouts::default(),
            disabled: false,
        }
    }
}

impl Stdio {
    /// Returns a program that gets nothing but the gateway's own environment.
    #[must_use]
    pub fn new(command: Vec<String>) -> Self {
        Self {
            command,
            env: BTreeMap::new(),
            scopes: Vec::new(),
            directory: None,
            path: SearchPath::default(),
        }
    }

    /// Returns the working directory of a user with this home directory.
    #[must_use]
    pub fn directory_in(&self, home: &Path) -> PathBuf {
        let Some(directory) = &self.directory else {
            return home.to_owned();
        };
        match directory.strip_prefix("~") {
            Ok(rest) if rest.as_os_str().is_empty() => home.to_owned(),
            Ok(rest) => home.join(rest),
            Err(_) => directory.clone(),
        }
    }
}

impl Http {
    /// Returns a server at a URL that gets no header fields.
    #[must_use]
    pub fn new(url: String) -> Self {
        Self {
            url,
            headers: BTreeMap::new(),
            auth: None,
        }
    }
}

impl Transport {
    /// Returns the texts that may have references in them: values of variables or header fields, by name.
    #[must_use]
    pub fn values(&self) -> &BTreeMap<String, String> {
        match self {
            Self::Stdio(stdio) => &stdio.env,
            Self::Http(http) => &http.headers,
        }
    }

    /// Returns the scopes whose secrets the server gets without references.
    pub fn scopes(&self) -> impl Iterator<Item = &ScopeId> {
        let (scopes, auth) = match self {
            Self::Stdio(stdio) => (stdio.scopes.as_slice(), None),
            Self::Http(http) => (&[][..], http.auth.as_ref()),
        };
        scopes.iter().chain(auth.map(|auth| &auth.scope))
    }
}

/// The least and the most that [`Client::max_tool_name`] may be: the protocol has 128.
pub(super) const MIN_TOOL_NAME_LIMIT: u8 = 16;
pub(super) const MAX_TOOL_NAME_LIMIT: u8 = 128;

/// The most characters of a tool's name that a client gets, if its configuration does not say so.
pub const MAX_TOOL_NAME: u16 = 60;

/// A client: which servers it sees, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Client {
    /// The servers; `None` for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub servers: Option<Vec<ServerName>>,
    /// The most characters that it takes in the name of a tool.
    #[serde(default = "default_max_tool_name")]
    pub max_tool_name: u16,
}

fn default_max_tool_name() -> u16 {
    MAX_TOOL_NAME
}

impl Default for Client {
    fn default() -> Self {
        Self {
            servers: None,
            max_tool_name: MAX_TOOL_NAME,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_may_be_in_the_home_directory() {
        let home = Path::new("/home/ann");
        for (directory, expected) in [
            (None, "/home/ann"),
            (Some("~"), "/home/ann"),
            (Some("~/work"), "/home/ann/work"),
            (Some("/srv"), "/srv"),
        ] {
            let stdio = Stdio {
                directory: directory.map(PathBuf::from),
                ..Stdio::new(Vec::new())
            };
            assert_eq!(stdio.directory_in(home), Path::new(expected));
        }
    }

    #[test]
    fn a_name_has_no_separator_in_it() {
        for good in ["github", "a", "0x", "my-server_2"] {
            assert_eq!(good.parse::<ServerName>().unwrap().as_str(), good);
        }
        let long = "a".repeat(MAX_SERVER_NAME_LEN + 1);
        for bad in ["", "A", "a__b", "a_", "_a", "-a", "a.b", "a b", "ä", &long] {
            assert_eq!(bad.parse::<ServerName>(), Err(InvalidServerName), "{bad}");
        }
    }
}
