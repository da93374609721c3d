//! Which characters of a string are escaped.

use std::io;

use serde::Serializer as _;
use serde_json::ser::Formatter;
use zeroize::Zeroizing;

/// What is escaped in addition to what JSON requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Escapes {
    /// `/` as `\/`; JSON and YAML only.
    pub(super) slashes: bool,
    /// All but ASCII as `\uXXXX`.
    pub(super) unicode: bool,
    /// As TOML and YAML require: U+007F, and `\UXXXXXXXX` in place of two surrogates.
    pub(super) long: bool,
    /// `:` as `\u003a`, by which a reference shows that the value had `unicode`.
    pub(super) colons: bool,
}

impl Escapes {
    /// Returns a text between double quotes.
    pub(super) fn quoted(self, text: &str) -> Option<Zeroizing<String>> {
        // A vector that grows leaves copies behind. No character takes more than 12 bytes.
        let mut literal = Zeroizing::new(Vec::with_capacity(text.len() * 12 + 2));
        let mut json = serde_json::Serializer::with_formatter(&mut *literal, self);
        json.serialize_str(text).ok()?;
        let literal = String::from_utf8(std::mem::take(&mut *literal));
        literal.ok().map(Zeroizing::new)
    }

    fn has(self, character: char) -> bool {
        match character {
            '/' => self.slashes,
            ':' => self.colons,
            '\u{7f}' => self.long,
            character => self.unicode && !character.is_ascii(),
        }
    }

    fn write<W: ?Sized + io::Write>(self, writer: &mut W, character: char) -> io::Result<()> {
        match character {
            '/' => writer.write_all(b"\\/"),
            character if self.long && character > '\u{ffff}' => {
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
