//! The matcher of known token shapes; the shapes are in the table.

use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::table::{AFTER_SCHEMES, TABLE};
use super::{Reason, entropy, value};

/// One kind of token: what it begins with, and what must follow.
pub(super) struct Shape {
    pub(super) kind: &'static str,
    /// One of them; `""` for those that have nothing in common.
    pub(super) prefixes: &'static [&'static str],
    pub(super) body: &'static [Part],
}

/// A piece of what follows a prefix.
pub(super) enum Part {
    /// Exactly this.
    Lit(&'static str),
    /// As many characters of a set as there are, from least to most.
    Run(Set, usize, usize),
    /// Likewise, and they must look random: for prefixes that words have as well.
    Random(Set, usize, usize),
    /// Up to two `=` of base64.
    Pad,
    /// The rest of a private key that began with `-----BEGIN … KEY-----`.
    Pem,
    /// A user and password in base64 (RFC 7617).
    Basic,
}

/// Sets of characters.
#[derive(Clone, Copy)]
pub(super) enum Set {
    /// `0-9`
    Digit,
    /// `0-9a-f`
    Hex,
    /// `0-9a-fA-F`
    AnyHex,
    /// `0-9a-f-`, for UUIDs
    Uuid,
    /// `0-9a-z`
    Lower,
    /// `0-9A-Z`
    Upper,
    /// `2-7A-Z`
    Base32,
    /// The upper-case letters and digits of Bech32 (BIP 173).
    Bech32,
    /// `0-9a-zA-Z`
    Alnum,
    /// `0-9a-zA-Z_`
    Word,
    /// `0-9a-zA-Z_-`
    Url,
    /// `0-9a-zA-Z_.~=-`
    UrlDot,
    /// `0-9a-zA-Z+/`
    Base64,
    /// What tokens have that know no set: `0-9a-zA-Z_.~+/=,-`
    Any,
}

impl Set {
    fn has(self, byte: u8) -> bool {
        let more: &[u8] = match self {
            Self::Digit => return byte.is_ascii_digit(),
            Self::Hex => return byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'),
            Self::AnyHex => return byte.is_ascii_hexdigit(),
            Self::Uuid => return byte == b'-' || Self::Hex.has(byte),
            Self::Lower => return byte.is_ascii_digit() || byte.is_ascii_lowercase(),
            Self::Upper => return byte.is_ascii_digit() || byte.is_ascii_uppercase(),
            Self::Base32 => return matches!(byte, b'2'..=b'7' | b'A'..=b'Z'),
            Self::Bech32 => return b"QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L".contains(&byte),
            Self::Alnum => b"",
            Self::Word => b"_",
            Self::Url => b"_-",
            Self::UrlDot => b"_.~=-",
            Self::Base64 => b"+/",
            Self::Any => b"_.~+/=,-",
        };
        byte.is_ascii_alphanumeric() || more.contains(&byte)
    }
}

/// Fewest different characters in what follows a prefix: fewer are `xxxx` and the like.
const MIN_DIFFERENT: usize = 6;

/// What ends a sentence or a part of it, and no token.
const SENTENCE: &[u8] = b".,";

/// The first known shape in a text.
pub(super) fn find(text: &str) -> Option<(Range<usize>, Reason)> {
    let bytes = text.as_bytes();
    let mut starts = (0..bytes.len()).filter(|&at| begins_word(bytes, at));
    starts.find_map(|at| {
        let (before, rest) = bytes.split_at_checked(at)?;
        let known = || TABLE.iter().copied().flatten();
        let found = known().find_map(|shape| shape.matches(rest));
        let (reason, length) = found.or_else(|| after_scheme(before, rest))?;
        Some((at..at + length, reason))
    })
}

fn after_scheme(before: &[u8], rest: &[u8]) -> Option<(Reason, usize)> {
    let is_before = |scheme: &str| {
        let start = before.len().checked_sub(scheme.len());
        let last = start.and_then(|start| before.get(start..));
        last.is_some_and(|it| it.eq_ignore_ascii_case(scheme.as_bytes()))
    };
    let mut shapes = AFTER_SCHEMES.iter().filter(|(scheme, _)| is_before(scheme));
    shapes.find_map(|(_, shape)| shape.matches(rest))
}

/// Whether something may begin at an index: no letter, digit or `_` is before it, unless as part of
/// an escape, `%3D` or `\n`.
fn begins_word(bytes: &[u8], at: usize) -> bool {
    let back = |by: usize| at.checked_sub(by).and_then(|at| bytes.get(at)).copied();
    if !back(1).is_some_and(|byte| Set::Word.has(byte)) {
        return true;
    }
    let hex = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_hexdigit());
    let percent = back(3) == Some(b'%') && hex(back(2)) && hex(back(1));
    percent || (back(2) == Some(b'\\') && matches!(back(1), Some(b'n' | b'r' | b't')))
}

impl Shape {
    /// Whether a text begins with such a token, and how long it is.
    fn matches(&self, text: &[u8]) -> Option<(Reason, usize)> {
        let mut prefixes = self.prefixes.iter();
        prefixes.find_map(|&prefix| {
            let body = text.strip_prefix(prefix.as_bytes())?;
            let length = prefix.len() + self.body_length(body)?;
            let kind = self.kind;
            Some((Reason::Shape { kind, prefix }, length))
        })
    }

    fn body_length(&self, body: &[u8]) -> Option<usize> {
        let mut rest = body;
        for part in self.body {
            rest = rest.get(part.matches(rest)?..)?;
        }
        let set = self.body.last().and_then(Part::set).unwrap_or(Set::Word);
        let belongs =
            |&byte: &u8| Set::Word.has(byte) || (set.has(byte) && !SENTENCE.contains(&byte));
        let goes_on = rest.first().is_some_and(belongs);
        let length = body.len() - rest.len();
        let body = std::str::from_utf8(body.get(..length)?).ok()?;
        let made_up = different(body) < MIN_DIFFERENT || value::is_example(body);
        (!goes_on && !made_up).then_some(length)
    }
}

impl Part {
    fn set(&self) -> Option<Set> {
        match *self {
            Self::Run(set, ..) | Self::Random(set, ..) => Some(set),
            _ => None,
        }
    }

    /// How many bytes of a text, from its beginning, are this.
    fn matches(&self, text: &[u8]) -> Option<usize> {
        match *self {
            Self::Lit(literal) => text
                .starts_with(literal.as_bytes())
                .then_some(literal.len()),
            Self::Run(set, least, most) => run(text, set, least, most),
            Self::Random(set, least, most) => {
                let length = run(text, set, least, most)?;
                random(text.get(..length)?).then_some(length)
            }
            Self::Pad => Some(
                text.iter()
                    .take(2)
                    .take_while(|&&byte| byte == b'=')
                    .count(),
            ),
            Self::Pem => pem(text),
            Self::Basic => basic(text),
        }
    }
}

fn run(text: &[u8], set: Set, least: usize, most: usize) -> Option<usize> {
    let length = text
        .iter()
        .take(most)
        .take_while(|&&byte| set.has(byte))
        .count();
    let token = text.get(..length)?;
    let end = token.iter().rposition(|byte| !SENTENCE.contains(byte));
    let length = end.map_or(0, |at| at + 1);
    (length >= least).then_some(length)
}

fn random(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(entropy::is_noise)
}

/// The key in base64 and the line that ends it. Line ends may be escaped, or spaces.
fn pem(text: &[u8]) -> Option<usize> {
    /// Bytes in base64 before something is a key: the shortest (Ed25519, PKCS #8) has 64.
    const LEAST: usize = 40;
    /// Bytes that are looked at.
    const MOST: usize = 16 * 1024;
    const END: &[u8] = b"-----END ";
    const DASHES: &[u8] = b"-----";
    let belongs = |&&byte: &&u8| {
        Set::Base64.has(byte) || byte.is_ascii_whitespace() || b"=\\:,-".contains(&byte)
    };
    let length = text.iter().take(MOST).take_while(belongs).count();
    let text = text.get(..length)?;
    let at = |needle: &[u8], text: &[u8]| text.windows(needle.len()).position(|it| it == needle);
    let end = at(END, text).unwrap_or(length);
    let words = text.get(..end)?.split(|&byte| !Set::Base64.has(byte));
    let longest = words.max_by_key(|word| word.len())?;
    if longest.len() < LEAST || !random(longest) {
        return None;
    }
    let after = text.get(end + END.len()..).unwrap_or_default();
    let line = at(DASHES, after).map(|at| end + END.len() + at + DASHES.len());
    Some(line.unwrap_or_else(|| text.get(..end).unwrap_or_default().trim_ascii_end().len()))
}

fn basic(text: &[u8]) -> Option<usize> {
    let base64 = text
        .iter()
        .take_while(|&&byte| Set::Base64.has(byte))
        .count();
    let length = base64 + Part::Pad.matches(text.get(base64..)?)?;
    let decoded = zeroize::Zeroizing::new(STANDARD.decode(text.get(..length)?).ok()?);
    let password = decoded.iter().position(|&byte| byte == b':')?;
    let printable = decoded.iter().all(|byte| !byte.is_ascii_control());
    (printable && decoded.len() > password + 1).then_some(length)
}

/// How many different characters a text has.
pub(super) fn different(text: &str) -> usize {
    let mut seen = 0_u128;
    for byte in text.bytes() {
        seen |= 1 << (byte & 0x7f);
    }
    seen.count_ones().try_into().unwrap_or(usize::MAX)
}
