//! Text between double quotes, as JSON and YAML read it.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// Which of the two languages reads a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Json,
    Yaml,
}

/// Writes text between double quotes, in pieces. What cannot be seen, and what a reader might refuse or
/// take for a line end, is escaped.
pub(crate) fn write_quoted(text: &str, language: Language, out: &mut dyn FnMut(&[u8])) {
    let mut serializer = Serializer::with_formatter(Pieces(out), Visible(language));
    let written = text.serialize(&mut serializer);
    debug_assert!(written.is_ok(), "pieces are always taken");
}

/// Returns text between double quotes.
pub(crate) fn quoted(text: &str, language: Language) -> String {
    let mut bytes = Vec::new();
    write_quoted(text, language, &mut |piece| bytes.extend_from_slice(piece));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether a text needs no quotes in YAML: nothing in it can mean anything else.
pub(crate) fn is_plain_yaml(text: &str) -> bool {
    // Some readers of YAML take these for something else than text.
    let reserved = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    let is_safe = |c: char| c.is_ascii_alphanumeric() || " _-.".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(is_safe)
        && !text.ends_with(' ')
        && !reserved.contains(&text.to_ascii_lowercase().as_str())
}

struct Pieces<'a>(&'a mut dyn FnMut(&[u8]));

impl io::Write for Pieces<'_> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        (self.0)(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Escapes what cannot be seen; quotes, backslashes and the first 32 characters are escaped without it.
struct Visible(Language);

impl Formatter for Visible {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        for piece in fragment.split_inclusive(is_hidden) {
            let hidden = piece.chars().next_back().filter(|&c| is_hidden(c));
            let Some(hidden) = hidden else {
                writer.write_all(piece.as_bytes())?;
                continue;
            };
            let before = piece.strip_suffix(hidden).unwrap_or_default();
            writer.write_all(before.as_bytes())?;
            match (self.0, u32::from(hidden)) {
                // YAML 1.2.2, section 5.7, `ns-esc-32-bit`: it has no surrogate pairs.
                (Language::Yaml, code @ 0x1_0000..) => write!(writer, "\\U{code:08X}")?,
                _ => {
                    for unit in hidden.encode_utf16(&mut [0; 2]) {
                        write!(writer, "\\u{unit:04X}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Whether a character is one that Unicode does not count as printable.
pub(crate) fn is_hidden(character: char) -> bool {
    let is_escaped = character.escape_debug().next() == Some('\\');
    is_escaped && !matches!(character, '\'' | '"' | '\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_seen_is_escaped_as_each_language_reads_it() {
        let text = "é'/\"\\\n\u{1}\u{7f}\u{85}\u{a0}\u{2028}\u{202e}\u{feff}\u{ffff}😀\u{e0041}";
        let same = "\"é'/\\\"\\\\\\n\\u0001\\u007F\\u0085\\u00A0\\u2028\\u202E\\uFEFF\\uFFFF😀";
        let json = quoted(text, Language::Json);
        assert_eq!(json, format!("{same}\\uDB40\\uDC41\""));
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        let yaml = quoted(text, Language::Yaml);
        assert_eq!(yaml, format!("{same}\\U000E0041\""));
        assert_eq!(serde_saphyr::from_str::<String>(&yaml).unwrap(), text);
    }
}
