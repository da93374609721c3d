//! Reading `.env` files, as the npm package [`dotenv`](https://www.npmjs.com/package/dotenv) 18 does, by the
//! same regular expression.
//!
//! A line is `NAME=value` or `NAME: value`, with or without `export` before it. A value in `'…'`, `"…"` or
//! `` `…` `` may have several lines and `#` in it; it ends at the first such quote without a backslash before
//! it, if only a comment or nothing follows. In `"…"`, `\n` and `\r` stand for a line feed and a carriage
//! return; no other backslash means anything. A value without quotes ends at the first `#` or at the end of
//! the line, without the spaces around it. `$` is a character like any other. CR LF and CR are read as LF,
//! within quotes as well. Spaces are those of JavaScript's `\s`, which include the byte order mark.
//!
//! Text that belongs to no variable and is neither blank nor a comment is an error here. The package ignores
//! it, but it may be a part of a value. In the package's terms: take out everything that its expression
//! matches, and a line remains that is not `\s*(#.*)?`. Bytes that are not UTF-8 stay as they are, which a
//! JavaScript string cannot do.

use std::fmt;
use std::sync::LazyLock;

use regex::bytes::Regex;
use zeroize::Zeroizing;

use crate::position::Lines;

/// One variable of a `.env` file.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Variable {
    /// The name: letters, digits, `_`, `.` and `-`.
    pub name: String,
    pub(crate) value: Zeroizing<Vec<u8>>,
    pub(crate) with_hash: Option<Zeroizing<Vec<u8>>>,
    /// The quote that the value begins with, if nothing closes it. The package takes it for a part of the value.
    pub(crate) unclosed: Option<char>,
    /// The line that it begins on, from 1.
    pub line: usize,
}

impl Variable {
    /// Returns the value, which may be empty and may have any bytes. It is wiped when this is dropped.
    #[must_use]
    pub fn value(&self) -> &[u8] {
        &self.value
    }

    /// Returns the value that python-dotenv, docker and shells read, if the package ends it at a `#` with no space
    /// before it: of `A=abc#def` this is `abc#def`, and [`value`](Self::value) is `abc`. A value in quotes is not
    /// such a value.
    #[must_use]
    pub fn value_with_hash(&self) -> Option<&[u8]> {
        self.with_hash.as_deref().map(Vec::as_slice)
    }
}

impl fmt::Debug for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Variable")
            .field("name", &self.name)
            .field("line", &self.line)
            .finish_non_exhaustive()
    }
}

/// A line that is neither a variable, nor a comment, nor blank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: expected NAME=value")]
#[non_exhaustive]
pub struct InvalidLine {
    /// The line, from 1.
    pub line: usize,
}

/// The package's expression, from the first character of a variable on. Its groups are the name, the value,
/// and the `#` of a comment. Expressions of this crate cannot look ahead, so this one includes the line end
/// where the package's has `$`. `\w` and `\s` are written out as JavaScript defines them.
static VARIABLE: LazyLock<Regex> = LazyLock::new(|| {
    let space =
        r"[\t-\r \x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}\x{FEFF}]";
    let value = [r#"'"#, r#"""#, "`"]
        .map(|quote| format!(r"{space}*{quote}(?:\\{quote}|(?-u:[^{quote}]))*{quote}"))
        .join("|");
    let expression = format!(
        r"\A(?:export{space}+)?([A-Za-z0-9_.-]+)(?:{space}*={space}*?|:{space}+?)({value}|(?-u:[^#\n])+)?{space}*(?:(#)|\z|[\n\x{{2028}}\x{{2029}}])"
    );
    #[expect(clippy::expect_used, reason = "a constant, which every test compiles")]
    Regex::new(&expression).expect("a valid expression")
});

/// Reads the variables of a file, in order. A repeated name is returned each time; the package takes the
/// last one.
///
/// # Errors
/// [`InvalidLine`]; it does not repeat the line.
pub fn parse(file: &[u8]) -> Result<Vec<Variable>, InvalidLine> {
    let (variables, invalid) = parse_some(file, 1, usize::MAX);
    match invalid.first() {
        Some(line) => Err(*line),
        None => Ok(variables),
    }
}

/// Reads the variables of a file as [`parse`] does, and goes on behind a line that belongs to none. Returns the first `most` of those
/// lines as well, and reads no further than to the last of them, nor than so many variables.
pub(crate) fn parse_some(
    file: &[u8],
    most: usize,
    most_variables: usize,
) -> (Vec<Variable>, Vec<InvalidLine>) {
    let text = with_line_feeds(file);
    let lines = Lines::of(&text);
    let (mut variables, mut invalid) = (Vec::new(), Vec::new());
    let mut at = 0;
    while invalid.len() < most && variables.len() < most_variables {
        let rest = text.get(at..).unwrap_or_default();
        match rest {
            [] => break,
            [b'#', ..] => at += line(rest).len(),
            _ if space(rest) > 0 => at += space(rest),
            _ => {
                let number = lines.line(at);
                let Some(found) = VARIABLE.captures(rest) else {
                    invalid.push(InvalidLine { line: number });
                    at += line(rest).len();
                    continue;
                };
                let group = |group| found.get(group);
                let (name, value) = (group(1), group(2));
                let begins = value.or_else(|| group(3)).map(|it| it.start());
                let comment = group(3).map(|it| it.start());
                variables.push(Variable {
                    with_hash: begins
                        .zip(comment)
                        .and_then(|(begins, comment)| with_hash(rest, begins, comment)),
                    name: name.map_or_else(String::new, |it| {
                        String::from_utf8_lossy(it.as_bytes()).into_owned()
                    }),
                    unclosed: value.and_then(|it| unclosed(it.as_bytes(), rest.get(it.start()..)?)),
                    value: unquoted(trimmed(value.map_or(b"", |it| it.as_bytes()))),
                    line: number,
                });
                let end = group(3).or_else(|| group(0));
                at += end.map_or(rest.len(), |it| match it.as_bytes() {
                    b"#" => it.start(),
                    _ => it.end(),
                });
            }
        }
    }
    (variables, invalid)
}

/// Returns a value with the `#` that ends it, and with what follows up to a `#` behind a space. It is `None` if
/// there is a space before this `#` already, or if the value is in quotes.
fn with_hash(text: &[u8], begins: usize, comment: usize) -> Option<Zeroizing<Vec<u8>>> {
    let is_apart = |end: usize| {
        text.get(..end)
            .is_some_and(|it| without_last_space(it).is_some())
    };
    let value = trimmed(text.get(begins..comment)?);
    let is_quoted = matches!(value, [first @ (b'\'' | b'"' | b'`'), .., last] if first == last);
    if is_apart(comment) || is_quoted {
        return None;
    }
    let end = begins + line(text.get(begins..)?).len();
    let is_comment = |at: &usize| text.get(*at) == Some(&b'#') && is_apart(*at);
    let end = (comment + 1..end).find(is_comment).unwrap_or(end);
    Some(unquoted(trimmed(text.get(begins..end)?)))
}

/// Returns the quote that a value begins with, if neither the value nor its line in the text has another one of that kind.
fn unclosed(value: &[u8], text: &[u8]) -> Option<char> {
    let (quote, after) = trimmed_start(value).split_first()?;
    let behind = line(trimmed_start(text).get(1..)?);
    let is_quote = matches!(quote, b'\'' | b'"' | b'`');
    let is_closed = after.contains(quote) || behind.contains(quote);
    (is_quote && !is_closed).then_some(char::from(*quote))
}

/// Returns the text with LF for every CR LF and CR.
fn with_line_feeds(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut lines = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text;
    while let Some(at) = rest.iter().position(|&byte| byte == b'\r') {
        let (line, end) = rest.split_at(at);
        lines.extend_from_slice(line);
        lines.push(b'\n');
        let after = end.strip_prefix(b"\r\n").or_else(|| end.get(1..));
        rest = after.unwrap_or_default();
    }
    lines.extend_from_slice(rest);
    lines
}

/// Returns the length in bytes of a leading white space character (as JavaScript defines it), or 0.
fn space(text: &[u8]) -> usize {
    match text {
        [b'\t'..=b'\r' | b' ', ..] => 1,
        [0xC2, 0xA0, ..] => 2,
        [0xE1, 0x9A, 0x80, ..]
        | [0xE2, 0x80, 0x80..=0x8A | 0xA8 | 0xA9 | 0xAF, ..]
        | [0xE2, 0x81, 0x9F, ..]
        | [0xE3, 0x80, 0x80, ..]
        | [0xEF, 0xBB, 0xBF, ..] => 3,
        _ => 0,
    }
}

/// Whether a line ends here, as `$` and `.` of a JavaScript expression see it.
fn ends_line(text: &[u8]) -> bool {
    matches!(text, [] | [b'\n', ..] | [0xE2, 0x80, 0xA8 | 0xA9, ..])
}

/// Returns the text up to where its first line ends.
fn line(text: &[u8]) -> &[u8] {
    let ends = |at: &usize| ends_line(text.get(*at..).unwrap_or_default());
    let end = (0..text.len()).find(ends);
    text.get(..end.unwrap_or(text.len())).unwrap_or_default()
}

/// Returns the text without the spaces around it.
fn trimmed(text: &[u8]) -> &[u8] {
    let mut text = trimmed_start(text);
    while let Some(shorter) = without_last_space(text) {
        text = shorter;
    }
    text
}

/// Returns the text without the spaces before it.
fn trimmed_start(mut text: &[u8]) -> &[u8] {
    while let length @ 1.. = space(text) {
        text = text.get(length..).unwrap_or_default();
    }
    text
}

/// Returns the text without the space that it ends in; `None` if it ends in something else.
fn without_last_space(text: &[u8]) -> Option<&[u8]> {
    let begins = (1..=3).filter_map(|length| text.len().checked_sub(length));
    let is_space = |begin: &usize| {
        let end = text.get(*begin..).unwrap_or_default();
        space(end) == end.len()
    };
    text.get(..begins.clone().find(is_space)?)
}

/// Takes away the quotes around each line, as `replace(/^(['"`])([\s\S]*)\1$/mg, '$2')` does, and resolves
/// `\n` and `\r` if the first is a double quote.
fn unquoted(value: &[u8]) -> Zeroizing<Vec<u8>> {
    let from = |at: usize| value.get(at..).unwrap_or_default();
    // The last of each kind of quote at the end of a line, since the expression takes as much as it can.
    let last = [b'\'', b'"', b'`'].map(|quote| {
        let closes = |at: &usize| value.get(*at) == Some(&quote) && ends_line(from(at + 1));
        (quote, (0..value.len()).rfind(closes))
    });
    let is_resolved = value.first() == Some(&b'"');
    let mut left = Zeroizing::new(Vec::with_capacity(value.len()));
    let mut keep = |text: &[u8]| {
        let mut rest = text;
        while let Some((&byte, after)) = rest.split_first() {
            let (byte, after) = match (byte, after.split_first()) {
                (b'\\', Some((b'n', after))) if is_resolved => (b'\n', after),
                (b'\\', Some((b'r', after))) if is_resolved => (b'\r', after),
                _ => (byte, after),
            };
            left.push(byte);
            rest = after;
        }
    };
    let (mut at, mut kept, mut begins) = (0, 0, true);
    while let Some(&byte) = value.get(at) {
        let closes = last.iter().find(|(quote, _)| begins && *quote == byte);
        match closes.and_then(|(_, end)| *end).filter(|end| *end > at) {
            Some(end) => {
                keep(value.get(kept..at).unwrap_or_default());
                keep(value.get(at + 1..end).unwrap_or_default());
                (at, kept, begins) = (end + 1, end + 1, false);
            }
            None => {
                begins = ends_line(from(at));
                at += if begins { space(from(at)) } else { 1 };
            }
        }
    }
    keep(from(kept));
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_one(text: &str, name: &str, value: &str) {
        let variables = parse(text.as_bytes()).unwrap();
        let [variable] = &variables[..] else {
            panic!("{text:?}: {variables:?}");
        };
        assert_eq!(variable.name, name, "{text:?}");
        assert_eq!(String::from_utf8_lossy(variable.value()), value, "{text:?}");
    }

    #[test]
    fn a_value_is_what_the_npm_package_reads() {
        for (text, value) in [
            ("A=b", "b"),
            ("  export   A = b c  ", "b c"),
            ("A: b", "b"),
            ("A=", ""),
            ("A=b # c", "b"),
            ("A=b#c", "b"),
            ("A='b # c' # d", "b # c"),
            ("A=\"b # c\"#d", "b # c"),
            ("A=`it's \"b\"`", "it's \"b\""),
            ("A='b\\nc'", "b\\nc"),
            ("A=\"b\\nc\\r\"", "b\nc\r"),
            ("A=b\\nc", "b\\nc"),
            ("A=\"b\r\nc\n\"", "b\nc\n"),
            ("A=pa$$w0rd${HOME}", "pa$$w0rd${HOME}"),
            ("A={\"b\": \"c\"}", "{\"b\": \"c\"}"),
            ("A=\"b\" c", "\"b\" c"),
            ("A=\"b", "\"b"),
            ("A=b\"c\"", "b\"c\""),
            ("\u{feff}A=b=c\r\n", "b=c"),
            ("# x\n\nA=ü", "ü"),
        ] {
            assert_one(text, "A", value);
        }
        assert_one("export=b", "export", "b");
        assert_one("A.b-c=d", "A.b-c", "d");
    }

    /// dotenvx#553
    #[test]
    fn a_value_that_is_cut_at_a_hash_has_the_other_as_well() {
        for (text, value, with_hash) in [
            ("A=abc#def", "abc", Some("abc#def")),
            ("A=a#b#c # d", "a", Some("a#b#c")),
            ("A=#abc", "", Some("#abc")),
            ("A: p#w\r\nB=c", "p", Some("p#w")),
            ("A=a b#c\u{a0}#d", "a b", Some("a b#c")),
            ("A='it's#x'", "'it's", Some("it's#x")),
            ("A=abc #def", "abc", None),
            ("A= #abc", "", None),
            ("A='abc'#def", "abc", None),
            ("A=\"abc#def\"", "abc#def", None),
            ("A=abc", "abc", None),
        ] {
            let variables = parse(text.as_bytes()).unwrap();
            assert_eq!(variables[0].value(), value.as_bytes(), "{text}");
            let found = variables[0].value_with_hash();
            assert_eq!(found, with_hash.map(str::as_bytes), "{text}");
        }
    }

    #[test]
    fn lines_are_counted_through_values_of_several_lines() {
        let variables = parse(b"# x\r\nA='b\n\nc'\rB=d\n").unwrap();
        let lines: Vec<_> = variables
            .iter()
            .map(|it| (it.name.as_str(), it.line))
            .collect();
        assert_eq!(lines, [("A", 2), ("B", 5)]);
    }

    #[test]
    fn a_line_that_is_no_variable_is_an_error_and_not_repeated() {
        for bad in ["ghp_abc123", "=b", "A b=c", "A:b", "export A"] {
            let error = parse(format!("X=1\n{bad}\n").as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), "line 2: expected NAME=value");
        }
    }

    #[test]
    fn debug_shows_no_value() {
        let variables = parse(b"A=visible?").unwrap();
        insta::assert_snapshot!(format!("{variables:?}"), @r#"[Variable { name: "A", line: 1, .. }]"#);
    }
}
