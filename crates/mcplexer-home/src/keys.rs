//! Whose keys open the store, and what replacing one did.

use std::time::Instant;

use mcplexer_secrets::keys::{Ask, Identity, KeyError, KeyFileError};
use mcplexer_secrets::{Error as StoreError, Rekeyed, SlotInfo, SlotKind, Timestamp};
use serde::Serialize;

use crate::home::KeySource;
use crate::open::OpenHome;
use crate::text::as_text;

mod recover;

pub use recover::check_recoverable;

/// The key in use, and the keys that open the store.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ShowReport {
    /// The key file, or the variable that holds the identity.
    pub key: String,
    /// What the identities in it are called.
    pub recipients: Vec<String>,
    /// The keys that open the store. Empty if there is no store.
    pub slots: Vec<KeyRow>,
}

/// The keys that open the store.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ListReport {
    /// The keys, in the order of the store.
    pub keys: Vec<KeyRow>,
}

/// A key that opens the store.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct KeyRow {
    /// Its recipient.
    pub recipient: String,
    /// Its label.
    pub label: String,
    /// What kind of key it is: `age`, `ssh`, `plugin`, `passphrase` or `recovery`.
    pub kind: &'static str,
    /// When it was added.
    #[serde(serialize_with = "as_text")]
    pub created: Timestamp,
    /// Whether it is in use here.
    pub opens: bool,
}

/// What accepting the store did.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct AcceptReport {
    /// The label of the key that accepted it.
    pub label: String,
    /// Who made that key open the store, by the label in the store.
    pub by: String,
    /// When.
    #[serde(serialize_with = "as_text")]
    pub at: Timestamp,
    /// Why the store was refused before; `None` if it was not.
    pub refused: Option<String>,
    /// The keys that open the store.
    pub keys: Vec<KeyRow>,
}

/// What re-encrypting the store did.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct RekeyReport {
    /// The generation that the store is at now.
    pub generation: u64,
    /// The number of scopes.
    pub scopes: u64,
    /// The number of secrets that were encrypted again.
    pub secrets: u64,
    /// The recipient of the new identity, if there is one.
    pub recipient: Option<String>,
    /// How long it took, in milliseconds' precision.
    pub seconds: f64,
}

/// Where no key can be shown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is neither a key nor a store.
    #[error(transparent)]
    NoKeyYet(StoreError),
    /// The store has no recovery code.
    #[error("this store has no recovery code")]
    NoRecoveryCode,
    /// The lost key is one of several, and must be named.
    #[error(transparent)]
    WhichLost(StoreError),
    /// The keys or the store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl KeyRow {
    /// Describes a slot of the store. `names` are what the identities in use are called.
    #[must_use]
    pub fn of(slot: SlotInfo, names: &[String]) -> Self {
        Self {
            opens: names.contains(&slot.recipient),
            kind: kind(&slot),
            recipient: slot.recipient,
            label: slot.label,
            created: slot.created,
        }
    }
}

/// The kind of key that opens a slot, in a word.
fn kind(slot: &SlotInfo) -> &'static str {
    match slot.kind {
        SlotKind::Passphrase => "passphrase",
        SlotKind::Recovery => "recovery",
        _ => kind_of(&slot.recipient),
    }
}

fn kind_of(recipient: &str) -> &'static str {
    if recipient.starts_with("ssh-") {
        return "ssh";
    }
    // An age recipient has no `1` except the one after its prefix.
    match recipient.matches('1').count() {
        0 | 1 => "age",
        _ => "plugin",
    }
}

/// Returns the key in use, and the keys that open the store.
///
/// # Errors
/// - [`Error::NoKeyYet`] if there is neither a key file nor a store.
/// - [`StoreError::Locked`] if the key file of a store is missing.
/// - Any other error if the key cannot be read.
pub fn show(open: &OpenHome) -> Result<ShowReport, Error> {
    let slots = open.store().slots()?;
    let recipients: Vec<_> = match open.identities() {
        Ok(identities) => identities.iter().map(Identity::name).collect(),
        Err(StoreError::Key(reason)) if is_missing(&reason) => {
            return Err(match slots.is_empty() {
                true => Error::NoKeyYet(reason.into()),
                false => StoreError::Locked { reason, slots }.into(),
            });
        }
        Err(error) => return Err(error.into()),
    };
    let slots = slots.into_iter().map(|slot| KeyRow::of(slot, &recipients));
    Ok(ShowReport {
        key: match open.home().key() {
            KeySource::File(path) => path.display().to_string(),
            KeySource::Environment(variable) => (*variable).to_owned(),
        },
        slots: slots.collect(),
        recipients,
    })
}

/// Whether the reason is that there is no key file.
fn is_missing(reason: &KeyError) -> bool {
    matches!(reason.reason(), Some(KeyFileError::Missing { .. }))
}

/// Returns the keys that open the store. Nobody is asked for a passphrase, so an encrypted key in
/// use is not recognised.
///
/// # Errors
/// [`StoreError::NoStore`] without a store.
pub fn list(open: &OpenHome) -> Result<ListReport, StoreError> {
    let slots = open.store().slots()?;
    if slots.is_empty() {
        return Err(StoreError::NoStore);
    }
    let names: Vec<_> = match open.keys().identities(Ask::Never) {
        Ok(identities) => identities.iter().map(Identity::name).collect(),
        // The list is for people without a key as well.
        Err(_) => Vec::new(),
    };
    let keys = slots.into_iter().map(|slot| KeyRow::of(slot, &names));
    Ok(ListReport {
        keys: keys.collect(),
    })
}

/// Accepts the store for the key that opens it. A copy that is older than the audit log says is accepted only if
/// `older` is set.
///
/// # Errors
/// [`StoreError::NoStore`], or if the store cannot be opened, is older, or was tampered with.
pub fn accept(open: &OpenHome, older: bool) -> Result<AcceptReport, StoreError> {
    let accepted = open.store().accept(older)?;
    let own = accepted.label.clone();
    let keys = accepted.owners.into_iter().map(|slot| KeyRow {
        opens: slot.label == own,
        ..KeyRow::of(slot, &[])
    });
    Ok(AcceptReport {
        keys: keys.collect(),
        label: accepted.label,
        by: accepted.by,
        at: accepted.at,
        refused: accepted.refused,
    })
}

/// Re-encrypts the store by `work`, and measures how long it takes.
///
/// # Errors
/// Those of `work`.
pub fn rekey(
    work: impl FnOnce() -> Result<Rekeyed, StoreError>,
) -> Result<RekeyReport, StoreError> {
    let start = Instant::now();
    let rekeyed = work()?;
    let seconds = start.elapsed().as_secs_f64();
    Ok(RekeyReport {
        generation: rekeyed.generation,
        scopes: rekeyed.scopes,
        secrets: rekeyed.secrets,
        recipient: rekeyed.recipient,
        seconds: (seconds * 1000.0).round() / 1000.0,
    })
}

/// Returns the identity that the key file keeps although it does not open the store any more.
/// `before` is who opened it before a rotation. mcplexer removes only the keys that it created.
///
/// # Errors
/// If the keys or the store cannot be read.
pub fn kept_after(before: &[SlotInfo], open: &OpenHome) -> Result<Option<String>, StoreError> {
    let KeySource::File(_) = open.home().key() else {
        return Ok(None);
    };
    let now = open.store().slots()?;
    let is_in = |slots: &[SlotInfo], name: &str| slots.iter().any(|slot| slot.recipient == name);
    let identities = open.identities()?;
    let mut names = identities.iter().map(Identity::name);
    Ok(names.find(|name| is_in(before, name) && !is_in(&now, name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_a_key_is_told_from_its_recipient() {
        let age = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
        assert_eq!(kind_of(age), "age");
        assert_eq!(
            kind_of("age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv"),
            "plugin"
        );
        assert_eq!(kind_of("ssh-ed25519 AAAA"), "ssh");
    }
}
