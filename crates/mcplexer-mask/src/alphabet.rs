//! The alphabets of hex and base64: RFC 4648.

/// Returns the value of a hexadecimal digit.
pub(crate) fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        b'A'..=b'F' => Some(character - b'A' + 10),
        _ => None,
    }
}

/// Returns the value of a base64 character of either alphabet: RFC 4648, tables 1 and 2.
pub(crate) const fn sextet(character: u8) -> Option<u8> {
    match character {
        b'A'..=b'Z' => Some(character - b'A'),
        b'a'..=b'z' => Some(character - b'a' + 26),
        b'0'..=b'9' => Some(character - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

/// Returns the value of a base32 character of either case: RFC 4648, table 3.
pub(crate) const fn quintet(character: u8) -> Option<u8> {
    match character {
        b'A'..=b'Z' => Some(character - b'A'),
        b'a'..=b'z' => Some(character - b'a'),
        b'2'..=b'7' => Some(character - b'2' + 26),
        _ => None,
    }
}

/// Returns the small and the capital base32 character that have this value.
pub(crate) fn base32_characters(quintet: u8) -> [u8; 2] {
    match quintet {
        0..26 => [b'a' + quintet, b'A' + quintet],
        _ => [b'2' + quintet - 26; 2],
    }
}

/// Returns the one or two base64 characters that have this value.
pub(crate) fn base64_characters(sextet: u8) -> &'static [u8] {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    match sextet {
        62 => b"+-",
        63 => b"/_",
        sextet => {
            let at = usize::from(sextet);
            LETTERS.get(at..=at).unwrap_or_default()
        }
    }
}
