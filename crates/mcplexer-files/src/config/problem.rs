//! What is wrong with a configuration, and where.

use std::fmt;

use mcplexer_secrets::{ScopeId, SecretName};

use crate::position::Position;

/// An error in a configuration. It repeats no text of the file, since that may be a secret value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The line, from 1.
    pub line: usize,
    /// The column in that line, in characters, from 1.
    pub column: usize,
    /// The field, as far as its name is known: `auth_scopes[0].name`. Empty for the file as a whole.
    pub path: String,
    /// What is wrong, in words of this library alone.
    pub message: String,
    /// For a value that does not belong in the file: where it does belong.
    pub instead: Option<SecretPlace>,
}

/// Where in a store a value belongs, as far as the file tells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SecretPlace {
    /// The scope.
    pub scope: Option<ScopeId>,
    /// The name.
    pub name: Option<SecretName>,
    /// Whether a reference to the secret, `mcplexer://scope/KEY`, may be where the value is now.
    pub takes_reference: bool,
}

impl Problem {
    pub(super) fn new(at: Position, path: &str, message: impl Into<String>) -> Self {
        Self {
            line: at.line,
            column: at.column,
            path: path.to_owned(),
            message: message.into(),
            instead: None,
        }
    }
}

impl fmt::Display for Problem {
    /// Writes `LINE:COLUMN: PATH: MESSAGE`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.line, self.column)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}
