//! `.env` files.

use super::{Entry, Form, Out, ReadError, encode, may_be_of_a_value};
use crate::dotenv::{ends_line, parse, space};
use mcplexer_secrets::Credential;

pub(super) fn read(file: &[u8]) -> Result<Vec<Entry>, ReadError> {
    let expected = "NAME=value is expected; a value of several lines stands in quotes";
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

/// Returns whether a `.env` file can have this name.
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

/// The quotes to write a text in, or none; `None` if no reader would give it back.
pub(super) fn quote(text: &str) -> Option<&'static str> {
    // Line ends are read as line feeds wherever they are.
    if text.contains('\r') {
        return None;
    }
    if !text.is_empty() && text.bytes().all(is_plain) {
        return Some("");
    }
    // A quote after a backslash may not be the closing one.
    let quotes = ["'", "`", "\""];
    let fits = |quote: &&str| {
        let is_escape = *quote == "\"" && (text.contains("\\n") || text.contains("\\r"));
        !text.contains(*quote) && !text.ends_with('\\') && !is_escape
    };
    let fitting = quotes.into_iter().find(fits);
    fitting.or_else(|| fits_without_quotes(text.as_bytes()).then_some(""))
}

/// What needs no quotes in any program that reads such files.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_@%+=:,./-".contains(&byte)
}

fn fits_without_quotes(text: &[u8]) -> bool {
    let from = |at: usize| text.get(at..).unwrap_or_default();
    let spaces = (0..text.len()).filter(|&at| space(from(at)) > 0);
    let at_an_end = |at: usize| at == 0 || space(from(at)) == text.len() - at;
    !text.contains(&b'#')
        && !(0..text.len()).any(|at| ends_line(from(at)))
        && !spaces.into_iter().any(at_an_end)
        && !text.first().is_some_and(|byte| b"'\"`".contains(byte))
}
