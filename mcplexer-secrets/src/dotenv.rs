//! Reading `.env` files, as the npm package [`dotenv`](https://www.npmjs.com/package/dotenv) does.
//!
//! A line is `NAME=value`, with or without `export` before it. A value in `'…'`, `"…"` or `` `…` ``
//! may go over several lines and have `#` in it; in `"…"` `\n` and `\r` stand for a line feed and a
//! carriage return. Else a value ends at the first `#` or at the line's end, without the spaces around
//! it. `$` is a character like others. Unlike there, a line that is none of this is an error: it may
//! be a value that went astray.

use std::fmt;

use zeroize::Zeroizing;

/// One variable of a `.env` file.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Variable {
    /// Its name: letters, digits, `_`, `.` and `-`.
    pub name: String,
    value: Zeroizing<Vec<u8>>,
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

/// The variables of a file, in order. A name that is there twice comes twice.
///
/// # Errors
/// [`InvalidLine`]; the line is not repeated.
pub fn parse(file: &[u8]) -> Result<Vec<Variable>, InvalidLine> {
    let mut lines = Lines {
        rest: file.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(file),
        line: 0,
    };
    let mut variables = Vec::new();
    while let Some(text) = lines.next() {
        let text = text.trim_ascii_start();
        if text.is_empty() || text.starts_with(b"#") {
            continue;
        }
        let line = lines.line;
        let (name, value) = assignment(text).ok_or(InvalidLine { line })?;
        let value = match quoted(value, &lines) {
            Some((value, after)) => {
                lines = after;
                value
            }
            None => plain(value),
        };
        variables.push(Variable { name, value, line });
    }
    Ok(variables)
}

/// What of a file is still to be read.
#[derive(Clone)]
struct Lines<'a> {
    rest: &'a [u8],
    /// The number of the line that was read last.
    line: usize,
}

impl<'a> Lines<'a> {
    /// The next line without its end, which is LF, CR LF or CR.
    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = self.rest.iter().position(|byte| b"\r\n".contains(byte));
        let (line, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest
            .strip_prefix(b"\r\n")
            .or_else(|| rest.get(1..))
            .unwrap_or_default();
        self.line += 1;
        Some(line)
    }
}

/// The name, and what follows `=` or `: `.
fn assignment(text: &[u8]) -> Option<(String, &[u8])> {
    let without_export = text
        .strip_prefix(b"export")
        .filter(|rest| rest.first().is_some_and(u8::is_ascii_whitespace))
        .map(<[u8]>::trim_ascii_start);
    // `export = x` is a variable of that name.
    without_export.and_then(named).or_else(|| named(text))
}

fn named(text: &[u8]) -> Option<(String, &[u8])> {
    let in_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.-".contains(byte);
    let end = text.iter().position(|byte| !in_name(byte))?;
    let (name, rest) = text.split_at_checked(end).filter(|_| end > 0)?;
    let value = match rest.strip_prefix(b":") {
        Some(value) if value.first().is_some_and(u8::is_ascii_whitespace) => value,
        Some(_) => return None,
        None => rest.trim_ascii_start().strip_prefix(b"=")?,
    };
    Some((String::from_utf8_lossy(name).into_owned(), value))
}

/// A value in quotes that begins on this line, and where reading goes on after it; `None` if it is
/// not in quotes, or something other than a comment follows them.
fn quoted<'a>(first: &'a [u8], after: &Lines<'a>) -> Option<(Zeroizing<Vec<u8>>, Lines<'a>)> {
    let first = first.trim_ascii_start();
    let (&quote, mut line) = first.split_first()?;
    if !b"'\"`".contains(&quote) {
        return None;
    }
    let mut lines = after.clone();
    let mut value = Zeroizing::new(Vec::with_capacity(line.len() + after.rest.len()));
    loop {
        let mut escaped = false;
        let end = line.iter().position(|&byte| {
            let ends = byte == quote && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        });
        if let Some((inside, behind)) = end.and_then(|end| line.split_at_checked(end)) {
            value.extend_from_slice(inside);
            let behind = behind.get(1..).unwrap_or_default().trim_ascii_start();
            if !behind.is_empty() && !behind.starts_with(b"#") {
                return None;
            }
            if quote == b'"' {
                value = line_ends(&value);
            }
            return Some((value, lines));
        }
        value.extend_from_slice(line);
        value.push(b'\n');
        line = lines.next()?;
    }
}

fn plain(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let end = text.iter().position(|&byte| byte == b'#');
    let value = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
    let value = value.trim_ascii();
    match value.first() {
        Some(b'"') => line_ends(value),
        _ => Zeroizing::new(value.to_vec()),
    }
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
