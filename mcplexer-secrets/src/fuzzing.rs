//! Entry points for the fuzz targets. Not part of the API.

use crate::error::RecordName;
use crate::record::{self, AuditSeal, Context, Header, Scope, Secret, StoreId};
use crate::seal::ScopeKey;
use crate::{ScopeId, SecretName, Timestamp};

/// Decodes `bytes` as each kind of record. What decodes must encode to the same record again.
///
/// # Panics
/// If it does not.
pub fn decode_record(bytes: &[u8]) {
    round_trip::<Header>(bytes);
    round_trip::<Scope>(bytes);
    round_trip::<Secret>(bytes);
    round_trip::<AuditSeal>(bytes);
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

/// Opens `bytes` as a sealed value with a key that has sealed nothing: it must never open.
///
/// # Panics
/// If it does.
pub fn open_sealed_value(bytes: &[u8]) {
    let parts = (ScopeKey::generate(), "s".parse(), "K".parse());
    let (Ok(key), Ok(scope), Ok(name)) = parts else {
        return;
    };
    assert!(key.open(bytes, &context(&scope, &name)).is_none(), "forged");
}

/// Seals `bytes`, damages the result as the first bytes say, and opens it: what opens must be what
/// was sealed.
///
/// # Panics
/// If it is not.
pub fn open_damaged_value(bytes: &[u8]) {
    let parts = (ScopeKey::generate(), "s".parse(), "K".parse());
    let (Ok(key), Ok(scope), Ok(name)) = parts else {
        return;
    };
    let Some((&[at_high, at_low, flip], value)) = bytes.split_first_chunk::<3>() else {
        return;
    };
    let context = context(&scope, &name);
    let Ok(mut sealed) = key.seal(value, &context) else {
        return;
    };
    let at = usize::from(u16::from_be_bytes([at_high, at_low])) % sealed.len().max(1);
    if let Some(byte) = sealed.get_mut(at) {
        *byte ^= flip;
    }
    match key.open(&sealed, &context) {
        Some(opened) => assert!(flip == 0 && *opened == value, "opened though damaged"),
        None => assert!(flip != 0, "did not open though whole"),
    }
}

fn context<'a>(scope: &'a ScopeId, name: &'a SecretName) -> Context<'a> {
    Context::Value {
        store: StoreId([0; 16]),
        generation: 1,
        scope,
        name,
        version: 1,
        created: Timestamp::from_micros(0),
        updated: Timestamp::from_micros(0),
    }
}
