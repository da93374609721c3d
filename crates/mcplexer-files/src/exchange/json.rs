//! JSON (RFC 8259).

use std::fmt;

use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::{Entry, Form, Out, ReadError, double_quoted};
use crate::position::{Lines, Position};

pub(super) fn read(file: &str) -> Result<Vec<Entry>, ReadError> {
    let text = file.strip_prefix('\u{FEFF}').unwrap_or(file);
    let mut json = serde_json::Deserializer::from_str(text);
    let members = json.deserialize_map(Members);
    // Messages of this parser may repeat what they found.
    let members = members.and_then(|members| json.end().map(|()| members));
    let members = members.map_err(|error| {
        let problem = match error.is_data() {
            true => "one object is expected, of names and values",
            false => "not JSON",
        };
        ReadError {
            column: Some(error.column()).filter(|column| *column > 0),
            ..ReadError::new(error.line(), problem)
        }
    })?;
    let lines = Lines::of(text.as_bytes());
    let entries = members.into_iter().map(|(name, raw)| {
        let raw = raw.get();
        let at = raw.as_ptr().addr().saturating_sub(text.as_ptr().addr());
        let error =
            |problem| ReadError::at(Position::in_text(text.as_bytes(), at), problem).about(&name);
        let value = match raw.as_bytes().first() {
            Some(b'"') => unescaped(raw).ok_or_else(|| error("half of a surrogate pair"))?,
            Some(b'n') => return Err(error("null is no value")),
            Some(b'[' | b'{') => return Err(error("a value is a string, and no array or object")),
            _ => Zeroizing::new(raw.as_bytes().to_vec()),
        };
        let line = lines.line(at);
        Ok(Entry { name, value, line })
    });
    entries.collect()
}

/// The members of an object, of each the name, and the value as it is written.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}

/// What a string stands for that the parser has found to be one; `None` if half of a surrogate pair
/// is in it.
fn unescaped(raw: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut rest = raw.strip_prefix('"')?.strip_suffix('"')?;
    let mut value = Zeroizing::new(Vec::with_capacity(rest.len()));
    while let Some((before, after)) = rest.split_once('\\') {
        value.extend_from_slice(before.as_bytes());
        let mut characters = after.chars();
        let character = match characters.next()? {
            'b' => '\u{8}',
            'f' => '\u{C}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let (high, behind) = unit(characters.as_str())?;
                characters = behind.chars();
                match high {
                    0xD800..0xDC00 => {
                        let (low, behind) = unit(behind.strip_prefix("\\u")?)?;
                        characters = behind.chars();
                        let low = low.checked_sub(0xDC00).filter(|low| *low < 0x400)?;
                        char::from_u32(0x10000 + ((high - 0xD800) << 10) + low)?
                    }
                    _ => char::from_u32(high)?,
                }
            }
            itself => itself,
        };
        value.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        rest = characters.as_str();
    }
    value.extend_from_slice(rest.as_bytes());
    Some(value)
}

/// The four hexadecimal digits that a text begins with, and the rest.
fn unit(text: &str) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at_checked(4)?;
    Some((u32::from_str_radix(digits, 16).ok()?, rest))
}

pub(super) fn write(items: &[(&str, Form<'_>)], out: Out<'_>) {
    out(b"{");
    for (at, (name, form)) in items.iter().enumerate() {
        out(if at == 0 { b"\n  " } else { b",\n  " });
        double_quoted(Form::Text(name), out);
        out(b": ");
        double_quoted(*form, out);
    }
    out(if items.is_empty() { b"}\n" } else { b"\n}\n" });
}
