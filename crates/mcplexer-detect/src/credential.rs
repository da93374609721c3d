//! Judges the value of a variable or header field.

use crate::by_name::by_name;
use crate::find::find;
use crate::named::find_named;
use crate::reason::Reason;

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
