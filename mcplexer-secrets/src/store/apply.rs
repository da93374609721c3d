//! Applying a list of scopes: creating, updating and deleting scopes together.

use std::collections::{BTreeMap, BTreeSet};

use super::not_found;
use super::reader::Reader;
use super::recorder::Subject;
use super::room::in_parts;
use super::scope::{NewScope, ScopeEdit};
use super::vault::{IfMissing, Vault};
use super::writer::Writer;
use crate::audit::AuditOperation;
use crate::record::Pages;
use crate::{Error, ScopeId};

/// What happens to a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScopeAction {
    /// It does not exist, and is created.
    Create,
    /// Its kind, display name or hints differ, and are changed.
    Update,
    /// It is as wanted.
    Same,
    /// It is deleted, with its secrets.
    Delete,
    /// It is not in the list, and stays as it is.
    Leave,
}

/// A scope, and what happens to it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AppliedScope {
    /// Its id.
    pub id: ScopeId,
    /// What happens to it.
    pub action: ScopeAction,
    /// How many secrets it holds, or held.
    pub secrets: usize,
    /// Stands for the list of its secrets.
    listed: Pages,
}

/// Updates one scope; returns whether anything differed.
pub(super) fn update(vault: &Vault, scope: &NewScope) -> Result<bool, Error> {
    scope.check()?;
    let differs = vault.peek(|reader| {
        let there = reader.existing_scope(&scope.id)?;
        Ok(scope.differs_from(there.record()))
    })?;
    if !differs.ok_or_else(|| not_found::scope(&scope.id))? {
        return Ok(false);
    }
    let subject = Subject::scope(AuditOperation::UpdateScope, &scope.id);
    let if_missing = IfMissing::ScopeNotFound(&scope.id);
    vault.write(subject, if_missing, |writer| writer.update_scope(scope))?;
    Ok(true)
}

/// Changes parts of one scope, and leaves the others as they are by then; returns whether anything differed.
pub(super) fn edit(vault: &Vault, id: &ScopeId, edit: &ScopeEdit) -> Result<bool, Error> {
    let differs = vault.peek(|reader| {
        let there = reader.existing_scope(id)?;
        let wanted = NewScope::edited(id, there.record(), edit);
        wanted.check()?;
        Ok(wanted.differs_from(there.record()))
    })?;
    if !differs.ok_or_else(|| not_found::scope(id))? {
        return Ok(false);
    }
    let subject = Subject::scope(AuditOperation::UpdateScope, id);
    vault.write(subject, IfMissing::ScopeNotFound(id), |writer| {
        let wanted = NewScope::edited(id, writer.reader().existing_scope(id)?.record(), edit);
        writer.update_scope(&wanted)
    })?;
    Ok(true)
}

/// Says what [`apply`] would do now with these scopes, and which others exist, sorted.
pub(super) fn plan(vault: &Vault, scopes: &[NewScope]) -> Result<Vec<AppliedScope>, Error> {
    match vault.peek(|reader| compare(scopes, Some(reader)))? {
        Some(planned) => Ok(planned),
        None => compare(scopes, None),
    }
}

/// Creates and updates these scopes, and deletes `prune`, in one commit, or in several if the engine limits one. Writes nothing
/// if there is nothing to do.
pub(super) fn apply(
    vault: &Vault,
    scopes: &[NewScope],
    prune: &[AppliedScope],
) -> Result<Vec<AppliedScope>, Error> {
    let planned = plan(vault, scopes)?;
    let changes = |it: &AppliedScope| {
        let is_pruned = prune.iter().any(|pruned| pruned.id == it.id);
        matches!(it.action, ScopeAction::Create | ScopeAction::Update) || is_pruned
    };
    if !planned.iter().any(changes) {
        return Ok(planned);
    }
    let subject = Subject::store(AuditOperation::ApplyConfig);
    let wanted: BTreeSet<_> = scopes.iter().map(|scope| &scope.id).collect();
    let mut prune = prune.to_vec();
    prune.retain(|it| !wanted.contains(&it.id));
    let sizes = vec![0; prune.len() + scopes.len()];
    let mut all = planned;
    let applied = in_parts(vault.backend.limits(), &sizes, |items| {
        let is_whole = items.len() == sizes.len();
        // Deleting first makes room for new scopes.
        let pruned = prune.get(items.start.min(prune.len())..items.end.min(prune.len()));
        let pruned = pruned.unwrap_or_default();
        let first = items.start.saturating_sub(prune.len());
        let part = scopes.get(first..items.end.saturating_sub(prune.len()));
        let part = part.unwrap_or_default();
        let applied = vault.try_write(subject, IfMissing::CREATE, |writer| {
            let mut applied = compare(part, Some(&writer.reader()))?;
            if items.start == 0 && !is_whole {
                let all = compare(scopes, Some(&writer.reader()))?;
                prune.iter().try_for_each(|it| require_same(&all, it))?;
            }
            delete(writer, &mut applied, pruned)?;
            create_and_update(writer, &applied, part)?;
            Ok(applied)
        })?;
        match is_whole {
            true => all = applied,
            false => all.extend(applied.into_iter().filter(|it| {
                let is_part = |id: &ScopeId| part.iter().any(|it| it.id == *id);
                it.action == ScopeAction::Delete || is_part(&it.id)
            })),
        }
        Ok(())
    });
    applied.inspect_err(|error| vault.record_failure(subject, error))?;
    // What a commit did to a scope takes the place of what was planned.
    let all: BTreeMap<_, _> = all.into_iter().map(|it| (it.id.clone(), it)).collect();
    Ok(all.into_values().collect())
}

/// Fails if a scope to delete has other secrets than it had in the plan.
fn require_same(now: &[AppliedScope], planned: &AppliedScope) -> Result<(), Error> {
    let changed = |it: &&AppliedScope| it.id == planned.id && it.listed != planned.listed;
    match now.iter().find(changed) {
        Some(changed) => Err(Error::ScopeChanged {
            scope: changed.id.clone(),
        }),
        None => Ok(()),
    }
}

/// Deletes the scopes that were planned to be left, and that the caller decided to prune.
fn delete(
    writer: &mut Writer<'_>,
    applied: &mut [AppliedScope],
    prune: &[AppliedScope],
) -> Result<(), Error> {
    let left = applied
        .iter_mut()
        .filter(|it| it.action == ScopeAction::Leave);
    for scope in left {
        let Some(planned) = prune.iter().find(|pruned| pruned.id == scope.id) else {
            continue;
        };
        require_same(std::slice::from_ref(scope), planned)?;
        scope.action = ScopeAction::Delete;
        scope.secrets = writer.delete_scope(&scope.id)?;
        writer.add_part(AuditOperation::DeleteScope, &scope.id);
    }
    Ok(())
}

fn create_and_update(
    writer: &mut Writer<'_>,
    applied: &[AppliedScope],
    scopes: &[NewScope],
) -> Result<(), Error> {
    let wanted: BTreeMap<_, _> = scopes.iter().map(|scope| (&scope.id, scope)).collect();
    for scope in applied {
        let Some(wanted) = wanted.get(&scope.id) else {
            continue;
        };
        match scope.action {
            ScopeAction::Create => {
                writer.create_scope(wanted)?;
                writer.add_part(AuditOperation::CreateScope, &scope.id);
            }
            ScopeAction::Update => {
                writer.update_scope(wanted)?;
                writer.add_part(AuditOperation::UpdateScope, &scope.id);
            }
            ScopeAction::Same | ScopeAction::Delete | ScopeAction::Leave => {}
        }
    }
    Ok(())
}

/// Says what happens to each wanted scope, and which others exist, sorted.
fn compare(scopes: &[NewScope], reader: Option<&Reader<'_>>) -> Result<Vec<AppliedScope>, Error> {
    let mut planned = BTreeMap::new();
    if let Some(reader) = reader {
        for id in reader.scope_ids()? {
            let record = reader.listed_scope(&id)?.record().clone();
            planned.insert(id, (ScopeAction::Leave, record.secrets, record.pages));
        }
    }
    for wanted in scopes {
        wanted.check()?;
        let there = match reader {
            Some(reader) => reader.scope(&wanted.id)?,
            None => None,
        };
        let planned_scope = match there {
            None => (ScopeAction::Create, 0, Vec::new()),
            Some(there) => {
                let record = there.record();
                wanted.check_fits(&there)?;
                let action = match wanted.differs_from(record) {
                    true => ScopeAction::Update,
                    false => ScopeAction::Same,
                };
                (action, record.secrets, record.pages.clone())
            }
        };
        planned.insert(wanted.id.clone(), planned_scope);
    }
    let applied = planned
        .into_iter()
        .map(|(id, (action, secrets, listed))| AppliedScope {
            id,
            action,
            secrets: usize::try_from(secrets).unwrap_or(usize::MAX),
            listed,
        });
    Ok(applied.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ScopeKind;
    use crate::store::fixture::{filled, id, scope, vault};

    fn actions(applied: &[AppliedScope]) -> Vec<ScopeAction> {
        applied.iter().map(|it| it.action).collect()
    }

    #[test]
    fn a_plan_says_what_apply_does() {
        let vault = filled();
        let mut wanted = [scope("s"), scope("u")];
        wanted[0].kind = ScopeKind::Header;
        let planned = plan(&vault, &wanted).unwrap();
        let expected = [ScopeAction::Update, ScopeAction::Leave, ScopeAction::Create];
        assert_eq!(actions(&planned), expected);
        let applied = apply(&vault, &wanted, &planned[1..2]).unwrap();
        let expected = [
            ScopeAction::Update,
            ScopeAction::Delete,
            ScopeAction::Create,
        ];
        assert_eq!(actions(&applied), expected);
        let ids = plan(&vault, &[]);
        let ids: Vec<_> = ids.unwrap().into_iter().map(|it| it.id).collect();
        assert_eq!(ids, [id("s"), id("u")]);
    }

    #[test]
    fn an_update_says_whether_anything_differed() {
        let (store, mut wanted) = (filled(), scope("t"));
        assert!(!update(&store, &wanted).unwrap());
        wanted.display_name = Some("T".to_owned());
        assert!(update(&store, &wanted).unwrap());
        let missing = update(&vault(), &wanted);
        assert!(matches!(missing, Err(Error::ScopeNotFound { .. })));
    }
}
