//! The programs that read `.env` files, and which secrets each of them can read.

use std::fmt;
use std::str::FromStr;

use mcplexer_secrets::{ScopeKind, SecretName};

use super::Out;
use super::notation;

/// A program that reads `.env` files. They share little more than `NAME=value`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reader {
    /// The npm package `dotenv`.
    Node,
    /// The Python package `python-dotenv`, which replaces `${NAME}`, as it does if it is not told otherwise.
    Python,
    /// `docker run --env-file`, to which quotes are characters like others.
    Docker,
    /// A POSIX shell: `set -a; . ./.env`.
    Sh,
}

/// A text that is not the name of a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown reader; expected node, python, docker or sh")]
pub struct InvalidReader;

/// The longest line that docker reads, with its line end: `bufio.MaxScanTokenSize`.
const MAX_DOCKER_LINE: usize = 64 * 1024;

/// Variables that bash does not let a file set, or sets itself (bash(1), "Shell Variables").
const OF_SHELLS: [&str; 23] = [
    "BASHOPTS",
    "BASHPID",
    "BASH_ARGV0",
    "BASH_COMMAND",
    "BASH_SUBSHELL",
    "BASH_VERSINFO",
    "DIRSTACK",
    "EPOCHREALTIME",
    "EPOCHSECONDS",
    "EUID",
    "FUNCNAME",
    "GROUPS",
    "HISTCMD",
    "LINENO",
    "OPTIND",
    "PPID",
    "RANDOM",
    "SECONDS",
    "SHELLOPTS",
    "SRANDOM",
    "UID",
    "_",
    "PIPESTATUS",
];

impl Reader {
    /// All readers.
    pub const ALL: [Self; 4] = [Self::Node, Self::Python, Self::Docker, Self::Sh];

    /// Returns the name: `node`, `python`, `docker` or `sh`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Python => "python",
            Self::Docker => "docker",
            Self::Sh => "sh",
        }
    }

    pub(super) fn takes_name(self, name: &SecretName) -> bool {
        let in_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        match self {
            Self::Sh => ScopeKind::Env.check(name).is_ok() && !OF_SHELLS.contains(&name.as_str()),
            _ => name.as_str().bytes().all(in_name),
        }
    }

    pub(super) fn takes_value(self, name: &SecretName, value: &[u8]) -> bool {
        if value.contains(&0) {
            return false;
        }
        match (self, str::from_utf8(value)) {
            (Self::Sh, _) | (Self::Python, Ok(_)) => true,
            (Self::Node, Ok(text)) => notation::node(text).is_some(),
            (Self::Docker, Ok(text)) => {
                let is_line = !text.contains('\n') && !text.ends_with('\r');
                is_line && self.takes_length(name, text.len())
            }
            (_, Err(_)) => false,
        }
    }

    /// Whether it reads lines with a value of this length.
    pub(super) fn takes_length(self, name: &SecretName, length: usize) -> bool {
        self != Self::Docker || name.as_str().len() + "=\n".len() + length <= MAX_DOCKER_LINE
    }

    /// Writes a value that it takes.
    pub(super) fn write(self, value: &[u8], out: Out<'_>) {
        match (self, str::from_utf8(value)) {
            (_, Ok(text)) if notation::is_plain(text) => out(value),
            (Self::Sh, _) => notation::write_shell(value, out),
            (Self::Node, Ok(text)) => {
                if let Some(notation) = notation::node(text) {
                    notation.write(text, out);
                }
            }
            (Self::Python, Ok(text)) => notation::write_python(text, out),
            _ => out(value),
        }
    }
}

impl FromStr for Reader {
    type Err = InvalidReader;

    fn from_str(text: &str) -> Result<Self, InvalidReader> {
        let mut all = Self::ALL.into_iter();
        all.find(|it| it.as_str() == text).ok_or(InvalidReader)
    }
}

impl fmt::Display for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
