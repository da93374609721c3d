//! Finds values after names, in a text of any syntax: `# password: …`, `"api_key": "…"`, `TOKEN=…`.

use std::ops::Range;

use crate::by_name::by_name;
use crate::reason::Reason;
use crate::scheme::without_scheme;

/// Length of the shortest value that a name makes a credential, in bytes.
const MIN_LEN: usize = 8;
/// The same in settings.
const MIN_SETTING: usize = 4;
/// How much of a value is read, in bytes.
const MAX_LEN: usize = 256;

const QUOTES: [char; 4] = ['"', '\'', '`', '\\'];

/// Finds the first value that its name makes a credential, or that looks random after a name for which
/// `random` returns true. [`find`](crate::find()) must have found nothing in the text.
///
/// Returns the range of its bytes, and why it looks like a credential.
#[must_use]
pub fn find_named(text: &str, random: fn(&str) -> bool) -> Option<(Range<usize>, Reason)> {
    // Without a digit it may be a word of a sentence.
    let may_be =
        |value: &str| value.len() >= MIN_LEN && value.contains(|c: char| c.is_ascii_digit());
    find_if(text, random, may_be)
}

/// Finds the first value that its name makes a credential in a text of settings, such as JSON, which has no
/// sentences.
pub(crate) fn find_in_settings(text: &str) -> Option<(Range<usize>, Reason)> {
    find_if(text, |_| true, |value| value.len() >= MIN_SETTING)
}

fn find_if(
    text: &str,
    random: fn(&str) -> bool,
    may_be: fn(&str) -> bool,
) -> Option<(Range<usize>, Reason)> {
    let mut names = text.match_indices([':', '=']);
    names.find_map(|(at, _)| {
        let name = name_before(text.get(..at)?);
        // The name of an image is before its tag.
        let before = text.get(..at)?.trim_end_matches([' ', '"', '\'', '\\']);
        if before
            .strip_suffix(name)
            .is_some_and(|it| it.ends_with('/'))
        {
            return None;
        }
        let place = value_after(text, at + 1)?;
        let value = text.get(place.clone())?;
        let may_be = may_be(value);
        let reason = may_be.then(|| by_name(name, value, &[])).flatten()?;
        (reason != Reason::Random || random(name)).then_some((place, reason))
    })
}

/// Returns the name at the end of a text, such as `token` in `{"token" `. Returns an empty text if no name is there.
#[must_use]
pub fn name_before(text: &str) -> &str {
    let text = text.trim_end_matches(' ').trim_end_matches(QUOTES);
    let belongs = |c: char| c.is_alphanumeric() || "_-.".contains(c);
    let name = text.len() - text.trim_end_matches(belongs).len();
    text.get(text.len() - name..).unwrap_or_default()
}

/// Returns the value after a name, without its quotes and without a scheme of authentication.
fn value_after(text: &str, at: usize) -> Option<Range<usize>> {
    let after = text.get(at..)?;
    // The scheme of a URL is not a name.
    if after.starts_with("//") {
        return None;
    }
    let bare = after.trim_start_matches([' ', '\t']);
    let value = bare.trim_start_matches(QUOTES);
    let start = text.len() - value.len();
    let mut ends = value.char_indices().map(|(at, _)| at);
    let value = value.get(..ends.find(|&at| at >= MAX_LEN).unwrap_or(value.len()))?;
    let is_quoted = bare.starts_with(QUOTES);
    let value = value.split(QUOTES).next()?;
    let value = value.split(['\n', '\r']).next()?.trim_end();
    let given = without_scheme(value);
    let start = start + value.len() - given.len();
    if is_quoted {
        // Several quoted words are a sentence.
        return (!given.contains(' ')).then(|| start..start + given.len());
    }
    let is_variable = given.starts_with(['$', '{']);
    let ends = |c: char| " ,]".contains(c) || (c == '}' && !is_variable);
    Some(start..start + given.find(ends).unwrap_or(given.len()))
}
