//! Reading `.env` files, as the npm package [`dotenv`](https://www.npmjs.com/package/dotenv) 18 does.
//!
//! A line is `NAME=value` or `NAME: value`, with or without `export` before it. A value in `'…'`,
//! `"…"` or `` `…` `` may go over several lines and have `#` in it; it ends at the first such quote
//! that has no backslash before it, or before that at the last one that has, whichever only a comment
//! or nothing follows. In `"…"` `\n` and `\r` stand for a line feed and a carriage return; no other
//! backslash means anything. Else a value ends at the first `#` or at the line's end, without the
//! spaces around it. `$` is a character like others. CR LF and CR are read as LF, also within quotes.
//! Spaces are those of JavaScript's `\s`, among them the byte order mark.
//!
//! What that package passes over in silence is an error here, since it may be a value that went
//! astray: text that belongs to no variable and is neither blank nor a comment. In the package's
//! terms: when everything its expression matches is taken out of a file, and a line remains that is
//! not `\s*(#.*)?`. Bytes that are not UTF-8 stay as they are, which a JavaScript string cannot.

use std::fmt;

use zeroize::Zeroizing;

use crate::position::Lines;

/// One variable of a `.env` file.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Variable {
    /// Its name: letters, digits, `_`, `.` and `-`.
    pub name: String,
    pub(crate) value: Zeroizing<Vec<u8>>,
    /// The line it begins at, from 1.
    pub line: usize,
}

impl Variable {
    /// Its value; any bytes, or none. Wiped when this is dropped.
    #[must_use]
    pub fn value(&self) -> &[u8] {
        &self.value
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
#[error("line {line}: NAME=value is expected")]
#[non_exhaustive]
pub struct InvalidLine {
    /// The line, from 1.
    pub line: usize,
}

/// The variables of a file, in order. A name that is there twice comes twice; for the package the
/// last one counts.
///
/// # Errors
/// [`InvalidLine`]; the line is not repeated.
pub fn parse(file: &[u8]) -> Result<Vec<Variable>, InvalidLine> {
    let text = with_line_feeds(file);
    let mut reader = Reader { text: &text, at: 0 };
    let lines = Lines::of(&text);
    let mut variables = Vec::new();
    loop {
        reader.skip_spaces();
        match reader.rest().first() {
            None => return Ok(variables),
            Some(b'#') => reader.skip_line(),
            Some(_) => {
                let line = lines.line(reader.at);
                let name = reader.name().ok_or(InvalidLine { line })?;
                let value = reader.value();
                variables.push(Variable { name, value, line });
            }
        }
    }
}

/// The text with LF for every CR LF and CR.
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

/// How many bytes a space at the beginning has, of those that JavaScript calls white space; 0 if
/// there is none.
pub(crate) fn space(text: &[u8]) -> usize {
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

fn trimmed(mut text: &[u8]) -> &[u8] {
    while let length @ 1.. = space(text) {
        text = text.get(length..).unwrap_or_default();
    }
    let last = |text: &[u8]| {
        (1..=3).find(|&length| {
            let begin = text.len().checked_sub(length);
            begin.and_then(|begin| text.get(begin..)).map(space) == Some(length)
        })
    };
    while let Some(length) = last(text) {
        text = text.get(..text.len() - length).unwrap_or_default();
    }
    text
}

/// Whether a line ends here, as `$` and `.` of a JavaScript expression have it.
pub(crate) fn ends_line(text: &[u8]) -> bool {
    matches!(text, [] | [b'\n', ..] | [0xE2, 0x80, 0xA8 | 0xA9, ..])
}

fn is_quote(byte: u8) -> bool {
    b"'\"`".contains(&byte)
}

/// A file, its line ends being LF, on the way through it.
struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn from(&self, at: usize) -> &'a [u8] {
        self.text.get(at..).unwrap_or_default()
    }

    fn rest(&self) -> &'a [u8] {
        self.from(self.at)
    }

    /// Where the spaces that begin at a place end; they may go over several lines.
    fn after_spaces(&self, mut at: usize) -> usize {
        while let length @ 1.. = space(self.from(at)) {
            at += length;
        }
        at
    }

    fn skip_spaces(&mut self) {
        self.at = self.after_spaces(self.at);
    }

    fn skip_line(&mut self) {
        while !ends_line(self.rest()) {
            self.at += 1;
        }
    }

    /// The name, and all up to `=`, or `:` and a space; `None` if there is no such thing.
    fn name(&mut self) -> Option<String> {
        let in_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.-".contains(byte);
        if let Some(after) = self.rest().strip_prefix(b"export") {
            let name = self.after_spaces(self.at + b"export".len());
            // `export = x` is a variable of that name.
            if space(after) > 0 && self.from(name).first().is_some_and(in_name) {
                self.at = name;
            }
        }
        let rest = self.rest();
        let end = rest.iter().position(|byte| !in_name(byte))?;
        let (name, after) = rest.split_at_checked(end).filter(|_| end > 0)?;
        self.at += end;
        match after {
            [b':', after @ ..] if space(after) > 0 => self.at += 1 + space(after),
            _ => {
                self.skip_spaces();
                self.rest().strip_prefix(b"=")?;
                self.at += 1;
            }
        }
        Some(String::from_utf8_lossy(name).into_owned())
    }

    fn value(&mut self) -> Zeroizing<Vec<u8>> {
        let begin = self.after_spaces(self.at);
        let first = self.from(begin).first().copied();
        let quote = first.filter(|&byte| is_quote(byte));
        if let Some((quote, end)) =
            quote.and_then(|quote| Some((quote, self.closing(begin, quote)?)))
        {
            let inside = self.text.get(begin + 1..end).unwrap_or_default();
            self.at = end + 1;
            self.skip_line();
            return match quote {
                b'"' => line_ends(inside),
                _ => Zeroizing::new(inside.to_vec()),
            };
        }
        let rest = self.rest();
        let end = rest.iter().position(|byte| b"#\n".contains(byte));
        let end = end.unwrap_or(rest.len());
        let value = trimmed(rest.get(..end).unwrap_or_default());
        self.at += end;
        self.skip_line();
        let without_quotes = unquoted(value);
        match value.first() {
            Some(b'"') => line_ends(&without_quotes),
            _ => without_quotes,
        }
    }

    /// Where the quote that begins at a place is closed.
    fn closing(&self, begin: usize, quote: u8) -> Option<usize> {
        let mut found = None;
        let mut at = begin + 1;
        while let Some(next) = self.from(at).iter().position(|&byte| byte == quote) {
            let end = at + next;
            let mut behind = end + 1;
            while !ends_line(self.from(behind)) && space(self.from(behind)) > 0 {
                behind += space(self.from(behind));
            }
            if ends_line(self.from(behind)) || self.from(behind).starts_with(b"#") {
                found = Some(end);
            }
            if self.text.get(end - 1) != Some(&b'\\') {
                break;
            }
            at = end + 1;
        }
        found
    }
}

/// Takes away the quotes around what had no place where they are closed: around each line of it, and
/// there are lines only at U+2028 and U+2029.
fn unquoted(value: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut left = Zeroizing::new(Vec::with_capacity(value.len()));
    let (mut at, mut begins) = (0, true);
    let from = |at: usize| value.get(at..).unwrap_or_default();
    // Where each kind of quote stands last before a line's end: a line may have many.
    let closing = |quote: u8| {
        let ends = |at: &usize| value.get(*at) == Some(&quote) && ends_line(from(at + 1));
        (0..value.len()).rfind(ends)
    };
    let last = [b'\'', b'"', b'`'].map(|quote| (quote, closing(quote)));
    while let Some(&byte) = value.get(at) {
        let closes = last.iter().find(|(quote, _)| begins && *quote == byte);
        if let Some(end) = closes.and_then(|(_, end)| *end).filter(|end| *end > at) {
            left.extend_from_slice(value.get(at + 1..end).unwrap_or_default());
            (at, begins) = (end + 1, false);
            continue;
        }
        begins = ends_line(from(at));
        let length = if begins { 3 } else { 1 };
        left.extend_from_slice(value.get(at..at + length).unwrap_or_default());
        at += length;
    }
    left
}

/// Turns `\n` and `\r` into what they stand for.
fn line_ends(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut value = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let (byte, after) = match (byte, after.split_first()) {
            (b'\\', Some((b'n', after))) => (b'\n', after),
            (b'\\', Some((b'r', after))) => (b'\r', after),
            _ => (byte, after),
        };
        value.push(byte);
        rest = after;
    }
    value
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
            assert_eq!(error.to_string(), "line 2: NAME=value is expected");
        }
    }

    #[test]
    fn debug_shows_no_value() {
        let variables = parse(b"A=visible?").unwrap();
        insta::assert_snapshot!(format!("{variables:?}"), @r#"[Variable { name: "A", line: 1, .. }]"#);
    }
}
