//! `.env` files.

use super::entry::may_be_of_a_value;
use super::{Entry, Form, Out, ReadError, Reader, encode};
use crate::dotenv::parse;

pub(super) fn read(file: &[u8]) -> Result<Vec<Entry>, ReadError> {
    let expected = "expected NAME=value; a value of several lines must be in quotes";
    let variables = parse(file).map_err(|error| ReadError::new(error.line, expected))?;
    let entries = variables.into_iter().map(|it| {
        // The end of base64 that was broken into lines: `…Xk9==`.
        let is_rest = may_be_of_a_value(&it.name) && it.value.iter().all(|&byte| byte == b'=');
        if is_rest {
            return Err(ReadError::new(it.line, expected));
        }
        Ok(Entry {
            with_hash: it.with_hash,
            ..Entry::new(it.name, it.value, it.line)
        })
    });
    entries.collect()
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
