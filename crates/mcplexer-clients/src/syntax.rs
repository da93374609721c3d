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
    /// YAML 1.2, one document.
    Yaml,
}

impl Syntax {
    /// Returns the syntax of a file by its name: TOML if it ends in `.toml`, YAML if it ends in `.yaml` or
    /// `.yml`, else JSON.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        let is = |end: &str| {
            let extension = path.extension();
            extension.is_some_and(|it| it.eq_ignore_ascii_case(end))
        };
        match () {
            () if is("toml") => Self::Toml,
            () if is("yaml") || is("yml") => Self::Yaml,
            () => Self::Json,
        }
    }
}
