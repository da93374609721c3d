//! The tokens of JSON texts as they are written.

use std::borrow::Cow;

use crate::json;

/// The longest escape of one character outside the surrogate pairs: `\u` and four digits.
const ESCAPE: usize = 6;

/// Returns the length of the first token of a JSON text: a string, a number or a word, or else one character.
pub(super) fn token_len(text: &str) -> usize {
    if let Some(inside) = text.strip_prefix('"') {
        return (string_len(inside) + 2).min(text.len());
    }
    let is_word = |it: char| it.is_ascii_alphanumeric() || matches!(it, '+' | '-' | '.');
    let word = text.find(|it| !is_word(it)).unwrap_or(text.len());
    let first = text.chars().next().map_or(0, char::len_utf8);
    word.max(first)
}

/// Returns how long a JSON string is, from behind its first quote to before the last one.
pub(super) fn string_len(text: &str) -> usize {
    let mut at = 0;
    while let Some(next) =
        memchr::memchr2(b'"', b'\\', text.as_bytes().get(at..).unwrap_or_default())
    {
        match text.as_bytes().get(at + next) {
            Some(b'\\') => at += next + 2,
            _ => return at + next,
        }
    }
    text.len()
}

/// Returns the length of the integers that a JSON text begins with, and of what is between them: elements of one array.
pub(super) fn integers_len(text: &str) -> usize {
    if !text.starts_with(|it: char| it.is_ascii_digit()) {
        return 0;
    }
    let is_of_them = |it: char| it.is_ascii_digit() || matches!(it, ',' | ' ' | '\t' | '\r' | '\n');
    let length = text.find(|it| !is_of_them(it)).unwrap_or(text.len());
    let (mut run, after) = text.split_at(length);
    if after.starts_with(|it: char| it.is_ascii_alphanumeric() || it == '.') {
        // The last number is not over.
        run = run.trim_end_matches(|it: char| it.is_ascii_digit());
    }
    run.trim_end_matches(|it: char| !it.is_ascii_digit()).len()
}

/// Returns numbers of which some were replaced by labels in brackets as elements of an array, in which a label is a string.
pub(super) fn with_quoted_labels(masked: &str) -> String {
    let mut quoted = String::with_capacity(masked.len() + 2);
    let mut rest = masked;
    while let Some((before, label)) = rest.split_once('[') {
        let (label, after) = label.split_once(']').unwrap_or((label, ""));
        quoted.push_str(before);
        quoted.push_str(&json::string(&format!("[{label}]")));
        rest = after;
    }
    quoted.push_str(rest);
    match json::is_valid(&format!("[{quoted}]")) {
        true => quoted,
        // A value began or ended within a number.
        false => json::string(masked),
    }
}

/// Whether a JSON text has letters in it that are written as escapes: those of JSON, or within a string those of other
/// languages, whose backslash is escaped then; or JSON in JSON in JSON.
pub(super) fn is_escaped(text: &str) -> bool {
    let text = text.as_bytes();
    memchr::memchr_iter(b'\\', text).any(|at| {
        let escape = text.get(at + 1..).unwrap_or_default();
        matches!(
            escape,
            [b'u', b'0', b'0', ..]
                | [b'\\', b'x' | b'0'..=b'3', ..]
                | [b'\\', b'u', b'{', ..]
                | [b'\\', b'\\', b'\\', ..]
        )
    })
}

/// Returns what a JSON string says. Half of a surrogate pair is no text, and must not hide what is beside it.
pub(super) fn said(token: &str) -> Option<String> {
    let said = json::Value::new(token).as_str().map(Cow::into_owned);
    said.or_else(|| {
        let paired = with_whole_pairs(token);
        json::Value::new(&paired).as_str().map(Cow::into_owned)
    })
}

/// Replaces halves of surrogate pairs.
fn with_whole_pairs(token: &str) -> String {
    let mut whole = String::with_capacity(token.len());
    let mut rest = token;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        whole.push_str(before);
        let (first, second) = (unit(escape), escape.get(ESCAPE..).and_then(unit));
        let length = match (first, second) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 2 * ESCAPE,
            (Some(0xD800..=0xDFFF), _) => {
                whole.push_str("\\ufffd");
                rest = escape.get(ESCAPE..).unwrap_or_default();
                continue;
            }
            _ => 2,
        };
        let (escape, after) = escape.split_at_checked(length).unwrap_or((escape, ""));
        whole.push_str(escape);
        rest = after;
    }
    whole.push_str(rest);
    whole
}

/// Returns what `\uXXXX` stands for.
fn unit(escape: &str) -> Option<u16> {
    let digits = escape.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok()
}
