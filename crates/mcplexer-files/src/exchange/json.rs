//! A JSON object (RFC 8259).

use std::fmt;

use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::entry::NULL;
use super::{Entry, Form, MOST_ENTRIES, Out, ReadError, write_form};
use crate::position::{Lines, Position};
use crate::quoted::{Language, write_quoted};

pub(super) fn read(file: &str) -> Result<Vec<Entry>, ReadError> {
    let text = file.strip_prefix('\u{FEFF}').unwrap_or(file);
    let mut json = serde_json::Deserializer::from_str(text);
    let members = json.deserialize_map(Members);
    let members = members.and_then(|members| json.end().map(|()| members));
    // The parser's own messages may repeat what it found.
    let members = members.map_err(|error| {
        let problem = match error.is_data() {
            true => "expected one object of names and values",
            false => "not JSON",
        };
        match error.column() {
            0 => ReadError::new(error.line(), problem),
            column => ReadError::at(
                Position {
                    line: error.line(),
                    column,
                },
                problem,
            ),
        }
    })?;
    let lines = Lines::of(text.as_bytes());
    let entries = members.into_iter().map(|(name, raw)| {
        let raw = raw.get();
        let at = raw.as_ptr().addr().saturating_sub(text.as_ptr().addr());
        let value = match raw.as_bytes().first() {
            Some(b'"') => unescaped(raw).ok_or("half of a surrogate pair"),
            Some(b'n') => Err(NULL),
            Some(b'[' | b'{') => Err("expected a string, found an array or an object"),
            _ => Ok(Zeroizing::new(raw.as_bytes().to_vec())),
        };
        match value {
            Ok(value) => Entry::new(name, value, lines.line(at)),
            Err(what) => Entry::without_value(name, lines.position(at), what),
        }
    });
    Ok(entries.collect())
}

/// The members of an object: each name, and the value as it is written.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            // One more tells that there are too many.
            if members.len() <= MOST_ENTRIES {
                members.push(member);
            }
        }
        Ok(members)
    }
}

/// Returns what a string stands for that the parser has accepted; `None` if it has half of a surrogate
/// pair. The parser decodes one escape at a time, since it does not wipe the buffer that it decodes into.
fn unescaped(raw: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut rest = raw.strip_prefix('"')?.strip_suffix('"')?;
    let mut value = Zeroizing::new(Vec::with_capacity(rest.len()));
    while let Some((before, from)) = rest.find('\\').and_then(|at| rest.split_at_checked(at)) {
        value.extend_from_slice(before.as_bytes());
        // `\n`, `\u00e9` or `\ud83d\ude00`.
        let (character, after) = [2, 6, 12].into_iter().find_map(|length| {
            let (escape, after) = from.split_at_checked(length)?;
            let quoted = Zeroizing::new(format!("\"{escape}\""));
            Some((serde_json::from_str::<char>(&quoted).ok()?, after))
        })?;
        value.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        rest = after;
    }
    value.extend_from_slice(rest.as_bytes());
    Some(value)
}

pub(super) fn write(items: &[(&str, Form<'_>)], out: Out<'_>) {
    out(b"{");
    for (at, (name, form)) in items.iter().enumerate() {
        out(if at == 0 { b"\n  " } else { b",\n  " });
        write_quoted(name, Language::Json, out);
        out(b": ");
        write_form(*form, Language::Json, out);
    }
    out(if items.is_empty() { b"}\n" } else { b"\n}\n" });
}
