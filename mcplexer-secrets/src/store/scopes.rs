//! Bringing scopes into line with what somebody wants them to be.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::audited::Subject;
use super::pages::{self, is_listed};
use super::sealed_store::{Store, scope_not_found};
use super::transact::Change;
use super::unlock::OpenScope;
use crate::audit::AuditOperation;
use crate::error::{Finding, RecordName};
use crate::keys::Ask;
use crate::record::{Entry, Scope};
use crate::{Error, NewScope, ScopeId};

/// What becomes of a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScopeAction {
    /// It is not there, and is made.
    Create,
    /// Its kind, display name or hints are others, and are changed.
    Update,
    /// It is as it should be.
    Same,
    /// It goes, with its secrets.
    Delete,
    /// It is not among those that were named, and is left alone.
    Leave,
}

/// A scope, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AppliedScope {
    /// Its id.
    pub id: ScopeId,
    /// What becomes of it.
    pub action: ScopeAction,
    /// How many secrets it holds, or held.
    pub secrets: usize,
    /// The secrets, as the scope lists them.
    listed: Vec<Entry>,
}

impl Store {
    /// Whether there is such a scope, as far as the key at hand allows to verify it. Nothing is
    /// recorded.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn has_scope(&self, scope: &ScopeId) -> Result<bool, Error> {
        let found = self.snapshot(|snapshot| {
            let view = self.look(snapshot)?;
            is_listed(view.header(), snapshot, scope)
        })?;
        Ok(found.unwrap_or(false))
    }

    /// Gives a scope another kind, display name and hints, and says whether any of them was
    /// another.
    ///
    /// # Errors
    /// [`Error::ScopeNotFound`]; [`Error::KindMisfit`] if it holds a secret whose name the kind
    /// does not take.
    pub fn update_scope(&self, scope: &NewScope) -> Result<bool, Error> {
        scope.check()?;
        let differs = self.snapshot(|snapshot| {
            let unlocked = self.unlock(snapshot, Ask::Allowed)?;
            let open = unlocked.scope(snapshot, &scope.id)?;
            let open = open.ok_or_else(|| scope_not_found(&scope.id))?;
            Ok(scope.differs_from(&open.record))
        })?;
        if !differs.ok_or_else(|| scope_not_found(&scope.id))? {
            return Ok(false);
        }
        let subject = Subject::scope(AuditOperation::UpdateScope, &scope.id);
        self.change(subject, |change| {
            let open = change.scope(&scope.id)?;
            let open = open.ok_or_else(|| scope_not_found(&scope.id))?;
            change.update_scope(scope, &open)
        })?;
        Ok(true)
    }

    /// What [`apply_scopes`](Self::apply_scopes) would do now with these scopes, and which others
    /// there are, in the order of their ids. Changes nothing.
    ///
    /// # Errors
    /// As [`apply_scopes`](Self::apply_scopes).
    pub fn plan_scopes(&self, scopes: &[NewScope]) -> Result<Vec<AppliedScope>, Error> {
        let planned = self.snapshot(|snapshot| {
            let unlocked = self.unlock(snapshot, Ask::Allowed)?;
            let listed = pages::list(&unlocked.header, snapshot)?;
            let open = |id: &ScopeId| {
                let missing = || Error::tampered(RecordName::Scope(id.clone()), Finding::Missing);
                unlocked.scope(snapshot, id)?.ok_or_else(missing)
            };
            plan(scopes, &listed, &open)
        })?;
        match planned {
            Some(planned) => Ok(planned),
            None => plan(scopes, &[], &|id| Err(scope_not_found(id))),
        }
    }

    /// Makes those of these scopes that are not there, changes those that are others, and deletes
    /// `prune`, as [`plan_scopes`](Self::plan_scopes) has told of them, with their secrets: all of it in
    /// one commit, or none. Says what became of each, and writes nothing if there is nothing to do. A
    /// store is made if there is none, and so is a key.
    ///
    /// # Errors
    /// [`Error::ScopeChanged`] if a scope to be deleted has other secrets by now than were told of;
    /// [`Error::KindMisfit`] if a scope holds a secret whose name its new kind does not take;
    /// [`Error::StoreFull`]; else as a put. Then nothing was changed.
    pub fn apply_scopes(
        &self,
        scopes: &[NewScope],
        prune: &[AppliedScope],
    ) -> Result<Vec<AppliedScope>, Error> {
        let planned = self.plan_scopes(scopes)?;
        let changes = |it: &AppliedScope| {
            let goes = prune.iter().any(|pruned| pruned.id == it.id);
            matches!(it.action, ScopeAction::Create | ScopeAction::Update) || goes
        };
        if !planned.iter().any(changes) {
            return Ok(planned);
        }
        self.change(Subject::store(AuditOperation::ApplyConfig), |change| {
            change.apply_scopes(scopes, prune)
        })
    }
}

impl Change<'_> {
    fn apply_scopes(
        &mut self,
        scopes: &[NewScope],
        prune: &[AppliedScope],
    ) -> Result<Vec<AppliedScope>, Error> {
        let listed = pages::list(self.header(), &*self.transaction)?;
        let wanted: BTreeMap<_, _> = scopes.iter().map(|scope| (&scope.id, scope)).collect();
        let mut applied = plan(scopes, &listed, &|id| {
            let missing = || Error::tampered(RecordName::Scope(id.clone()), Finding::Missing);
            self.scope(id)?.ok_or_else(missing)
        })?;
        // What goes makes room for what comes.
        for scope in &mut applied {
            let told = prune.iter().find(|pruned| pruned.id == scope.id);
            if let Some(told) = told.filter(|_| scope.action == ScopeAction::Leave) {
                if told.listed != scope.listed {
                    return Err(Error::ScopeChanged {
                        scope: scope.id.clone(),
                    });
                }
                scope.action = ScopeAction::Delete;
                scope.secrets = self.remove_scope(&scope.id)?;
                self.also(AuditOperation::DeleteScope, &scope.id);
            }
        }
        for scope in &applied {
            let Some(wanted) = wanted.get(&scope.id) else {
                continue;
            };
            match scope.action {
                ScopeAction::Create => {
                    self.add_scope(wanted)?;
                    self.also(AuditOperation::CreateScope, &scope.id);
                }
                ScopeAction::Update => {
                    if let Some(open) = self.scope(&scope.id)? {
                        self.update_scope(wanted, &open)?;
                    }
                    self.also(AuditOperation::UpdateScope, &scope.id);
                }
                _ => {}
            }
        }
        Ok(applied)
    }

    fn update_scope(&mut self, wanted: &NewScope, open: &OpenScope) -> Result<(), Error> {
        wanted.fits(&open.record)?;
        let mut record = open.record.clone();
        record.kind = wanted.kind;
        record.display_name.clone_from(&wanted.display_name);
        record.redaction_hints.clone_from(&wanted.redaction_hints);
        self.put_scope(&wanted.id, record, &open.key)
    }
}

impl NewScope {
    fn differs_from(&self, record: &Scope) -> bool {
        self.kind != record.kind
            || self.display_name != record.display_name
            || self.redaction_hints != record.redaction_hints
    }

    /// Whether the scope can become this with the secrets it has.
    fn fits(&self, record: &Scope) -> Result<(), Error> {
        let mut names = record.secrets.iter().map(|entry| &entry.name);
        match names.find(|name| self.kind.check(name).is_err()) {
            None => Ok(()),
            Some(name) => Err(Error::KindMisfit {
                scope: self.id.clone(),
                kind: self.kind,
                name: name.clone(),
            }),
        }
    }
}

/// What becomes of each scope that is wanted, and which others there are, by id. `open` opens one
/// that is listed.
fn plan(
    scopes: &[NewScope],
    listed: &[ScopeId],
    open: &dyn Fn(&ScopeId) -> Result<Arc<OpenScope>, Error>,
) -> Result<Vec<AppliedScope>, Error> {
    let mut planned = BTreeMap::new();
    for id in listed {
        planned.insert(id, (ScopeAction::Leave, open(id)?.record.secrets.clone()));
    }
    for scope in scopes {
        scope.check()?;
        let mut becomes = (ScopeAction::Create, Vec::new());
        if listed.binary_search(&scope.id).is_ok() {
            let there = open(&scope.id)?;
            scope.fits(&there.record)?;
            let action = match scope.differs_from(&there.record) {
                true => ScopeAction::Update,
                false => ScopeAction::Same,
            };
            becomes = (action, there.record.secrets.clone());
        }
        planned.insert(&scope.id, becomes);
    }
    let applied = planned
        .into_iter()
        .map(|(id, (action, listed))| AppliedScope {
            id: id.clone(),
            action,
            secrets: listed.len(),
            listed,
        });
    Ok(applied.collect())
}
