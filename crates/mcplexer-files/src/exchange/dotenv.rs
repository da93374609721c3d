//! `.env` files: what is read becomes entries, and what is written is quoted so that readers agree.

use super::entry::may_be_of_a_value;
use super::{Entry, Form, Out, ReadError, encode};
use crate::dotenv::{Variable, parse};
use mcplexer_secrets::Credential;
use zeroize::Zeroizing;

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
            name: it.name,
            value: it.value,
            line: it.line,
        })
    });
    entries.collect()
}

/// Whether a `.env` file can have this name.
pub(super) fn is_name(it: &Credential<'_>) -> bool {
    let in_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    it.name.as_str().bytes().all(in_name)
}

pub(super) fn write(items: &[(&str, Form<'_>)], out: Out<'_>) {
    for (name, form) in items {
        out(name.as_bytes());
        out(b"=");
        match form {
            Form::Bytes(bytes) => encode(bytes, out),
            Form::Text(text) => {
                let quote = quote(text).unwrap_or_default();
                out(quote.as_bytes());
                out(text.as_bytes());
                out(quote.as_bytes());
            }
        }
        out(b"\n");
    }
}

/// Returns the quotes to write a text in, or none; `None` if no quotes make a reader return it.
pub(super) fn quote(text: &str) -> Option<&'static str> {
    if text.bytes().all(is_plain) && is_read_from("", text) {
        return Some("");
    }
    // A reader may not take a quote behind a backslash for the closing one.
    let fits = |quote: &&str| !text.ends_with('\\') && !text.contains(*quote);
    let quotes = ["'", "`", "\""].into_iter().filter(fits);
    // A quote at the beginning might be closed on a later line.
    let none = Some("").filter(|_| !text.starts_with(['\'', '`', '"']));
    let mut quotes = quotes.chain(none);
    quotes.find(|quote| is_read_from(quote, text))
}

fn is_read_from(quote: &str, text: &str) -> bool {
    let file = Zeroizing::new(["A=", quote, text, quote].concat());
    let variables = parse(file.as_bytes());
    let is_text = |it: &[Variable]| matches!(it, [one] if one.value() == text.as_bytes());
    variables.is_ok_and(|variables| is_text(&variables))
}

/// Whether every program that reads such files takes a byte as it is, without quotes.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_@%+=:,./-".contains(&byte)
}
