//! What a reader has read and not returned yet.

/// Its meaning depends on the form.
#[derive(Clone, Default)]
pub(super) struct Pending {
    /// Base64: the bits of the last characters. Escapes of characters: the bytes of a character, the first one
    /// highest. Hex: 1 after a separator.
    pub(super) bits: u32,
    /// Base64: how many bits. Escapes of characters: how many bytes. Quotes of a shell: 1 within double quotes.
    /// Hex: how many bytes were read from the line.
    pub(super) count: u32,
    /// Whether the buffer ended before it was clear what the last bytes are.
    pub(super) is_unclear: bool,
}

impl Pending {
    /// Returns the next byte of a character.
    pub(super) fn next_byte(&mut self) -> Option<u8> {
        if self.count == 0 {
            return None;
        }
        let [byte, rest @ ..] = self.bits.to_be_bytes();
        self.bits = u32::from_be_bytes([rest[0], rest[1], rest[2], 0]);
        self.count -= 1;
        Some(byte)
    }

    /// Returns the first byte of a character in UTF-8, and keeps the rest.
    pub(super) fn keep_rest(&mut self, character: char) -> u8 {
        let mut bytes = [0; 4];
        let length = character.encode_utf8(&mut bytes).len();
        let [first, rest @ ..] = bytes;
        self.bits = u32::from_be_bytes([rest[0], rest[1], rest[2], 0]);
        self.count = u32::try_from(length - 1).unwrap_or_default();
        first
    }
}
