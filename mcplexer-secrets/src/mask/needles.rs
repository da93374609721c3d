//! The values that are looked for, sorted, and whether one of them stands at a position.

use zeroize::Zeroizing;

use super::form::{Form, Next, Reader};

/// Values with their labels, sorted by value.
pub(super) struct Needles(Vec<Needle>);

struct Needle {
    value: Zeroizing<Box<[u8]>>,
    label: String,
}

/// A value that was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    /// Which one.
    pub(super) needle: usize,
    /// Where it ends in the stream's buffer.
    pub(super) end: usize,
}

/// What stands at a position.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// The longest value that is there as a whole.
    pub(super) found: Option<Found>,
    /// Whether the bytes that follow could make a longer one.
    pub(super) may_go_on: bool,
}

impl Needles {
    pub(super) fn new(mut values: Vec<(&[u8], String)>) -> Self {
        // Stable, so that of two labels of one value the first stays.
        values.sort_by_key(|(value, _)| *value);
        values.dedup_by_key(|(value, _)| *value);
        let needle = |(value, label): (&[u8], String)| Needle {
            value: Zeroizing::new(value.into()),
            label,
        };
        Self(values.into_iter().map(needle).collect())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(|needle| &**needle.value)
    }

    pub(super) fn label(&self, needle: usize) -> &str {
        self.0.get(needle).map_or("", |needle| &needle.label)
    }

    /// Looks for each form of each value from `at` on.
    pub(super) fn look(&self, buffer: &[u8], at: usize) -> Look {
        let mut look = Look::default();
        let read = self.follow(buffer, at, Form::Plain, &mut look);
        // Up to where the first form was read, another one differs only by its escapes.
        let read = buffer.get(at..read).unwrap_or_default();
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
            if form.may_begin(buffer, at) {
                self.follow(buffer, at, form, &mut look);
            }
        }
        look
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
                let end = reader.end_of_value(depth);
                look.may_go_on |= end.is_none();
                let end = end.unwrap_or(reader.read_to());
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
