//! Taking in many secrets of one scope at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::audited::Subject;
use super::credentials::Opening;
use super::pages::is_listed;
use super::sealed_store::Store;
use super::unlock::{OpenScope, Unlocked};
use crate::audit::AuditOperation;
use crate::backend::Snapshot;
use crate::keys::Ask;
use crate::{Error, NewScope, ScopeId, SecretName, SecretValue, Timestamp};

/// What becomes of a secret that the store has with another value than the one to be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OnConflict {
    /// It stays, and nothing at all is imported.
    #[default]
    Fail,
    /// It stays, and the others are imported.
    Skip,
    /// The imported value takes its place.
    Overwrite,
}

/// What becomes of a secret that is imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ImportAction {
    /// The store has none of this name: it is added.
    Add,
    /// Its value takes the place of the store's.
    Replace,
    /// The values differ, and the store's stays.
    Keep,
    /// The store has this very value already, and it is not written again. Never a conflict.
    Same,
}

/// What an import does, or did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imported {
    /// Whether the scope is made for it.
    pub scope_created: bool,
    /// Each secret in the order given, and what becomes of it.
    pub secrets: Vec<(SecretName, ImportAction)>,
}

impl Imported {
    /// How many secrets this becomes of.
    #[must_use]
    pub fn count(&self, action: ImportAction) -> u64 {
        let same = self.secrets.iter().filter(|(_, it)| *it == action);
        same.count() as u64
    }
}

impl Store {
    /// Stores many secrets of one scope in one commit, or none of them. A scope that does not exist
    /// becomes this one; one that does stays as it is.
    ///
    /// # Errors
    /// [`Error::Conflicts`] names every secret that the store has with another value, if
    /// `on_conflict` is [`Fail`](OnConflict::Fail); [`Error::NamedTwice`] if two of `secrets` have
    /// one name; else as a put. Nothing is stored then.
    pub fn import(
        &self,
        scope: &NewScope,
        secrets: &[(SecretName, SecretValue)],
        on_conflict: OnConflict,
    ) -> Result<Imported, Error> {
        let (new, scope) = (scope, &scope.id);
        let subject = Subject::scope(AuditOperation::Import, scope);
        if let Err(error) = self.check_names(new, secrets) {
            self.record_failure(subject, &error);
            return Err(error);
        }
        self.change(subject, |change| {
            let found = change.scope(scope)?;
            let (snapshot, unlocked) = (&*change.transaction, &change.unlocked);
            let imported = plan(
                snapshot,
                unlocked,
                scope,
                found.as_ref(),
                secrets,
                on_conflict,
            )?;
            let replaced = imported.secrets.iter().filter(|(_, action)| {
                on_conflict == OnConflict::Fail && *action == ImportAction::Replace
            });
            let names: Vec<_> = replaced.map(|(name, _)| name.clone()).collect();
            if !names.is_empty() {
                let scope = scope.clone();
                return Err(Error::Conflicts { scope, names });
            }
            let open = match found {
                Some(open) => open,
                None => change.add_scope(new)?,
            };
            let mut record = open.record.clone();
            let now = Timestamp::now();
            for ((name, value), (_, action)) in secrets.iter().zip(&imported.secrets) {
                // Somebody may have made it a scope of another kind meanwhile.
                record.kind.check(name)?;
                if matches!(action, ImportAction::Add | ImportAction::Replace) {
                    change.put_next(scope, &mut record, &open.key, name, value, now)?;
                }
            }
            if record != open.record {
                change.put_scope(scope, record, &open.key)?;
            }
            Ok(imported)
        })
    }

    /// What [`import`](Self::import) would do now. Changes nothing, and is recorded as a list of the
    /// scope. A conflict is no error: it is told as [`Replace`](ImportAction::Replace), or as
    /// [`Keep`](ImportAction::Keep) if such secrets are skipped.
    ///
    /// # Errors
    /// As a get, and if a name cannot be one in this scope.
    pub fn plan_import(
        &self,
        scope: &NewScope,
        secrets: &[(SecretName, SecretValue)],
        on_conflict: OnConflict,
    ) -> Result<Imported, Error> {
        self.check_names(scope, secrets)?;
        let scope = &scope.id;
        let planned = self.read(Subject::scope(AuditOperation::List, scope), |snapshot| {
            let unlocked = self.unlock(snapshot, Ask::Allowed)?;
            let found = unlocked.scope(snapshot, scope)?;
            plan(
                snapshot,
                &unlocked,
                scope,
                found.as_ref(),
                secrets,
                on_conflict,
            )
        })?;
        let all_new = || Imported {
            scope_created: true,
            secrets: as_new(secrets),
        };
        Ok(planned.unwrap_or_else(all_new))
    }

    /// Checks the names as far as that takes no question.
    fn check_names(
        &self,
        scope: &NewScope,
        secrets: &[(SecretName, SecretValue)],
    ) -> Result<(), Error> {
        let mut names = BTreeSet::new();
        if let Some((twice, _)) = secrets.iter().find(|(name, _)| !names.insert(name)) {
            let (scope, name) = (scope.id.clone(), twice.clone());
            return Err(Error::NamedTwice { scope, name });
        }
        let kind = self.snapshot(|snapshot| {
            let view = self.look(snapshot)?;
            match is_listed(view.header(), snapshot, &scope.id)? {
                true => Ok(view.scope(snapshot, &scope.id)?.kind),
                false => Ok(scope.kind),
            }
        })?;
        let kind = kind.unwrap_or(scope.kind);
        secrets.iter().try_for_each(|(name, _)| kind.check(name))?;
        Ok(())
    }
}

/// What becomes of each secret; one that differs is replaced unless such are skipped.
fn plan(
    snapshot: &dyn Snapshot,
    unlocked: &Arc<Unlocked>,
    scope: &ScopeId,
    found: Option<&Arc<OpenScope>>,
    secrets: &[(SecretName, SecretValue)],
    on_conflict: OnConflict,
) -> Result<Imported, Error> {
    let Some(open) = found else {
        return Ok(Imported {
            scope_created: true,
            secrets: as_new(secrets),
        });
    };
    let opening = Opening::of(snapshot, scope, Arc::clone(unlocked), Arc::clone(open));
    let planned = secrets.iter().map(|(name, value)| {
        let action = match opening.secret(name)? {
            None => ImportAction::Add,
            Some(stored) if stored.expose() == value.expose() => ImportAction::Same,
            Some(_) if on_conflict == OnConflict::Skip => ImportAction::Keep,
            Some(_) => ImportAction::Replace,
        };
        Ok((name.clone(), action))
    });
    Ok(Imported {
        scope_created: false,
        secrets: planned.collect::<Result<_, Error>>()?,
    })
}

fn as_new(secrets: &[(SecretName, SecretValue)]) -> Vec<(SecretName, ImportAction)> {
    let names = secrets.iter().map(|(name, _)| name.clone());
    names.map(|name| (name, ImportAction::Add)).collect()
}
