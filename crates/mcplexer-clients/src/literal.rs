//! String literals: writing a string in the style of another one, so that undoing can restore that
//! one to the byte.
//!
//! serde_json writes the escapes, for TOML and YAML as well: all escapes of a JSON string mean the same
//! in a basic string of TOML (TOML 1.0, section *String*) and between double quotes of YAML (YAML 1.2.2,
//! section 5.7). What it has no option for are the escapes that other encoders add; [`Escapes`] adds
//! those. toml_edit chooses a style by itself and cannot be asked for one.

mod block;
mod escapes;

use toml_edit::Value;
use zeroize::Zeroizing;

use crate::document;
use crate::node::Node;
use crate::server::Text;
use crate::syntax::Syntax;
use block::Block;
use escapes::Escapes;

/// How strings are written in a part of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Notation {
    pub(crate) syntax: Syntax,
    /// Whether the part is within brackets or braces of YAML.
    pub(crate) in_flow: bool,
}

impl From<Syntax> for Notation {
    fn from(syntax: Syntax) -> Self {
        Self {
            syntax,
            in_flow: false,
        }
    }
}

impl Notation {
    pub(crate) fn of_text(syntax: Syntax, text: &Text) -> Self {
        Self {
            syntax,
            in_flow: text.in_flow,
        }
    }
}

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
    Toml {
        open: &'static str,
        close: &'static str,
    },
    /// Between double quotes of YAML.
    Double { in_flow: bool },
    /// Between single quotes of YAML, with each of these in the text twice.
    Single { in_flow: bool },
    /// YAML's plain scalar.
    Plain { in_flow: bool },
    /// YAML's literal block scalar.
    Block(Block),
}

/// Quotes of TOML that have no escapes. The line end after the opening ones is no part of the text.
const VERBATIM: [(&str, &str); 7] = [
    ("'", "'"),
    ("\"\"\"", "\"\"\""),
    ("'''", "'''"),
    ("\"\"\"\n", "\"\"\""),
    ("'''\n", "'''"),
    ("\"\"\"\r\n", "\"\"\""),
    ("'''\r\n", "'''"),
];

impl Style {
    /// Returns the style with the fewest escapes.
    pub(crate) fn plain(notation: Notation) -> Self {
        let in_flow = notation.in_flow;
        let (quotes, long) = match notation.syntax {
            Syntax::Json => (Quotes::Json, false),
            Syntax::Toml => (Quotes::Basic, true),
            Syntax::Yaml => (Quotes::Double { in_flow }, true),
        };
        let escapes = Escapes {
            long,
            ..Escapes::default()
        };
        Self { quotes, escapes }
    }

    /// Returns the styles that a literal may have.
    fn all(literal: &str, notation: Notation) -> impl Iterator<Item = Self> {
        let plain = Self::plain(notation);
        let in_flow = notation.in_flow;
        let slashes: &[_] = match notation.syntax {
            Syntax::Toml => &[false],
            Syntax::Json | Syntax::Yaml => &[false, true],
        };
        let escaped = slashes.iter().flat_map(move |&slashes| {
            [false, true].map(|unicode| Self {
                escapes: Escapes {
                    slashes,
                    unicode,
                    ..plain.escapes
                },
                ..plain
            })
        });
        let others: Vec<Quotes> = match notation.syntax {
            Syntax::Json => Vec::new(),
            Syntax::Toml => VERBATIM
                .map(|(open, close)| Quotes::Toml { open, close })
                .into(),
            Syntax::Yaml => [Quotes::Plain { in_flow }, Quotes::Single { in_flow }]
                .into_iter()
                .chain(Block::of(literal).map(Quotes::Block))
                .collect(),
        };
        let others = others.into_iter();
        escaped.chain(others.map(move |quotes| Self { quotes, ..plain }))
    }

    /// Returns the style of a literal that stands for `text`; `None` if it is an unknown one.
    pub(crate) fn of(literal: &str, text: &str, notation: Notation) -> Option<Self> {
        Self::all(literal, notation)
            .find(|style| style.write(text).is_some_and(|it| *it == *literal))
    }

    /// Returns the style of the value that [`write_reference`](Self::write_reference) replaced.
    pub(crate) fn of_reference(literal: &str, reference: &str, notation: Notation) -> Option<Self> {
        let is_it = |style: &Self| style.write_reference(reference);
        Self::all(literal, notation).find(|style| is_it(style).is_some_and(|it| *it == *literal))
    }

    /// Returns the literal for a text; `None` if this style cannot write it.
    pub(crate) fn write_text(self, text: &str) -> Option<Zeroizing<String>> {
        let literal = self.write(text)?;
        let reads = match self.quotes {
            Quotes::Json | Quotes::Basic => true,
            Quotes::Toml { .. } => is_toml(&literal, text),
            Quotes::Double { in_flow } | Quotes::Single { in_flow } | Quotes::Plain { in_flow } => {
                is_yaml(&literal, text, in_flow)
            }
            // The line ends behind it.
            Quotes::Block(_) => is_yaml(&Zeroizing::new([&literal, "\n"].concat()), text, false),
        };
        reads.then_some(literal)
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
        let between = |open: &str, text: &str, close: &str| {
            let mut literal = String::with_capacity(text.len() + open.len() + close.len());
            literal.push_str(open);
            literal.push_str(text);
            literal.push_str(close);
            Some(Zeroizing::new(literal))
        };
        match self.quotes {
            Quotes::Json | Quotes::Basic | Quotes::Double { .. } => self.escapes.quoted(text),
            Quotes::Toml { open, close } => between(open, text, close),
            Quotes::Single { .. } => {
                let text = Zeroizing::new(text.replace('\'', "''"));
                between("'", &text, "'")
            }
            Quotes::Plain { .. } => between("", text, ""),
            Quotes::Block(block) => block.write(text),
        }
    }
}

/// Returns whether a literal of TOML stands for a text.
fn is_toml(literal: &str, text: &str) -> bool {
    let value: Result<Value, _> = literal.parse();
    value.is_ok_and(|value| value.as_str() == Some(text))
}

/// Returns whether a literal of YAML stands for a text, as the value of a member or in brackets.
fn is_yaml(literal: &str, text: &str, in_flow: bool) -> bool {
    let (open, close) = if in_flow { ("[", "]") } else { ("k: ", "") };
    let file = Zeroizing::new([open, literal, close].concat());
    let Ok(document) = document::parse(&file, Syntax::Yaml) else {
        return false;
    };
    let is_text = |node: &Node| node.text() == Some(text);
    match in_flow {
        true => document
            .elements()
            .is_some_and(|it| it.len() == 1 && it.iter().all(is_text)),
        false => {
            let members = document.object().map(|it| it.members.as_slice());
            members.is_some_and(|it| it.len() == 1 && it.iter().all(|it| is_text(&it.node)))
        }
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
            let style = Style::of(literal, text, Syntax::Json.into()).unwrap();
            let written = style.write_reference(reference).unwrap();
            assert_eq!(*written, of_reference);
            let found = Style::of_reference(&written, reference, Syntax::Json.into());
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
            let style = Style::of(literal, text, Syntax::Toml.into()).unwrap();
            let written = style.write_reference(reference).unwrap();
            assert_eq!(*written, of_reference);
            let found = Style::of_reference(&written, reference, Syntax::Toml.into());
            assert_eq!(found, Some(style), "{literal}");
            assert_eq!(*style.write_text(text).unwrap(), literal);
        }
        for (literal, text, of_reference) in [
            ("a/b", "a/b", "mcplexer://s/K?adopted"),
            ("'it''s'", "it's", "'mcplexer://s/K?adopted'"),
            (r#""a\/b é""#, "a/b é", r#""mcplexer:\/\/s\/K?adopted""#),
            (
                r#""\U0001f511""#,
                "\u{1f511}",
                r#""mcplexer\u003a//s/K?adopted""#,
            ),
            (
                "|\n  a\n\n   b",
                "a\n\n b\n",
                "|-\n  mcplexer://s/K?adopted",
            ),
            ("|-\n a\n b", "a\nb", "|-\n mcplexer://s/K?adopted"),
            (
                "|\r\n  a\r\n  b",
                "a\nb\n",
                "|-\r\n  mcplexer://s/K?adopted",
            ),
            ("|-\n  a", "a", "|-\n  mcplexer://s/K?adopted"),
        ] {
            let notation = Notation::from(Syntax::Yaml);
            let style = Style::of(literal, text, notation).unwrap_or_else(|| panic!("{literal}"));
            let written = style.write_reference(reference).unwrap();
            assert_eq!(*written, of_reference);
            let found = Style::of_reference(&written, reference, notation);
            assert_eq!(found, Some(style), "{literal}");
            assert_eq!(*style.write_text(text).unwrap(), literal);
        }
        assert_eq!(Style::of(r#""\u0061""#, "a", Syntax::Json.into()), None);
        assert_eq!(Style::of(r#""a\/""#, "a/", Syntax::Toml.into()), None);
    }

    #[test]
    fn a_verbatim_style_writes_only_what_reads_back_as_it_was() {
        for (literal, text) in [("'a'", "it's"), ("'a'", "a\nb"), ("'''it's'''", "a'''b")] {
            let before = literal.trim_matches('\'');
            let style = Style::of(literal, before, Syntax::Toml.into()).unwrap();
            assert!(style.write_text(text).is_none(), "{literal} {text}");
        }
        let plain = Style::plain(Syntax::Toml.into())
            .write_text("a\u{7f}\n\"")
            .unwrap();
        assert!(is_toml(&plain, "a\u{7f}\n\""), "{}", *plain);
    }
}
