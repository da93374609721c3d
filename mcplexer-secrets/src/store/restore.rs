//! Restoring a backup.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::contents::Contents;
use super::not_found;
use super::reader::{Reader, ScopeReader};
use super::recorder::{OverLoss, Subject};
use super::rekey::Rekey;
use super::scope::NewScope;
use super::vault::{IfMissing, Vault};
use super::writer::Writer;
use crate::audit::AuditOperation;
use crate::backup::{Backup, BackupScope, BackupSecret};
use crate::error::Finding;
use crate::record::Entry;
use crate::{Error, ScopeId, SecretName};

/// What happens to the secrets that a store has when a backup is restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RestoreMode {
    /// They stay, unless the backup's was stored later.
    Merge,
    /// They are removed: the store then holds what the backup holds, and is re-keyed.
    Replace,
}

/// What restoring a backup does, or did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Restored {
    /// Every secret of the backup, sorted, and then every secret that is removed, sorted.
    pub secrets: Vec<RestoredSecret>,
}

/// What happens to one secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RestoredSecret {
    /// Its scope.
    pub scope: ScopeId,
    /// Its name.
    pub name: SecretName,
    /// What happens to it.
    pub action: RestoreAction,
}

/// What happens to a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RestoreAction {
    /// It is only in the backup, and is added.
    Add,
    /// The backup's value replaces the store's.
    Replace,
    /// The values differ, and the store's stays: it is newer.
    Keep,
    /// Both have the same value.
    Same,
    /// It is only in the store, and is removed.
    Remove,
}

impl Restored {
    /// Counts the secrets to which this happens.
    #[must_use]
    pub fn count(&self, action: RestoreAction) -> u64 {
        let same = self.secrets.iter().filter(|secret| secret.action == action);
        same.count() as u64
    }
}

/// Says what [`restore`] would do now.
pub(super) fn plan(vault: &Vault, backup: &Backup, mode: RestoreMode) -> Result<Restored, Error> {
    match vault.peek_even_if_lost(|reader| compare(Some(reader), backup, mode))? {
        Some(planned) => Ok(planned),
        None => compare(None, backup, mode),
    }
}

/// Restores a backup in one commit.
pub(super) fn restore(
    vault: &Vault,
    backup: &Backup,
    mode: RestoreMode,
) -> Result<Restored, Error> {
    match mode == RestoreMode::Replace && vault.exists()? {
        true => replace(vault, backup),
        false => merge(vault, backup, mode),
    }
}

/// Adds the backup to the store, which is created if there is none.
fn merge(vault: &Vault, backup: &Backup, mode: RestoreMode) -> Result<Restored, Error> {
    let subject = Subject::store(AuditOperation::Restore);
    let if_missing = IfMissing::Create(OverLoss::Allow);
    vault.write(subject, if_missing, |writer| {
        let planned = compare(Some(&writer.reader()), backup, mode)?;
        let mut actions = planned.secrets.iter().map(|secret| secret.action);
        for scope in &backup.scopes {
            take_in(writer, scope, actions.by_ref())?;
        }
        Ok(planned)
    })
}

/// Replaces everything in the store with the backup, under new keys.
fn replace(vault: &Vault, backup: &Backup) -> Result<Restored, Error> {
    let subject = Subject::store(AuditOperation::Restore);
    vault.replace(subject, || {
        let mut rekey = Rekey::begin(vault, |snapshot| vault.unlock(snapshot))?;
        let planned = compare(Some(&rekey.old()), backup, RestoreMode::Replace)?;
        for scope in &backup.scopes {
            take_in(&mut rekey.new, scope, std::iter::repeat(RestoreAction::Add))?;
        }
        let slots = rekey.unlocked().slots.to_vec();
        rekey.commit(subject, slots)?;
        Ok(planned)
    })
}

/// Adds a scope of a backup, with what happens to each of its secrets.
///
/// A secret keeps the version and the times it has in the backup. One that replaces another is the
/// next version of that.
fn take_in(
    writer: &mut Writer<'_>,
    scope: &BackupScope,
    actions: impl Iterator<Item = RestoreAction>,
) -> Result<(), Error> {
    let (mut draft, is_new) = writer.draft_or_new(&NewScope {
        id: scope.id.clone(),
        kind: scope.kind,
        display_name: scope.display_name.clone(),
        redaction_hints: scope.redaction_hints.clone(),
    })?;
    if is_new {
        draft.record.created = scope.created;
    }
    for (secret, action) in scope.secrets.iter().zip(actions) {
        let mut entry = Entry {
            name: secret.name.clone(),
            version: secret.version,
            created: secret.created,
            updated: secret.updated,
            digest: [0; 32],
        };
        match action {
            RestoreAction::Add => draft.record.kind.check(&secret.name)?,
            RestoreAction::Replace => {
                let old = draft.entry(writer.snapshot(), &secret.name)?;
                let old = old.ok_or_else(|| {
                    not_found::bad_secret(&scope.id, &secret.name, Finding::Missing)
                })?;
                entry.version = old.version.saturating_add(1);
                entry.created = old.created;
            }
            RestoreAction::Keep | RestoreAction::Same | RestoreAction::Remove => continue,
        }
        writer.put_value(&mut draft, entry, secret.value.0.expose())?;
    }
    writer.put_scope(draft)
}

/// Says what happens to each secret: those of the backup first, then those that are removed.
fn compare(
    reader: Option<&Reader<'_>>,
    backup: &Backup,
    mode: RestoreMode,
) -> Result<Restored, Error> {
    let mut secrets = Vec::new();
    for scope in &backup.scopes {
        let there = match reader {
            Some(reader) => reader.scope(&scope.id)?,
            None => None,
        };
        for secret in &scope.secrets {
            secrets.push(RestoredSecret {
                scope: scope.id.clone(),
                name: secret.name.clone(),
                action: match &there {
                    Some(there) => action(there, secret, mode)?,
                    None => RestoreAction::Add,
                },
            });
        }
    }
    if let (Some(reader), RestoreMode::Replace) = (reader, mode) {
        let removed = removed(reader, &secrets)?;
        secrets.extend(removed);
    }
    Ok(Restored { secrets })
}

/// The secrets of the store that are not among those restored.
fn removed(reader: &Reader<'_>, restored: &[RestoredSecret]) -> Result<Vec<RestoredSecret>, Error> {
    let restored: BTreeSet<_> = restored.iter().map(|it| (&it.scope, &it.name)).collect();
    let mut removed = Vec::new();
    for (id, there) in &Contents::open(reader)?.scopes {
        let entries = reader.opened(id, Arc::clone(there)).entries()?;
        let names = entries.into_iter().map(|entry| entry.name);
        let gone = names.filter(|name| !restored.contains(&(id, name)));
        removed.extend(gone.map(|name| RestoredSecret {
            scope: id.clone(),
            name,
            action: RestoreAction::Remove,
        }));
    }
    Ok(removed)
}

fn action(
    there: &ScopeReader<'_>,
    secret: &BackupSecret,
    mode: RestoreMode,
) -> Result<RestoreAction, Error> {
    let Some(entry) = there.entry(&secret.name)? else {
        return Ok(RestoreAction::Add);
    };
    let value = there.existing_secret(&secret.name)?;
    Ok(if value.expose() == secret.value.0.expose() {
        RestoreAction::Same
    } else if mode == RestoreMode::Replace || secret.updated > entry.updated {
        RestoreAction::Replace
    } else {
        RestoreAction::Keep
    })
}
