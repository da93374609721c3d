//! Who can open the store: keys that come, go, are replaced, or are lost.

use std::sync::Arc;

use age::secrecy::SecretString;

use super::audited::Subject;
use super::rekey::{Progress, Rekeyed};
use super::sealed_store::Store;
use super::transact::machine_name;
use super::unlock::{SlotInfo, Unlocked, read_header, try_identities, verified};
use crate::audit::AuditOperation;
use crate::backend::Snapshot;
use crate::keys::{Ask, Identity, KeyError, Recipient, RecoveryCode};
use crate::record::{Header, Holder, Slot};
use crate::{Error, SecretValue, Timestamp, seal};

/// Most slots in a store.
pub const MAX_SLOTS: usize = 64;
const MAX_LABEL_LEN: usize = 64;
const RECOVERY_LABEL: &str = "recovery code";

/// Whether a re-key also replaces the identity that opens the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RotateIdentity {
    /// It does: the old identity opens nothing any more.
    Replace,
    /// It stays; everything sealed is sealed again.
    Keep,
}

impl Store {
    /// Lets whoever has the identity of `recipient` open the store. Without a label, the comment of
    /// an SSH key is one, or else a number.
    ///
    /// # Errors
    /// If the recipient or the label is there already, or the plugin that it takes is missing.
    pub fn add_recipient(
        &self,
        recipient: &Recipient,
        label: Option<&str>,
    ) -> Result<SlotInfo, Error> {
        let label = label.or(recipient.comment());
        self.add_slot(label, "owner", &recipient.to_string(), &Holder::Key)
    }

    /// Lets whoever knows `passphrase`, which must be text, open the store.
    ///
    /// # Errors
    /// If the label is there already.
    pub fn add_passphrase(
        &self,
        passphrase: &SecretValue,
        label: Option<&str>,
    ) -> Result<SlotInfo, Error> {
        let text = str::from_utf8(passphrase.expose())
            .map_err(|_| Error::InvalidValue(crate::InvalidValue::NotText))?;
        let identity = Identity::generate();
        let sealed = seal::encrypt_identity(&identity, &SecretString::from(text.to_owned()))?;
        let holder = Holder::Passphrase(sealed);
        self.add_slot(label, "passphrase", &identity.name(), &holder)
    }

    /// Makes a recovery code that opens the store when every key is lost. There can be one.
    ///
    /// # Errors
    /// [`Error::SlotExists`] if there is one.
    pub fn add_recovery_code(&self) -> Result<RecoveryCode, Error> {
        let code = RecoveryCode::generate()?;
        let recipient = code.identity().name();
        self.add_slot(Some(RECOVERY_LABEL), "", &recipient, &Holder::Recovery)?;
        Ok(code)
    }

    /// Adds a slot; one without a label is called `unnamed`, with a number if that is taken.
    fn add_slot(
        &self,
        label: Option<&str>,
        unnamed: &str,
        recipient: &str,
        holder: &Holder,
    ) -> Result<SlotInfo, Error> {
        label.map_or(Ok(()), check_label)?;
        if !self.exists()? {
            return Err(Error::NoStore);
        }
        self.change(Subject::store(AuditOperation::AddSlot), |change| {
            let slots = &change.header().slots;
            let taken = |label: &str| slots.iter().any(|slot| slot.label == label);
            let exists = |slot: &str| Error::SlotExists {
                slot: slot.to_owned(),
            };
            if slots.len() >= MAX_SLOTS {
                return Err(Error::SlotsFull);
            }
            if let Some(slot) = slots.iter().find(|slot| slot.recipient == recipient) {
                return Err(exists(&slot.label));
            }
            let label = match label {
                Some(label) if taken(label) => return Err(exists(label)),
                Some(label) => label.to_owned(),
                None => free_label(slots, unnamed),
            };
            let parsed = recipient.parse().map_err(|_| Error::SlotNotFound {
                slot: recipient.to_owned(),
            })?;
            let slot = Slot {
                label,
                recipient: recipient.to_owned(),
                created: Timestamp::now(),
                holder: holder.clone(),
                wrapped: change.unlocked.root.wrap(&parsed, self.keys.person())?,
            };
            let info = SlotInfo::of(&slot);
            change.push_slot(slot)?;
            Ok(info)
        })
    }

    /// Takes away the slot with this label or recipient, or the only one whose recipient begins
    /// so, and re-keys the store: who had the slot knows the root key.
    ///
    /// # Errors
    /// [`Error::LastSlot`] if it is the only one. [`Error::OwnSlot`] if no identity at hand opens
    /// another one, unless `force` is set.
    pub fn remove_slot(
        &self,
        slot: &str,
        force: bool,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Rekeyed, Error> {
        let subject = Subject::store(AuditOperation::RemoveSlot);
        self.recorded(subject, || {
            let rekey = self.begin_rekey(|snapshot| self.unlock_now(snapshot))?;
            let mut slots = rekey.unlocked.header.slots.clone();
            let removed = slots.remove(position(&slots, slot)?);
            let label = removed.label;
            if slots.is_empty() {
                return Err(Error::LastSlot { label });
            }
            let opener = rekey.unlocked.opener.as_ref();
            let is_own = opener.is_some_and(|opener| opener.recipient == removed.recipient);
            if is_own && !force {
                let identities = self.keys.identities(Ask::Allowed).unwrap_or_default();
                if !matches!(try_identities(&slots, &identities, Ask::Allowed), Ok(Ok(_))) {
                    return Err(Error::OwnSlot { label });
                }
            }
            rekey.finish(self, subject, slots, progress)
        })
    }

    /// Re-keys the store: a new root key, new scope keys, every value sealed again, in one commit.
    /// With [`RotateIdentity::Replace`], also the identity that opens it here, in three steps: the
    /// key provider keeps a new identity beside the old one; the store moves to it; the provider
    /// drops the old one. Killed anywhere, the store opens, and another call finishes the work.
    ///
    /// Other processes that have the store open go on: they find the new key where this one did.
    ///
    /// # Errors
    /// [`Error::Tampered`] names the first record that does not open; then nothing has changed.
    pub fn rotate(
        &self,
        identity: RotateIdentity,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Rekeyed, Error> {
        let subject = Subject::store(AuditOperation::Rotate);
        self.recorded(subject, || {
            let rekey = self.begin_rekey(|snapshot| self.unlock_now(snapshot))?;
            let slots = rekey.unlocked.header.slots.clone();
            if identity == RotateIdentity::Keep {
                return rekey.finish(self, subject, slots, progress);
            }
            let opener = rekey.unlocked.opener.clone().ok_or(KeyError::NoIdentity)?;
            let at = position(&slots, &opener.recipient)?;
            let is_key = slots.get(at).is_some_and(|slot| slot.holder == Holder::Key);
            if !is_key || opener.identity.to_text().is_none() {
                return Err(Error::Key(KeyError::NotReplaceable {
                    origin: opener.recipient,
                }));
            }
            self.replace_identity(&opener.recipient, slots, at, |slots| {
                rekey.finish(self, subject, slots, progress)
            })
        })
    }

    /// Opens the store with its recovery code, and re-keys it for a new identity, which the key
    /// provider keeps. It takes the place of a lost one: the slot `lost`, or the only one there is
    /// for a key. The code stays good.
    ///
    /// # Errors
    /// [`KeyError::RecoveryCodeWrong`]; [`Error::SlotAmbiguous`] if there are several keys, and
    /// `lost` does not name one of them; else as [`rotate`](Self::rotate).
    pub fn recover(
        &self,
        code: &RecoveryCode,
        lost: Option<&str>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Rekeyed, Error> {
        let subject = Subject::store(AuditOperation::Recover);
        self.recorded(subject, || {
            let identity = code.identity();
            let rekey = self.begin_rekey(|snapshot| unlock_with(snapshot, &identity))?;
            let mut slots = rekey.unlocked.header.slots.clone();
            let (at, old) = match lost_key(&slots, lost)? {
                Some(at) => (at, slots.get(at).map(|slot| slot.recipient.clone())),
                // There are passphrases only: the new key is one more.
                None => {
                    slots.push(Slot {
                        label: free_label(&slots, &machine_name()),
                        recipient: String::new(),
                        created: Timestamp::now(),
                        holder: Holder::Key,
                        wrapped: Vec::new(),
                    });
                    (slots.len() - 1, Some(identity.name()))
                }
            };
            self.replace_identity(&old.unwrap_or_default(), slots, at, |slots| {
                rekey.finish(self, subject, slots, progress)
            })
        })
    }

    /// Has the provider make a new identity for the slot at `at`, moves the store to it with
    /// `finish`, and has the provider drop the old one; or the new one, if the store has not
    /// moved.
    fn replace_identity(
        &self,
        old: &str,
        mut slots: Vec<Slot>,
        at: usize,
        finish: impl FnOnce(Vec<Slot>) -> Result<Rekeyed, Error>,
    ) -> Result<Rekeyed, Error> {
        let new = self.keys.begin_replacement(old)?.name();
        if let Some(slot) = slots.get_mut(at) {
            slot.recipient.clone_from(&new);
            slot.created = Timestamp::now();
        }
        match finish(slots) {
            Ok(mut rekeyed) => {
                self.keys.end_replacement(old)?;
                rekeyed.recipient = Some(new);
                Ok(rekeyed)
            }
            Err(error) => {
                // What cannot be tidied up now stays, and does no harm.
                let _untidy = self.tidy_keys();
                Err(error)
            }
        }
    }

    /// Drops what an interrupted rotation or recovery has left in the key file: the old identity
    /// if the store has moved to the new one, the new one if it has not. Says whether there was
    /// anything.
    ///
    /// # Errors
    /// If the store or the key file cannot be read, or the key file cannot be written.
    pub fn tidy_keys(&self) -> Result<bool, Error> {
        if !self.exists()? || self.keys.unfinished(Ask::Allowed)?.is_empty() {
            return Ok(false);
        }
        // Whoever rotates holds this lock from the first step until the store has moved.
        let transaction = self.backend.write()?;
        let (_, header) = read_header(&*transaction)?;
        let opens = |recipient: &str| header.slots.iter().any(|it| it.recipient == recipient);
        let mut tidied = false;
        for (new, old) in self.keys.unfinished(Ask::Allowed)? {
            match (opens(&new), opens(&old)) {
                (true, false) => self.keys.end_replacement(&old)?,
                (false, true) => self.keys.end_replacement(&new)?,
                _ => continue,
            }
            tidied = true;
        }
        Ok(tidied)
    }

    /// Does `work` on a store that exists, and records it if it fails.
    pub(super) fn recorded<T>(
        &self,
        subject: Subject<'_>,
        work: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        if !self.exists()? {
            return Err(Error::NoStore);
        }
        work().inspect_err(|error| self.record_failure(subject, error))
    }
}

/// Opens the store with one identity alone.
fn unlock_with(snapshot: &dyn Snapshot, identity: &Identity) -> Result<Arc<Unlocked>, Error> {
    let (bytes, header): (_, Header) = read_header(snapshot)?;
    let slots = header.slots.as_slice();
    let opened = try_identities(slots, std::slice::from_ref(identity), Ask::Never)?;
    let (root, opener) = opened.map_err(|_| KeyError::RecoveryCodeWrong)?;
    Ok(Arc::new(verified(
        bytes,
        header,
        Arc::new(root),
        Some(opener),
    )?))
}

/// The slot that is meant: by its label, by its recipient, or by how only its recipient begins.
fn position(slots: &[Slot], meant: &str) -> Result<usize, Error> {
    let exact = slots
        .iter()
        .position(|slot| slot.label == meant || slot.recipient == meant);
    if let Some(at) = exact {
        return Ok(at);
    }
    let begins = |slot: &&Slot| !meant.is_empty() && slot.recipient.starts_with(meant);
    let labels: Vec<_> = slots
        .iter()
        .filter(begins)
        .map(|it| it.label.clone())
        .collect();
    match labels.len() {
        1 => slots.iter().position(|slot| begins(&slot)),
        0 => None,
        _ => return Err(Error::SlotAmbiguous { labels }),
    }
    .ok_or_else(|| Error::SlotNotFound {
        slot: meant.to_owned(),
    })
}

/// The slot of the key that is lost: the one that is meant, or the only one there is for a key.
/// `None` if no slot is for a key.
fn lost_key(slots: &[Slot], meant: Option<&str>) -> Result<Option<usize>, Error> {
    let is_key = |slot: &Slot| slot.holder == Holder::Key;
    let labels: Vec<_> = slots
        .iter()
        .filter(|slot| is_key(slot))
        .map(|slot| slot.label.clone())
        .collect();
    let at = match (meant, labels.len()) {
        (Some(meant), _) => position(slots, meant)?,
        (None, 0) => return Ok(None),
        (None, 1) => slots.iter().position(is_key).unwrap_or_default(),
        (None, _) => return Err(Error::SlotAmbiguous { labels }),
    };
    match slots.get(at).is_some_and(is_key) {
        true => Ok(Some(at)),
        false => Err(Error::SlotAmbiguous { labels }),
    }
}

/// `wanted`, with a number if it is taken.
fn free_label(slots: &[Slot], wanted: &str) -> String {
    std::iter::once(wanted.to_owned())
        .chain((2..).map(|number| format!("{wanted} {number}")))
        .find(|label| slots.iter().all(|slot| slot.label != *label))
        .unwrap_or_default()
}

fn check_label(label: &str) -> Result<(), Error> {
    let len = label.chars().count();
    match len {
        1..=MAX_LABEL_LEN if !label.chars().any(char::is_control) => Ok(()),
        _ => Err(Error::InvalidLabel),
    }
}
