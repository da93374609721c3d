//! The forms in which a program may print a value.

use std::ops::RangeInclusive;

use crate::alphabet::{digit, quintet, sextet};
use crate::reader::{Base, Order};

/// The first bytes of a text in a form.
pub(crate) enum Pair {
    /// These two.
    Is([u8; 2]),
    /// One of these, and what follows is to be read.
    Begins(RangeInclusive<u8>),
    /// It ends before that is clear.
    Unclear,
    /// The text is not in the form.
    Other,
}

/// One of the forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As it is.
    Plain,
    /// As it is written to a terminal: CR LF for LF.
    Terminal,
    /// As [`Terminal`](Self::Terminal), with [control sequences](crate::control) between its bytes.
    Controlled,
    /// As [`Controlled`](Self::Controlled), with a byte written twice where the cursor moves after it: vim
    /// does so at the end of a line to make the terminal wrap.
    Redrawn,
    /// In single quotes for a shell (POSIX.1-2024, XCU 2.2.2), with single quotes of its own outside
    /// them.
    Quoted,
    /// With this quote written twice: `''` in YAML (section 7.3.2) and SQL, `""` in CSV (RFC 4180, section 2).
    Doubled(u8),
    /// Quoted for a shell in another way (XCU 2.2.1, 2.2.3 and 2.2.4), or in a string of a programming language:
    /// some characters follow a backslash, or are an escape that begins with one. `\xNN` stands for a byte.
    Escaped,
    /// As [`Escaped`](Self::Escaped), in a language in which `\xNN` stands for a character.
    Code,
    /// With character references of HTML and XML: `&amp;`, `&#38;`, `&#x26;`.
    Entity,
    /// Percent-encoded: RFC 3986, section 2.1. The encoder chooses which characters it encodes.
    Percent,
    /// As [`Percent`](Self::Percent), with `+` for a space: `application/x-www-form-urlencoded`.
    Query,
    /// As [`Percent`](Self::Percent), twice: a URL in the query of another one.
    PercentTwice,
    /// As [`PercentTwice`](Self::PercentTwice), with `+` for a space.
    QueryTwice,
    /// Within a JSON string: RFC 8259, section 7.
    Json,
    /// Within a JSON string within a JSON string, as in the answers of tool servers.
    JsonInJson,
    /// Two hexadecimal digits a byte, of either case, in one line or several: RFC 4648, section 8. Between them may
    /// be what separates them: `67 68`, `67:68`, `0x67, 0x68`, and the offsets of `od`, `xxd` and `hexdump`.
    Hex,
    /// As [`Hex`](Self::Hex), and what follows two spaces is the line once more as text: `xxd`.
    Dump,
    /// Base64 of either alphabet, in one line or several: RFC 4648, sections 4 and 5. The value begins
    /// after this number of bits of its first character.
    Base64(u8),
    /// Base32 of either case, in one line or several: RFC 4648, section 6.
    Base32,
    /// A list of bytes in decimal: `103, 104`, `103 104`, with or without line ends.
    Decimal,
    /// Words of two bytes, the lower byte first, in this base: `hexdump` and `od` without options. The value begins
    /// with a word.
    Words(Base),
    /// With `^X` for control characters and `M-X` for bytes that are not ASCII: `cat -v`.
    Caret,
    /// UTF-16 of this order, beginning with a character of ASCII.
    Utf16(Order),
}

impl Form {
    /// The forms that change every character of the value.
    pub(crate) const DENSE: [Self; 4] =
        [Self::Hex, Self::Base64(0), Self::Base64(2), Self::Base64(4)];

    /// Returns whether a text in this form may contain control sequences that are not part of the value.
    pub(crate) fn has_controls(self) -> bool {
        matches!(
            self,
            Self::Controlled | Self::Redrawn | Self::Dump | Self::Base32 | Self::Decimal
        ) || Self::DENSE.contains(&self)
    }

    /// Returns what a text begins with in a form that changes every character.
    pub(crate) fn first_pair(self, text: &[u8]) -> Pair {
        match self {
            Self::Decimal => decimal(text),
            Self::Hex | Self::Dump => hex(text),
            Self::Words(base) => word(text, base),
            Self::Base64(skipped) => packed::<6>(text, skipped.into(), sextet),
            // Nothing interrupts its first characters: see the filter.
            Self::Base32 => match packed::<5>(text, 0, quintet) {
                Pair::Begins(_) | Pair::Unclear if text.len() >= 4 => Pair::Other,
                pair => pair,
            },
            _ => Pair::Unclear,
        }
    }
}

/// Reads the first characters of base64 or base32, of which each has `WIDTH` bits.
fn packed<const WIDTH: u32>(text: &[u8], skipped: u32, value: fn(u8) -> Option<u8>) -> Pair {
    let mut bits = 0_u32;
    let mut count = 0;
    for value in text.iter().take(4).map_while(|it| value(*it)) {
        bits = bits << WIDTH | u32::from(value);
        count += WIDTH;
    }
    let known = count.saturating_sub(skipped);
    match known {
        16.. => {
            let [.., first, second] = (bits >> (known - 16)).to_be_bytes();
            Pair::Is([first, second])
        }
        8.. => {
            let [.., first] = (bits >> (known - 8)).to_be_bytes();
            Pair::Begins(first..=first)
        }
        0 => Pair::Unclear,
        _ => {
            let lowest = (bits & ((1 << known) - 1)) << (8 - known);
            let [.., first] = lowest.to_be_bytes();
            Pair::Begins(first..=first | 0xFF >> known)
        }
    }
}

/// Reads two bytes in hex, with or without a separator.
fn hex(text: &[u8]) -> Pair {
    let byte = |at: usize| {
        let (high, low) = (digit(*text.get(at)?)?, digit(*text.get(at + 1)?)?);
        Some(high << 4 | low)
    };
    let Some(first) = byte(0) else {
        return match text {
            [] | [_] => Pair::Unclear,
            _ => Pair::Other,
        };
    };
    let second = match text.get(2..5) {
        Some([b':' | b'-' | b',', b' ', _]) => byte(4),
        Some([b':' | b'-' | b',' | b' ', ..]) => byte(3),
        _ => byte(2),
    };
    second.map_or(Pair::Begins(first..=first), |second| {
        Pair::Is([first, second])
    })
}

/// Reads a word.
fn word(text: &[u8], base: Base) -> Pair {
    let mut word = 0_u32;
    for at in 0..base.digits() {
        let Some(&character) = text.get(at) else {
            return Pair::Unclear;
        };
        match digit(character).map(u32::from) {
            Some(digit) if digit >> base.bits() == 0 => word = word << base.bits() | digit,
            _ => return Pair::Other,
        }
    }
    let is_longer = text.get(base.digits()).is_some_and(u8::is_ascii_hexdigit);
    match word.to_be_bytes() {
        [0, 0, second, first] if !is_longer => Pair::Is([first, second]),
        _ => Pair::Other,
    }
}

/// Reads two numbers of a list on one line.
fn decimal(text: &[u8]) -> Pair {
    let number = |text: &[u8]| {
        let mut number = 0_u32;
        let length = text
            .iter()
            .take(4)
            .take_while(|it| it.is_ascii_digit())
            .count();
        for &digit in text.get(..length).unwrap_or_default() {
            number = number * 10 + u32::from(digit - b'0');
        }
        let byte = u8::try_from(number)
            .ok()
            .filter(|_| (1..=3).contains(&length));
        byte.map(|byte| (byte, length))
    };
    let Some((first, length)) = number(text) else {
        return Pair::Other;
    };
    let rest = text.get(length..).unwrap_or_default();
    let between = rest
        .iter()
        .take_while(|it| matches!(it, b',' | b' '))
        .count();
    let after = rest.get(between..).unwrap_or_default();
    match after {
        [] => Pair::Unclear,
        [next, ..] if !next.is_ascii_digit() => Pair::Begins(first..=first),
        _ if between == 0 => Pair::Other,
        // The number may go on.
        _ if after.len() < 4 => Pair::Begins(first..=first),
        _ => number(after).map_or(Pair::Other, |(second, _)| Pair::Is([first, second])),
    }
}
