//! `.env` files.

use super::entry::{Problem, may_be_of_a_value};
use super::{Entry, Form, Out, ReadError, Reader, encode};
use crate::dotenv::parse_some;

/// Reads what can be read; returns the first `most` lines that cannot, as well. Stops behind `most_entries`.
pub(super) fn read(file: &[u8], most: usize, most_entries: usize) -> (Vec<Entry>, Vec<ReadError>) {
    let invalid = |line| {
        let expected = "expected NAME=value; a value of several lines must be in quotes";
        ReadError::new(line, expected)
    };
    let (variables, lines) = parse_some(file, most, most_entries);
    let mut mistakes: Vec<_> = lines.iter().map(|it| invalid(it.line)).collect();
    let mut entries = Vec::with_capacity(variables.len());
    for it in variables {
        // The end of base64 that was broken into lines: `…Xk9==`.
        if may_be_of_a_value(&it.name) && it.value.iter().all(|&byte| byte == b'=') {
            mistakes.push(invalid(it.line));
            continue;
        }
        let problem = it.unclosed.map(|quote| Problem::Unclosed { quote });
        entries.push(Entry {
            with_hash: it.with_hash,
            problem,
            ..Entry::new(it.name, it.value, it.line)
        });
    }
    mistakes.sort_by_key(|it| it.line);
    mistakes.truncate(most);
    (entries, mistakes)
}

/// Writes a file for one reader, or such that all of them read it alike.
pub(super) fn write(items: &[(&str, Form<'_>)], reader: Option<Reader>, out: Out<'_>) {
    for (name, form) in items {
        out(name.as_bytes());
        out(b"=");
        match (form, reader) {
            (Form::Encoded(bytes), _) => encode(bytes, out),
            (Form::Plain(bytes), None) => out(bytes),
            (Form::Plain(bytes), Some(reader)) => reader.write(bytes, out),
        }
        out(b"\n");
    }
}
