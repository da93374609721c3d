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
use crate::error::{Finding, RecordName};
use crate::keys::{
    Ask, Identity, KeyError, KeyWriter, Recipient, RecoveryCode, SlotLabel, SlotRef, Unfinished,
};
use crate::record::{Header, Holder, Slot};
use crate::{Error, SecretValue, Timestamp, seal};

/// Most slots in a store.
pub const MAX_SLOTS: usize = 64;
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
        label: Option<&SlotLabel>,
    ) -> Result<SlotInfo, Error> {
        let comment = match (label, recipient.comment()) {
            (None, Some(comment)) => Some(comment.parse::<SlotLabel>()?),
            _ => None,
        };
        let label = label.or(comment.as_ref()).map(SlotLabel::as_str);
        self.add_slot(label, "owner", recipient, &Holder::Key)
    }

    /// Lets whoever knows `passphrase`, which must be text, open the store.
    ///
    /// # Errors
    /// If the label is there already.
    pub fn add_passphrase(
        &self,
        passphrase: &SecretValue,
        label: Option<&SlotLabel>,
    ) -> Result<SlotInfo, Error> {
        let text = str::from_utf8(passphrase.expose())
            .map_err(|_| Error::InvalidValue(crate::InvalidValue::NotText))?;
        let identity = Identity::generate();
        let sealed = seal::encrypt_identity(&identity, &SecretString::from(text.to_owned()))?;
        let holder = Holder::Passphrase(sealed);
        let label = label.map(SlotLabel::as_str);
        self.add_slot(label, "passphrase", &public_half(&identity)?, &holder)
    }

    /// Makes a recovery code that opens the store when every key is lost. There can be one.
    ///
    /// # Errors
    /// [`Error::SlotExists`] if there is one.
    pub fn add_recovery_code(&self) -> Result<RecoveryCode, Error> {
        let code = RecoveryCode::generate()?;
        let recipient = public_half(&code.identity())?;
        self.add_slot(Some(RECOVERY_LABEL), "", &recipient, &Holder::Recovery)?;
        Ok(code)
    }

    /// Adds a slot; one without a label is called `unnamed`, with a number if that is taken.
    fn add_slot(
        &self,
        label: Option<&str>,
        unnamed: &str,
        recipient: &Recipient,
        holder: &Holder,
    ) -> Result<SlotInfo, Error> {
        let name = recipient.to_string();
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
            if let Some(slot) = slots.iter().find(|slot| slot.recipient == name) {
                return Err(exists(&slot.label));
            }
            let label = match label {
                Some(label) if taken(label) => return Err(exists(label)),
                Some(label) => label.to_owned(),
                None => free_label(slots, unnamed),
            };
            let slot = Slot {
                label,
                recipient: name.clone(),
                created: Timestamp::now(),
                holder: holder.clone(),
                wrapped: change.unlocked.root.wrap(recipient, self.keys.prompter())?,
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
        slot: &SlotRef,
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
            let at = position(&slots, &SlotRef::new(&opener.recipient))?;
            let is_key = slots.get(at).is_some_and(|slot| slot.holder == Holder::Key);
            if !is_key || opener.identity.to_text().is_none() {
                return Err(Error::Key(KeyError::NotReplaceable {
                    identity: opener.recipient,
                }));
            }
            let old = parsed(&opener.recipient)?;
            self.replace_identity(&old, slots, at, |slots| {
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
        lost: Option<&SlotRef>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Rekeyed, Error> {
        let subject = Subject::store(AuditOperation::Recover);
        self.recorded(subject, || {
            let identity = code.identity();
            let rekey = self.begin_rekey(|snapshot| unlock_with(snapshot, &identity))?;
            let mut slots = rekey.unlocked.header.slots.clone();
            let (at, old) = match lost_key(&slots, lost)? {
                Some(at) => (at, slots.get(at).map(|slot| parsed(&slot.recipient))),
                // There are passphrases only: the new key is one more.
                None => {
                    slots.push(Slot {
                        label: free_label(&slots, &machine_name()),
                        recipient: String::new(),
                        created: Timestamp::now(),
                        holder: Holder::Key,
                        wrapped: Vec::new(),
                    });
                    (slots.len() - 1, None)
                }
            };
            let old = old.unwrap_or_else(|| public_half(&identity))?;
            self.replace_identity(&old, slots, at, |slots| {
                rekey.finish(self, subject, slots, progress)
            })
        })
    }

    /// Has the provider make a new identity for the slot at `at`, moves the store to it with
    /// `finish`, and has the provider drop the old one; or the new one, if the store has not
    /// moved.
    fn replace_identity(
        &self,
        old: &Recipient,
        mut slots: Vec<Slot>,
        at: usize,
        finish: impl FnOnce(Vec<Slot>) -> Result<Rekeyed, Error>,
    ) -> Result<Rekeyed, Error> {
        let keys = self.key_writer(old)?;
        let new = public_half(&keys.begin_replacement(old)?)?.to_string();
        if let Some(slot) = slots.get_mut(at) {
            slot.recipient.clone_from(&new);
            slot.created = Timestamp::now();
        }
        match finish(slots) {
            Ok(mut rekeyed) => {
                keys.end_replacement(old)?;
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
        let Some(keys) = self.keys.writer() else {
            return Ok(false);
        };
        if !self.exists()? || keys.unfinished(Ask::Allowed)?.is_empty() {
            return Ok(false);
        }
        // Whoever rotates holds this lock from the first step until the store has moved.
        let transaction = self.backend.write()?;
        let (_, header) = read_header(&*transaction)?;
        let opens = |recipient: &Recipient| {
            let recipient = recipient.to_string();
            header.slots.iter().any(|it| it.recipient == recipient)
        };
        let mut tidied = false;
        for Unfinished { new, old } in keys.unfinished(Ask::Allowed)? {
            match (opens(&new), opens(&old)) {
                (true, false) => keys.end_replacement(&old)?,
                (false, true) => keys.end_replacement(&new)?,
                _ => continue,
            }
            tidied = true;
        }
        Ok(tidied)
    }

    /// What stores a new identity in the place of this one.
    fn key_writer(&self, old: &Recipient) -> Result<&dyn KeyWriter, Error> {
        self.keys.writer().ok_or_else(|| {
            Error::Key(KeyError::NotReplaceable {
                identity: old.to_string(),
            })
        })
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

/// The slot that is meant.
fn position(slots: &[Slot], meant: &SlotRef) -> Result<usize, Error> {
    meant.position(slots.iter().map(|it| (&*it.label, &*it.recipient)))
}

/// The recipient in a slot.
fn parsed(recipient: &str) -> Result<Recipient, Error> {
    let malformed = |_| Error::tampered(RecordName::Header, Finding::Malformed);
    recipient.parse().map_err(malformed)
}

/// The recipient of an identity that is not a plugin's, or whose key file names it.
fn public_half(identity: &Identity) -> Result<Recipient, Error> {
    let name = || KeyError::NoRecipient {
        name: identity.name(),
    };
    Ok(identity.recipient().ok_or_else(name)?)
}

/// The slot of the key that is lost: the one that is meant, or the only one there is for a key.
/// `None` if no slot is for a key.
fn lost_key(slots: &[Slot], meant: Option<&SlotRef>) -> Result<Option<usize>, Error> {
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
