//! How much work it is to try a passphrase on an SSH private key. The format is that of OpenSSH's
//! `PROTOCOL.key`.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

const BEGIN: &[u8] = b"-----BEGIN OPENSSH PRIVATE KEY-----";
const MAGIC: &[u8] = b"openssh-key-v1\0";
/// The most characters of base64 that the fields up to the rounds take, several times over.
const MAX_HEADER_LEN: usize = 1024;

/// Returns the number of bcrypt's rounds that a private key says it needs. Returns `None` if it says nothing of
/// the kind.
pub(super) fn rounds(file: &[u8]) -> Option<u32> {
    let text = file.trim_ascii_start().strip_prefix(BEGIN)?;
    let is_text = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/".contains(byte);
    let text = text.iter().filter(|byte| !byte.is_ascii_whitespace());
    let mut text: Vec<u8> = text
        .copied()
        .take(MAX_HEADER_LEN)
        .take_while(is_text)
        .collect();
    // Only whole groups of four characters can be decoded, and the fields end long before.
    text.truncate(text.len() / 4 * 4);
    let key = BASE64_STANDARD.decode(text).ok()?;
    let mut rest = key.strip_prefix(MAGIC)?;
    let _cipher = string(&mut rest)?;
    if string(&mut rest)? != b"bcrypt" {
        return None;
    }
    let mut options = string(&mut rest)?;
    let _salt = string(&mut options)?;
    number(&mut options)
}

/// Takes a string off the front: its length, and so many bytes.
fn string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(number(rest)?).ok()?;
    let (string, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(string)
}

/// Takes a number off the front: four bytes, the largest first.
fn number(rest: &mut &[u8]) -> Option<u32> {
    let (number, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(u32::from_be_bytes(*number))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Begins an OpenSSH private key with these options of its key derivation.
    fn key(kdf: &[u8], options: &[&[u8]]) -> String {
        let string = |bytes: &[u8]| {
            let length = u32::try_from(bytes.len()).unwrap();
            [&length.to_be_bytes(), bytes].concat()
        };
        let options = options.concat();
        let fields = [string(b"aes256-ctr"), string(kdf), string(&options)].concat();
        let text = BASE64_STANDARD.encode([MAGIC, &fields, &[0; 300]].concat());
        let (first, second) = text.split_at(20);
        let begin = str::from_utf8(BEGIN).unwrap();
        format!("{begin}\r\n{first}\n{second}\n-----END OPENSSH PRIVATE KEY-----\n")
    }

    #[test]
    fn the_rounds_are_read_from_the_header() {
        let salt: &[u8] = b"\0\0\0\x04salt";
        for rounds in [1, 24, u32::MAX] {
            let text = key(b"bcrypt", &[salt, &rounds.to_be_bytes()]);
            assert_eq!(super::rounds(text.as_bytes()), Some(rounds));
        }
        assert_eq!(rounds(key(b"none", &[]).as_bytes()), None);
        assert_eq!(rounds(key(b"bcrypt", &[salt]).as_bytes()), None);
        assert_eq!(rounds(b"-----BEGIN RSA PRIVATE KEY-----\n"), None);
        assert_eq!(rounds(BEGIN), None);
    }
}
