//! Entry points for the fuzz targets and for benchmarks. Not part of the API.

use zeroize::Zeroizing;

use crate::backup::{self, Backup};
use crate::error::RecordName;
use crate::keys;
use crate::record::{
    self, Context, EarlierValue, Entry, Header, Owners, Page, Scope, ScopeRef, Secret, StoreId,
};
use crate::seal::ScopeKey;
use crate::{Error, ScopeId, SecretName, SecretValue, Timestamp};

/// Decodes `bytes` as each kind of record. A record that decodes must encode to the same bytes.
///
/// # Panics
/// If it does not.
pub fn decode_record(bytes: &[u8]) {
    round_trip::<Header>(bytes);
    round_trip::<Owners>(bytes);
    round_trip::<Page<ScopeRef>>(bytes);
    round_trip::<Page<Entry>>(bytes);
    round_trip::<Scope>(bytes);
    round_trip::<Secret>(bytes);
    round_trip::<EarlierValue>(bytes);
}

fn round_trip<T>(bytes: &[u8])
where
    T: serde::Serialize + serde::de::DeserializeOwned + PartialEq,
{
    let Ok(decoded) = record::decode::<T>(bytes, || RecordName::Header) else {
        return;
    };
    let again = record::encode(&decoded)
        .and_then(|bytes| record::decode::<T>(&bytes, || RecordName::Header));
    assert!(
        again.is_ok_and(|again| again == decoded),
        "changed on the way"
    );
}

/// Seals values for one place with one key, as the store does.
#[derive(Debug)]
pub struct Sealer {
    key: ScopeKey,
    scope: ScopeId,
    name: SecretName,
}

impl Sealer {
    /// Creates a sealer with a new key.
    ///
    /// # Errors
    /// [`Error::Seal`] if the operating system gives no random bytes.
    pub fn new() -> Result<Self, Error> {
        Ok(Self {
            key: ScopeKey::generate()?,
            scope: "s".parse()?,
            name: "K".parse()?,
        })
    }

    /// Seals a value.
    ///
    /// # Errors
    /// [`Error::Seal`] if the operating system gives no random bytes.
    pub fn seal(&self, value: &[u8]) -> Result<Vec<u8>, Error> {
        self.key.seal(value, &self.context())
    }

    /// Opens a value that this sealer sealed. `None` if it did not, or if the value is empty.
    #[must_use]
    pub fn open(&self, sealed: &[u8]) -> Option<SecretValue> {
        SecretValue::copy_of(&self.open_raw(sealed)?).ok()
    }

    fn open_raw(&self, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.key.open(sealed, &self.context())
    }

    fn context(&self) -> Context<'_> {
        Context::Value {
            store: StoreId([0; 16]),
            generation: 1,
            scope: &self.scope,
            name: &self.name,
            version: 1,
            created: Timestamp::from_micros(0),
            updated: Timestamp::from_micros(0),
        }
    }
}

/// Opens `bytes` as a sealed value with a key that has sealed nothing. It must never open.
///
/// # Panics
/// If it opens.
pub fn open_sealed_value(bytes: &[u8]) {
    if let Ok(sealer) = Sealer::new() {
        assert!(sealer.open_raw(bytes).is_none(), "forged");
    }
}

/// Seals `bytes`, damages the result as the first bytes say, and opens it. If it opens, it must
/// give what was sealed.
///
/// # Panics
/// If it gives anything else.
pub fn open_damaged_value(bytes: &[u8]) {
    let Some((&[at_high, at_low, flip], value)) = bytes.split_first_chunk::<3>() else {
        return;
    };
    let Ok(sealer) = Sealer::new() else { return };
    let Ok(mut sealed) = sealer.seal(value) else {
        return;
    };
    let at = usize::from(u16::from_be_bytes([at_high, at_low])) % sealed.len().max(1);
    if let Some(byte) = sealed.get_mut(at) {
        *byte ^= flip;
    }
    match sealer.open_raw(&sealed) {
        Some(opened) => assert!(flip == 0 && *opened == value, "opened though damaged"),
        None => assert!(flip != 0, "did not open though whole"),
    }
}

/// Reads the plaintext of a backup.
///
/// # Errors
/// As [`Backup::open`] after decryption.
pub fn read_backup(plaintext: &[u8]) -> Result<Backup, Error> {
    backup::parse(plaintext)
}

/// Inserts a new identity into the text of a key file and removes it again, which must restore the
/// text.
///
/// # Panics
/// If it does not.
pub fn edit_key_text(text: &str) {
    keys::edit_key_text(text);
}
