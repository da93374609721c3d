//! The values that are looked for, sorted, and whether one of them stands at a position.

use zeroize::Zeroizing;

use super::Label;
use super::form::{Form, Next, Reader};

/// Values with their labels.
pub(crate) struct Needles {
    /// Sorted by value.
    sorted: Vec<Needle>,
    /// Of each value the first two bytes.
    pairs: Bits,
    /// Of each value the first eight bytes, if all are so long.
    eights: Option<Bits>,
}

/// A set of words as a table of bits, each word at the place that its hash tells.
struct Bits {
    words: Zeroizing<Vec<u64>>,
    shift: u32,
}

impl Bits {
    /// For these words, with 64 bits for each or more.
    fn of(words: impl ExactSizeIterator<Item = u64>) -> Self {
        let log_bits = (words.len() * 64).next_power_of_two().ilog2().max(6);
        let mut bits = Self {
            words: Zeroizing::new(vec![0; 1 << (log_bits - 6)]),
            shift: u64::BITS - log_bits,
        };
        for word in words {
            let (at, bit) = bits.place(word);
            if let Some(at) = bits.words.get_mut(at) {
                *at |= 1 << bit;
            }
        }
        bits
    }

    fn has(&self, word: u64) -> bool {
        let (at, bit) = self.place(word);
        self.words.get(at).is_some_and(|at| at >> bit & 1 == 1)
    }

    fn place(&self, word: u64) -> (usize, u64) {
        // Fibonacci hashing, as in the filter.
        let hash = word.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> self.shift;
        (usize::try_from(hash >> 6).unwrap_or_default(), hash & 63)
    }
}

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
    /// How it was read.
    pub(crate) form: Form,
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
        let sorted: Vec<_> = values.into_iter().map(needle).collect();
        let values = || sorted.iter().map(|needle| &**needle.value);
        let first = |value: &[u8], length: usize| {
            let first = value.iter().take(length);
            first.fold(0, |word, byte| word << 8 | u64::from(*byte))
        };
        let pairs = Bits::of(values().map(|value| first(value, 2)));
        let are_long = values().all(|value| value.len() >= 8);
        let eights = are_long.then(|| {
            let firsts = values().flat_map(|value| {
                let seven = first(value, 7) << 8;
                // What a terminal is told after the seventh may begin like that, see `Form`.
                let again = seven | seven >> 8 & 0xFF;
                [first(value, 8), seven | u64::from(b' '), again]
            });
            Bits::of(firsts.collect::<Vec<_>>().into_iter())
        });
        Self {
            sorted,
            pairs,
            eights,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.sorted.len()
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &[u8]> + Clone {
        self.sorted.iter().map(|needle| &**needle.value)
    }

    pub(crate) fn label(&self, needle: usize) -> Option<&Label> {
        self.sorted.get(needle).map(|needle| &needle.label)
    }

    /// Looks for each form of each value from `at` on.
    pub(crate) fn look(&self, buffer: &[u8], at: usize) -> Look {
        let mut look = Look::default();
        let rest = buffer.get(at..).unwrap_or_default();
        if self.may_begin_as_it_is(rest) {
            self.look_as_it_is(buffer, at, &mut look);
        }
        for form in Form::DENSE {
            let beginning = form.first_two(rest);
            if beginning.is_none_or(|pair| self.pairs.has(u16::from_be_bytes(pair).into())) {
                self.follow(buffer, at, form, &mut look);
            }
        }
        look
    }

    /// Whether a value may begin here that stands as it is, but for escapes: none can if eight bytes
    /// that are no part of an escape are not the first of any.
    fn may_begin_as_it_is(&self, rest: &[u8]) -> bool {
        let (Some(eights), Some(first)) = (&self.eights, rest.first_chunk::<8>()) else {
            return true;
        };
        first.iter().any(|byte| b"\r\\%+'\x08\x1b".contains(byte))
            || eights.has(u64::from_be_bytes(*first))
    }

    /// Looks for the forms that have most characters as they are.
    fn look_as_it_is(&self, buffer: &[u8], at: usize, look: &mut Look) {
        let mut read = self.follow(buffer, at, Form::Plain, look);
        if let Some(end) = look.found.and_then(|found| self.line_end_may_follow(found)) {
            read = read.max(end + 1);
            look.may_go_on |= read > buffer.len();
        }
        // Up to where the first form was read, another one differs only by its escapes; or by one byte
        // before them, as a terminal is told.
        let end = (read + 1).min(buffer.len());
        let is_at_end = read >= buffer.len();
        let read = buffer.get(at..end).unwrap_or_default();
        let has = |byte: u8| read.contains(&byte);
        if has(b'\x1b') || is_at_end {
            self.follow(buffer, at, Form::Redrawn, look);
        }
        if has(b'\x1b') || has(b'\x08') || is_at_end {
            self.follow(buffer, at, Form::Controlled, look);
        }
        if has(b'\r') {
            self.follow(buffer, at, Form::Terminal, look);
        }
        if has(b'\'') {
            self.follow(buffer, at, Form::Quoted, look);
        }
        if has(b'\\') {
            self.follow(buffer, at, Form::Escaped, look);
            self.follow(buffer, at, Form::Json, look);
            self.follow(buffer, at, Form::JsonInJson, look);
        }
        if has(b'%') {
            self.follow(buffer, at, Form::Percent, look);
        }
        if has(b'%') || has(b'+') {
            self.follow(buffer, at, Form::Query, look);
        }
    }

    /// Where a value ends that has line ends behind it, which may follow in an escape.
    fn line_end_may_follow(&self, found: Found) -> Option<usize> {
        let needle = self.sorted.get(found.needle)?;
        (!needle.line_ends.is_empty()).then_some(found.end)
    }

    /// Reads one form from `at` on for as long as it is the beginning of a value; returns up to
    /// where the buffer was read for that.
    fn follow(&self, buffer: &[u8], at: usize, form: Form, look: &mut Look) -> usize {
        let mut reader = Reader::new(buffer, at, form);
        let mut range = 0..self.sorted.len();
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
            let Some(first) = self.sorted.get(range.start).filter(|_| !range.is_empty()) else {
                break;
            };
            if first.value.len() == depth {
                let (end, is_clear) = end_of(&reader, first);
                look.may_go_on |= !is_clear;
                if look.found.is_none_or(|found| found.end < end) {
                    let needle = range.start;
                    look.found = Some(Found { needle, end, form });
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
        let needles = self.sorted.get(range.clone()).unwrap_or_default();
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
