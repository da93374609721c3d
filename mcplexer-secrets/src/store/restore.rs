//! Taking in a backup.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::audited::Subject;
use super::rekey::Contents;
use super::sealed_store::Store;
use super::transact::Change;
use super::unlock::{OpenScope, Unlocked};
use super::view::decode_secret;
use crate::audit::AuditOperation;
use crate::backend::{Snapshot, Table};
use crate::backup::{Backup, BackupScope, BackupSecret};
use crate::error::{Finding, RecordName};
use crate::keys::Ask;
use crate::record::{self, Entry};
use crate::{Error, NewScope, ScopeId, SecretName};

/// What becomes of the secrets that a store has when a backup is taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RestoreMode {
    /// They stay, unless the backup's was stored later.
    Merge,
    /// They go: the store holds what the backup holds, and no more. It is re-keyed.
    Replace,
}

/// What taking in a backup does, or did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Restored {
    /// Every secret of the backup, and every one that goes, in order.
    pub secrets: Vec<RestoredSecret>,
}

/// What becomes of one secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RestoredSecret {
    /// Its scope.
    pub scope: ScopeId,
    /// Its name.
    pub name: SecretName,
    /// What becomes of it.
    pub action: RestoreAction,
}

/// What becomes of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RestoreAction {
    /// It is only in the backup, and is added.
    Add,
    /// The backup's value takes the place of the store's.
    Replace,
    /// The values differ, and the store's stays: it is newer.
    Keep,
    /// Both have the same value.
    Same,
    /// It is only in the store, and goes.
    Remove,
}

impl Restored {
    /// How many secrets this becomes of.
    #[must_use]
    pub fn count(&self, action: RestoreAction) -> u64 {
        let same = self.secrets.iter().filter(|secret| secret.action == action);
        same.count() as u64
    }
}

/// A state, and the key to it.
type Open<'a> = (&'a dyn Snapshot, &'a Unlocked);

impl Store {
    /// What [`restore`](Self::restore) would do now. Changes nothing.
    ///
    /// # Errors
    /// If the store cannot be opened.
    pub fn plan_restore(&self, backup: &Backup, mode: RestoreMode) -> Result<Restored, Error> {
        let planned = self.snapshot(|snapshot| {
            let unlocked = self.unlock(snapshot, Ask::Allowed)?;
            plan(Some((snapshot, &unlocked)), backup, mode)
        })?;
        planned.map_or_else(|| plan(None, backup, mode), Ok)
    }

    /// Takes in a backup, in one commit. A store is made if there is none, and so is a key.
    ///
    /// Versions and times are those of the backup; only a secret that takes the place of another
    /// in a merge is one version on from that.
    ///
    /// # Errors
    /// As a put; then nothing was changed.
    pub fn restore(&self, backup: &Backup, mode: RestoreMode) -> Result<Restored, Error> {
        let subject = Subject::store(AuditOperation::Restore);
        if mode == RestoreMode::Merge || !self.exists()? {
            return self.change(subject, |change| {
                let open: Open<'_> = (&*change.transaction, &change.unlocked);
                let planned = plan(Some(open), backup, mode)?;
                let mut actions = planned.secrets.iter();
                for scope in &backup.scopes {
                    let actions: Vec<_> = actions.by_ref().take(scope.secrets.len()).collect();
                    change.take_in(scope, &actions)?;
                }
                Ok(planned)
            });
        }
        self.recorded(subject, || {
            let mut rekey = self.begin_rekey(|snapshot| self.unlock_now(snapshot))?;
            let planned = plan(Some((&*rekey.old, &rekey.unlocked)), backup, mode)?;
            let slots = rekey.unlocked.header.slots.clone();
            let mut header = rekey.new.header().clone();
            (header.scopes, header.pages) = (0, Vec::new());
            rekey.new.put_header(header)?;
            for scope in &backup.scopes {
                rekey.new.take_in(scope, &[])?;
            }
            rekey.seal_rest(self, slots)?;
            rekey.commit(self, subject)?;
            Ok(planned)
        })
    }
}

impl Change<'_> {
    /// Takes in a scope: of the secrets that are there already, those that the actions replace.
    fn take_in(&mut self, scope: &BackupScope, actions: &[&RestoredSecret]) -> Result<(), Error> {
        let found = self.scope(&scope.id)?;
        let is_new = found.is_none();
        let open = match found {
            Some(open) => open,
            None => self.add_scope(&NewScope {
                id: scope.id.clone(),
                kind: scope.kind,
                display_name: scope.display_name.clone(),
                redaction_hints: scope.redaction_hints.clone(),
            })?,
        };
        let mut record = open.record.clone();
        if is_new {
            record.created = scope.created;
        }
        for (at, secret) in scope.secrets.iter().enumerate() {
            let action = actions.get(at).map_or(RestoreAction::Add, |it| it.action);
            let mut entry = Entry {
                name: secret.name.clone(),
                version: secret.version,
                created: secret.created,
                updated: secret.updated,
            };
            match (action, record.position(&secret.name)) {
                (RestoreAction::Replace, Ok(at)) => {
                    if let Some(old) = record.secrets.get_mut(at) {
                        entry.version = old.version.saturating_add(1);
                        entry.created = old.created;
                        *old = entry.clone();
                    }
                }
                (RestoreAction::Add, Err(at)) => {
                    record.kind.check(&secret.name)?;
                    record.secrets.insert(at, entry.clone());
                }
                _ => continue,
            }
            self.put_secret(&scope.id, &entry, &open.key, secret.value.0.expose())?;
        }
        if record.secrets.len() > crate::MAX_SECRETS_PER_SCOPE {
            return Err(Error::ScopeFull {
                scope: scope.id.clone(),
            });
        }
        self.put_scope(&scope.id, record, &open.key)
    }
}

/// What becomes of each secret: first those of the backup, scope by scope, then those that go.
fn plan(open: Option<Open<'_>>, backup: &Backup, mode: RestoreMode) -> Result<Restored, Error> {
    let mut secrets = Vec::new();
    for scope in &backup.scopes {
        let there = match open {
            Some((snapshot, unlocked)) => unlocked.scope(snapshot, &scope.id)?,
            None => None,
        };
        for secret in &scope.secrets {
            let action = match (open, &there) {
                (Some(open), Some(there)) => action(open, &scope.id, there, secret, mode)?,
                _ => RestoreAction::Add,
            };
            secrets.push(RestoredSecret {
                scope: scope.id.clone(),
                name: secret.name.clone(),
                action,
            });
        }
    }
    if let (Some((snapshot, unlocked)), RestoreMode::Replace) = (open, mode) {
        let restored: BTreeSet<_> = secrets.iter().map(|it| (&it.scope, &it.name)).collect();
        let mut removed = Vec::new();
        for (id, there) in Contents::of(snapshot, unlocked)?.scopes {
            for entry in &there.record.secrets {
                if !restored.contains(&(&id, &entry.name)) {
                    removed.push(RestoredSecret {
                        scope: id.clone(),
                        name: entry.name.clone(),
                        action: RestoreAction::Remove,
                    });
                }
            }
        }
        secrets.extend(removed);
    }
    Ok(Restored { secrets })
}

fn action(
    (snapshot, unlocked): Open<'_>,
    scope: &ScopeId,
    there: &Arc<OpenScope>,
    secret: &BackupSecret,
    mode: RestoreMode,
) -> Result<RestoreAction, Error> {
    let Some(entry) = there.record.entry(&secret.name) else {
        return Ok(RestoreAction::Add);
    };
    let missing = || {
        let record = RecordName::Secret(scope.clone(), secret.name.clone());
        Error::tampered(record, Finding::Missing)
    };
    let key = record::secret_key(scope, &secret.name);
    let bytes = snapshot.get(Table::Secrets, &key)?.ok_or_else(missing)?;
    let sealed = decode_secret(&bytes, scope, entry, &unlocked.header)?;
    let value = there.open_secret(&unlocked.header, scope, entry, &sealed)?;
    Ok(if *value == secret.value.0.expose() {
        RestoreAction::Same
    } else if mode == RestoreMode::Replace || secret.updated > entry.updated {
        RestoreAction::Replace
    } else {
        RestoreAction::Keep
    })
}
