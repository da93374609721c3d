//! JSON texts (RFC 8259) as they are written: where their members are, and how to replace some of them.
//!
//! Nothing is parsed into numbers or maps and written again, so that whatever is not replaced stays as it is: the
//! order of members, repeated names, the spelling of numbers.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// A value in a JSON text.
#[derive(Clone, Copy)]
pub(crate) struct Value<'a> {
    text: &'a str,
    /// Where the value begins in the text that it is in.
    start: usize,
}

/// A text that is not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotJson;

impl<'a> Value<'a> {
    /// Takes a text as one value. It is not checked before something in it is looked for.
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, start: 0 }
    }

    /// Takes a part of a text as one value.
    pub(crate) fn part(text: &'a str, range: Range<usize>) -> Option<Self> {
        Some(Self {
            text: text.get(range.clone())?,
            start: range.start,
        })
    }

    /// Returns the value as it is written.
    pub(crate) fn text(self) -> &'a str {
        self.text
    }

    /// Returns where it is in the text that it is in.
    pub(crate) fn range(self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    /// Returns the members of an object with their names, in order. Names can be there more than once.
    pub(crate) fn members(self) -> Result<Vec<(Cow<'a, str>, Self)>, NotJson> {
        let members: Members<'a> = serde_json::from_str(self.text).map_err(|_| NotJson)?;
        let member = |(name, value): (&'a RawValue, &'a RawValue)| {
            // A name with half of a surrogate pair in it is no text, and no name that is looked for.
            let read = Self::new(name.get()).as_str();
            (
                read.unwrap_or(Cow::Borrowed(name.get())),
                self.within(value),
            )
        };
        Ok(members.0.into_iter().map(member).collect())
    }

    /// Returns the member with this name: the last one, as most readers take it.
    pub(crate) fn get(self, name: &str) -> Option<Self> {
        let members = self.members().ok()?;
        let found = members.iter().rev().find(|(found, _)| found == name);
        found.map(|(_, value)| *value)
    }

    /// Returns a member of a member of a member.
    pub(crate) fn at(self, path: &[&str]) -> Option<Self> {
        path.iter().try_fold(self, |value, name| value.get(name))
    }

    /// Returns the elements of an array.
    pub(crate) fn elements(self) -> Result<Vec<Self>, NotJson> {
        let elements: Elements<'a> = serde_json::from_str(self.text).map_err(|_| NotJson)?;
        Ok(elements.0.into_iter().map(|it| self.within(it)).collect())
    }

    /// Returns the text of a string, without quotes and escapes.
    pub(crate) fn as_str(self) -> Option<Cow<'a, str>> {
        serde_json::from_str(self.text).ok().map(|Name(text)| text)
    }

    /// Whether it is an object.
    pub(crate) fn is_object(self) -> bool {
        self.text.starts_with('{')
    }

    /// Whether it is `null`.
    pub(crate) fn is_null(self) -> bool {
        self.text == "null"
    }

    /// Returns where something can be written as the first members of an object, and what must follow it there:
    /// a comma if it has members.
    pub(crate) fn head(self) -> (usize, &'static str) {
        let inside = self.text.get(1..).unwrap_or_default();
        let is_empty = inside.trim_ascii_start().starts_with('}');
        (self.start + 1, if is_empty { "" } else { "," })
    }

    /// Finds out where a value is that is a part of this one's text.
    fn within(self, part: &'a RawValue) -> Self {
        let text = part.get();
        let offset = text.as_ptr().addr() - self.text.as_ptr().addr();
        Self {
            text,
            start: self.start + offset,
        }
    }
}

/// What takes the place of parts of a text.
#[derive(Debug, Default)]
pub(crate) struct Splices(Vec<(Range<usize>, String)>);

impl Splices {
    /// Replaces a value.
    pub(crate) fn replace(&mut self, value: Value<'_>, by: impl Into<String>) {
        self.replace_range(value.range(), by);
    }

    /// Replaces what is there.
    pub(crate) fn replace_range(&mut self, range: Range<usize>, by: impl Into<String>) {
        self.0.push((range, by.into()));
    }

    /// Inserts something at a position.
    pub(crate) fn insert(&mut self, at: usize, text: impl Into<String>) {
        self.0.push((at..at, text.into()));
    }

    /// Returns what takes the place of a value.
    pub(crate) fn replacement(&self, value: Value<'_>) -> Option<&str> {
        let range = value.range();
        let mut replaced = self.0.iter().filter(|(replaced, _)| *replaced == range);
        replaced.next().map(|(_, by)| by.as_str())
    }

    /// Returns the text with everything replaced. The replaced parts do not overlap.
    pub(crate) fn apply(mut self, text: &str) -> String {
        self.0.sort_by_key(|(range, _)| (range.start, range.end));
        let more: usize = self.0.iter().map(|(_, by)| by.len()).sum();
        let mut spliced = String::with_capacity(text.len() + more);
        let mut from = 0;
        for (range, by) in &self.0 {
            spliced.push_str(text.get(from..range.start).unwrap_or_default());
            spliced.push_str(by);
            from = range.end;
        }
        spliced.push_str(text.get(from..).unwrap_or_default());
        spliced
    }
}

/// Returns a text as a JSON string.
pub(crate) fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Whether a text is one JSON value.
pub(crate) fn is_valid(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// A string, borrowed if it has no escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct OfName;
        impl<'de> Visitor<'de> for OfName {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }
        from.deserialize_str(OfName)
    }
}

struct Members<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct OfMembers;
        impl<'de> Visitor<'de> for OfMembers {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(8);
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        from.deserialize_map(OfMembers)
    }
}

struct Elements<'a>(Vec<&'a RawValue>);

impl<'de> Deserialize<'de> for Elements<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct OfElements;
        impl<'de> Visitor<'de> for OfElements {
            type Value = Elements<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut elements = Vec::new();
                while let Some(element) = seq.next_element()? {
                    elements.push(element);
                }
                Ok(Elements(elements))
            }
        }
        from.deserialize_seq(OfElements)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_found_where_it_is() {
        let text = r#" { "a" : 1.0 , "b\u0063":{"x":[1, "two" ]}, "a": 2e9 } "#;
        let value = Value::new(text);
        let member = value.at(&["bc", "x"]).unwrap();
        assert_eq!(member.text(), r#"[1, "two" ]"#);
        assert_eq!(text.get(member.range()), Some(member.text()));
        assert_eq!(value.get("a").unwrap().text(), "2e9");
        let two = member.elements().unwrap()[1];
        assert_eq!(
            (two.as_str().unwrap().as_ref(), text.get(two.range())),
            ("two", Some("\"two\""))
        );
        assert!(value.get("x").is_none() && member.get("x").is_none());
        assert!(Value::new("{\"a\":}").members().is_err());
        let half = Value::new(r#"{"\ud800":"\udfff","a":1}"#);
        assert_eq!(half.members().unwrap().len(), 2);
    }

    #[test]
    fn only_what_is_replaced_changes() {
        let text = r#"{"b":1.50,"id":7,"id": "x" ,"m":{}}"#;
        let value = Value::new(text);
        let mut splices = Splices::default();
        for (name, member) in value.members().unwrap() {
            if name == "id" {
                splices.replace(member, "99");
            }
        }
        let (at, comma) = value.get("m").unwrap().head();
        splices.insert(at, format!("\"n\":0{comma}"));
        let (at, comma) = value.head();
        splices.insert(at, format!("\"a\":0{comma}"));
        assert_eq!(
            splices.apply(text),
            r#"{"a":0,"b":1.50,"id":99,"id": 99 ,"m":{"n":0}}"#
        );
    }

    #[test]
    fn a_deep_text_is_no_deep_recursion() {
        let text = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(Value::new(&text).get("a").unwrap().text().len(), 200_000);
    }
}
