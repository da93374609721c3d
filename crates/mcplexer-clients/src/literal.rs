//! String literals: writing a string in the style of another one, so that undoing can restore that
//! one to the byte.
//!
//! serde_json writes the escapes, for TOML as well: all escapes of a JSON string mean the same in a
//! basic string of TOML (TOML 1.0, section *String*). What it has no option for are the escapes that
//! other encoders add; [`Escapes`] adds those. toml_edit chooses a style by itself and cannot be
//! asked for one.

use std::io;

use serde::Serializer as _;
use serde_json::ser::Formatter;
use toml_edit::Value;
use zeroize::Zeroizing;

use crate::syntax::Syntax;

/// How a string is written.
///
/// Encoders differ in which characters they escape needlessly. Any text that contains `/` and `:`, and
/// so any reference, shows which style its encoder uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    quotes: Quotes,
    escapes: Escapes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quotes {
    /// JSON: RFC 8259, section 7.
    Json,
    /// TOML's basic string, `"…"`.
    Basic,
    /// TOML's literal string, or a multi-line string that has no escapes, between these quotes.
    Verbatim(&'static str),
}

/// What is escaped in addition to what JSON requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Escapes {
    /// `/` as `\/`; JSON only.
    slashes: bool,
    /// All but ASCII as `\uXXXX`.
    unicode: bool,
    /// As TOML requires: U+007F, and `\UXXXXXXXX` in place of two surrogates.
    toml: bool,
    /// `:` as `\u003a`, by which a reference shows that the value had `unicode`.
    colons: bool,
}

impl Style {
    /// Returns the style with the fewest escapes.
    pub(crate) fn plain(syntax: Syntax) -> Self {
        let (quotes, toml) = match syntax {
            Syntax::Json => (Quotes::Json, false),
            Syntax::Toml => (Quotes::Basic, true),
        };
        let escapes = Escapes {
            toml,
            ..Escapes::default()
        };
        Self { quotes, escapes }
    }

    fn all(syntax: Syntax) -> impl Iterator<Item = Self> {
        let plain = Self::plain(syntax);
        let (escapes, verbatim): (&[_], &[_]) = match syntax {
            Syntax::Json => (
                &[(false, false), (true, false), (false, true), (true, true)],
                &[],
            ),
            Syntax::Toml => (&[(false, false), (false, true)], &["'", "\"\"\"", "'''"]),
        };
        let escaped = escapes.iter().map(move |&(slashes, unicode)| Self {
            escapes: Escapes {
                slashes,
                unicode,
                ..plain.escapes
            },
            ..plain
        });
        let verbatim = verbatim.iter().map(move |quotes| Self {
            quotes: Quotes::Verbatim(quotes),
            ..plain
        });
        escaped.chain(verbatim)
    }

    /// Returns the style of a literal that stands for `text`; `None` if it is an unknown one.
    pub(crate) fn of(literal: &str, text: &str, syntax: Syntax) -> Option<Self> {
        Self::all(syntax).find(|style| style.write(text).is_some_and(|it| *it == *literal))
    }

    /// Returns the style of the value that [`write_reference`](Self::write_reference) replaced.
    pub(crate) fn of_reference(literal: &str, reference: &str, syntax: Syntax) -> Option<Self> {
        let is_it = |style: &Self| style.write_reference(reference);
        Self::all(syntax).find(|style| is_it(style).is_some_and(|it| *it == *literal))
    }

    /// Returns the literal for a text; `None` if this style cannot write it.
    pub(crate) fn write_text(self, text: &str) -> Option<Zeroizing<String>> {
        let literal = self.write(text)?;
        match self.quotes {
            Quotes::Verbatim(_) if !reads_as(&literal, text) => None,
            _ => Some(literal),
        }
    }

    /// Returns the literal for a reference, from which [`of_reference`](Self::of_reference) can
    /// tell the style.
    pub(crate) fn write_reference(self, reference: &str) -> Option<Zeroizing<String>> {
        let escapes = Escapes {
            colons: self.escapes.unicode,
            ..self.escapes
        };
        Self { escapes, ..self }.write(reference)
    }

    fn write(self, text: &str) -> Option<Zeroizing<String>> {
        if let Quotes::Verbatim(quotes) = self.quotes {
            let mut literal = String::with_capacity(text.len() + 2 * quotes.len());
            literal.push_str(quotes);
            literal.push_str(text);
            literal.push_str(quotes);
            return Some(Zeroizing::new(literal));
        }
        // A vector that grows leaves copies behind. No character takes more than 12 bytes.
        let mut literal = Zeroizing::new(Vec::with_capacity(text.len() * 12 + 2));
        let mut json = serde_json::Serializer::with_formatter(&mut *literal, self.escapes);
        json.serialize_str(text).ok()?;
        let literal = String::from_utf8(std::mem::take(&mut *literal));
        literal.ok().map(Zeroizing::new)
    }
}

/// Returns whether a literal of TOML stands for a text.
fn reads_as(literal: &str, text: &str) -> bool {
    let value: Result<Value, _> = literal.parse();
    value.is_ok_and(|value| value.as_str() == Some(text))
}

impl Escapes {
    fn has(self, character: char) -> bool {
        match character {
            '/' => self.slashes,
            ':' => self.colons,
            '\u{7f}' => self.toml,
            character => self.unicode && !character.is_ascii(),
        }
    }

    fn write<W: ?Sized + io::Write>(self, writer: &mut W, character: char) -> io::Result<()> {
        match character {
            '/' => writer.write_all(b"\\/"),
            character if self.toml && character > '\u{ffff}' => {
                write!(writer, "\\U{:08x}", u32::from(character))
            }
            character => {
                let mut units = [0; 2];
                let mut units = character.encode_utf16(&mut units).iter();
                units.try_for_each(|unit| write!(writer, "\\u{unit:04x}"))
            }
        }
    }
}

impl Formatter for Escapes {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        for piece in fragment.split_inclusive(|character| self.has(character)) {
            let last = piece.chars().next_back();
            match last.filter(|&character| self.has(character)) {
                None => writer.write_all(piece.as_bytes())?,
                Some(character) => {
                    let before = piece.strip_suffix(character).unwrap_or(piece);
                    writer.write_all(before.as_bytes())?;
                    self.write(writer, character)?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_style_is_found_again_from_a_literal_and_from_its_reference() {
        let reference = "mcplexer://s/K?adopted";
        for (literal, text, of_reference) in [
            (r#""a/b é""#, "a/b é", r#""mcplexer://s/K?adopted""#),
            (r#""a\/b é""#, "a/b é", r#""mcplexer:\/\/s\/K?adopted""#),
            (
                r#""a/b \u00e9""#,
                "a/b é",
                r#""mcplexer\u003a//s/K?adopted""#,
            ),
            (
                r#""a\/b \ud83d\udd11\u0001\t""#,
                "a/b \u{1f511}\u{1}\t",
                r#""mcplexer\u003a\/\/s\/K?adopted""#,
            ),
        ] {
            let style = Style::of(literal, text, Syntax::Json).unwrap();
            let written = style.write_reference(reference).unwrap();
            assert_eq!(*written, of_reference);
            let found = Style::of_reference(&written, reference, Syntax::Json);
            assert_eq!(found, Some(style), "{literal}");
            assert_eq!(*style.write_text(text).unwrap(), literal);
        }
        for (literal, text, of_reference) in [
            (
                r#""a/b \u007f""#,
                "a/b \u{7f}",
                r#""mcplexer://s/K?adopted""#,
            ),
            (
                r#""\U0001f511 \u00e9""#,
                "\u{1f511} é",
                r#""mcplexer\u003a//s/K?adopted""#,
            ),
            (r#"'a "b"'"#, "a \"b\"", "'mcplexer://s/K?adopted'"),
            (
                "\"\"\"a\nb\"\"\"",
                "a\nb",
                "\"\"\"mcplexer://s/K?adopted\"\"\"",
            ),
            ("'''it's'''", "it's", "'''mcplexer://s/K?adopted'''"),
        ] {
            let style = Style::of(literal, text, Syntax::Toml).unwrap();
            let written = style.write_reference(reference).unwrap();
            assert_eq!(*written, of_reference);
            let found = Style::of_reference(&written, reference, Syntax::Toml);
            assert_eq!(found, Some(style), "{literal}");
            assert_eq!(*style.write_text(text).unwrap(), literal);
        }
        assert_eq!(Style::of(r#""\u0061""#, "a", Syntax::Json), None);
        assert_eq!(Style::of(r#""a\/""#, "a/", Syntax::Toml), None);
    }

    #[test]
    fn a_verbatim_style_writes_only_what_reads_back_as_it_was() {
        for (literal, text) in [("'a'", "it's"), ("'a'", "a\nb"), ("'''it's'''", "a'''b")] {
            let before = literal.trim_matches('\'');
            let style = Style::of(literal, before, Syntax::Toml).unwrap();
            assert!(style.write_text(text).is_none(), "{literal} {text}");
        }
        let plain = Style::plain(Syntax::Toml)
            .write_text("a\u{7f}\n\"")
            .unwrap();
        assert!(reads_as(&plain, "a\u{7f}\n\""), "{}", *plain);
    }
}
