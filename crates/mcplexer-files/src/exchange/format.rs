//! The formats of files.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use super::Reader;

/// How secrets are written in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// A `.env` file.
    Dotenv,
    /// A JSON object.
    Json,
    /// A YAML mapping.
    Yaml,
    /// Assignments that a shell runs. They are written and not read.
    Shell,
}

/// A text that is not the name of a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown format; expected dotenv, json, yaml or shell")]
pub struct InvalidFormat;

impl Format {
    /// All formats.
    pub const ALL: [Self; 4] = [Self::Dotenv, Self::Json, Self::Yaml, Self::Shell];

    /// The formats that [`read`](super::read) reads.
    pub const READ: [Self; 3] = [Self::Dotenv, Self::Json, Self::Yaml];

    /// Returns the name: `dotenv`, `json`, `yaml` or `shell`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dotenv => "dotenv",
            Self::Json => "json",
            Self::Yaml => "yaml",
            Self::Shell => "shell",
        }
    }

    /// Returns the format that a file with this name has: `.env`, `.env.local`, `prod.env`, `a.json`,
    /// `a.yaml`, `a.yml`, `a.sh`.
    #[must_use]
    pub fn of_path(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let extension = name.rsplit_once('.').map(|(_, extension)| extension);
        match extension? {
            "json" => Some(Self::Json),
            "yaml" | "yml" => Some(Self::Yaml),
            "sh" => Some(Self::Shell),
            "env" => Some(Self::Dotenv),
            _ if name.starts_with(".env.") => Some(Self::Dotenv),
            _ => None,
        }
    }

    /// Returns where a name is invalid, for messages.
    pub(super) fn of_names(self, reader: Option<Reader>) -> &'static str {
        match (self, reader) {
            (Self::Dotenv, None) => "in a .env file that node, python, docker and sh read",
            (Self::Shell, _) | (_, Some(Reader::Sh)) => "as a shell variable",
            (Self::Dotenv, _) => "in a .env file",
            (Self::Json | Self::Yaml, _) => "in this file",
        }
    }
}

impl FromStr for Format {
    type Err = InvalidFormat;

    fn from_str(text: &str) -> Result<Self, InvalidFormat> {
        let mut all = Self::ALL.into_iter();
        all.find(|it| it.as_str() == text).ok_or(InvalidFormat)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
