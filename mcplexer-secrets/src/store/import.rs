//! Importing many secrets at once, into one scope or several.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::life::SecretEdit;
use super::reader::{Reader, ScopeReader};
use super::recorder::Subject;
use super::room::in_parts;
use super::scope::NewScope;
use super::state::SecretState;
use super::vault::{IfMissing, Vault};
use super::writer::Writer;
use crate::audit::AuditOperation;
use crate::{Error, SecretName, SecretValue, Timestamp};

/// What happens to a secret that the store has with another value than the imported one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OnConflict {
    /// It stays, and nothing at all is imported.
    #[default]
    Fail,
    /// It stays, and the others are imported.
    Skip,
    /// The imported value replaces it.
    Overwrite,
    /// The imported value is written as a new version, also where the store has it already. So an import does not show whether the
    /// values are the same.
    Rewrite,
}

/// What happens to an imported secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ImportAction {
    /// The store has no secret with this name: it is added.
    Add,
    /// It replaces the store's value.
    Replace,
    /// The values differ, and the store's stays.
    Keep,
    /// The store has this value already, and does not write it again. Never a conflict.
    Same,
}

/// What an import does, or did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imported {
    /// Whether the import creates the scope.
    pub scope_created: bool,
    /// Each secret in the order given, and what happens to it.
    pub secrets: Vec<(SecretName, ImportAction)>,
    /// The state in which each of them was before, in the same order; `None` if there was no such secret.
    pub states: Vec<Option<SecretState>>,
}

impl Imported {
    fn nothing() -> Self {
        Self {
            scope_created: false,
            secrets: Vec::new(),
            states: Vec::new(),
        }
    }

    /// Adds what the next commit did.
    fn add(&mut self, next: Self) {
        self.scope_created |= next.scope_created;
        self.secrets.extend(next.secrets);
        self.states.extend(next.states);
    }

    /// Counts the secrets to which this happens.
    #[must_use]
    pub fn count(&self, action: ImportAction) -> u64 {
        let same = self.secrets.iter().filter(|(_, it)| *it == action);
        same.count() as u64
    }
}

/// Secrets to import into one scope.
#[derive(Clone, Copy)]
pub(super) struct Import<'a> {
    /// The scope; created like this if it does not exist.
    pub(super) scope: &'a NewScope,
    pub(super) secrets: &'a [(SecretName, SecretValue)],
    pub(super) on_conflict: OnConflict,
    /// The states in which the secrets have to be; those that are not here must not exist. `None` if that does not matter.
    pub(super) states: Option<&'a BTreeMap<SecretName, SecretState>>,
}

/// Stores the secrets of several scopes in one commit, or none of them; in several commits if the engine limits one.
pub(super) fn run_all(vault: &Vault, imports: &[Import<'_>]) -> Result<Vec<Imported>, Error> {
    if imports.is_empty() {
        return Ok(Vec::new());
    }
    write(vault, imports, |part, writer| {
        for import in part {
            writer.add_part(AuditOperation::Import, &import.scope.id);
        }
    })
}

/// Says what [`run_all`] would do now. Recorded as one list.
pub(super) fn plan_all(vault: &Vault, imports: &[Import<'_>]) -> Result<Vec<Imported>, Error> {
    read(vault, imports, |reader| {
        imports
            .iter()
            .map(|import| import.plan_in(reader))
            .collect()
    })
}

/// Stores the secrets. `record` adds what the log says of a part of them.
///
/// If they take several commits, everything is checked before the first of them. Each commit leaves a whole store. The same import
/// again finds what was stored to be [`Same`](ImportAction::Same), and goes on.
fn write(
    vault: &Vault,
    imports: &[Import<'_>],
    record: impl Fn(&[Import<'_>], &mut Writer<'_>),
) -> Result<Vec<Imported>, Error> {
    let subject = subject(AuditOperation::Import, imports);
    let checked = check_names(vault, imports);
    checked.inspect_err(|error| vault.record_failure(subject, error))?;
    let mut all: Vec<Imported> = imports.iter().map(|_| Imported::nothing()).collect();
    let sizes: Vec<_> = imports.iter().flat_map(|it| it.sizes()).collect();
    let written = in_parts(vault.backend.limits(), &sizes, |items| {
        let is_first_of_several = items.start == 0 && items.end < sizes.len();
        let (numbers, part): (Vec<_>, Vec<_>) = part(imports, &items).into_iter().unzip();
        let done = vault.try_write(subject, IfMissing::CREATE, |writer| {
            if is_first_of_several {
                imports.iter().try_for_each(|import| import.check(writer))?;
            }
            record(&part, writer);
            let done = part.iter().map(|import| import.write(writer));
            done.collect::<Result<Vec<_>, _>>()
        })?;
        for (number, done) in numbers.into_iter().zip(done) {
            if let Some(so_far) = all.get_mut(number) {
                so_far.add(done);
            }
        }
        Ok(())
    });
    written.inspect_err(|error| vault.record_failure(subject, error))?;
    Ok(all)
}

/// Some items of these imports, and which of the imports they are from. A secret is an item, and so is a scope without any.
fn part<'a>(imports: &[Import<'a>], items: &Range<usize>) -> Vec<(usize, Import<'a>)> {
    let mut part = Vec::new();
    let mut begin = 0;
    for (number, import) in imports.iter().enumerate() {
        let end = begin + import.secrets.len().max(1);
        let (from, to) = (items.start.max(begin), items.end.min(end));
        if from < to {
            let secrets = import.secrets.get(from - begin..to - begin);
            let secrets = secrets.unwrap_or_default();
            part.push((number, Import { secrets, ..*import }));
        }
        begin = end;
    }
    part
}

fn read<T>(
    vault: &Vault,
    imports: &[Import<'_>],
    work: impl Fn(Option<&Reader<'_>>) -> Result<T, Error>,
) -> Result<T, Error> {
    check_names(vault, imports)?;
    let subject = subject(AuditOperation::List, imports);
    match vault.read(subject, |reader| work(Some(reader)))? {
        Some(planned) => Ok(planned),
        None => work(None),
    }
}

fn subject<'a>(operation: AuditOperation, imports: &[Import<'a>]) -> Subject<'a> {
    match imports {
        [import] => Subject::scope(operation, &import.scope.id),
        _ => Subject::store(operation),
    }
}

/// Checks the names before anybody is asked for a key.
fn check_names(vault: &Vault, imports: &[Import<'_>]) -> Result<(), Error> {
    imports.iter().try_for_each(|import| import.check_twice())?;
    let kinds = vault.peek_names(|names| {
        let kinds = imports.iter().map(|it| names.kind(&it.scope.id));
        kinds.collect::<Result<Vec<_>, _>>()
    })?;
    let mut kinds = kinds.into_iter().flatten();
    for import in imports {
        let kind = kinds.next().flatten().unwrap_or(import.scope.kind);
        let mut names = import.secrets.iter().map(|(name, _)| name);
        names.try_for_each(|name| kind.check(name))?;
    }
    Ok(())
}

impl<'a> Import<'a> {
    /// The imports of several scopes.
    pub(super) fn all(
        imports: &'a [(NewScope, &'a [(SecretName, SecretValue)])],
        on_conflict: OnConflict,
    ) -> Vec<Self> {
        let imports = imports.iter().map(|(scope, secrets)| Self {
            scope,
            secrets,
            on_conflict,
            states: None,
        });
        imports.collect()
    }

    /// Stores the secrets as [`run_all`] does.
    pub(super) fn run(self, vault: &Vault) -> Result<Imported, Error> {
        let imported = write(vault, &[self], |_, _| ())?.pop();
        Ok(imported.unwrap_or_else(Imported::nothing))
    }

    /// The length of each value. A scope without any is created.
    fn sizes(self) -> Vec<usize> {
        match self.secrets {
            [] => vec![0],
            secrets => secrets.iter().map(|(_, it)| it.expose().len()).collect(),
        }
    }

    /// Fails where [`write`](Self::write) would, and writes nothing.
    fn check(self, writer: &Writer<'_>) -> Result<(), Error> {
        let imported = self.compare(writer.reader().scope(&self.scope.id)?.as_ref())?;
        self.check_states(&imported)?;
        self.check_conflicts(&imported)?;
        let (draft, _) = writer.draft_or_new(self.scope)?;
        draft.require_room(imported.count(ImportAction::Add))?;
        let mut names = self.secrets.iter().map(|(name, _)| name);
        Ok(names.try_for_each(|name| draft.record.kind.check(name))?)
    }

    /// Says what [`run`](Self::run) would do now. Recorded as a list of the scope.
    pub(super) fn plan(self, vault: &Vault) -> Result<Imported, Error> {
        read(vault, &[self], |reader| self.plan_in(reader))
    }

    fn plan_in(self, reader: Option<&Reader<'_>>) -> Result<Imported, Error> {
        let scope = match reader {
            Some(reader) => reader.scope(&self.scope.id)?,
            None => None,
        };
        self.compare(scope.as_ref())
    }

    fn check_twice(self) -> Result<(), Error> {
        let mut names = BTreeSet::new();
        let mut all = self.secrets.iter().map(|(name, _)| name);
        match all.find(|name| !names.insert(*name)) {
            None => Ok(()),
            Some(twice) => Err(Error::NamedTwice {
                scope: self.scope.id.clone(),
                name: twice.clone(),
            }),
        }
    }

    fn write(self, writer: &mut Writer<'_>) -> Result<Imported, Error> {
        let id = &self.scope.id;
        let imported = self.compare(writer.reader().scope(id)?.as_ref())?;
        self.check_states(&imported)?;
        self.check_conflicts(&imported)?;
        let (mut draft, _) = writer.draft_or_new(self.scope)?;
        draft.require_room(imported.count(ImportAction::Add))?;
        let now = Timestamp::now();
        for ((name, value), (_, action)) in self.secrets.iter().zip(&imported.secrets) {
            // The scope may be of another kind since the names were checked.
            draft.record.kind.check(name)?;
            if matches!(action, ImportAction::Add | ImportAction::Replace) {
                writer.put_next(&mut draft, name, value, &SecretEdit::default(), now)?;
            }
        }
        if draft.is_changed() {
            writer.put_scope(draft)?;
        }
        Ok(imported)
    }

    /// Says what happens to each secret. One that differs is replaced, unless such are skipped.
    fn compare(self, scope: Option<&ScopeReader<'_>>) -> Result<Imported, Error> {
        let action = |name, value: &SecretValue| -> Result<_, Error> {
            let found = match scope {
                Some(scope) => scope.secret_with_state(name)?,
                None => None,
            };
            let (stored, state) = found.unzip();
            let action = match stored {
                None => ImportAction::Add,
                Some(_) if self.on_conflict == OnConflict::Rewrite => ImportAction::Replace,
                Some(stored) if stored.expose() == value.expose() => ImportAction::Same,
                Some(_) if self.on_conflict == OnConflict::Skip => ImportAction::Keep,
                Some(_) => ImportAction::Replace,
            };
            Ok((action, state))
        };
        let mut imported = Imported {
            scope_created: scope.is_none(),
            secrets: Vec::with_capacity(self.secrets.len()),
            states: Vec::with_capacity(self.secrets.len()),
        };
        for (name, value) in self.secrets {
            let (action, state) = action(name, value)?;
            imported.secrets.push((name.clone(), action));
            imported.states.push(state);
        }
        Ok(imported)
    }

    /// Fails with the names of all that are not as the caller saw them.
    fn check_states(self, imported: &Imported) -> Result<(), Error> {
        let Some(seen) = self.states else {
            return Ok(());
        };
        let found = imported.secrets.iter().zip(&imported.states);
        let changed = found.filter(|((name, _), state)| seen.get(name) != state.as_ref());
        let names: Vec<_> = changed.map(|((name, _), _)| name.clone()).collect();
        match names.is_empty() {
            true => Ok(()),
            false => Err(Error::SecretsChanged {
                scope: self.scope.id.clone(),
                names,
            }),
        }
    }

    /// Fails with the names of all that would be replaced, if that is how conflicts end.
    fn check_conflicts(self, imported: &Imported) -> Result<(), Error> {
        let replaced = imported.secrets.iter().filter(|(_, action)| {
            self.on_conflict == OnConflict::Fail && *action == ImportAction::Replace
        });
        let names: Vec<_> = replaced.map(|(name, _)| name.clone()).collect();
        match names.is_empty() {
            true => Ok(()),
            false => Err(Error::Conflicts {
                scope: self.scope.id.clone(),
                names,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::fixture::{filled, name, scope, value};

    #[test]
    fn each_way_with_a_conflict_ends_as_it_says() {
        let scope = scope("s");
        let secrets = [
            (name("K"), value(b"other")),
            (name("L"), value(b"L")),
            (name("M"), value(b"M")),
        ];
        let same_and_new = [ImportAction::Same, ImportAction::Add];
        for (on_conflict, action) in [
            (OnConflict::Skip, ImportAction::Keep),
            (OnConflict::Overwrite, ImportAction::Replace),
        ] {
            let import = Import {
                scope: &scope,
                secrets: &secrets,
                on_conflict,
                states: None,
            };
            let vault = filled();
            let planned = import.plan(&vault).unwrap();
            let actions: Vec<_> = planned.secrets.iter().map(|(_, it)| *it).collect();
            assert_eq!(actions[0], action);
            assert_eq!(actions[1..], same_and_new);
            assert_eq!(import.run(&vault).unwrap(), planned);
        }
        let import = Import {
            scope: &scope,
            secrets: &secrets,
            on_conflict: OnConflict::Rewrite,
            states: None,
        };
        let vault = filled();
        let done = import.run(&vault).unwrap();
        let actions: Vec<_> = done.secrets.iter().map(|(_, it)| *it).collect();
        assert_eq!(
            actions,
            [
                ImportAction::Replace,
                ImportAction::Replace,
                ImportAction::Add
            ]
        );
        let import = Import {
            scope: &scope,
            secrets: &secrets,
            on_conflict: OnConflict::Fail,
            states: None,
        };
        let failed = import.run(&filled());
        assert!(matches!(failed, Err(Error::Conflicts { names, .. }) if names == [name("K")]));
    }
}
