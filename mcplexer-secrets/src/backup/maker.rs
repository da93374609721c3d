//! Who made a backup: the last line of its plaintext, with MACs over the lines before it.

use std::io::{self, Read, Write};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::record::Digest;

/// How many bytes to hash at once: the JSON is read byte by byte.
const BLOCK: usize = 4096;

/// The last line of a backup's plaintext.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MakerLine {
    pub(crate) maker: Maker,
}

/// MACs of the store that was backed up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Maker {
    /// Of the root key.
    pub(crate) generation: u64,
    /// Under the root key.
    #[serde(with = "mac_text")]
    pub(crate) mac: Digest,
    /// Under the claim key of each owner who has claimed the store.
    pub(crate) owners: Vec<OwnerMac>,
}

/// A MAC under the claim key of an owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OwnerMac {
    pub(crate) recipient: String,
    /// The generation of the claim key.
    pub(crate) since: u64,
    #[serde(with = "mac_text")]
    pub(crate) mac: Digest,
}

/// A MAC in base64.
mod mac_text {
    use super::{BASE64_STANDARD, Deserialize, Deserializer, Digest, Engine, Serializer};

    pub(super) fn serialize<S: Serializer>(mac: &Digest, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&BASE64_STANDARD.encode(mac))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Digest, D::Error> {
        let bytes = BASE64_STANDARD.decode(String::deserialize(from)?).ok();
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes.ok_or_else(|| serde::de::Error::custom("a MAC is 32 bytes in base64"))
    }
}

/// Hashes what passes through it.
pub(crate) struct Digesting<T> {
    inner: T,
    hash: Sha256,
    block: Vec<u8>,
}

impl<T> Digesting<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self {
            inner,
            hash: Sha256::new(),
            block: Vec::with_capacity(BLOCK),
        }
    }

    /// Returns the digest of what has passed, and the rest.
    pub(crate) fn end(mut self) -> (Digest, T) {
        self.hash.update(&self.block);
        zeroize::Zeroize::zeroize(&mut self.block);
        (self.hash.finalize().into(), self.inner)
    }

    fn pass(&mut self, bytes: &[u8]) {
        if self.block.len() + bytes.len() > BLOCK {
            self.hash.update(&self.block);
            self.block.clear();
        }
        match bytes.len() > BLOCK {
            true => self.hash.update(bytes),
            false => self.block.extend_from_slice(bytes),
        }
    }
}

impl<T: Read> Read for Digesting<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.pass(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

impl<T: Write> Write for Digesting<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.pass(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_in_any_pieces_is_hashed() {
        let bytes: Vec<u8> = (0..20_000_u32).map(|it| it.to_le_bytes()[0]).collect();
        let expected: Digest = Sha256::digest(&bytes).into();
        for piece in [1, 7, BLOCK - 1, BLOCK, BLOCK + 1, bytes.len()] {
            let mut to = Digesting::new(Vec::new());
            for bytes in bytes.chunks(piece) {
                to.write_all(bytes).unwrap();
            }
            let (digest, written) = to.end();
            assert!(digest == expected && written == bytes, "{piece}");
            let mut from = Digesting::new(&*bytes);
            let mut buffer = vec![0; piece];
            while from.read(&mut buffer).unwrap() > 0 {}
            assert_eq!(from.end().0, expected, "{piece}");
        }
    }
}
