//! A code on paper that opens the store when all keys are lost.

use std::fmt;
use std::str::FromStr;

use age_core::primitives::hkdf;
use bech32::{Bech32, Bech32m, Hrp};
use zeroize::Zeroizing;

use super::Identity;
use crate::Error;
use crate::random::fill_random;
use crate::stack;

/// The number of random bytes in a code.
const LEN: usize = 16;
/// The number of characters in a code: 26 for the bytes, 6 for the checksum.
const CHARACTERS: usize = 32;
const GROUP: usize = 4;
const PREFIX: Hrp = Hrp::parse_unchecked("mcplexer");
const IDENTITY_PREFIX: Hrp = Hrp::parse_unchecked("age-secret-key-");
/// The `info` of the HKDF (RFC 5869) that derives the identity.
const INFO: &[u8] = b"mcplexer-secrets/v1/recovery";

/// A recovery code: 128 random bits, in eight groups of four letters and digits.
///
/// It is the data part of a Bech32m text (BIP 350) with the prefix `mcplexer`. The alphabet has no
/// `B`, `I`, `O` or `1`, and the checksum catches up to four wrong characters. The code *is* an age
/// identity, with the private key `HKDF-SHA-256(ikm = the 16 bytes, salt = none, info =
/// "mcplexer-secrets/v1/recovery")` (RFC 5869). It opens everything encrypted to that identity's
/// recipient, a slot or a backup. Wiped when dropped; `Debug` shows nothing.
pub struct RecoveryCode {
    bytes: Zeroizing<[u8; LEN]>,
    /// The code as people write it down.
    text: Zeroizing<String>,
}

impl RecoveryCode {
    /// Generates a random code.
    ///
    /// # Errors
    /// [`Error::Seal`] if the operating system gives no random bytes.
    pub fn generate() -> Result<Self, Error> {
        let mut bytes = Zeroizing::new([0; LEN]);
        fill_random(&mut *bytes)?;
        Ok(Self::of(bytes))
    }

    fn of(bytes: Zeroizing<[u8; LEN]>) -> Self {
        let text = bech32::encode_upper::<Bech32m>(PREFIX, &*bytes).unwrap_or_default();
        let text = Zeroizing::new(text);
        let code = text.get(PREFIX.as_str().len() + 1..).unwrap_or_default();
        let mut grouped = Zeroizing::new(String::with_capacity(CHARACTERS * 2));
        for (at, character) in code.chars().enumerate() {
            if at > 0 && at % GROUP == 0 {
                grouped.push('-');
            }
            grouped.push(character);
        }
        Self {
            bytes,
            text: grouped,
        }
    }

    /// Returns the code as people write it down: `XXXX-XXXX-…`, in capitals.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// Returns the identity that the code stands for.
    #[must_use]
    pub fn identity(&self) -> Identity {
        let text = stack::wiped_after(|| {
            let key = Zeroizing::new(hkdf(&[], INFO, &*self.bytes));
            bech32::encode_upper::<Bech32>(IDENTITY_PREFIX, &*key).unwrap_or_default()
        });
        let text = Zeroizing::new(text);
        // Any 32 bytes are an X25519 private key (RFC 7748, section 5).
        Identity::parse(&text).unwrap_or_else(Identity::generate)
    }
}

impl FromStr for RecoveryCode {
    type Err = InvalidRecoveryCode;

    /// Parses a code as people type it: in upper or lower case, with any spaces and dashes, with
    /// `O` for `0`, and with `I` or `1` for `L`.
    fn from_str(typed: &str) -> Result<Self, InvalidRecoveryCode> {
        let mut text = Zeroizing::new(String::with_capacity(
            typed.len() + PREFIX.as_str().len() + 1,
        ));
        text.push_str(PREFIX.as_str());
        text.push('1');
        let mut count: usize = 0;
        for character in typed.chars() {
            if character.is_whitespace() || matches!(character, '-' | '–' | '_') {
                continue;
            }
            count += 1;
            let character = match character.to_ascii_lowercase() {
                'o' => '0',
                'i' | '1' => 'l',
                other => other,
            };
            if !"qpzry9x8gf2tvdw0s3jn54khce6mua7l".contains(character) {
                return Err(InvalidRecoveryCode::Character {
                    group: count.div_ceil(GROUP),
                });
            }
            text.push(character);
        }
        if count != CHARACTERS {
            return Err(InvalidRecoveryCode::Length { found: count });
        }
        let checked = bech32::primitives::decode::CheckedHrpstring::new::<Bech32m>(&text)
            .map_err(|_| InvalidRecoveryCode::Checksum)?;
        let mut bytes = Zeroizing::new([0; LEN]);
        let mut decoded = checked.byte_iter();
        for byte in bytes.iter_mut() {
            *byte = decoded.next().ok_or(InvalidRecoveryCode::Checksum)?;
        }
        Ok(Self::of(bytes))
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode([REDACTED])")
    }
}

/// Why a text is not a recovery code. Never contains a part of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRecoveryCode {
    /// It has too few or too many characters, not counting spaces and dashes.
    #[error("a recovery code has {CHARACTERS} letters and digits, this has {found}")]
    Length {
        /// The number of its characters.
        found: usize,
    },
    /// A character does not occur in recovery codes.
    #[error("group {group} of the recovery code has a character that recovery codes do not use")]
    Character {
        /// The group of four that contains it, counted from 1.
        group: usize,
    },
    /// The checksum is wrong.
    #[error("the recovery code has a typing error: its checksum is wrong")]
    Checksum,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_back_however_it_is_typed() {
        let code = RecoveryCode::of(Zeroizing::new([0x5A; LEN]));
        let text = code.expose();
        insta::assert_snapshot!(text, @"TFD9-5KJ6-TFD9-5KJ6-TFD9-5KJ6-TGCV-TWV9");
        let sloppy = text
            .to_lowercase()
            .replace('-', " ")
            .replace('0', "o")
            .replace('l', "1");
        for typed in [text, &sloppy, &text.replace('-', "")] {
            let read: RecoveryCode = typed.parse().unwrap();
            assert_eq!(read.identity().name(), code.identity().name());
        }
        insta::assert_snapshot!(code.identity().name(), @"age13c338wc979cwat4w88dl6t0lv0sr6nfnz4xssjw44f3smxd3me7qvufnm7");
        insta::assert_snapshot!(format!("{code:?}"), @"RecoveryCode([REDACTED])");
    }

    #[test]
    fn every_single_wrong_character_and_every_swap_is_caught() {
        let code = RecoveryCode::generate().unwrap().expose().replace('-', "");
        let alphabet = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L";
        for at in 0..code.len() {
            for wrong in alphabet.chars().filter(|c| !code[at..].starts_with(*c)) {
                let typed = format!("{}{wrong}{}", &code[..at], &code[at + 1..]);
                assert_eq!(
                    typed.parse::<RecoveryCode>().unwrap_err(),
                    InvalidRecoveryCode::Checksum
                );
            }
            if at > 0 && code.as_bytes()[at] != code.as_bytes()[at - 1] {
                let mut swapped = code.clone().into_bytes();
                swapped.swap(at, at - 1);
                let swapped = String::from_utf8(swapped).unwrap();
                assert!(swapped.parse::<RecoveryCode>().is_err());
            }
        }
        let short = code[1..].parse::<RecoveryCode>().unwrap_err();
        assert_eq!(short, InvalidRecoveryCode::Length { found: 31 });
        let foreign = code.replacen(|_| true, "B", 1);
        assert_eq!(
            foreign.parse::<RecoveryCode>().unwrap_err(),
            InvalidRecoveryCode::Character { group: 1 }
        );
    }
}
