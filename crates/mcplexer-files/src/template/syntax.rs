//! The syntaxes in which values are written into a text.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// How a text reads the values that are written into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Syntax {
    /// Byte for byte.
    Text,
    /// JSON, with the comments of JSONC and the single quotes of JSON5.
    Json,
    /// YAML 1.2, with any number of documents.
    Yaml,
    /// TOML 1.0.
    Toml,
    /// A `.env` file, such that the programs that read them read the value alike.
    Dotenv,
    /// Lines of `name = value`, in sections.
    Ini,
}

/// A text that is not the name of a syntax.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown format; expected text, json, yaml, toml, dotenv or ini")]
pub struct InvalidSyntax;

/// What a template's name may end in besides the name of what it becomes.
const TEMPLATES: [&str; 9] = [
    ".in",
    ".tmpl",
    ".tpl",
    ".template",
    ".j2",
    ".dist",
    ".example",
    ".sample",
    ".mcplexer",
];

impl Syntax {
    /// All syntaxes.
    pub const ALL: [Self; 6] = [
        Self::Text,
        Self::Json,
        Self::Yaml,
        Self::Toml,
        Self::Dotenv,
        Self::Ini,
    ];

    /// Returns the name: `text`, `json`, `yaml`, `toml`, `dotenv` or `ini`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Yaml => "yaml",
            Self::Toml => "toml",
            Self::Dotenv => "dotenv",
            Self::Ini => "ini",
        }
    }

    /// Returns the syntax that a file with this name has: `a.json`, `a.yaml.tmpl`, `.env.in`.
    #[must_use]
    pub fn of_path(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let shorter = TEMPLATES.iter().find_map(|end| name.strip_suffix(end));
        let name = shorter.unwrap_or(name);
        match name.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
            "json" | "jsonc" | "json5" => Some(Self::Json),
            "yaml" | "yml" => Some(Self::Yaml),
            "toml" => Some(Self::Toml),
            "env" => Some(Self::Dotenv),
            "ini" | "cfg" => Some(Self::Ini),
            _ if name.starts_with(".env.") => Some(Self::Dotenv),
            _ => None,
        }
    }
}

impl FromStr for Syntax {
    type Err = InvalidSyntax;

    fn from_str(text: &str) -> Result<Self, InvalidSyntax> {
        let mut all = Self::ALL.into_iter();
        all.find(|it| it.as_str() == text).ok_or(InvalidSyntax)
    }
}

impl fmt::Display for Syntax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => "JSON",
            Self::Yaml => "YAML",
            Self::Toml => "TOML",
            Self::Text => "text",
            Self::Dotenv => "a .env file",
            Self::Ini => "an INI file",
        })
    }
}
