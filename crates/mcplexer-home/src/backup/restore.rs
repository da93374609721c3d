//! Restores a backup: plans first, so that a front end can ask.

use mcplexer_secrets::backup::Backup;
use mcplexer_secrets::{RestoreAction, RestoreMode, Restored, ScopeId, SecretName, SecretStore};
use serde::Serialize;

use super::{Error, Maker};
use crate::open::OpenHome;

/// A backup to restore.
#[derive(Debug)]
pub struct Restore<'a> {
    /// The backup.
    pub backup: &'a Backup,
    /// What happens to secrets of the store. `None` is an error unless it has none.
    pub mode: Option<RestoreMode>,
    /// Restore it also if nobody can tell who made it.
    pub unknown_maker: bool,
}

/// What restoring a backup would do.
#[derive(Debug)]
pub struct RestorePlan<'a> {
    backup: &'a Backup,
    mode: RestoreMode,
    report: RestoreReport,
}

/// What restoring a backup did, or would do.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct RestoreReport {
    /// Whether nothing was changed.
    pub dry_run: bool,
    /// Every secret of the backup, and every secret that is deleted, in order.
    pub secrets: Vec<RestoredRow>,
}

/// A secret, and what happens to it.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct RestoredRow {
    /// Its scope.
    pub scope: ScopeId,
    /// Its name.
    pub key: SecretName,
    /// What happens to it.
    pub action: Action,
    /// The version that the backup's value becomes; `None` if it is not stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Whether two copies of the store changed it separately. The value that does not become the current one is kept as
    /// an earlier version then, if the scope keeps any.
    pub changed_in_both: bool,
}

/// What happens to a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Action {
    /// It is only in the backup, and is added.
    Add,
    /// The value of the backup replaces that of the store.
    Replace,
    /// The store keeps its value, which is newer.
    Keep,
    /// Both have the same value.
    Same,
    /// It is only in the store, and is deleted.
    Remove,
}

impl<'a> Restore<'a> {
    /// Returns what restoring would do now. Changes nothing.
    ///
    /// # Errors
    /// - [`Error::StoreNotEmpty`] if the store has secrets and there is no mode.
    /// - [`Error::UnknownMaker`] or [`Error::EarlierMaker`] if somebody else may have made the backup, unless that is
    ///   allowed.
    pub fn plan(&self, open: &OpenHome) -> Result<RestorePlan<'a>, Error> {
        let mode = match self.mode {
            Some(mode) => mode,
            // Also where there was a store: the backup brings it back.
            None if !open.has_store() => RestoreMode::Merge,
            None if open.store().scopes()?.is_empty() => RestoreMode::Merge,
            None => {
                return Err(Error::StoreNotEmpty {
                    store: open.home().store().clone(),
                });
            }
        };
        if open.has_store() {
            // Before a question: restoring does not go on with a store that was put back.
            open.store().scope_names()?;
        }
        if !self.unknown_maker {
            match Maker::of(self.backup, open)? {
                Maker::Unknown => return Err(Error::UnknownMaker),
                Maker::Earlier => return Err(Error::EarlierMaker),
                Maker::ThisStore | Maker::OwnStore | Maker::Passphrase => {}
            }
        }
        let planned = open.store().plan_restore(self.backup, mode)?;
        Ok(RestorePlan {
            backup: self.backup,
            mode,
            report: RestoreReport::of(planned, true),
        })
    }
}

impl RestorePlan<'_> {
    /// Returns what would happen.
    #[must_use]
    pub fn report(&self) -> &RestoreReport {
        &self.report
    }

    /// Consumes the plan and returns what would happen.
    #[must_use]
    pub fn into_report(self) -> RestoreReport {
        self.report
    }

    /// Restores the backup, in one commit.
    ///
    /// # Errors
    /// [`Error::Store`] if it cannot. Nothing is changed then.
    pub fn run(&self, open: &OpenHome) -> Result<RestoreReport, Error> {
        let restored = open.store().restore(self.backup, self.mode)?;
        Ok(RestoreReport::of(restored, false))
    }
}

impl RestoreReport {
    fn of(restored: Restored, dry_run: bool) -> Self {
        let rows = restored.secrets.into_iter().map(|secret| RestoredRow {
            scope: secret.scope,
            key: secret.name,
            action: Action::from(secret.action),
            version: secret.version,
            changed_in_both: secret.changed_in_both,
        });
        Self {
            dry_run,
            secrets: rows.collect(),
        }
    }

    /// Returns the number of secrets to which this happens.
    #[must_use]
    pub fn count(&self, action: Action) -> u64 {
        let same = self.secrets.iter().filter(|row| row.action == action);
        same.count() as u64
    }

    /// Returns whether a value of the store is lost.
    #[must_use]
    pub fn loses(&self) -> bool {
        self.count(Action::Replace) + self.count(Action::Remove) > 0
    }
}

impl Action {
    /// Returns the word for it: `add`, `replace`, `keep`, `same` or `remove`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Replace => "replace",
            Self::Keep => "keep",
            Self::Same => "same",
            Self::Remove => "remove",
        }
    }
}

impl From<RestoreAction> for Action {
    fn from(action: RestoreAction) -> Self {
        match action {
            RestoreAction::Add => Self::Add,
            RestoreAction::Replace => Self::Replace,
            RestoreAction::Keep => Self::Keep,
            RestoreAction::Remove => Self::Remove,
            _ => Self::Same,
        }
    }
}

#[cfg(test)]
mod tests {
    use mcplexer_secrets::backup::BackupTo;

    use super::*;
    use crate::backup::{BackupKeys, Create, open};
    use crate::open::tests::{opened, put};

    #[test]
    fn a_store_with_secrets_needs_a_mode() {
        let directory = tempfile::tempdir().unwrap();
        let home = opened(&directory);
        put(&home, "web", "A", "old");
        let file = directory.path().join("b.age");
        let create = Create {
            file: &file,
            to: BackupTo::StoreKeys,
            overwrite: false,
        };
        create.run(&home, &mut |_| {}).unwrap();
        put(&home, "web", "A", "new");
        put(&home, "web", "B", "more");

        let backup = open(&file, &BackupKeys::InUse, &home).unwrap();
        let plan = |mode| {
            let backup = &backup;
            let restore = Restore {
                backup,
                mode,
                unknown_maker: false,
            };
            restore.plan(&home)
        };
        assert!(matches!(plan(None), Err(Error::StoreNotEmpty { .. })));
        let merge = plan(Some(RestoreMode::Merge)).unwrap();
        assert_eq!(merge.report().count(Action::Keep), 1);
        assert!(!merge.report().loses());
        let replace = plan(Some(RestoreMode::Replace)).unwrap();
        assert_eq!(replace.report().count(Action::Replace), 1);
        assert_eq!(replace.report().count(Action::Remove), 1);
        assert!(replace.report().loses() && replace.report().dry_run);
        let restored = replace.run(&home).unwrap();
        assert!(!restored.dry_run);
        assert_eq!(restored.count(Action::Remove), 1);
    }
}
