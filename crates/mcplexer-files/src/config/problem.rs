//! What is wrong with a configuration, and where. Nothing of the file is repeated: what somebody
//! has written into it may be a value.

use std::fmt;

use mcplexer_secrets::{ScopeId, SecretName};

/// Something that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The line, from 1.
    pub line: usize,
    /// The column in it, in characters, from 1.
    pub column: usize,
    /// The field, as far as its name is known: `auth_scopes[0].name`; empty for the file as a
    /// whole.
    pub path: String,
    /// What is wrong, in words of this library alone.
    pub message: String,
    /// For a value that has no place in the file: where it belongs.
    pub instead: Option<SecretPlace>,
}

/// Where in a store a value belongs, as far as that can be told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SecretPlace {
    /// The scope.
    pub scope: Option<ScopeId>,
    /// The name.
    pub name: Option<SecretName>,
}

impl fmt::Display for Problem {
    /// `LINE:COLUMN: PATH: MESSAGE`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.line, self.column)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}
