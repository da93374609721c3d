//! Finds credentials within longer texts.

use std::ops::Range;

use crate::reason::Reason;
use crate::{entropy, token, url};

/// Finds the first credential within a longer text: an argument, a URL, a line of a file. Returns the range
/// of its bytes, and why it looks like one.
///
/// Only known shapes and passwords in URLs count, since names and randomness raise too many false alarms in
/// texts.
///
/// ```
/// use mcplexer_detect::{Reason, find};
/// let (place, reason) = find("--db=postgres://me:hunter2@db/shop").unwrap();
/// assert_eq!((place, reason), (19..26, Reason::Url));
/// assert_eq!(find("--db=postgres://me@db/shop"), None);
/// ```
#[must_use]
pub fn find(text: &str) -> Option<(Range<usize>, Reason)> {
    first(token::find(text), url::find(text))
}

/// Finds the first credential as [`find`] does, or the first word that looks random: whichever begins first.
/// For files that must not contain any value.
///
/// Known identifiers and digests (UUIDs, `sha256:…`, public keys) do not count as random, and neither do
/// the parts of URLs.
#[must_use]
pub fn find_any(text: &str) -> Option<(Range<usize>, Reason)> {
    let random = entropy::find(text).map(|place| (place, Reason::Random));
    first(find(text), random)
}

/// Returns the one that begins first; `a` if both begin at the same place.
fn first<T>(
    a: Option<(Range<usize>, T)>,
    b: Option<(Range<usize>, T)>,
) -> Option<(Range<usize>, T)> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if b.0.start < a.0.start { b } else { a }),
        (a, b) => a.or(b),
    }
}
