//! The values that are looked for, sorted, and whether one of them stands at a position.

use zeroize::Zeroizing;

use super::Label;
use super::form::{Form, Next, Reader};

/// Values with their labels, sorted by value.
pub(crate) struct Needles(Vec<Needle>);

struct Needle {
    value: Zeroizing<Box<[u8]>>,
    /// What the value has behind that, and a program may leave out.
    line_ends: Box<[u8]>,
    label: Label,
}

/// A value that was found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    /// Which one.
    pub(crate) needle: usize,
    /// Where it ends in the stream's buffer.
    pub(crate) end: usize,
}

/// What stands at a position.
#[derive(Debug, Default)]
pub(crate) struct Look {
    /// The longest value that is there as a whole.
    pub(crate) found: Option<Found>,
    /// Whether the bytes that follow could make a longer one.
    pub(crate) may_go_on: bool,
}

impl Needles {
    /// From values, the line ends behind each, and its label.
    pub(crate) fn new(mut values: Vec<(&[u8], &[u8], Label)>) -> Self {
        // Stable, so that of two labels of one value the first stays.
        values.sort_by_key(|(value, ..)| *value);
        values.dedup_by_key(|(value, ..)| *value);
        let needle = |(value, line_ends, label): (&[u8], &[u8], Label)| Needle {
            value: Zeroizing::new(value.into()),
            line_ends: line_ends.into(),
            label,
        };
        Self(values.into_iter().map(needle).collect())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &[u8]> + Clone {
        self.0.iter().map(|needle| &**needle.value)
    }

    pub(crate) fn label(&self, needle: usize) -> Option<&Label> {
        self.0.get(needle).map(|needle| &needle.label)
    }

    /// Looks for each form of each value from `at` on.
    pub(crate) fn look(&self, buffer: &[u8], at: usize) -> Look {
        let mut look = Look::default();
        let mut read = self.follow(buffer, at, Form::Plain, &mut look);
        if let Some(end) = look.found.and_then(|found| self.line_end_may_follow(found)) {
            read = read.max(end + 1);
            look.may_go_on |= read > buffer.len();
        }
        // Up to where the first form was read, another one differs only by its escapes.
        let read = buffer.get(at..read.min(buffer.len())).unwrap_or_default();
        let has = |byte: u8| read.contains(&byte);
        if has(b'\r') {
            self.follow(buffer, at, Form::Terminal, &mut look);
        }
        if has(b'\\') {
            self.follow(buffer, at, Form::Json, &mut look);
            self.follow(buffer, at, Form::JsonInJson, &mut look);
        }
        if has(b'%') {
            self.follow(buffer, at, Form::Percent, &mut look);
        }
        if has(b'%') || has(b'+') {
            self.follow(buffer, at, Form::Query, &mut look);
        }
        for form in Form::DENSE {
            self.follow(buffer, at, form, &mut look);
        }
        look
    }

    /// Where a value ends that has line ends behind it, which may follow in an escape.
    fn line_end_may_follow(&self, found: Found) -> Option<usize> {
        let needle = self.0.get(found.needle)?;
        (!needle.line_ends.is_empty()).then_some(found.end)
    }

    /// Reads one form from `at` on for as long as it is the beginning of a value; returns up to
    /// where the buffer was read for that.
    fn follow(&self, buffer: &[u8], at: usize, form: Form, look: &mut Look) -> usize {
        let mut reader = Reader::new(buffer, at, form);
        let mut range = 0..self.0.len();
        let mut depth = 0;
        loop {
            let byte = match reader.next() {
                Next::Byte(byte) => byte,
                Next::End => {
                    look.may_go_on = true;
                    break;
                }
                Next::Other => break,
            };
            range = self.narrow(range, depth, byte);
            depth += 1;
            let Some(first) = self.0.get(range.start).filter(|_| !range.is_empty()) else {
                break;
            };
            if first.value.len() == depth {
                let (end, is_clear) = end_of(&reader, first);
                look.may_go_on |= !is_clear;
                if look.found.is_none_or(|found| found.end < end) {
                    let needle = range.start;
                    look.found = Some(Found { needle, end });
                }
                range.start += 1;
                if range.is_empty() {
                    break;
                }
            }
        }
        reader.looked_to()
    }

    /// Those of the needles in `range`, which agree in their first `depth` bytes and are longer,
    /// that go on with `byte`.
    fn narrow(
        &self,
        range: std::ops::Range<usize>,
        depth: usize,
        byte: u8,
    ) -> std::ops::Range<usize> {
        let needles = self.0.get(range.clone()).unwrap_or_default();
        let at = |needle: &Needle| needle.value.get(depth).copied();
        let (Some(first), Some(last)) = (needles.first(), needles.last()) else {
            return range;
        };
        // Values often begin alike, and then they all go on with it.
        if at(first) == Some(byte) && at(last) == Some(byte) {
            return range;
        }
        if at(first) > Some(byte) || at(last) < Some(byte) {
            return range.end..range.end;
        }
        let start = needles.partition_point(|needle| at(needle) < Some(byte));
        let end = needles.partition_point(|needle| at(needle) <= Some(byte));
        range.start + start..range.start + end
    }
}

/// Where a value ends that a reader has read to its last byte, with line ends and padding that are
/// encoded with it; and whether that is clear, or depends on bytes to come.
fn end_of(reader: &Reader<'_>, needle: &Needle) -> (usize, bool) {
    let length = needle.value.len();
    if !needle.line_ends.is_empty() && !reader.is_at_line_end() {
        let mut behind = reader.clone();
        let mut reads = needle.line_ends.iter().map(|&byte| (byte, behind.next()));
        match reads.find(|&(byte, read)| read != Next::Byte(byte)) {
            None => {
                let end = behind.end_of_value(length + needle.line_ends.len());
                return (end.unwrap_or(behind.read_to()), end.is_some());
            }
            Some((_, Next::End)) => return (reader.read_to(), false),
            Some(_) => {}
        }
    }
    let end = reader.end_of_value(length);
    (end.unwrap_or(reader.read_to()), end.is_some())
}
