//! Why a text looks like a credential.

use std::fmt;

/// Why a text looks like a credential.
///
/// `Display` describes it for people. Neither `Display` nor `Debug` shows any of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// It has the shape of a known kind of token.
    Shape {
        /// Such as `GitHub token`.
        kind: &'static str,
        /// How all tokens of the kind begin, such as `ghp_`; empty if they have nothing in common.
        prefix: &'static str,
    },
    /// It contains a password in a URL or in a connection string.
    Url,
    /// It is in the path or the fragment of an address.
    Address,
    /// It is the words of a wallet's seed.
    Phrase,
    /// The name of the variable or header field says so.
    Name,
    /// It is a long word that looks random.
    Random,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape { kind, prefix: "" } => f.write_str(kind),
            Self::Shape { kind, prefix } => write!(f, "{kind} ({prefix}…)"),
            Self::Url => f.write_str("a password in a URL"),
            Self::Address => f.write_str("a token in an address"),
            Self::Phrase => f.write_str("a seed phrase"),
            Self::Name => f.write_str("by name"),
            Self::Random => f.write_str("looks random"),
        }
    }
}
