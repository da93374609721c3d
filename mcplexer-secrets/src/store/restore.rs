//! Restoring a backup.

use std::borrow::Cow;
use std::ops::Range;

use super::consistency::Version;
use super::draft::Draft;
use super::recorder::{OverLoss, Subject};
use super::rekey::Rekey;
use super::room::{BYTES_EACH, in_parts};
use super::scope::NewScope;
use super::vault::{IfMissing, Vault};
use super::versions::Incoming;
use super::writer::Writer;
use crate::audit::AuditOperation;
use crate::backup::{Backup, BackupScope, BackupSecret};
use crate::record::{Earlier, Entry, Header};
use crate::{Error, ScopeId, SecretName};

mod comparison;

use comparison::compare;

/// What happens to the secrets that a store has when a backup is restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RestoreMode {
    /// They stay, unless the backup's are newer.
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
    /// The version that the backup's value becomes; `None` if it is not stored.
    pub version: Option<u64>,
    /// Whether two copies of the store changed it separately. The value that does not become the current one
    /// is kept as an earlier version then, if the scope keeps any.
    pub changed_in_both: bool,
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
    let parts = whole(backup);
    let compared = vault.peek_even_if_lost(|reader| compare(Some(reader), backup, &parts, mode))?;
    let planned = match compared {
        Some(planned) => planned,
        None => compare(None, backup, &parts, mode)?,
    };
    Ok(planned.restored)
}

/// Restores a backup.
pub(super) fn restore(
    vault: &Vault,
    backup: &Backup,
    mode: RestoreMode,
) -> Result<Restored, Error> {
    // A store that was put back may let a former owner in. So a backup brings back a store that is gone, and does not
    // go on with one that the log contradicts.
    let over_loss = match vault.exists()? {
        true if mode == RestoreMode::Replace => return replace(vault, backup),
        true => OverLoss::Refuse,
        false => OverLoss::Allow,
    };
    merge(vault, backup, mode, over_loss)
}

/// Some secrets of a scope of a backup.
#[derive(Clone, Copy)]
struct Part<'a> {
    scope: &'a BackupScope,
    secrets: &'a [BackupSecret],
}

/// A whole backup.
fn whole(backup: &Backup) -> Vec<Part<'_>> {
    let scopes = backup.scopes.iter();
    let part = |scope| Part {
        scope,
        secrets: &scope.secrets,
    };
    scopes.map(part).collect()
}

/// The length of each secret of a backup with its earlier versions. A scope without any is created.
fn sizes(backup: &Backup) -> Vec<usize> {
    let size = |secret: &BackupSecret| {
        let earlier = secret.earlier.iter();
        let earlier = earlier.map(|it| it.value.0.expose().len() + BYTES_EACH);
        secret.value.0.expose().len() + earlier.sum::<usize>()
    };
    let scopes = backup.scopes.iter();
    let of_scope = |scope: &BackupScope| match scope.secrets.as_slice() {
        [] => vec![0],
        secrets => secrets.iter().map(size).collect(),
    };
    scopes.flat_map(of_scope).collect()
}

/// Some items of a backup: a secret is one, and so is a scope without any.
fn part<'a>(backup: &'a Backup, items: &Range<usize>) -> Vec<Part<'a>> {
    let mut parts = Vec::new();
    let mut begin = 0;
    for scope in &backup.scopes {
        let end = begin + scope.secrets.len().max(1);
        let (from, to) = (items.start.max(begin), items.end.min(end));
        if from < to {
            let secrets = scope.secrets.get(from - begin..to - begin);
            let secrets = secrets.unwrap_or_default();
            parts.push(Part { scope, secrets });
        }
        begin = end;
    }
    parts
}

/// Adds the backup to the store, and creates the store if it is missing. In several commits if the engine limits one: each
/// leaves a whole store, and the same again finds what was restored to be [`Same`](RestoreAction::Same).
fn merge(
    vault: &Vault,
    backup: &Backup,
    mode: RestoreMode,
    over_loss: OverLoss,
) -> Result<Restored, Error> {
    let subject = Subject::store(AuditOperation::Restore);
    let sizes = sizes(backup);
    let mut all = Restored {
        secrets: Vec::new(),
    };
    let restored = in_parts(vault.backend.limits(), &sizes, |items| {
        // What the first commit created is not a loss, and has nothing that would be removed.
        let (over_loss, mode) = match items.start {
            0 => (over_loss, mode),
            _ => (OverLoss::Refuse, RestoreMode::Merge),
        };
        let parts = part(backup, &items);
        let part = vault.try_write(subject, IfMissing::Create(over_loss), |writer| {
            let planned = compare(Some(&writer.reader()), backup, &parts, mode)?;
            let mut rows = planned.restored.secrets.iter().zip(planned.before);
            let is_same_store = is_of(backup, writer.header());
            for part in &parts {
                take_in(writer, *part, is_same_store, rows.by_ref())?;
            }
            Ok(planned.restored)
        })?;
        all.secrets.extend(part.secrets);
        Ok(())
    });
    restored.inspect_err(|error| vault.record_failure(subject, error))?;
    Ok(all)
}

/// Replaces everything in the store with the backup, under new keys.
fn replace(vault: &Vault, backup: &Backup) -> Result<Restored, Error> {
    let subject = Subject::store(AuditOperation::Restore);
    vault.replace(subject, OverLoss::Refuse, || {
        let mut rekey = Rekey::begin_anew(vault, |snapshot| vault.unlock(snapshot))?;
        let planned = compare(
            Some(&rekey.old()),
            backup,
            &whole(backup),
            RestoreMode::Replace,
        )?;
        let mut added = planned.restored.secrets.clone();
        for secret in &mut added {
            secret.action = RestoreAction::Add;
        }
        let mut rows = added.iter().zip(planned.before);
        for part in whole(backup) {
            // What is restored on purpose is newer than what any copy of this store has.
            take_in(&mut rekey.new, part, false, rows.by_ref())?;
        }
        let slots = rekey.unlocked().slots.to_vec();
        let slots = rekey.wrap(None, slots)?;
        rekey.commit(subject, OverLoss::Refuse, None, slots)?;
        Ok(planned.restored)
    })
}

/// Whether the backup is one of the store with this header, or of a copy of it.
fn is_of(backup: &Backup, header: &Header) -> bool {
    backup.store == header.store.to_string()
}

/// Adds a scope of a backup, with what happens to each of its secrets and how the store lists it.
///
/// A secret keeps the version and the times it has in the backup, but its time does not go back. One that
/// replaces another is the next version of that. In a merge into the store that was backed up it keeps its
/// revision as well, by which copies of the store are compared.
fn take_in<'a>(
    writer: &mut Writer<'_>,
    Part { scope, secrets }: Part<'_>,
    keeps_revision: bool,
    rows: impl Iterator<Item = (&'a RestoredSecret, Option<Entry>)>,
) -> Result<(), Error> {
    let (mut draft, is_new) = writer.draft_or_new(&NewScope {
        id: scope.id.clone(),
        kind: scope.kind,
        display_name: scope.display_name.clone(),
        redaction_hints: scope.redaction_hints.clone(),
        keep_versions: scope.keep_versions,
    })?;
    if is_new {
        draft.record.created = scope.created;
    }
    let next = writer.next_revision();
    for (secret, (planned, before)) in secrets.iter().zip(rows) {
        let revision = |revision| if keeps_revision { revision } else { next };
        let mut entry = Entry {
            name: secret.name.clone(),
            version: secret.version,
            created: secret.created,
            updated: secret.updated,
            revision: revision(secret.revision),
            note: secret.note.clone(),
            expires: secret.expires,
            rotate_every: secret.rotate_every,
            digest: [0; 32],
        };
        if let Some(before) = &before {
            entry.updated = entry.updated.max(before.updated);
            entry.revision = entry.revision.max(before.revision.saturating_add(1));
        }
        writer.follow_revision(entry.revision);
        match (planned.action, before) {
            (RestoreAction::Add, _) => {
                draft.record.kind.check(&secret.name)?;
                add(writer, &mut draft, &entry, secret, revision)?;
            }
            (RestoreAction::Replace, Some(before)) => {
                entry.version = before.version.saturating_add(1);
                entry.created = before.created;
                if planned.changed_in_both {
                    entry.note = entry.note.or_else(|| before.note.clone());
                }
                let value = secret.value.0.expose();
                writer.put_version(&mut draft, Some(&before), entry, value)?;
            }
            (RestoreAction::Keep, Some(before)) if planned.version.is_some() => {
                entry.version = before.version.saturating_add(1);
                entry.created = before.created;
                put_before(writer, &mut draft, &before, entry, secret)?;
            }
            _ => {}
        }
    }
    writer.put_scope(draft)
}

/// Puts the value of a backup as the version that `entry` describes, and the store's value again after it.
fn put_before(
    writer: &mut Writer<'_>,
    draft: &mut Draft,
    before: &Entry,
    entry: Entry,
    secret: &BackupSecret,
) -> Result<(), Error> {
    let reader = writer.reader();
    let own = reader
        .existing_scope(&draft.id)?
        .existing_secret(&before.name)?;
    let again = Entry {
        version: entry.version.saturating_add(1),
        revision: entry.revision.saturating_add(1),
        ..before.clone()
    };
    writer.follow_revision(again.revision);
    writer.put_version(draft, Some(before), entry, secret.value.0.expose())?;
    let put = draft.entry(writer.snapshot(), &before.name)?.cloned();
    writer.put_version(draft, put.as_ref(), again, own.expose())
}

/// Adds a secret of a backup with those of its earlier versions that the scope keeps.
fn add(
    writer: &mut Writer<'_>,
    draft: &mut Draft,
    entry: &Entry,
    secret: &BackupSecret,
    revision: impl Fn(u64) -> u64,
) -> Result<(), Error> {
    let keep = usize::from(draft.record.keep_versions);
    let earlier = &secret.earlier;
    let kept = earlier.iter().skip(earlier.len().saturating_sub(keep));
    let mut version = Version {
        entry: Cow::Borrowed(entry),
        is_current: true,
        left: kept.len(),
    };
    let mut incoming = Incoming::default();
    incoming.put(writer, draft, &version, secret.value.0.expose())?;
    for old in kept {
        version = Version {
            entry: Cow::Owned(entry.at(&Earlier {
                version: old.version,
                updated: old.updated,
                revision: revision(old.revision),
                digest: [0; 32],
            })),
            is_current: false,
            left: version.left.saturating_sub(1),
        };
        incoming.put(writer, draft, &version, old.value.0.expose())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;
    use crate::backup::{BackupKey, BackupTo, BackupVersion};
    use crate::keys::{FixedKeys, Identity};
    use crate::store::backup;
    use crate::store::fixture::{change, id, keyed, name, scope, value};
    use crate::store::life::SecretEdit;

    /// Puts a value of `s/K` under a clock that shows `now`.
    fn put_at(vault: &Vault, bytes: &[u8], now: &str) {
        let now: Timestamp = now.parse().unwrap();
        change(vault, |writer| {
            let (mut draft, _) = writer.draft_or_new(&scope("s"))?;
            let edit = SecretEdit::default();
            writer.put_next(&mut draft, &name("K"), &value(bytes), &edit, now)?;
            writer.put_scope(draft)
        })
        .unwrap();
    }

    fn entry(vault: &Vault) -> (Vec<u8>, Entry) {
        let read = vault.peek(|reader| {
            let scope = reader.existing_scope(&id("s"))?;
            let value = scope.existing_secret(&name("K"))?;
            Ok((value.expose().to_vec(), scope.entry(&name("K"))?.unwrap()))
        });
        read.unwrap().unwrap()
    }

    /// A backup of the vault.
    fn backup_of(vault: &Vault, identity: &Identity) -> Backup {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("b.age");
        backup::write(vault, &path, BackupTo::StoreKeys, false, &mut |_| ()).unwrap();
        Backup::open(&path, BackupKey::Identities(std::slice::from_ref(identity))).unwrap()
    }

    /// T10: a value that was stored under a wrong clock does not win over a later one for ever.
    #[test]
    fn a_clock_that_was_wrong_does_not_bring_an_older_value_back() {
        let identity = Identity::generate();
        let vault = keyed(FixedKeys::new(vec![identity.clone()]));
        put_at(&vault, b"under a clock of 2030", "2030-01-01T00:00:00Z");
        let wrong = backup_of(&vault, &identity);
        // A secret that was deleted begins anew, with the time of then.
        change(&vault, |writer| writer.delete_secret(&id("s"), &name("K"))).unwrap();
        put_at(&vault, b"with the right clock", "2026-01-01T00:00:00Z");
        let restored = restore(&vault, &wrong, RestoreMode::Merge).unwrap();
        assert_eq!(restored.secrets[0].action, RestoreAction::Keep);
        assert!(restored.secrets[0].changed_in_both);
        assert_eq!(entry(&vault).0, b"with the right clock");
    }

    /// T10, as it was found: the second value has the time of the first, and a higher revision.
    #[test]
    fn a_value_over_one_of_2030_stays() {
        let identity = Identity::generate();
        let vault = keyed(FixedKeys::new(vec![identity.clone()]));
        put_at(&vault, b"under a clock of 2030", "2030-01-01T00:00:00Z");
        let wrong = backup_of(&vault, &identity);
        put_at(&vault, b"with the right clock", "2026-01-01T00:00:00Z");
        let restored = restore(&vault, &wrong, RestoreMode::Merge).unwrap();
        assert_eq!(restored.secrets[0].action, RestoreAction::Keep);
        assert_eq!(entry(&vault).0, b"with the right clock");
    }

    #[test]
    fn the_time_of_a_secret_never_goes_back() {
        let identity = Identity::generate();
        let vault = keyed(FixedKeys::new(vec![identity.clone()]));
        let newest: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
        put_at(&vault, b"one", "2026-01-01T00:00:00Z");
        let old = backup_of(&vault, &identity);
        put_at(&vault, b"two", "2030-01-01T00:00:00Z");
        put_at(&vault, b"three", "2026-02-01T00:00:00Z");
        assert_eq!(entry(&vault).1.updated, newest);
        restore(&vault, &old, RestoreMode::Replace).unwrap();
        let (value, restored) = entry(&vault);
        assert_eq!((&value[..], restored.updated), (&b"one"[..], newest));
    }

    fn history(vault: &Vault) -> Vec<(u64, Vec<u8>)> {
        let read = vault.peek(|reader| {
            let scope = reader.existing_scope(&id("s"))?;
            let newest = scope.entry(&name("K"))?.unwrap().version;
            let earlier = scope.earlier(&name("K"))?;
            let versions = earlier.iter().map(|it| it.version).chain([newest]);
            let open = |version| {
                let value = scope.version(&name("K"), version)?;
                Ok((version, value.expose().to_vec()))
            };
            versions.map(open).collect()
        });
        read.unwrap().unwrap()
    }

    #[test]
    fn a_value_that_lost_to_another_branch_becomes_the_version_before() {
        let identity = Identity::generate();
        let vault = keyed(FixedKeys::new(vec![identity.clone()]));
        put_at(&vault, b"both", "2026-01-01T00:00:00Z");
        put_at(&vault, b"lap", "2026-02-01T00:00:00Z");
        // A copy of the store went on with another value.
        let mut other = backup_of(&vault, &identity);
        other.scopes[0].secrets[0].value.0 = value(b"desk");
        let planned = plan(&vault, &other, RestoreMode::Merge).unwrap();
        let restored = restore(&vault, &other, RestoreMode::Merge).unwrap();
        assert_eq!(planned, restored);
        assert_eq!(restored.secrets[0].action, RestoreAction::Keep);
        assert!(restored.secrets[0].changed_in_both);
        assert_eq!(restored.secrets[0].version, Some(3));
        let versions = [
            (1, b"both".to_vec()),
            (2, b"lap".to_vec()),
            (3, b"desk".to_vec()),
            (4, b"lap".to_vec()),
        ];
        assert_eq!(history(&vault), versions);
        // The same backup again brings nothing new, nor does one of before.
        let again = restore(&vault, &other, RestoreMode::Merge).unwrap();
        assert_eq!(again.secrets[0].action, RestoreAction::Keep);
        assert!(!again.secrets[0].changed_in_both);
        assert_eq!(history(&vault), versions);
    }

    /// What was changed in both is named, whichever wins; a value that only one has changed since is not.
    #[test]
    fn a_value_of_another_branch_that_wins_is_named_too() {
        for both_changed in [true, false] {
            let identity = Identity::generate();
            let vault = keyed(FixedKeys::new(vec![identity.clone()]));
            put_at(&vault, b"both", "2026-01-01T00:00:00Z");
            let mut other = backup_of(&vault, &identity);
            let secret = &mut other.scopes[0].secrets[0];
            secret.earlier.push(BackupVersion {
                version: secret.version,
                updated: secret.updated,
                revision: secret.revision,
                value: std::mem::replace(
                    &mut secret.value,
                    crate::backup::BackupValue(value(b"desk")),
                ),
            });
            secret.version = 2;
            secret.revision = 100;
            if both_changed {
                put_at(&vault, b"lap", "2026-02-01T00:00:00Z");
            }
            let restored = restore(&vault, &other, RestoreMode::Merge).unwrap();
            assert_eq!(restored.secrets[0].action, RestoreAction::Replace);
            assert_eq!(restored.secrets[0].changed_in_both, both_changed);
            let newest = history(&vault).pop().unwrap();
            assert_eq!(newest.1, b"desk");
        }
    }

    #[test]
    fn a_value_of_before_the_oldest_version_is_no_branch() {
        let identity = Identity::generate();
        let vault = keyed(FixedKeys::new(vec![identity.clone()]));
        put_at(&vault, b"first", "2026-01-01T00:00:00Z");
        let old = backup_of(&vault, &identity);
        for bytes in [b"1", b"2", b"3", b"4", b"5", b"6"] {
            put_at(&vault, bytes, "2026-02-01T00:00:00Z");
        }
        let restored = restore(&vault, &old, RestoreMode::Merge).unwrap();
        assert_eq!(restored.secrets[0].action, RestoreAction::Keep);
    }

    /// Revisions of two stores have nothing to do with each other.
    #[test]
    fn a_backup_of_another_store_is_compared_by_time() {
        let identity = Identity::generate();
        let keys = || FixedKeys::new(vec![identity.clone()]);
        let (vault, other) = (keyed(keys()), keyed(keys()));
        for bytes in [b"1", b"2", b"3"] {
            put_at(&other, bytes, "2026-01-01T00:00:00Z");
        }
        let earlier = backup_of(&other, &identity);
        put_at(&vault, b"here", "2026-02-01T00:00:00Z");
        let restored = restore(&vault, &earlier, RestoreMode::Merge).unwrap();
        assert_eq!(restored.secrets[0].action, RestoreAction::Keep);
        put_at(&other, b"there", "2026-03-01T00:00:00Z");
        let later = backup_of(&other, &identity);
        let restored = restore(&vault, &later, RestoreMode::Merge).unwrap();
        assert_eq!(restored.secrets[0].action, RestoreAction::Replace);
        let (value, entry) = entry(&vault);
        assert_eq!((&value[..], entry.version), (&b"there"[..], 2));
    }
}
