//! Judges the value of a variable or header field.

use crate::address::{find_in_address, find_in_webhook};
use crate::by_name::by_name;
use crate::find::find;
use crate::named::{find_in_settings, find_named};
use crate::reason::Reason;
use crate::{entropy, json, name, reference, scheme, value};

/// How deeply JSON is read that is in a string of JSON.
const MAX_DEPTH: usize = 4;

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
    judge(name, value, hints, MAX_DEPTH)
}

fn judge(name: &str, value: &str, hints: &[&str], depth: usize) -> Option<Reason> {
    if is_named_id(name, value) || is_picture(value) {
        return None;
    }
    let reason = |found: (_, Reason)| found.1;
    let found = find(value).map(reason);
    if found.is_some() || reference::is_resource(value) {
        return found;
    }
    by_name(name, value, hints)
        .or_else(|| in_words(name, value))
        .or_else(|| within(name, value, hints, depth))
        .or_else(|| find_in_address(value).map(reason))
        .or_else(|| {
            let hook = name::is_of_a_webhook(name).then(|| find_in_webhook(value));
            hook.flatten().map(reason)
        })
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

/// Returns why a text of several words looks like a credential: it is the words of a wallet's seed (BIP 39), a line of
/// the file `.netrc`, or the value of the field `Authorization`.
#[must_use]
pub fn in_words(name: &str, text: &str) -> Option<Reason> {
    if value::is_phrase(text) {
        return Some(Reason::Phrase);
    }
    let is_netrc = text.starts_with("machine ") && text.contains(" password ");
    (is_netrc || scheme::is_authorization(name, text)).then_some(Reason::Name)
}

/// Looks at the names within a value: some servers take their settings or header fields in one variable.
fn within(name: &str, value: &str, hints: &[&str], depth: usize) -> Option<Reason> {
    let is_json = value.trim_start().starts_with(['{', '[']);
    if is_json && value.contains('"') {
        let depth = depth.checked_sub(1)?;
        if json::is_public_key(value) {
            return None;
        }
        return json::find_string(value, name, |name, it| judge(name, it, hints, depth));
    }
    let found = match is_json || name::is_of_fields(name) {
        true => find_in_settings(value),
        false => find_named(value, |_| false),
    };
    found.map(|(_, reason)| reason)
}

/// Returns whether a value is the id of a key of Twilio, and its name says so: the secret of the key is another value.
#[must_use]
pub fn is_named_id(name: &str, value: &str) -> bool {
    entropy::is_sid(value) && name::is_of_an_id(name)
}

/// Returns whether a value is a picture or another file as an address (RFC 2397).
fn is_picture(value: &str) -> bool {
    let kinds = ["image/", "font/", "audio/", "video/"];
    let kind = value.trim_start().strip_prefix("data:");
    kind.is_some_and(|it| kinds.iter().any(|kind| it.starts_with(kind)))
}
