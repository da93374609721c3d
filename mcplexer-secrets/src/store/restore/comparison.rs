//! What restoring a backup would do to each secret.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Part, RestoreAction, RestoreMode, Restored, RestoredSecret, is_of};
use crate::Error;
use crate::backup::{Backup, BackupSecret, BackupVersion};
use crate::record::{Earlier, Entry};
use crate::store::contents::Contents;
use crate::store::reader::{Reader, ScopeReader};

/// What restoring would do.
pub(super) struct Planned {
    pub(super) restored: Restored,
    /// How the store lists each secret of the backup.
    pub(super) before: Vec<Option<Entry>>,
}

/// Says what happens to each secret of these parts of a backup: those first, then those that are removed.
pub(super) fn compare(
    reader: Option<&Reader<'_>>,
    backup: &Backup,
    parts: &[Part<'_>],
    mode: RestoreMode,
) -> Result<Planned, Error> {
    let (mut secrets, mut before) = (Vec::new(), Vec::new());
    let by_revision = reader.is_some_and(|reader| is_of(backup, reader.header()));
    for Part {
        scope,
        secrets: part,
    } in parts
    {
        let there = match reader {
            Some(reader) => reader.scope(&scope.id)?,
            None => None,
        };
        for secret in *part {
            let entry = match &there {
                Some(there) => there.entry(&secret.name)?,
                None => None,
            };
            let (action, version, changed_in_both) = match (&there, &entry) {
                (Some(scope), Some(entry)) => {
                    let both = Both {
                        scope,
                        entry,
                        secret,
                    };
                    let action = both.action(mode, by_revision)?;
                    let changed = mode == RestoreMode::Merge
                        && by_revision
                        && both.was_changed_in_both(action)?;
                    (action, both.version(action, changed), changed)
                }
                _ => (RestoreAction::Add, Some(secret.version), false),
            };
            before.push(entry);
            secrets.push(RestoredSecret {
                scope: scope.id.clone(),
                name: secret.name.clone(),
                action,
                version,
                changed_in_both,
            });
        }
    }
    if let (Some(reader), RestoreMode::Replace) = (reader, mode) {
        let removed = removed(reader, &secrets)?;
        secrets.extend(removed);
    }
    let restored = Restored { secrets };
    Ok(Planned { restored, before })
}

/// A secret that is in the store and in the backup.
struct Both<'a> {
    scope: &'a ScopeReader<'a>,
    entry: &'a Entry,
    secret: &'a BackupSecret,
}

impl Both<'_> {
    /// Says what happens to it. Only the revisions of one store can be compared.
    fn action(&self, mode: RestoreMode, by_revision: bool) -> Result<RestoreAction, Error> {
        let value = self.scope.existing_secret(&self.secret.name)?;
        if value.expose() == self.secret.value.0.expose() {
            return Ok(RestoreAction::Same);
        }
        let is_newer = match by_revision {
            true => self.secret.revision > self.entry.revision,
            false => self.secret.updated > self.entry.updated,
        };
        Ok(match (mode, is_newer) {
            (RestoreMode::Replace, _) | (_, true) => RestoreAction::Replace,
            (_, false) => RestoreAction::Keep,
        })
    }

    /// Returns whether both the store and the backup have changed the secret: the losing value is not an earlier
    /// version of the winning one. Versions that are no longer kept cannot be compared.
    fn was_changed_in_both(&self, action: RestoreAction) -> Result<bool, Error> {
        match action {
            RestoreAction::Keep => Ok(!self.backup_is_earlier()?),
            RestoreAction::Replace => Ok(!self.store_is_earlier()?),
            _ => Ok(false),
        }
    }

    fn store_is_earlier(&self) -> Result<bool, Error> {
        let earlier = &self.secret.earlier;
        let (version, revision) = earlier
            .first()
            .map_or((self.secret.version, self.secret.revision), |oldest| {
                (oldest.version, oldest.revision)
            });
        let value = self.scope.existing_secret(&self.secret.name)?;
        let is_it = |it: &BackupVersion| it.value.0.expose() == value.expose();
        Ok((version > 1 && self.entry.revision < revision) || earlier.iter().any(is_it))
    }

    fn backup_is_earlier(&self) -> Result<bool, Error> {
        let earlier = self.scope.earlier(&self.secret.name)?;
        let (version, revision) = earlier
            .first()
            .map_or((self.entry.version, self.entry.revision), |oldest| {
                (oldest.version, oldest.revision)
            });
        if version > 1 && self.secret.revision < revision {
            return Ok(true);
        }
        for Earlier { version, .. } in earlier {
            let value = self.scope.version(&self.secret.name, version)?;
            if value.expose() == self.secret.value.0.expose() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns the version that the backup's value becomes.
    fn version(&self, action: RestoreAction, changed_in_both: bool) -> Option<u64> {
        let is_stored = match action {
            RestoreAction::Replace => true,
            RestoreAction::Keep => changed_in_both && self.scope.record().keep_versions > 0,
            _ => false,
        };
        is_stored.then(|| self.entry.version.saturating_add(1))
    }
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
            version: None,
            changed_in_both: false,
        }));
    }
    Ok(removed)
}
