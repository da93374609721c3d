//! The forms in which a program may print a value.

use crate::alphabet::{digit, sextet};

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
}

impl Form {
    /// The forms that change every character of the value.
    pub(crate) const DENSE: [Self; 4] =
        [Self::Hex, Self::Base64(0), Self::Base64(2), Self::Base64(4)];

    /// Returns whether a text in this form may contain control sequences that are not part of the value.
    pub(crate) fn has_controls(self) -> bool {
        matches!(self, Self::Controlled | Self::Redrawn | Self::Dump) || Self::DENSE.contains(&self)
    }

    /// Returns the first two bytes that a text encodes in one of the [`DENSE`](Self::DENSE) forms. `None`
    /// if its first four characters are not of the form's alphabet.
    pub(crate) fn first_two(self, text: &[u8]) -> Option<[u8; 2]> {
        let (width, skipped, value): (_, _, fn(u8) -> Option<u8>) = match self {
            Self::Hex | Self::Dump => (4, 0, digit),
            Self::Base64(skipped) => (6, skipped, sextet),
            _ => return None,
        };
        let mut bits = 0;
        for &character in text.first_chunk::<4>()? {
            bits = bits << width | u32::from(value(character)?);
        }
        let [.., first, second] = (bits >> (4 * width - 16 - u32::from(skipped))).to_be_bytes();
        Some([first, second])
    }
}
