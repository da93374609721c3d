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
    /// How many bytes of the line that ends it are read, after `-----END `.
    const LABEL: usize = 64;
    const END: &[u8] = b"-----END ";
    const DASHES: &[u8] = b"-----";
    let belongs = |&byte: &u8| {
        Set::Base64.has(byte) || byte.is_ascii_whitespace() || b"=\\:,-".contains(&byte)
    };
    // Nothing in a key begins another one: what is read for one is not read again for the next.
    let is_dashes = |at: usize| text.get(at..).is_some_and(|it| it.starts_with(DASHES));
    let body = text.iter().take(MOST).enumerate();
    let body = body.take_while(|&(at, byte)| belongs(byte) && !is_dashes(at));
    let end = body.count();
    let words = text.get(..end)?.split(|&byte| !Set::Base64.has(byte));
    let longest = words.max_by_key(|word| word.len())?;
    if longest.len() < LEAST || !entropy::is_noise_in(longest) {
        return None;
    }
    let after = text.get(end..)?.strip_prefix(END).unwrap_or_default();
    let label = after.get(..LABEL).unwrap_or(after);
    let line = label.windows(DASHES.len()).position(|it| it == DASHES);
    Some(match line {
        Some(at) => end + END.len() + at + DASHES.len(),
        None => text.get(..end)?.trim_ascii_end().len(),
    })
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
