//! Session ids that survive a restart: they hold what the gateway has to know of the session, sealed.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

/// The length of a nonce of XChaCha20-Poly1305, in bytes.
const NONCE_LEN: usize = 24;

/// Seals what clients keep for the gateway: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) with a random nonce before the
/// ciphertext, in base64url.
pub(crate) struct Sealer(XChaCha20Poly1305);

impl Sealer {
    /// Makes one with a key of 32 bytes.
    pub(crate) fn new(key: &Zeroizing<[u8; 32]>) -> Self {
        Self(XChaCha20Poly1305::new((&**key).into()))
    }

    /// Makes one with a new key, which ends with the process.
    pub(crate) fn random() -> Self {
        let mut key = Zeroizing::new([0; 32]);
        // Without randomness there is no secret to seal with.
        if getrandom::fill(&mut *key).is_err() {
            std::process::abort();
        }
        Self::new(&key)
    }

    /// Seals something. `purpose` is what it is for: it does not open for anything else.
    pub(crate) fn seal(&self, purpose: &str, content: &impl Serialize) -> Option<String> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).ok()?;
        let payload = Payload {
            msg: &serde_json::to_vec(content).ok()?,
            aad: purpose.as_bytes(),
        };
        let sealed = self.0.encrypt(XNonce::from_slice(&nonce), payload).ok()?;
        let mut token = nonce.to_vec();
        token.extend_from_slice(&sealed);
        Some(URL_SAFE_NO_PAD.encode(token))
    }

    /// Opens what was sealed for a purpose; `None` if anybody else has made it.
    pub(crate) fn open<T: DeserializeOwned>(&self, purpose: &str, token: &str) -> Option<T> {
        let token = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (nonce, sealed) = token.split_at_checked(NONCE_LEN)?;
        let payload = Payload {
            msg: sealed,
            aad: purpose.as_bytes(),
        };
        let content = self.0.decrypt(XNonce::from_slice(nonce), payload).ok()?;
        serde_json::from_slice(&content).ok()
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_sealed_for_the_purpose_opens() {
        let sealer = Sealer::random();
        let token = sealer.seal("session", &("2025-11-25", 7)).unwrap();
        let opened: Option<(String, u8)> = sealer.open("session", &token);
        assert_eq!(opened, Some(("2025-11-25".to_owned(), 7)));
        assert_eq!(sealer.open::<(String, u8)>("state", &token), None);
        assert_eq!(
            Sealer::random().open::<(String, u8)>("session", &token),
            None
        );
        for at in 0..token.len() {
            let mut forged = token.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            // The last character has bits that mean nothing: the decoder refuses other ones.
            assert_eq!(
                sealer.open::<(String, u8)>("session", &forged),
                None,
                "{at}"
            );
        }
        for odd in ["", "A", "ü", &token[..30]] {
            assert_eq!(sealer.open::<(String, u8)>("session", odd), None);
        }
    }
}
