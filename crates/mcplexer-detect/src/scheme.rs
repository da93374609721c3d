//! Schemes of HTTP authentication.

/// The schemes, and words that are used like them.
const SCHEMES: &[&str] = &[
    "bearer", "token", "basic", "bot", "apikey", "api-key", "key", "digest",
];

/// Returns whether a word is a scheme of HTTP authentication, such as `Bearer`. Case does not matter.
#[must_use]
pub fn is_auth_scheme(word: &str) -> bool {
    SCHEMES.iter().any(|it| it.eq_ignore_ascii_case(word))
}

/// Returns what follows `Bearer` and the like, or else the value itself.
pub(crate) fn without_scheme(value: &str) -> &str {
    match value.split_once(' ') {
        Some((scheme, rest)) if is_auth_scheme(scheme) => rest.trim(),
        _ => value,
    }
}
