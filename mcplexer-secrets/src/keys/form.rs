//! Recognizes what a text is by its beginning.

/// Returns whether a line begins like the identity of a plugin.
pub(super) fn is_plugin(line: &str) -> bool {
    line.starts_with("AGE-PLUGIN-")
}

pub(super) fn is_ssh_key(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    text.starts_with(b"-----BEGIN OPENSSH PRIVATE KEY-----")
        || text.starts_with(b"-----BEGIN RSA PRIVATE KEY-----")
}

/// Returns whether this is the public half of a key: an age recipient, or a `.pub` file.
pub(super) fn is_public_key(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    text.starts_with(b"age1") || text.starts_with(b"ssh-")
}

/// Returns whether a text begins like a private key.
pub(super) fn is_private(text: &str) -> bool {
    let start = text.get(..11).unwrap_or(text).to_ascii_uppercase();
    ["AGE-SECRET-", "AGE-PLUGIN-", "-----BEGIN "]
        .iter()
        .any(|prefix| start == *prefix)
}
