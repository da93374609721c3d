//! A secret value in memory.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// Longest value, in bytes: 1 MiB.
pub const MAX_VALUE_LEN: usize = 1 << 20;

/// Why some bytes are not a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidValue {
    /// There are no bytes.
    #[error("the value is empty")]
    Empty,
    /// There are more than [`MAX_VALUE_LEN`] bytes.
    #[error("the value is longer than 1 MiB ({MAX_VALUE_LEN} bytes)")]
    TooLong,
    /// A passphrase is not text.
    #[error("a passphrase must be text in UTF-8")]
    NotText,
}

/// 1 byte to 1 MiB of arbitrary bytes, wiped when dropped.
///
/// The bytes are in one buffer that never grows or moves, and are accessible only through
/// [`expose`](Self::expose). There is no `Clone`, no `Display` and no `Serialize`, and `Debug`
/// prints a placeholder, so that a value cannot reach a log by accident.
///
/// ```
/// use mcplexer_secrets::SecretValue;
/// let value = SecretValue::new(b"ghp_abc123".to_vec())?;
/// assert_eq!(value.expose(), b"ghp_abc123");
/// assert_eq!(format!("{value:?}"), "SecretValue([REDACTED])");
/// # Ok::<(), mcplexer_secrets::InvalidValue>(())
/// ```
pub struct SecretValue(Box<[u8]>);

impl SecretValue {
    /// Copies `bytes` into a value and wipes the given buffer, even if the bytes are refused.
    ///
    /// # Errors
    /// [`InvalidValue`] if there are no bytes or more than [`MAX_VALUE_LEN`].
    pub fn new(mut bytes: Vec<u8>) -> Result<Self, InvalidValue> {
        // Shrinking the vector could move it and leave a copy behind. An exact copy cannot.
        let value = Self::copy_of(&bytes);
        bytes.zeroize();
        value
    }

    /// Copies `bytes`. The caller wipes the original.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn copy_of(bytes: &[u8]) -> Result<Self, InvalidValue> {
        match bytes.len() {
            0 => Err(InvalidValue::Empty),
            1..=MAX_VALUE_LEN => Ok(Self(bytes.into())),
            _ => Err(InvalidValue::TooLong),
        }
    }

    /// Returns the bytes.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for SecretValue {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl ZeroizeOnDrop for SecretValue {}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretValue([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_1_byte_to_1_mib() {
        assert_eq!(SecretValue::new(vec![]).unwrap_err(), InvalidValue::Empty);
        assert!(SecretValue::new(vec![0]).is_ok());
        assert!(SecretValue::new(vec![7; MAX_VALUE_LEN]).is_ok());
        assert_eq!(
            SecretValue::new(vec![7; MAX_VALUE_LEN + 1]).unwrap_err(),
            InvalidValue::TooLong
        );
    }

    #[test]
    fn debug_shows_nothing() {
        let value = SecretValue::new(b"visible?".to_vec()).unwrap();
        insta::assert_snapshot!(format!("{value:?} {value:#?}"), @"SecretValue([REDACTED]) SecretValue([REDACTED])");
    }
}
