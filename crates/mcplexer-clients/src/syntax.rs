//! The syntaxes of configuration files.

use std::path::Path;

/// The syntax of a configuration file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Syntax {
    /// JSON (RFC 8259), with comments and trailing commas.
    Json,
    /// TOML 1.0.
    Toml,
}

impl Syntax {
    /// Returns the syntax of a file by its name: TOML if it ends in `.toml`, else JSON.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        match path.extension() {
            Some(extension) if extension.eq_ignore_ascii_case("toml") => Self::Toml,
            _ => Self::Json,
        }
    }
}
