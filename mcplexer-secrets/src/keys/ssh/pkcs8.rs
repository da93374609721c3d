//! Keys in PKCS#8 (RFC 5208, RFC 5958), as OpenSSL writes them, and OpenSSH with `-m PKCS8`.

use pkcs8::der::asn1::OctetStringRef;
use pkcs8::der::{Decode, asn1::UintRef};
use pkcs8::{ObjectIdentifier, PrivateKeyInfo};
use ssh_key::private::{Ed25519Keypair, RsaKeypair, RsaPrivateKey};
use ssh_key::public::RsaPublicKey;
use ssh_key::{Mpint, PrivateKey};
use zeroize::Zeroizing;

use super::decode;
use crate::keys::{InvalidKeyText, InvalidRecipient};

const BEGIN: &[u8] = b"-----BEGIN PRIVATE KEY-----";
const END: &[u8] = b"-----END PRIVATE KEY-----";
const BEGIN_ENCRYPTED: &[u8] = b"-----BEGIN ENCRYPTED PRIVATE KEY-----";
/// The older formats of keys that only sign.
const BEGIN_OTHERS: [&[u8]; 2] = [
    b"-----BEGIN EC PRIVATE KEY-----",
    b"-----BEGIN DSA PRIVATE KEY-----",
];

/// `rsaEncryption` (RFC 8017, appendix C).
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// `id-Ed25519` (RFC 8410, section 3).
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// Parses a key; `None` if it is in another format, which the age crate may know.
///
/// # Errors
/// If it is encrypted, of another type, or damaged.
pub(super) fn parse(file: &[u8]) -> Result<Option<PrivateKey>, InvalidKeyText> {
    if file.starts_with(BEGIN_ENCRYPTED) {
        return Err(InvalidKeyText::SshOldFormat);
    }
    if BEGIN_OTHERS.iter().any(|begin| file.starts_with(begin)) {
        return Err(InvalidKeyText::Ssh(InvalidRecipient::Ssh));
    }
    if !file.starts_with(BEGIN) {
        return Ok(None);
    }
    let bytes = decode(file, BEGIN, END).ok_or(InvalidKeyText::SshDamaged)?;
    let info = PrivateKeyInfo::from_der(&bytes).map_err(|_| InvalidKeyText::SshDamaged)?;
    let key = match info.algorithm.oid {
        RSA => rsa(info.private_key),
        ED25519 => ed25519(info.private_key),
        _ => return Err(InvalidKeyText::Ssh(InvalidRecipient::Ssh)),
    };
    key.map(Some).ok_or(InvalidKeyText::SshDamaged)
}

/// RFC 8017, appendix A.1.2.
fn rsa(der: &[u8]) -> Option<PrivateKey> {
    let key = pkcs1::RsaPrivateKey::from_der(der).ok()?;
    let number = |it: UintRef<'_>| Mpint::from_positive_bytes(it.as_bytes()).ok();
    Some(PrivateKey::from(RsaKeypair {
        public: RsaPublicKey {
            e: number(key.public_exponent)?,
            n: number(key.modulus)?,
        },
        private: RsaPrivateKey {
            d: number(key.private_exponent)?,
            iqmp: number(key.coefficient)?,
            p: number(key.prime1)?,
            q: number(key.prime2)?,
        },
    }))
}

/// RFC 8410, section 7.
fn ed25519(der: &[u8]) -> Option<PrivateKey> {
    let seed = OctetStringRef::from_der(der).ok()?;
    let seed = Zeroizing::new(<[u8; 32]>::try_from(seed.as_bytes()).ok()?);
    Some(PrivateKey::from(Ed25519Keypair::from_seed(&seed)))
}
