//! What a reader has read and not returned yet.

/// Its meaning depends on the form.
#[derive(Clone, Default)]
pub(super) struct Pending {
    /// Base64: the bits of the last characters. JSON: the bytes of a character, the first one highest.
    pub(super) bits: u32,
    /// Base64: how many bits. JSON: how many bytes. Quotes of a shell: 1 within double quotes.
    pub(super) count: u32,
}
