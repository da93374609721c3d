//! A new root key, new scope keys, every value sealed again: in one commit.

use std::sync::Arc;

use super::audited::{Subject, audit_seals};
use super::pages;
use super::sealed_store::Store;
use super::transact::Change;
use super::unlock::{OpenScope, Unlocked};
use super::view::{check_scopes, compare_secrets};
use crate::backend::{BackendError, BackendErrorKind, Commit, Replacement, Snapshot, Table};
use crate::error::{Finding, RecordName};
use crate::keys::{Ask, Person};
use crate::record::{self, Entry, Header, Slot};
use crate::seal::{RootKey, ScopeKey};
use crate::{Error, ScopeId};

/// How far a walk over all secrets has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Secrets done.
    pub done: u64,
    /// Secrets there are.
    pub total: u64,
}

/// What a re-key did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rekeyed {
    /// The generation that the store is at now.
    pub generation: u64,
    /// How many scopes there are.
    pub scopes: u64,
    /// How many secrets were sealed again.
    pub secrets: u64,
    /// The recipient of the new identity, if there is one.
    pub recipient: Option<String>,
}

/// Takes the values of a store, each with its scope and its entry there.
pub(super) type EachValue<'a> = dyn FnMut(&ScopeId, &Entry, &[u8]) -> Result<(), Error> + 'a;

/// Everything there is in one state, opened as far as the scopes.
pub(super) struct Contents {
    pub(super) scopes: Vec<(ScopeId, Arc<OpenScope>)>,
    pub(super) secrets: u64,
}

impl Contents {
    /// Opens every scope.
    pub(super) fn of(snapshot: &dyn Snapshot, unlocked: &Unlocked) -> Result<Self, Error> {
        let mut wrong = None;
        let contents = Self::of_what_opens(snapshot, unlocked, &mut |error| {
            wrong.get_or_insert(error);
        })?;
        wrong.map_or(Ok(contents), Err)
    }

    /// Opens every scope that can be opened, and gives what is wrong with the others to `found`.
    pub(super) fn of_what_opens(
        snapshot: &dyn Snapshot,
        unlocked: &Unlocked,
        found: &mut dyn FnMut(Error),
    ) -> Result<Self, Error> {
        let listed = pages::list(&unlocked.header, snapshot)?;
        if let Err(error) = check_scopes(&listed, snapshot) {
            found(error);
        }
        let mut scopes = Vec::new();
        let mut secrets = 0;
        for id in listed {
            let missing = || Error::tampered(RecordName::Scope(id.clone()), Finding::Missing);
            let opened = unlocked.scope(snapshot, &id);
            match opened.and_then(|open| open.ok_or_else(missing)) {
                Ok(open) => {
                    secrets += open.record.secrets.len() as u64;
                    scopes.push((id, open));
                }
                Err(error) => found(error),
            }
        }
        Ok(Self { scopes, secrets })
    }

    /// Opens every value of every scope, and gives it to `each`.
    pub(super) fn open(
        &self,
        snapshot: &dyn Snapshot,
        header: &Header,
        progress: &mut dyn FnMut(Progress),
        each: &mut EachValue<'_>,
    ) -> Result<(), Error> {
        let mut done = 0;
        for (id, open) in &self.scopes {
            compare_secrets(snapshot, id, &open.record, header, &mut |entry, secret| {
                each(id, entry, &open.open_secret(header, id, entry, secret)?)?;
                done += 1;
                let total = self.secrets;
                progress(Progress { done, total });
                Ok(())
            })?;
        }
        self.check_count(snapshot)
    }

    /// Opens every value that can be opened, says how many, and gives what is wrong with the others
    /// to `found`.
    pub(super) fn check(
        &self,
        snapshot: &dyn Snapshot,
        header: &Header,
        found: &mut dyn FnMut(Error),
        progress: &mut dyn FnMut(Progress),
    ) -> u64 {
        let mut done = 0;
        for (id, open) in &self.scopes {
            let compared =
                compare_secrets(snapshot, id, &open.record, header, &mut |entry, secret| {
                    open.open_secret(header, id, entry, secret)?;
                    done += 1;
                    let total = self.secrets;
                    progress(Progress { done, total });
                    Ok(())
                });
            if let Err(error) = compared {
                found(error);
            }
        }
        let all_opened = done == self.secrets && self.scopes.len() as u64 == header.scopes;
        if all_opened && let Err(error) = self.check_count(snapshot) {
            found(error);
        }
        done
    }

    /// There must be no secret that no scope lists.
    fn check_count(&self, snapshot: &dyn Snapshot) -> Result<(), Error> {
        let mut there = 0;
        snapshot.scan(Table::Secrets, b"", &mut |_, _| there += 1)?;
        if there == self.secrets {
            Ok(())
        } else {
            let record = RecordName::Unknown(Table::Secrets.name());
            Err(Error::tampered(record, Finding::Unlisted))
        }
    }
}

/// The store's current state, which nobody else changes, and a next one in the making.
pub(super) struct Rekey<'a> {
    pub(super) old: Box<dyn Snapshot + 'a>,
    pub(super) unlocked: Arc<Unlocked>,
    pub(super) new: Change<'a>,
}

impl Store {
    /// Begins a re-key of the store as it is now. `unlock` opens it.
    pub(super) fn begin_rekey(
        &self,
        unlock: impl Fn(&dyn Snapshot) -> Result<Arc<Unlocked>, Error>,
    ) -> Result<Rekey<'_>, Error> {
        // Whoever has to be asked is asked before it is this writer's turn.
        self.snapshot(&unlock)?.ok_or(Error::NoStore)?;
        let Replacement { old, new } = self.backend.replace()?;
        let old = old.ok_or(Error::NoStore)?;
        let unlocked = unlock(&*old)?;
        let mut header = unlocked.header.clone();
        header.generation = header.generation.saturating_add(1);
        header.slots.clear();
        let root = Arc::new(RootKey::generate()?);
        let new = Change {
            transaction: new,
            unlocked: Arc::new(Unlocked::new(Vec::new(), header, root, None)),
            parts: Vec::new(),
        };
        Ok(Rekey { old, unlocked, new })
    }

    pub(super) fn unlock_now(&self, snapshot: &dyn Snapshot) -> Result<Arc<Unlocked>, Error> {
        self.unlock(snapshot, Ask::Allowed)
    }
}

impl Rekey<'_> {
    /// Seals everything again and makes it the store's state. Only these slots open it.
    pub(super) fn finish(
        mut self,
        store: &Store,
        subject: Subject<'_>,
        slots: Vec<Slot>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Rekeyed, Error> {
        let contents = Contents::of(&*self.old, &self.unlocked)?;
        self.seal_again(&contents, progress)?;
        let (scopes, secrets) = (contents.scopes.len() as u64, contents.secrets);
        drop(contents);
        let generation = self.seal_rest(store, slots)?;
        self.commit(store, subject)?;
        Ok(Rekeyed {
            generation,
            scopes,
            secrets,
            recipient: None,
        })
    }

    /// Puts what there is besides scopes and secrets, and says which generation it is.
    pub(super) fn seal_rest(&mut self, store: &Store, slots: Vec<Slot>) -> Result<u64, Error> {
        for (log, mut seal) in audit_seals(&*self.old, &self.unlocked)? {
            seal.generation = self.new.header().generation;
            self.new.put_audit_seal(&log, seal)?;
        }
        let mut header = self.new.header().clone();
        header.slots = wrap_all(
            &self.new.unlocked.root,
            slots,
            store.keys.prompter().as_ref(),
        )?;
        let generation = header.generation;
        self.new.put_header(header)?;
        Ok(generation)
    }

    fn seal_again(
        &mut self,
        contents: &Contents,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), Error> {
        for page in &self.unlocked.header.pages {
            let key = record::page_key(page.number);
            let bytes = self.old.get(Table::Meta, &key)?.unwrap_or_default();
            self.new.transaction.put(Table::Meta, &key, &bytes)?;
        }
        let generation = self.new.header().generation;
        let mut keys = std::collections::BTreeMap::new();
        for (id, open) in &contents.scopes {
            let mut record = open.record.clone();
            record.generation = generation;
            let key = ScopeKey::generate()?;
            self.new.put_scope(id, record, &key)?;
            keys.insert(id, key);
        }
        let (new, header) = (&mut self.new, &self.unlocked.header);
        contents.open(&*self.old, header, progress, &mut |id, entry, value| {
            let lost = || Error::tampered(RecordName::Scope(id.clone()), Finding::Missing);
            new.put_secret(id, entry, keys.get(id).ok_or_else(lost)?, value)
        })
    }

    /// Records the change and commits it.
    pub(super) fn commit(self, store: &Store, subject: Subject<'_>) -> Result<(), Error> {
        let Self { old, mut new, .. } = self;
        store.record_change(subject, &mut new)?;
        drop(old);
        match new.transaction.commit()? {
            Commit::Applied => Ok(()),
            Commit::Conflict => Err(BackendError::new(
                BackendErrorKind::Busy,
                "somebody else has changed the store meanwhile",
            )
            .into()),
        }
    }
}

/// Wraps a root key for each of these slots anew.
fn wrap_all(root: &RootKey, slots: Vec<Slot>, person: Option<&Person>) -> Result<Vec<Slot>, Error> {
    let wrap = |mut slot: Slot| {
        let malformed = |_| Error::tampered(RecordName::Header, Finding::Malformed);
        let recipient = slot.recipient.parse().map_err(malformed)?;
        slot.wrapped = root.wrap(&recipient, person.cloned())?;
        Ok(slot)
    };
    slots.into_iter().map(wrap).collect()
}
