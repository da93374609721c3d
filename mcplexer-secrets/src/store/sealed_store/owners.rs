//! Who opens the store, and with which keys.

use std::io;

use crate::keys::{Recipient, RecoveryCode, SlotLabel, SlotRef};
use crate::store::accept::{self, Accepted};
use crate::store::contents::Progress;
use crate::store::rekey::Rekeyed;
use crate::store::rotation::{self, RotateIdentity};
use crate::store::slots::SlotInfo;
use crate::store::unlocked::{read_header, read_slots};
use crate::store::{Store, owners};
use crate::{Error, SecretValue};

impl Store {
    /// Returns who can open the store, as its header says; empty if there is no store. Needs no
    /// key, so the names are not verified.
    ///
    /// # Errors
    /// If the header cannot be read.
    pub fn slots(&self) -> Result<Vec<SlotInfo>, Error> {
        let slots = self.vault.snapshot(|snapshot| {
            let (_, header) = read_header(snapshot)?;
            Ok(read_slots(snapshot, &header)?
                .iter()
                .map(SlotInfo::of)
                .collect())
        })?;
        Ok(slots.unwrap_or_else(Vec::new))
    }

    /// Lets the identity of `recipient` open the store. Without a label, the comment of an SSH key
    /// is the label, or else a number.
    ///
    /// # Errors
    /// * [`Error::SlotExists`] if the recipient is there already; [`Error::LabelTaken`].
    /// * [`Error::SlotsFull`]; [`Error::InvalidLabel`]; [`Error::NoStore`].
    /// * [`Error::Key`] if the recipient needs a plugin that is not installed.
    pub fn add_recipient(
        &self,
        recipient: &Recipient,
        label: Option<&SlotLabel>,
    ) -> Result<SlotInfo, Error> {
        owners::add_recipient(&self.vault, recipient, label)
    }

    /// Lets the identities of all these recipients open the store, or of none if this fails. Each has the given label,
    /// or else the comment of its SSH key, with a number if that is taken.
    ///
    /// # Errors
    /// As [`add_recipient`](Self::add_recipient), except that no label is taken or invalid.
    pub fn add_recipients(
        &self,
        recipients: &[Recipient],
        label: Option<&SlotLabel>,
    ) -> Result<Vec<SlotInfo>, Error> {
        owners::add_recipients(&self.vault, recipients, label)
    }

    /// Lets a passphrase, which must be text, open the store.
    ///
    /// # Errors
    /// * [`Error::LabelTaken`] if the label is there already.
    /// * [`Error::SlotsFull`]; [`Error::InvalidLabel`]; [`Error::NoStore`].
    pub fn add_passphrase(
        &self,
        passphrase: &SecretValue,
        label: Option<&SlotLabel>,
    ) -> Result<SlotInfo, Error> {
        owners::add_passphrase(&self.vault, passphrase, label)
    }

    /// Creates a recovery code, which opens the store when every key is lost. A store has at most
    /// one.
    ///
    /// # Errors
    /// [`Error::LabelTaken`] if the store has one; [`Error::SlotsFull`]; [`Error::NoStore`].
    pub fn add_recovery_code(&self) -> Result<RecoveryCode, Error> {
        self.add_recovery_code_once_shown(|_| Ok(()))
    }

    /// Creates a recovery code, which counts only if `show` succeeds. If this fails after that, the code that
    /// was shown opens nothing.
    ///
    /// Other writers wait meanwhile, so `show` must not ask anybody.
    ///
    /// # Errors
    /// As [`add_recovery_code`](Self::add_recovery_code); [`Error::NotShown`] if `show` fails.
    pub fn add_recovery_code_once_shown(
        &self,
        show: impl FnOnce(&RecoveryCode) -> io::Result<()>,
    ) -> Result<RecoveryCode, Error> {
        owners::add_recovery_code(&self.vault, show)
    }

    /// Removes a slot and re-keys the store, because the slot's owner knows the root key. The slot
    /// is named by its label, its recipient, or the beginning of one recipient only.
    ///
    /// # Errors
    /// * [`Error::SlotNotFound`]; [`Error::SlotAmbiguous`].
    /// * [`Error::LastSlot`] if it is the only one.
    /// * [`Error::OwnSlot`] if no identity at hand opens another slot, unless `force` is set.
    pub fn remove_slot(
        &self,
        slot: &SlotRef,
        force: bool,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Rekeyed, Error> {
        owners::remove(&self.vault, slot, force, progress)
    }

    /// Re-keys the store: a new root key, new scope keys, every value encrypted again, in one
    /// commit.
    ///
    /// [`RotateIdentity::Replace`] also replaces the identity that opens the store here, in three
    /// steps: the key provider keeps a new identity beside the old one; the store moves to it; the
    /// provider drops the old one. If the process is killed at any point, the store still opens,
    /// and another call finishes the work.
    ///
    /// Where the [backend](crate::backend) can, what is done is kept before the commit. Another call goes on with what an
    /// interrupted one has left, if the store is for the same owners and nobody has changed it since.
    ///
    /// Other processes may keep the store open: they find the new key where they found the old one.
    ///
    /// # Errors
    /// [`Error::Tampered`] names the first record that does not open; nothing is changed then.
    pub fn rotate(
        &self,
        identity: RotateIdentity,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Rekeyed, Error> {
        rotation::rotate(&self.vault, identity, progress)
    }

    /// Opens the store with its recovery code, and re-keys it for a new identity, which the key
    /// provider keeps. The code stays valid.
    ///
    /// The new identity replaces a lost one: that of the slot `lost`, or of the only slot that is
    /// for a key.
    ///
    /// # Errors
    /// * [`KeyError::RecoveryCodeWrong`](crate::keys::KeyError::RecoveryCodeWrong).
    /// * [`Error::SlotAmbiguous`] if several slots are for keys, and `lost` names none of them.
    /// * As [`rotate`](Self::rotate).
    pub fn recover(
        &self,
        code: &RecoveryCode,
        lost: Option<&SlotRef>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Rekeyed, Error> {
        rotation::recover(&self.vault, code, lost, progress)
    }

    /// Drops what an interrupted rotation or recovery left in the key file: the old identity if the
    /// store has moved to the new one, else the new one, unless a rotation can go on for it. Returns whether it dropped
    /// anything.
    ///
    /// # Errors
    /// If the store or the key file cannot be read, or the key file cannot be written.
    pub fn tidy_keys(&self) -> Result<bool, Error> {
        rotation::tidy(&self.vault)
    }

    /// Accepts the store as it is, for the owner whose key opens it: one that somebody else created or extended, or one
    /// whose audit log is elsewhere. From then on the other operations accept it too. A store that is older than
    /// its audit log says is accepted only if `older` is set.
    ///
    /// # Errors
    /// [`Error::NoStore`]; [`Error::Locked`]; [`Error::Tampered`] if the store is older, or a record is not what
    /// the store wrote.
    pub fn accept(&self, older: bool) -> Result<Accepted, Error> {
        accept::accept(&self.vault, older)
    }
}
