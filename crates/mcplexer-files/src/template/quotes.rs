//! Values in JSON, TOML, `.env` and INI files: what quotes a reference is between decides how its value is written.

use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use super::{Piece, Syntax, Template, Unfit, replaced};
use crate::exchange::is_read_alike;
use crate::quoted::{Language, write_quoted};

/// Where in a text something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Context {
    /// Outside of quotes.
    Bare,
    /// Between these quotes.
    Quoted(&'static str),
    /// In a comment that ends with its line.
    Line,
    /// In a comment that ends with `*/`.
    Block,
}

pub(super) fn pieces(
    template: &Template<'_>,
    syntax: Syntax,
    values: &[&[u8]],
) -> Result<Vec<Piece>, Unfit> {
    let contexts = contexts(template, syntax);
    let pieces = contexts.into_iter().zip(values).enumerate();
    let pieces = pieces.map(|(place, (context, value))| {
        let piece = match context {
            Context::Line | Context::Block => in_comment(value, context),
            _ => match syntax {
                Syntax::Json => in_json(value, context),
                Syntax::Toml => in_toml(value, context),
                Syntax::Dotenv => in_dotenv(value, context),
                _ => in_ini(value, context),
            },
        };
        piece.map_err(|problem| Unfit { place, problem })
    });
    pieces.collect()
}

/// Returns where each place of a template is.
fn contexts(template: &Template<'_>, syntax: Syntax) -> Vec<Context> {
    let has_lines = matches!(syntax, Syntax::Dotenv | Syntax::Ini);
    let mut contexts = Vec::with_capacity(template.places.len());
    let mut places = template.places.iter().map(|place| &place.range).peekable();
    let (mut at, mut context, mut line) = (0, Context::Bare, Line::Begins);
    while let Some(rest) = template.text.get(at..).filter(|rest| !rest.is_empty()) {
        if let Some(place) = places.next_if(|place| place.start == at) {
            contexts.push(context);
            (at, line) = (place.end, line.after_text());
            continue;
        }
        let length;
        (context, length) = match context {
            Context::Bare => match syntax {
                Syntax::Json | Syntax::Toml => begins(rest, syntax),
                _ => begins_in_line(rest, syntax, line),
            },
            Context::Line => (
                if rest.starts_with(b"\n") {
                    Context::Bare
                } else {
                    context
                },
                1,
            ),
            Context::Block if rest.starts_with(b"*/") => (Context::Bare, 2),
            Context::Block => (context, 1),
            Context::Quoted(quote) => ends(rest, quote, syntax),
        };
        if has_lines {
            line = line.after(rest, context);
        }
        at += length.max(1);
    }
    contexts
}

/// How far a line of `name = value` has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Begins,
    Name,
    /// Behind `=`, before the value.
    Value,
    /// Within the value, and whether behind a space.
    Within(bool),
}

impl Line {
    fn after_text(self) -> Self {
        match self {
            Self::Begins | Self::Name => Self::Name,
            Self::Value | Self::Within(_) => Self::Within(false),
        }
    }

    /// Returns what it is after the first byte of a text.
    fn after(self, text: &[u8], context: Context) -> Self {
        match (text.first(), self) {
            (Some(b'\n'), _) if context == Context::Bare => Self::Begins,
            (Some(b' ' | b'\t'), Self::Begins | Self::Value) => self,
            (Some(b' ' | b'\t'), Self::Within(_)) => Self::Within(true),
            (Some(b'='), Self::Begins | Self::Name) => Self::Value,
            _ => self.after_text(),
        }
    }
}

/// Returns the context behind the beginning of a text outside of quotes, and the length of that beginning.
fn begins(text: &[u8], syntax: Syntax) -> (Context, usize) {
    let is = |opening: &str| text.starts_with(opening.as_bytes());
    let quotes: &[&'static str] = match syntax {
        Syntax::Json => &["\"", "'"],
        _ => &["\"\"\"", "'''", "\"", "'"],
    };
    if let Some(quote) = quotes.iter().find(|quote| is(quote)) {
        return (Context::Quoted(quote), quote.len());
    }
    match syntax {
        Syntax::Json if is("//") => (Context::Line, 2),
        Syntax::Json if is("/*") => (Context::Block, 2),
        Syntax::Toml if is("#") => (Context::Line, 1),
        _ => (Context::Bare, 1),
    }
}

/// The same in a file of lines.
fn begins_in_line(text: &[u8], syntax: Syntax, line: Line) -> (Context, usize) {
    let context = match (text.first(), line) {
        (Some(b'#'), Line::Begins) => Context::Line,
        (Some(b'#'), Line::Value | Line::Within(true)) if syntax == Syntax::Dotenv => Context::Line,
        (Some(b';'), Line::Begins) if syntax == Syntax::Ini => Context::Line,
        (Some(b'\''), Line::Value) => Context::Quoted("'"),
        (Some(b'"'), Line::Value) => Context::Quoted("\""),
        (Some(b'`'), Line::Value) if syntax == Syntax::Dotenv => Context::Quoted("`"),
        _ => Context::Bare,
    };
    (context, 1)
}

/// Returns the context behind the beginning of a text between quotes, and the length of that beginning.
fn ends(text: &[u8], quote: &'static str, syntax: Syntax) -> (Context, usize) {
    let has_escapes = match syntax {
        Syntax::Toml => quote.starts_with('"'),
        _ => true,
    };
    let is_one_line = quote.len() == 1 && syntax != Syntax::Dotenv;
    match text {
        [b'\\', b'\n', ..] if quote.len() == 1 => (Context::Quoted(quote), 2),
        [b'\\', _, ..] if has_escapes => (Context::Quoted(quote), 2),
        [b'\n', ..] if is_one_line => (Context::Bare, 1),
        _ if text.starts_with(quote.as_bytes()) => (Context::Bare, quote.len()),
        _ => (Context::Quoted(quote), 1),
    }
}

const LINES: &str = "the value has a line end, which would end it";

fn in_comment(value: &[u8], context: Context) -> Result<Piece, &'static str> {
    let ends = match context {
        Context::Block => value.windows(2).any(|it| it == b"*/"),
        _ => value.iter().any(|byte| b"\n\r".contains(byte)),
    };
    match ends {
        true => Err("the value would end the comment"),
        false => Ok(raw(value)),
    }
}

fn in_json(value: &[u8], context: Context) -> Result<Piece, &'static str> {
    match context {
        Context::Quoted(quote) => {
            let escaped = escaped(value, Language::Json)?;
            Ok(match quote {
                "'" => replaced(&String::from_utf8_lossy(&escaped), '\'', "\\'"),
                _ => escaped,
            })
        }
        _ if serde_json::from_slice::<IgnoredAny>(value).is_ok() => Ok(raw(value)),
        _ => Err(
            "outside of quotes, only a value that is JSON itself can be; put the reference between \"…\"",
        ),
    }
}

fn in_toml(value: &[u8], context: Context) -> Result<Piece, &'static str> {
    let is_control = |byte: &u8| (*byte < b' ' && !b"\t\n".contains(byte)) || *byte == 0x7f;
    match context {
        // The escapes of YAML that are used are those of TOML, with eight digits where JSON has two escapes.
        Context::Quoted("\"" | "\"\"\"") => escaped(value, Language::Yaml),
        Context::Quoted(quote) => {
            let lines = value.contains(&b'\n');
            let unfit = value.contains(&b'\'')
                || value.iter().any(is_control)
                || str::from_utf8(value).is_err();
            match unfit || (lines && quote == "'") || value.starts_with(b"\n") {
                true => Err("'…' cannot hold the value; put the reference between \"…\""),
                false => Ok(raw(value)),
            }
        }
        _ if is_literal(value) => Ok(raw(value)),
        _ => Err(
            "outside of quotes, only a number, true and false can be; put the reference between \"…\"",
        ),
    }
}

fn in_dotenv(value: &[u8], context: Context) -> Result<Piece, &'static str> {
    let has = |bytes: &[u8]| value.iter().any(|byte| bytes.contains(byte));
    if str::from_utf8(value).is_err() || has(b"\0") {
        return Err("the value is not text");
    }
    let is_read = match context {
        Context::Quoted("'") => !has(b"'\\\r") && !value.windows(2).any(|it| it == b"${"),
        Context::Quoted("\"") => !has(b"\"\\$`\r"),
        Context::Quoted(_) => !has(b"`\\\r"),
        _ => is_read_alike(value),
    };
    match (is_read, context) {
        (true, _) => Ok(raw(value)),
        (_, Context::Quoted(_)) => Err(
            "these quotes cannot hold the value such that all readers read it; mcplexer export --for has more ways",
        ),
        _ => Err(
            "without quotes, readers of .env files would read the value differently; put the reference between '…'",
        ),
    }
}

fn in_ini(value: &[u8], context: Context) -> Result<Piece, &'static str> {
    if value.iter().any(|byte| b"\n\r\0".contains(byte)) {
        return Err(LINES);
    }
    match context {
        Context::Quoted(quote) if value.windows(1).any(|it| it == quote.as_bytes()) => {
            Err("the value has such a quote, which would end it")
        }
        Context::Bare if value.trim_ascii().len() < value.len() => Err(
            "the value has a space at an end, which would be lost; put the reference between quotes",
        ),
        _ => Ok(raw(value)),
    }
}

/// Returns text as it is between double quotes.
pub(super) fn escaped(value: &[u8], language: Language) -> Result<Piece, &'static str> {
    let text = str::from_utf8(value).map_err(|_| "the value is not UTF-8 text")?;
    let mut length = 0;
    write_quoted(text, language, &mut |piece| length += piece.len());
    let mut quoted = Zeroizing::new(Vec::with_capacity(length));
    write_quoted(text, language, &mut |piece| quoted.extend_from_slice(piece));
    quoted.pop();
    quoted.drain(..1);
    Ok(quoted)
}

/// Whether a value is `true`, `false` or a number in decimal, which every language reads and writes the same.
pub(super) fn is_literal(value: &[u8]) -> bool {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    let (whole, part) = match digits
        .split(|&byte| byte == b'.')
        .collect::<Vec<_>>()
        .as_slice()
    {
        [whole] => (*whole, None),
        [whole, part] => (*whole, Some(*part)),
        _ => return false,
    };
    let is_number = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let is_decimal = is_number(whole) && part.is_none_or(is_number) && digits.len() <= 15;
    let has_zero = whole.len() > 1 && whole.starts_with(b"0");
    matches!(value, b"true" | b"false") || (is_decimal && !has_zero)
}

pub(super) fn raw(value: &[u8]) -> Piece {
    Zeroizing::new(value.to_vec())
}
