//! Parts that are encoded in base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::set::Set;
use crate::entropy;

/// Returns the length of a key and the line that ends it. Line ends may be escaped, or spaces.
pub(super) fn pem(text: &[u8]) -> Option<usize> {
    /// Fewest characters of a line of a key: the shortest key (Ed25519, PKCS #8) has 64.
    const LEAST: usize = 40;
    /// How many bytes are read.
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
    if longest.len() < LEAST || !entropy::is_noise_in(longest) {
        return None;
    }
    let after = text.get(end + END.len()..).unwrap_or_default();
    let line = at(DASHES, after).map(|at| end + END.len() + at + DASHES.len());
    Some(line.unwrap_or_else(|| text.get(..end).unwrap_or_default().trim_ascii_end().len()))
}

/// Returns the length of a user and a password.
pub(super) fn basic(text: &[u8]) -> Option<usize> {
    let base64 = text
        .iter()
        .take_while(|&&byte| Set::Base64.has(byte))
        .count();
    let length = base64 + padding(text.get(base64..)?);
    let decoded = Zeroizing::new(STANDARD.decode(text.get(..length)?).ok()?);
    let password = decoded.iter().position(|&byte| byte == b':')?;
    let printable = decoded.iter().all(|byte| !byte.is_ascii_control());
    (printable && decoded.len() > password + 1).then_some(length)
}

/// Returns the length of the padding with which a text begins.
pub(super) fn padding(text: &[u8]) -> usize {
    let padding = text.iter().take(2).take_while(|&&byte| byte == b'=');
    padding.count()
}
