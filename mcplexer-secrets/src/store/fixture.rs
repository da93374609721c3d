//! A vault in memory, for the unit tests beside this file.

use std::sync::Arc;

use super::keyring::Keyring;
use super::life::SecretEdit;
use super::recorder::{Recorder, Subject};
use super::scope::NewScope;
use super::secret::PutMode;
use super::vault::{IfMissing, Vault};
use super::writer::Writer;
use crate::audit::{Audit, AuditOperation, KeptLog};
use crate::backend::RedbBackend;
use crate::keys::{FixedKeys, KeyProvider};
use crate::{Error, ScopeId, SecretName, SecretValue};

pub(super) mod keeping;

/// A vault without a store yet.
pub(super) fn vault() -> Vault {
    keyed(FixedKeys::generate())
}

/// A vault without a store yet, for these keys.
pub(super) fn keyed(keys: impl KeyProvider + 'static) -> Vault {
    let backend = RedbBackend::in_memory().unwrap();
    Vault::new(Arc::new(backend), Arc::new(Keyring::new(Arc::new(keys))))
}

/// A vault without a store yet that records in `log`.
pub(super) fn audited(log: impl KeptLog + 'static) -> Vault {
    let mut vault = vault();
    vault.recorder = Recorder::default().to(Audit::Log(Box::new(log)));
    vault
}

/// A vault with the scope `s`, which holds `K` and `L`, and the empty scope `t`.
pub(super) fn filled() -> Vault {
    let vault = vault();
    change(&vault, |writer| {
        for key in ["K", "L"] {
            put(writer, key, key.as_bytes())?;
        }
        writer.create_scope(&scope("t"))
    })
    .unwrap();
    vault
}

/// Applies a change that may create the store.
pub(super) fn change<T>(
    vault: &Vault,
    work: impl Fn(&mut Writer<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let subject = Subject::store(AuditOperation::Put);
    vault.write(subject, IfMissing::CREATE, work)
}

/// Puts a value into the scope `s`.
pub(super) fn put(writer: &mut Writer<'_>, key: &str, bytes: &[u8]) -> Result<(), Error> {
    let (mode, edit) = (PutMode::Overwrite, SecretEdit::default());
    let put = writer.put_secret(&scope("s"), &name(key), &value(bytes), mode, None, &edit);
    put.map(drop)
}

pub(super) fn id(text: &str) -> ScopeId {
    text.parse().unwrap()
}

pub(super) fn scope(text: &str) -> NewScope {
    NewScope::env(id(text))
}

pub(super) fn name(text: &str) -> SecretName {
    text.parse().unwrap()
}

pub(super) fn value(bytes: &[u8]) -> SecretValue {
    SecretValue::copy_of(bytes).unwrap()
}
