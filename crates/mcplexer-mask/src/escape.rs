//! Single characters that are escaped for a URL or for JSON.

use crate::alphabet::digit;
use crate::json_unit::{Unit, unit};
use crate::next::Next;

/// Reads the first character of a text in an encoding that uses neither `\` nor `%` itself: as it is,
/// or escaped for a URL or for JSON, once or twice. Returns it with its length in bytes.
pub(crate) fn escaped(rest: &[u8]) -> Result<(u8, usize), Next> {
    match rest.first() {
        None => Err(Next::End),
        Some(b'\\') => match unit(rest, 2)? {
            (Unit::Byte(byte), length) => Ok((byte, length)),
            (Unit::Code(code), length) => {
                let byte = u8::try_from(code).map_err(|_| Next::Other)?;
                Ok((byte, length))
            }
        },
        Some(b'%') => {
            let mut at = 1;
            // `%` itself is escaped as `%25`.
            while rest.get(at..at + 2) == Some(b"25") {
                at += 2;
            }
            match (
                rest.get(at).map(|&it| digit(it)),
                rest.get(at + 1).map(|&it| digit(it)),
            ) {
                (Some(Some(high)), Some(Some(low))) => Ok((high << 4 | low, at + 2)),
                (None, _) | (Some(Some(_)), None) => Err(Next::End),
                _ => Err(Next::Other),
            }
        }
        Some(&byte) => Ok((byte, 1)),
    }
}
