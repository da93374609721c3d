//! Looking for many values in a text at once.

use std::collections::HashMap;
use std::ops::Range;

/// The shortest value that is looked for, in bytes. Shorter ones are found everywhere.
const MIN_LEN: usize = 8;

/// Values, sorted, so that one look finds those that a text begins with, however many there are.
///
/// It borrows the values: an automaton would be a copy of them that is not wiped.
pub(crate) struct Values<'a> {
    sorted: Vec<Value<'a>>,
    /// The values that begin with these [`MIN_LEN`] bytes.
    by_beginning: HashMap<&'a [u8], Range<usize>>,
}

struct Value<'a> {
    bytes: &'a [u8],
    /// The lowest index of this value and of the values that it begins with.
    index: usize,
    /// The longest other value that it begins with.
    prefix: Option<usize>,
}

impl<'a> Values<'a> {
    /// Takes values in the order of their importance.
    pub(crate) fn new(values: impl Iterator<Item = &'a str>) -> Self {
        let values = values.enumerate().map(|(at, it)| (it.as_bytes(), at));
        let mut values: Vec<_> = values.filter(|(it, _)| it.len() >= MIN_LEN).collect();
        values.sort_unstable();
        values.dedup_by_key(|(bytes, _)| *bytes);
        let mut sorted: Vec<Value<'a>> = Vec::with_capacity(values.len());
        let mut by_beginning: HashMap<&[u8], Range<usize>> = HashMap::new();
        for (at, (bytes, index)) in values.into_iter().enumerate() {
            let mut prefix = at.checked_sub(1);
            while let Some(before) = prefix.and_then(|it| sorted.get(it)) {
                if bytes.starts_with(before.bytes) {
                    break;
                }
                prefix = before.prefix;
            }
            let lower = prefix.and_then(|it| sorted.get(it)).map(|it| it.index);
            sorted.push(Value {
                bytes,
                index: lower.map_or(index, |it| it.min(index)),
                prefix,
            });
            if let Some(beginning) = bytes.get(..MIN_LEN) {
                by_beginning.entry(beginning).or_insert(at..at).end = at + 1;
            }
        }
        Self {
            sorted,
            by_beginning,
        }
    }

    /// Returns the index of the first value that a text begins with.
    pub(crate) fn at_start_of(&self, text: &[u8]) -> Option<usize> {
        let range = self.by_beginning.get(text.get(..MIN_LEN)?)?;
        let group = self.sorted.get(range.clone())?;
        // All that the text begins with are in one chain of prefixes, and the last value that is
        // not behind the text in the order is in that chain, or behind it.
        let after = group.partition_point(|it| it.bytes <= text);
        let mut candidate = (range.start + after).checked_sub(1);
        loop {
            let value = self.sorted.get(candidate?)?;
            if text.starts_with(value.bytes) {
                return Some(value.index);
            }
            candidate = value.prefix;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_that_a_text_begins_with_is_found() {
        let listed = [
            "prefix-long-b",
            "prefix-l",
            "prefix-long",
            "prefix-long-a",
            "short",
            "prefix-long",
            "another-value",
            "prefix-longer",
        ];
        let values = Values::new(listed.iter().copied());
        for text in [
            "prefix-",
            "prefix-l",
            "prefix-x",
            "prefix-lo",
            "prefix-long",
            "prefix-long-0",
            "prefix-long-a and more",
            "prefix-long-b",
            "prefix-long-z",
            "prefix-longe",
            "prefix-longer",
            "short but long enough",
            "another-value",
            "another-valu",
        ] {
            let long = |it: &str| it.len() >= MIN_LEN && text.starts_with(it);
            let expected = listed.iter().position(|it| long(it));
            assert_eq!(values.at_start_of(text.as_bytes()), expected, "{text}");
        }
        assert_eq!(Values::new([].into_iter()).at_start_of(b"anything"), None);
    }
}
