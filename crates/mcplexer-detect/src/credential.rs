//! Judges the value of a variable or header field.

use crate::address::find_in_address;
use crate::by_name::by_name;
use crate::find::find;
use crate::named::{find_in_settings, find_named};
use crate::reason::Reason;
use crate::{name, value};

/// Returns why the value of the variable or header field `name` looks like a credential. `None` if it does
/// not.
///
/// `hints` are further names of credentials, compared without case.
///
/// ```
/// use mcplexer_detect::{Reason, credential};
/// assert_eq!(credential("BRAVE_API_KEY", "abc123", &[]), Some(Reason::Name));
/// assert_eq!(credential("BRAVE_API_KEY", "${input:key}", &[]), None);
/// assert_eq!(credential("LOG_LEVEL", "debug", &[]), None);
/// ```
#[must_use]
pub fn credential(name: &str, value: &str, hints: &[&str]) -> Option<Reason> {
    if is_picture(value) {
        return None;
    }
    let reason = |found: (_, Reason)| found.1;
    find(value)
        .map(reason)
        .or_else(|| by_name(name, value, hints))
        .or_else(|| phrase(value))
        .or_else(|| within(name, value).map(reason))
        .or_else(|| find_in_address(value).map(reason))
}

/// Returns why a value after an option such as `-u` looks like a user and a password: `me:hunter2`.
///
/// A user and a group look like that too, so the password must have a digit, a capital or a symbol.
#[must_use]
pub fn login(value: &str) -> Option<Reason> {
    let is_word = |c: char| c.is_ascii_lowercase() || "-_".contains(c);
    let password = value.split_once(':').map_or("", |(_, password)| password);
    let is_login = value::is_login(value) && !password.chars().all(is_word);
    is_login.then_some(Reason::Name)
}

/// Returns why a text looks like a credential if it is the words of a wallet's seed (BIP 39).
#[must_use]
pub fn phrase(text: &str) -> Option<Reason> {
    value::is_phrase(text).then_some(Reason::Phrase)
}

/// Looks at the names within a value: some servers take their settings or header fields in one variable.
fn within(name: &str, value: &str) -> Option<(std::ops::Range<usize>, Reason)> {
    // The file .netrc, in one variable.
    if let Some((_, password)) = value.split_once(" password ")
        && value.starts_with("machine ")
    {
        let start = value.len() - password.len();
        return Some((start..value.len(), Reason::Name));
    }
    let is_json = value.trim_start().starts_with(['{', '[']);
    match is_json || name::is_of_fields(name) {
        true => find_in_settings(value),
        false => find_named(value, |_| false),
    }
}

/// Returns whether a value is a picture or another file as an address (RFC 2397).
fn is_picture(value: &str) -> bool {
    let kinds = ["image/", "font/", "audio/", "video/"];
    let kind = value.trim_start().strip_prefix("data:");
    kind.is_some_and(|it| kinds.iter().any(|kind| it.starts_with(kind)))
}
