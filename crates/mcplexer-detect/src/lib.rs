//! Does a text look like a credential?
//!
//! Four signs, in this order: the shape of a known kind of token (`ghp_…`, a JSON Web Token, a
//! private key), a password in a URL or a connection string, the name of the variable or header
//! field, and randomness. What is plainly something else (a path, a placeholder, `${TOKEN}`,
//! `mcplexer://scope/KEY`, `op://…`) is no credential whatever its name is, and made-up passwords of
//! examples (`changeme`, `user:password@`) are none either.
//!
//! A guess, by its nature: [`credential`] is made for configuration files of AI clients, where a
//! person looks at what was found, and [`find_any`] for files that must not hold any value, where a
//! false alarm costs less than a miss.
//!
//! The shapes are documented by whoever issues the tokens; gitleaks and trufflehog, which collect
//! them, are where they were compared.

use std::fmt;
use std::ops::Range;

mod entropy;
mod name;
mod pair;
mod shapes;
mod table;
mod url;
mod value;

pub use pair::find_named;

/// Why a text is taken for a credential. `Display` is for people; nothing of the value is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// It has the shape of a known kind of token.
    Shape {
        /// Such as `GitHub token`.
        kind: &'static str,
        /// How all of them begin, such as `ghp_`; empty if they have nothing in common.
        prefix: &'static str,
    },
    /// A password in a URL or in a connection string.
    Url,
    /// The name of the variable or header field says so.
    Name,
    /// A long word that looks random.
    Random,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape { kind, prefix: "" } => f.write_str(kind),
            Self::Shape { kind, prefix } => write!(f, "{kind} ({prefix}…)"),
            Self::Url => f.write_str("a password in a URL"),
            Self::Name => f.write_str("its name says so"),
            Self::Random => f.write_str("looks random"),
        }
    }
}

/// Whether the value of a variable or header field called `name` is a credential.
///
/// `hints` are further names that say so, compared without case.
///
/// ```
/// use mcplexer_detect::{Reason, credential};
/// assert_eq!(credential("BRAVE_API_KEY", "abc123", &[]), Some(Reason::Name));
/// assert_eq!(credential("BRAVE_API_KEY", "${input:key}", &[]), None);
/// assert_eq!(credential("LOG_LEVEL", "debug", &[]), None);
/// ```
#[must_use]
pub fn credential(name: &str, value: &str, hints: &[&str]) -> Option<Reason> {
    if let Some((_, reason)) = find(value) {
        return Some(reason);
    }
    by_name(name, value, hints).or_else(|| {
        // Some servers take their settings as JSON.
        let is_object = value.trim_start().starts_with('{');
        let within = is_object.then(|| find_named(value, |_| false)).flatten();
        within.map(|(_, reason)| reason)
    })
}

/// Whether a value in which [`find`] finds nothing is a credential, by its name or by randomness.
fn by_name(name: &str, value: &str, hints: &[&str]) -> Option<Reason> {
    let mut value = value.trim();
    while let Some(default) = value::default_of(value) {
        value = default;
    }
    if value::stands_for_another(value::without_scheme(value)) {
        return None;
    }
    let hinted = hints.iter().any(|hint| hint.eq_ignore_ascii_case(name));
    let says = if hinted {
        name::Says::Secret
    } else {
        name::says(name)
    };
    // `API_KEY_ENV=MY_KEY` says where the key is.
    let is_elsewhere = name::is_of_a_variable(name) && value::is_variable_name(value);
    if value::fits(says, value) && !is_elsewhere {
        return Some(Reason::Name);
    }
    let random = says != name::Says::Public && entropy::looks_random(value);
    random.then_some(Reason::Random)
}

/// The first credential within a longer text (an argument, a URL, a line of a file): where it is,
/// in bytes, and why.
///
/// By known shapes and passwords in URLs only, as names and randomness say too much about texts.
///
/// ```
/// use mcplexer_detect::{Reason, find};
/// let (place, reason) = find("--db=postgres://me:hunter2@db/shop").unwrap();
/// assert_eq!((place, reason), (19..26, Reason::Url));
/// assert_eq!(find("--db=postgres://me@db/shop"), None);
/// ```
#[must_use]
pub fn find(text: &str) -> Option<(Range<usize>, Reason)> {
    first(shapes::find(text), url::find(text))
}

/// The first credential within a longer text as [`find`] has it, or else the first word that looks
/// random, for files that must not hold any value.
///
/// Known identifiers and digests (UUIDs, `sha256:…`, public keys) and what is within URLs do not
/// count as random.
#[must_use]
pub fn find_any(text: &str) -> Option<(Range<usize>, Reason)> {
    let random = entropy::find(text).map(|place| (place, Reason::Random));
    first(find(text), random)
}

/// Whether a word is a scheme of HTTP authentication, such as `Bearer`.
pub fn is_scheme(word: &str) -> bool {
    value::is_scheme(word)
}

/// Whichever begins first, and `a` if both do.
fn first<T>(
    a: Option<(Range<usize>, T)>,
    b: Option<(Range<usize>, T)>,
) -> Option<(Range<usize>, T)> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if b.0.start < a.0.start { b } else { a }),
        (a, b) => a.or(b),
    }
}
