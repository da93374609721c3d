//! Texts between quotes, without their escapes.

use zeroize::Zeroizing;

use crate::form::Form;
use crate::next::Next;
use crate::reader::Reader;

/// Length of the longest text between quotes, in bytes.
const MAX_LEN: usize = 64 << 10;

/// Reads the text between the quotes at the beginning. Returns what it may stand for, in different languages, and
/// its length with the quotes. `None` if they are not closed within `left` bytes, which become less.
pub(super) fn read(text: &str, left: &mut usize) -> Option<(Vec<Zeroizing<String>>, usize)> {
    let quote = text.chars().next()?;
    let mut single = [0; 4];
    let single = &*quote.encode_utf8(&mut single);
    let triple = single.repeat(3);
    if let Some(rest) = text.strip_prefix(&triple)
        && let Some((inner, _)) = rest.split_once(&triple).filter(|_| *left > rest.len())
    {
        let length = inner.len() + 2 * triple.len();
        *left -= inner.len();
        let mut values = unescaped(inner, quote);
        let joined = joined(inner);
        if joined.as_str() != inner {
            values.extend(unescaped(&joined, quote));
        }
        return Some((values, length));
    }
    let inner = text.strip_prefix(quote)?;
    let end = end(inner, single, left)?;
    let inner = inner.get(..end)?;
    Some((unescaped(inner, quote), end + 2 * single.len()))
}

/// Returns where the closing quote is. A quote within the text is doubled, or has a backslash before it.
fn end(inner: &str, quote: &str, left: &mut usize) -> Option<usize> {
    let mut at = 0;
    while at < MAX_LEN.min(*left) {
        let rest = inner.get(at..)?;
        let Some(next) = rest.find(['\\', '"', '\'', '`']) else {
            *left = left.saturating_sub(rest.len());
            return None;
        };
        at += next;
        *left = left.saturating_sub(next + 1);
        let rest = inner.get(at..)?;
        if rest.starts_with('\\') {
            at += 1 + rest.chars().nth(1)?.len_utf8();
        } else if quote == "'" && rest.starts_with("''") {
            at += 2;
        } else if rest.starts_with(quote) {
            return Some(at);
        } else {
            at += 1;
        }
    }
    None
}

/// Returns a text of TOML without the line end after its opening quotes and before its closing ones, and without the
/// line ends after a backslash and the spaces behind them.
fn joined(inner: &str) -> Zeroizing<String> {
    let mut joined = Zeroizing::new(String::with_capacity(inner.len()));
    let mut goes_on = true;
    for line in inner.lines() {
        if !goes_on {
            joined.push('\n');
        }
        let line = if goes_on { line.trim_start() } else { line };
        let shortened = line.strip_suffix('\\');
        joined.push_str(shortened.unwrap_or(line));
        goes_on = shortened.is_some() || joined.is_empty();
    }
    Zeroizing::new(joined.trim_end().to_owned())
}

fn unescaped(inner: &str, quote: char) -> Vec<Zeroizing<String>> {
    let mut all = vec![Zeroizing::new(inner.to_owned())];
    let mut add = |text: Option<Zeroizing<String>>| {
        all.extend(text.filter(|it| it.as_str() != inner));
    };
    if inner.contains('\\') {
        add(decoded(inner, Form::Json));
        add(decoded(inner, Form::Escaped));
    }
    if quote == '\'' && inner.contains("''") {
        add(Some(Zeroizing::new(inner.replace("''", "'"))));
    }
    all
}

/// Reads a text in one form to its end.
fn decoded(text: &str, form: Form) -> Option<Zeroizing<String>> {
    let mut reader = Reader::new(text.as_bytes(), 0, form);
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    loop {
        match reader.next() {
            Next::Byte(byte) => bytes.push(byte),
            Next::End => break,
            Next::Cut | Next::Other => return None,
        }
    }
    let text = str::from_utf8(&bytes).ok()?;
    Some(Zeroizing::new(text.to_owned()))
}

/// Reads a private key whose line ends are written `\n`, as in a variable of one line.
pub(super) fn pem(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let begins = text.trim_start().starts_with("-----BEGIN ");
    if !begins || !text.contains("-----\\n") {
        return None;
    }
    let whole = Zeroizing::new(text.replace("\\r", "").replace("\\n", "\n"));
    let trimmed = whole.trim_matches(['\r', '\n', ' ']);
    Some(Zeroizing::new(trimmed.as_bytes().to_vec()))
}
