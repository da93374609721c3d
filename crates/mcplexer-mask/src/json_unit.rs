//! The units of a JSON string (RFC 8259, section 7), also of strings nested in strings.

use crate::alphabet::digit;
use crate::next::Next;

/// One unit of a JSON string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// A byte that stands for itself, or a short escape.
    Byte(u8),
    /// `\uXXXX`: a code unit of UTF-16.
    Code(u16),
}

/// Reads the first unit of a text that was put into this many JSON strings, one inside the other.
/// Returns it with its length in bytes.
pub(crate) fn unit(text: &[u8], levels: u8) -> Result<(Unit, usize), Next> {
    let Some(outer) = levels.checked_sub(1) else {
        return text
            .first()
            .map(|&byte| (Unit::Byte(byte), 1))
            .ok_or(Next::End);
    };
    let (first, length) = unit(text, outer)?;
    if !matches!(first, Unit::Byte(b'\\') | Unit::Code(0x5C)) {
        return Ok((first, length));
    }
    let (escape, more) = unit_after(text, length, outer)?;
    let mut end = length + more;
    let byte = match as_ascii(escape) {
        Some(byte @ (b'"' | b'\\' | b'/')) => byte,
        Some(b'b') => 8,
        Some(b'f') => 12,
        Some(b'n') => b'\n',
        Some(b'r') => b'\r',
        Some(b't') => b'\t',
        Some(b'u') => {
            let mut code = 0;
            for _ in 0..4 {
                let (read, more) = unit_after(text, end, outer)?;
                let Some(digit) = as_ascii(read).and_then(digit) else {
                    return Ok((first, length));
                };
                code = code << 4 | u16::from(digit);
                end += more;
            }
            return Ok((Unit::Code(code), end));
        }
        // Not an escape: the backslash stands for itself.
        _ => return Ok((first, length)),
    };
    Ok((Unit::Byte(byte), end))
}

/// Reads the unit that follows the first `length` bytes.
pub(crate) fn unit_after(text: &[u8], length: usize, levels: u8) -> Result<(Unit, usize), Next> {
    unit(text.get(length..).unwrap_or_default(), levels)
}

fn as_ascii(unit: Unit) -> Option<u8> {
    match unit {
        Unit::Byte(byte) => Some(byte),
        Unit::Code(code) => u8::try_from(code).ok().filter(u8::is_ascii),
    }
}
