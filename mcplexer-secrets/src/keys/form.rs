//! Recognizes what a text is by its beginning.

/// The mark with which editors of Windows begin a UTF-8 file.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Returns a text without what may stand before its first line: a byte order mark, and space.
pub(crate) fn begun(bytes: &[u8]) -> &[u8] {
    let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    text.trim_ascii_start()
}

/// Returns whether a line begins like the identity of a plugin.
pub(super) fn is_plugin(line: &str) -> bool {
    line.starts_with("AGE-PLUGIN-")
}

/// Returns whether this begins like an SSH private key, in any of the formats in which OpenSSH has ever written
/// them.
pub(super) fn is_ssh_key(bytes: &[u8]) -> bool {
    let kind = begun(bytes)
        .strip_prefix(b"-----BEGIN ")
        .unwrap_or_default();
    ["OPENSSH ", "RSA ", "EC ", "DSA ", "ENCRYPTED ", ""]
        .iter()
        .any(|name| {
            let rest = kind.strip_prefix(name.as_bytes()).unwrap_or_default();
            rest.starts_with(b"PRIVATE KEY-----")
        })
}

/// Returns whether this is the public half of a key: an age recipient, or a `.pub` file.
pub(super) fn is_public_key(bytes: &[u8]) -> bool {
    let text = begun(bytes);
    text.starts_with(b"age1") || text.starts_with(b"ssh-")
}

/// Returns whether a text begins like a private key.
pub(super) fn is_private(text: &str) -> bool {
    let start = text.get(..11).unwrap_or(text).to_ascii_uppercase();
    ["AGE-SECRET-", "AGE-PLUGIN-", "-----BEGIN "]
        .iter()
        .any(|prefix| start == *prefix)
}
