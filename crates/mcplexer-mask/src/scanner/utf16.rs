//! Reads UTF-16 as UTF-8 (RFC 2781), wherever it is in a file: a program may append one encoding to the other.

use std::io::{self, Read};

use memchr::memchr_iter;
use zeroize::Zeroizing;

/// How much is read at once, in bytes.
const CHUNK: usize = 64 * 1024;
/// How much of each end of what was read is searched for UTF-16, in bytes.
const END: usize = 4096;
/// How many characters of ASCII in a row tell that a text is UTF-16, or not.
const BEGINS: usize = 4;
const ENDS: usize = 2;

/// Returns whether UTF-16 is at the beginning or at the end of what was read, or whether the file `begins` with a byte
/// order mark.
pub(super) fn is_within(bytes: &[u8], begins: bool) -> bool {
    let head = bytes.get(..END).unwrap_or(bytes);
    let tail = bytes.get(bytes.len().saturating_sub(END)..);
    let has_mark = begins && has_mark(bytes);
    has_mark
        || [head, tail.unwrap_or_default()].iter().any(|end| {
            let at = |order: Order, at| order.begins(end.get(at..).unwrap_or_default());
            memchr_iter(0, end)
                .any(|zero| at(Order::Big, zero) || at(Order::Little, zero.saturating_sub(1)))
        })
}

fn has_mark(bytes: &[u8]) -> bool {
    bytes.starts_with(&Order::Little.mark()) || bytes.starts_with(&Order::Big.mark())
}

/// The order of the two bytes of a unit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Little,
    Big,
}

impl Order {
    fn unit(self, bytes: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        }
    }

    /// Returns the byte order mark.
    fn mark(self) -> [u8; 2] {
        match self {
            Self::Little => 0xFEFF_u16.to_le_bytes(),
            Self::Big => 0xFEFF_u16.to_be_bytes(),
        }
    }

    /// Returns whether a text begins with several characters of ASCII in UTF-16.
    fn begins(self, text: &[u8]) -> bool {
        let (units, _) = text.as_chunks::<2>();
        let units = units.get(..BEGINS);
        units.is_some_and(|units| units.iter().all(|it| is_text(self.unit(*it))))
    }
}

fn is_text(unit: u16) -> bool {
    matches!(unit, 0x09 | 0x0A | 0x0D | 0x20..=0x7E)
}

/// A stream, with UTF-16 in it as UTF-8. All other bytes are as they were.
pub(super) struct Utf16<R> {
    stream: R,
    /// What was read and is not decoded yet.
    read: Zeroizing<Vec<u8>>,
    /// What is decoded, and how much of it was taken.
    decoded: Zeroizing<Vec<u8>>,
    taken: usize,
    /// The order of the bytes, within UTF-16.
    order: Option<Order>,
}

impl<R: Read> Utf16<R> {
    pub(super) fn new(stream: R) -> Self {
        Self {
            stream,
            read: Zeroizing::new(Vec::with_capacity(2 * CHUNK)),
            // A unit takes at most 3 bytes.
            decoded: Zeroizing::new(Vec::with_capacity(3 * CHUNK)),
            taken: 0,
            order: None,
        }
    }

    /// Reads and decodes more. Returns whether the stream has ended.
    fn go_on(&mut self) -> io::Result<bool> {
        let kept = self.read.len();
        self.read.resize(kept + CHUNK, 0);
        let result = self
            .stream
            .read(self.read.get_mut(kept..).unwrap_or_default());
        let length = *result.as_ref().unwrap_or(&0);
        self.read.truncate(kept + length);
        let is_end = result? == 0;
        self.decoded.clear();
        self.taken = 0;
        let mut at = 0;
        while let Some(rest) = self.read.get(at..).filter(|rest| !rest.is_empty()) {
            // What a byte is shows in those that follow it.
            if rest.len() < 2 * BEGINS && !is_end {
                break;
            }
            at += decode(rest, &mut self.order, &mut self.decoded);
        }
        let left = self.read.len() - at;
        self.read.copy_within(at.., 0);
        self.read.truncate(left);
        Ok(is_end)
    }
}

/// Decodes the first character of a text, or takes its first byte as it is. Returns the length of what was taken.
fn decode(text: &[u8], order: &mut Option<Order>, decoded: &mut Vec<u8>) -> usize {
    let &[first, second, ..] = text else {
        decoded.extend_from_slice(text);
        return text.len();
    };
    if order.is_none() {
        let orders = [Order::Little, Order::Big];
        *order = orders
            .into_iter()
            .find(|it| it.begins(text) || text.starts_with(&it.mark()));
    }
    let Some(of_bytes) = *order else {
        decoded.push(first);
        return 1;
    };
    let is_ascii = |byte: &u8| is_text(u16::from(*byte));
    let plain = text
        .get(..2 * ENDS)
        .is_some_and(|text| text.iter().all(is_ascii));
    let unit = of_bytes.unit([first, second]);
    if plain || unit == 0 {
        *order = None;
        decoded.push(first);
        return 1;
    }
    let units = text.as_chunks::<2>().0.iter().map(|it| of_bytes.unit(*it));
    match char::decode_utf16(units).next() {
        Some(Ok(character)) => {
            let mut bytes = [0; 4];
            decoded.extend_from_slice(character.encode_utf8(&mut bytes).as_bytes());
            2 * character.len_utf16()
        }
        _ => {
            *order = None;
            decoded.push(first);
            1
        }
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.decoded.len() {
            if self.go_on()? && self.decoded.is_empty() {
                return Ok(0);
            }
        }
        let rest = self.decoded.get(self.taken..).unwrap_or_default();
        let length = rest.len().min(into.len());
        for (place, byte) in into.iter_mut().zip(rest) {
            *place = *byte;
        }
        self.taken += length;
        Ok(length)
    }
}
