//! Variables in a configuration, which its client replaces.

use std::ffi::OsStr;
use std::path::Path;

/// How a client writes the variables that it replaces in its configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Variables {
    /// As `${NAME}`.
    #[default]
    Braced,
    /// As `${NAME}` or `$NAME`: Gemini CLI.
    Bare,
}

impl Variables {
    /// Returns those of the client that a file belongs to, by the names of the file and its
    /// directory.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        let directory = path.parent().and_then(Path::file_name);
        let name = path.file_name().map(OsStr::as_encoded_bytes);
        let is_gemini = directory.is_some_and(|it| it == ".gemini")
            || name.is_some_and(|it| it.starts_with(b"gemini"));
        match is_gemini {
            true => Self::Bare,
            false => Self::Braced,
        }
    }

    /// Returns whether the client would replace something in a value.
    pub(crate) fn are_in(self, value: &str) -> bool {
        let mut after = value.split('$').skip(1);
        after.any(|rest| match rest.strip_prefix('{') {
            Some(rest) => {
                let name = rest.split_once('}').map_or("", |(name, _)| name);
                name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            }
            None => self == Self::Bare && rest.starts_with(is_in_a_name),
        })
    }

    /// Returns whether a value is one variable and nothing else.
    pub(crate) fn is_one(self, value: &str) -> bool {
        let name = value.strip_prefix('$').filter(|name| !name.is_empty());
        self == Self::Bare && name.is_some_and(|name| name.chars().all(is_in_a_name))
    }
}

fn is_in_a_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}
