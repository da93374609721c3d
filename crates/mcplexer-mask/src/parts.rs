//! Which part of a value is looked for, and which of its lines by themselves.

use mcplexer_detect::find_any;

use crate::known::MIN_MASKED_LEN;

/// Length of the shortest line of base64 that is looked for by itself, in bytes: shorter ones may be
/// words.
const MIN_LINE_LEN: usize = 32;

/// Splits a value into what is looked for and the line ends after it. `None` if it is too short.
pub(crate) fn without_line_ends(whole: &[u8]) -> Option<(&[u8], &[u8])> {
    let is_line_end = |byte: &u8| b"\r\n".contains(byte);
    let end = whole.iter().rposition(|byte| !is_line_end(byte));
    let trimmed = whole.split_at_checked(end.map_or(0, |end| end + 1));
    let long_enough = |(bytes, _): &(&[u8], &[u8])| bytes.len() >= MIN_MASKED_LEN;
    trimmed
        .filter(long_enough)
        .or_else(|| Some((whole, &b""[..])).filter(long_enough))
}

/// Returns the parts of a value of several lines that reveal it by themselves, since programs indent
/// lines, join them or print only some: lines of base64, as in PEM (RFC 7468), and what looks like a
/// credential.
pub(crate) fn revealing(value: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    if !value.contains(&b'\n') {
        return parts;
    }
    for line in value.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii) {
        if line.len() >= MIN_LINE_LEN && is_base64(line) {
            parts.push(line);
            continue;
        }
        let mut rest = str::from_utf8(line).unwrap_or_default();
        while let Some((place, _)) = find_any(rest) {
            let (found, after) = (rest.get(place.clone()), rest.get(place.end..));
            // The boundaries of PEM are the same in all values.
            let found = found.filter(|it| it.len() >= MIN_MASKED_LEN && !it.starts_with("-----"));
            parts.extend(found.map(str::as_bytes));
            rest = after.unwrap_or_default();
        }
    }
    parts
}

/// Returns whether a line is base64 as in PEM. Rules and paths have the same characters, but not of
/// every kind.
fn is_base64(line: &[u8]) -> bool {
    let has = |kind: fn(&u8) -> bool| line.iter().any(kind);
    let belongs = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    line.iter().all(belongs)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_digit)
}
