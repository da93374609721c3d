//! The values that are looked for, sorted, and the search for them at one position.
//!
//! Each form is decoded from the position, byte by byte, for as long as the decoded bytes are the
//! beginning of a value, which a bisection of the sorted values tells. So nothing that a form leaves to
//! the encoder has to be enumerated, such as which characters it escapes.

use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::bits::Bits;
use crate::form::{Form, Pair};
use crate::next::Next;
use crate::reader::{Base, Order, Reader};

/// How many bytes of a value reveal it, if a program says that it leaves out the rest.
const MIN_SHOWN: usize = 16;

/// How far behind a value in hex, in bytes, two spaces may be that come before line ends of the value: `0d`, with what
/// separates it.
const HEX_OF_LINE_ENDS: usize = 8;

/// Values with their labels.
pub(crate) struct Needles {
    /// Sorted by value.
    sorted: Vec<Needle>,
    /// The first two bytes of each value.
    pairs: Bits,
    /// The values that begin with a byte.
    firsts: Vec<Range<usize>>,
    /// Whether a byte may be where another form differs from the value.
    may_differ: [bool; 256],
    /// The quotes that are in a value.
    quotes: Vec<u8>,
    /// Whether a value has a byte that `cat -v` prints in another way.
    has_hidden: bool,
    /// The first eight bytes of each value, if all values are that long.
    eights: Option<Bits>,
}

struct Needle {
    value: Zeroizing<Box<[u8]>>,
    /// The line ends after the value, which a program may leave out.
    line_ends: Box<[u8]>,
    label: Arc<str>,
}

/// A value that was found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    /// The index of the value.
    pub(crate) needle: usize,
    /// Where it ends in the stream's buffer.
    pub(crate) end: usize,
    /// The form in which it was found.
    pub(crate) form: Form,
}

/// The result of a search at one position.
#[derive(Debug, Default)]
pub(crate) struct Look {
    /// The longest value that begins there and is complete.
    pub(crate) found: Option<Found>,
    /// Whether bytes after the buffer could complete a longer one.
    pub(crate) may_go_on: bool,
}

impl Needles {
    /// Takes values, each with the line ends after it and its label.
    pub(crate) fn new(mut values: Vec<(&[u8], &[u8], Arc<str>)>) -> Self {
        // A stable sort: if two labels have the same value, the first label stays.
        values.sort_by_key(|(value, ..)| *value);
        values.dedup_by_key(|(value, ..)| *value);
        let needle = |(value, line_ends, label): (&[u8], &[u8], Arc<str>)| Needle {
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
        let has = |quote: &u8| values().any(|value| value.contains(quote));
        let quotes: Vec<u8> = b"'\"".iter().copied().filter(has).collect();
        let below = |byte: usize| {
            sorted.partition_point(|it| it.value.first().is_some_and(|it| usize::from(*it) < byte))
        };
        let firsts = (0..256).map(|byte| below(byte)..below(byte + 1)).collect();
        let mut may_differ = [false; 256];
        for byte in b"\r\\%+&\x08\x1b".iter().chain(&quotes) {
            mark(&mut may_differ, *byte);
        }
        let is_hidden = |byte: &u8| !matches!(byte, b' '..=b'~' | b'\n' | b'\t');
        let has_hidden = values().any(|value| value.iter().any(is_hidden));
        if has_hidden {
            mark(&mut may_differ, b'M');
            mark(&mut may_differ, b'^');
        }
        let are_long = values().all(|value| value.len() >= 8);
        let eights = are_long.then(|| {
            let firsts = values().flat_map(|value| {
                let seven = first(value, 7) << 8;
                // Control sequences after the seventh byte may follow a space, or that byte once more:
                // see `Form`.
                let again = seven | seven >> 8 & 0xFF;
                [first(value, 8), seven | u64::from(b' '), again]
            });
            Bits::of(firsts.collect::<Vec<_>>().into_iter())
        });
        Self {
            sorted,
            pairs,
            firsts,
            may_differ,
            quotes,
            has_hidden,
            eights,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.sorted.len()
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &[u8]> + Clone {
        self.sorted.iter().map(|needle| &**needle.value)
    }

    pub(crate) fn labelled(&self) -> impl Iterator<Item = (&[u8], &Arc<str>)> {
        self.sorted.iter().map(|it| (&**it.value, &it.label))
    }

    pub(crate) fn label(&self, needle: usize) -> Option<&Arc<str>> {
        self.sorted.get(needle).map(|needle| &needle.label)
    }

    /// Looks for every form of every value at a position.
    pub(crate) fn look(&self, buffer: &[u8], at: usize) -> Look {
        let mut look = Look::default();
        let rest = buffer.get(at..).unwrap_or_default();
        // Most character references stand for a byte with which no value begins.
        if rest.first() == Some(&b'&') {
            let first = Reader::new(buffer, at, Form::Entity).next();
            let may_be = !matches!(first, Next::Byte(byte) if !self.begins(byte..=byte));
            if !may_be && !self.begins(b'&'..=b'&') {
                return look;
            }
        }
        if self.may_begin_as_it_is(rest) {
            self.look_as_it_is(buffer, at, &mut look);
        }
        for form in Form::DENSE {
            if !self.begins_pair(rest, form) {
                continue;
            }
            let read = self.follow(buffer, at, form, &mut look);
            // The line may end behind the value, before the line ends that belong to it.
            let end = (read + HEX_OF_LINE_ENDS).min(buffer.len());
            if form == Form::Hex && contains(buffer, at, end, b"  ") {
                self.follow(buffer, at, Form::Dump, &mut look);
            }
        }
        self.look_for_numbers(buffer, at, &mut look);
        look
    }

    /// Looks for the forms that few programs print, if the next bytes are those of one.
    fn look_for_numbers(&self, buffer: &[u8], at: usize, look: &mut Look) {
        let rest = buffer.get(at..).unwrap_or_default();
        let forms: &[Form] = match rest {
            [_] | [_, 0, ..] => &[
                Form::Utf16(Order::LittleEndian),
                Form::Utf16(Order::BigEndian),
                Form::Decimal,
                Form::Words(Base::Hexadecimal),
                Form::Words(Base::Octal),
                Form::Base32,
            ],
            [b'0' | b'1', ..] => &[
                Form::Decimal,
                Form::Words(Base::Hexadecimal),
                Form::Words(Base::Octal),
            ],
            [b'2'..=b'7', ..] => &[Form::Decimal, Form::Words(Base::Hexadecimal), Form::Base32],
            [b'8' | b'9', ..] => &[Form::Decimal, Form::Words(Base::Hexadecimal)],
            [b'a'..=b'f' | b'A'..=b'F', ..] => &[Form::Words(Base::Hexadecimal), Form::Base32],
            [b'g'..=b'z' | b'G'..=b'Z', ..] => &[Form::Base32],
            _ => &[],
        };
        for &form in forms {
            if self.begins_pair(rest, form) {
                self.follow(buffer, at, form, look);
            }
        }
    }

    /// Returns whether a value begins with one of these bytes.
    fn begins(&self, bytes: RangeInclusive<u8>) -> bool {
        let of = |byte: u8| self.firsts.get(usize::from(byte));
        let (first, last) = (of(*bytes.start()), of(*bytes.end()));
        first.map(|values| values.start) < last.map(|values| values.end)
    }

    /// Returns whether the first two bytes in a form are those of a value, as far as the text shows them.
    fn begins_pair(&self, text: &[u8], form: Form) -> bool {
        match form.first_pair(text) {
            Pair::Is(pair) => self.pairs.has(u16::from_be_bytes(pair).into()),
            Pair::Begins(first) => self.begins(first),
            Pair::Unclear => true,
            Pair::Other => false,
        }
    }

    /// Returns whether a form that keeps most characters may begin here. It cannot if the next eight
    /// bytes are not part of an escape, and no value begins with them.
    fn may_begin_as_it_is(&self, rest: &[u8]) -> bool {
        let (Some(eights), Some(first)) = (&self.eights, rest.first_chunk::<8>()) else {
            return true;
        };
        let may_differ = |byte: &u8| self.may_differ.get(usize::from(*byte)) == Some(&true);
        first.iter().any(may_differ) || eights.has(u64::from_be_bytes(*first))
    }

    /// Looks for the forms that keep most characters as they are.
    fn look_as_it_is(&self, buffer: &[u8], at: usize, look: &mut Look) {
        let mut read = self.follow(buffer, at, Form::Plain, look);
        if let Some(end) = look.found.and_then(|found| self.line_end_may_follow(found)) {
            read = read.max(end + 1);
            look.may_go_on |= read > buffer.len();
        }
        // Up to where the plain form was read, another form differs only by its escapes; or by the one
        // byte before them that a redrawn form repeats.
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
        for &quote in self.quotes.iter().filter(|quote| has(**quote)) {
            self.follow(buffer, at, Form::Doubled(quote), look);
            if quote == b'\'' {
                self.follow(buffer, at, Form::Quoted, look);
            }
        }
        if has(b'&') {
            self.follow(buffer, at, Form::Entity, look);
        }
        if self.has_hidden && (has(b'M') || has(b'^') || is_at_end) {
            self.follow(buffer, at, Form::Caret, look);
        }
        if has(b'\\') {
            let read = self.follow(buffer, at, Form::Escaped, look);
            // Only then does the other form differ.
            if contains(buffer, at, read, b"\\x") {
                self.follow(buffer, at, Form::Code, look);
            }
            self.follow(buffer, at, Form::Json, look);
            self.follow(buffer, at, Form::JsonInJson, look);
        }
        if has(b'%') {
            let read = self.follow(buffer, at, Form::Percent, look);
            // Encoded twice, `%` is `%25` and a space may be `%2B`. Line ends behind the value are encoded as well.
            let read = read + b"%25".len();
            if read > buffer.len() || contains(buffer, at, read, b"%2") {
                self.follow(buffer, at, Form::PercentTwice, look);
                self.follow(buffer, at, Form::QueryTwice, look);
            }
        }
        if has(b'%') || has(b'+') {
            self.follow(buffer, at, Form::Query, look);
        }
    }

    /// Returns where a value ends, if line ends belong to it that may follow as escapes.
    fn line_end_may_follow(&self, found: Found) -> Option<usize> {
        let needle = self.sorted.get(found.needle)?;
        (!needle.line_ends.is_empty()).then_some(found.end)
    }

    /// Reads one form from `at` on for as long as it is the beginning of a value. Returns the end of what
    /// was read.
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
                Next::Cut if depth >= MIN_SHOWN => {
                    let end = reader.read_to();
                    if look.found.is_none_or(|found| found.end < end) && !range.is_empty() {
                        let needle = range.start;
                        look.found = Some(Found { needle, end, form });
                    }
                    break;
                }
                Next::Cut | Next::Other => break,
            };
            range = match depth {
                0 => self
                    .firsts
                    .get(usize::from(byte))
                    .cloned()
                    .unwrap_or_default(),
                _ => self.narrow(range, depth, byte),
            };
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
        look.may_go_on |= reader.is_unclear();
        reader.looked_to()
    }

    /// Returns those of the needles in `range` that continue with `byte`. All of them agree in their
    /// first `depth` bytes, and are longer.
    fn narrow(&self, range: Range<usize>, depth: usize, byte: u8) -> Range<usize> {
        let needles = self.sorted.get(range.clone()).unwrap_or_default();
        let at = |needle: &Needle| needle.value.get(depth).copied();
        let (Some(first), Some(last)) = (needles.first(), needles.last()) else {
            return range;
        };
        // Values often begin alike, so that all of them continue with it.
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

fn mark(bytes: &mut [bool; 256], byte: u8) {
    if let Some(place) = bytes.get_mut(usize::from(byte)) {
        *place = true;
    }
}

/// Returns whether a pattern is in a part of a buffer.
fn contains(buffer: &[u8], from: usize, to: usize, pattern: &[u8]) -> bool {
    let part = buffer.get(from..to).unwrap_or_default();
    part.windows(pattern.len()).any(|it| it == pattern)
}

/// Returns where a value ends that was read to its last byte, including line ends and padding that are
/// encoded with it; and whether that is certain, or depends on bytes still to come.
fn end_of(reader: &Reader<'_>, needle: &Needle) -> (usize, bool) {
    if !needle.line_ends.is_empty() && !reader.is_at_line_end() {
        let mut behind = reader.clone();
        let mut reads = needle.line_ends.iter().map(|&byte| (byte, behind.next()));
        match reads.find(|&(byte, read)| read != Next::Byte(byte)) {
            None => {
                let end = behind.end_of_value(&[&needle.value, &needle.line_ends]);
                return (end.unwrap_or(behind.read_to()), end.is_some());
            }
            Some((_, Next::End)) => return (reader.read_to(), false),
            Some(_) if behind.is_unclear() => return (reader.read_to(), false),
            Some(_) => {}
        }
    }
    let end = reader.end_of_value(&[&needle.value]);
    (end.unwrap_or(reader.read_to()), end.is_some())
}
