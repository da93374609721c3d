//! String literals: writing a text in the manner another one was written in, so that it can be
//! written back to the byte.

use zeroize::Zeroizing;

use super::Syntax;

/// How a string is written.
///
/// What an encoder need not escape it may: the manners are those of the encoders in use. Each can be
/// told from any text that has a `/` and a `:`, and so from a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Manner {
    quotes: Quotes,
    /// `/` as `\/`.
    slashes: bool,
    /// What is no ASCII as `\uXXXX`. A reference shows it by its `:`, written as `\u003a`.
    ascii: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quotes {
    /// JSON: RFC 8259, section 7.
    Json,
    /// TOML's basic string, `"…"`.
    Basic,
    /// TOML's literal string, `'…'`.
    Literal,
    /// TOML's multi-line strings, with nothing in them that is escaped or that ends them.
    Lines(&'static str),
}

impl Manner {
    /// The plainest.
    pub(super) fn plain(syntax: Syntax) -> Self {
        let quotes = match syntax {
            Syntax::Json => Quotes::Json,
            Syntax::Toml => Quotes::Basic,
        };
        Self {
            quotes,
            slashes: false,
            ascii: false,
        }
    }

    fn all(syntax: Syntax) -> impl Iterator<Item = Self> {
        let quotes: &[Quotes] = match syntax {
            Syntax::Json => &[Quotes::Json],
            Syntax::Toml => &[
                Quotes::Basic,
                Quotes::Literal,
                Quotes::Lines("\"\"\""),
                Quotes::Lines("'''"),
            ],
        };
        let ways = [(false, false), (true, false), (false, true), (true, true)];
        quotes.iter().flat_map(move |&quotes| {
            ways.map(|(slashes, ascii)| Self {
                quotes,
                slashes,
                ascii,
            })
        })
    }

    /// The manner in which `literal` is written for `text`; `None` if it is another one.
    pub(super) fn of(literal: &str, text: &str, syntax: Syntax) -> Option<Self> {
        Self::all(syntax).find(|manner| *manner.write(text, false) == *literal)
    }

    /// The manner of a reference that was written by [`write_reference`](Self::write_reference).
    pub(super) fn of_reference(literal: &str, reference: &str, syntax: Syntax) -> Option<Self> {
        Self::all(syntax).find(|manner| *manner.write_reference(reference) == *literal)
    }

    /// The literal for a text.
    pub(super) fn write_text(self, text: &str) -> Zeroizing<String> {
        self.write(text, false)
    }

    /// The literal for a reference, from which the manner can be told.
    pub(super) fn write_reference(self, reference: &str) -> Zeroizing<String> {
        self.write(reference, self.ascii)
    }

    fn write(self, text: &str, escape_colon: bool) -> Zeroizing<String> {
        // Growing would leave copies of a value behind: no character takes more than 12 bytes.
        let mut literal = Zeroizing::new(String::with_capacity(text.len() * 12 + 6));
        let (quote, escapes) = match self.quotes {
            Quotes::Json | Quotes::Basic => ("\"", true),
            Quotes::Literal => ("'", false),
            Quotes::Lines(quote) => (quote, false),
        };
        literal.push_str(quote);
        for character in text.chars() {
            if escapes {
                self.escape(character, escape_colon, &mut literal);
            } else {
                literal.push(character);
            }
        }
        literal.push_str(quote);
        literal
    }

    fn escape(self, character: char, escape_colon: bool, literal: &mut String) {
        match character {
            '"' => literal.push_str("\\\""),
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            '\u{8}' => literal.push_str("\\b"),
            '\u{c}' => literal.push_str("\\f"),
            '/' if self.slashes => literal.push_str("\\/"),
            ':' if escape_colon => literal.push_str("\\u003a"),
            c if c.is_ascii_control() && (c < ' ' || self.quotes == Quotes::Basic) => {
                literal.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c if self.ascii && !c.is_ascii() => match self.quotes {
                Quotes::Basic if u32::from(c) > 0xFFFF => {
                    literal.push_str(&format!("\\U{:08x}", u32::from(c)));
                }
                Quotes::Basic => literal.push_str(&format!("\\u{:04x}", u32::from(c))),
                _ => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        literal.push_str(&format!("\\u{unit:04x}"));
                    }
                }
            },
            c => literal.push(c),
        }
    }
}
