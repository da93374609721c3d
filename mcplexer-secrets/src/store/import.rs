//! Importing many secrets of one scope at once.

use std::collections::BTreeSet;

use super::life::SecretEdit;
use super::reader::ScopeReader;
use super::recorder::Subject;
use super::scope::NewScope;
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
}

/// What happens to an imported secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ImportAction {
    /// The store has no secret of this name: it is added.
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
}

impl Imported {
    /// Counts the secrets to which this happens.
    #[must_use]
    pub fn count(&self, action: ImportAction) -> u64 {
        let same = self.secrets.iter().filter(|(_, it)| *it == action);
        same.count() as u64
    }
}

/// Secrets to import, and where.
#[derive(Clone, Copy)]
pub(super) struct Import<'a> {
    /// The scope; created like this if it does not exist.
    pub(super) scope: &'a NewScope,
    pub(super) secrets: &'a [(SecretName, SecretValue)],
    pub(super) on_conflict: OnConflict,
}

impl Import<'_> {
    /// Stores the secrets in one commit, or none of them.
    pub(super) fn run(self, vault: &Vault) -> Result<Imported, Error> {
        let subject = Subject::scope(AuditOperation::Import, &self.scope.id);
        let checked = self.check_names(vault);
        checked.inspect_err(|error| vault.record_failure(subject, error))?;
        vault.write(subject, IfMissing::CREATE, |writer| self.write(writer))
    }

    /// Says what [`run`](Self::run) would do now. Recorded as a list of the scope.
    pub(super) fn plan(self, vault: &Vault) -> Result<Imported, Error> {
        self.check_names(vault)?;
        let subject = Subject::scope(AuditOperation::List, &self.scope.id);
        let planned = vault.read(subject, |reader| {
            let scope = reader.scope(&self.scope.id)?;
            self.compare(scope.as_ref())
        })?;
        match planned {
            Some(planned) => Ok(planned),
            None => self.compare(None),
        }
    }

    /// Checks the names before anybody is asked for a key.
    fn check_names(self, vault: &Vault) -> Result<(), Error> {
        let mut names = BTreeSet::new();
        let mut all = self.secrets.iter().map(|(name, _)| name);
        if let Some(twice) = all.find(|name| !names.insert(*name)) {
            return Err(Error::NamedTwice {
                scope: self.scope.id.clone(),
                name: twice.clone(),
            });
        }
        let kind = vault.peek_names(|names| names.kind(&self.scope.id))?;
        let kind = kind.flatten().unwrap_or(self.scope.kind);
        names.into_iter().try_for_each(|name| kind.check(name))?;
        Ok(())
    }

    fn write(self, writer: &mut Writer<'_>) -> Result<Imported, Error> {
        let id = &self.scope.id;
        let imported = self.compare(writer.reader().scope(id)?.as_ref())?;
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
        let action = |name, value: &SecretValue| {
            let stored = match scope {
                Some(scope) => scope.secret(name)?,
                None => None,
            };
            Ok::<_, Error>(match stored {
                None => ImportAction::Add,
                Some(stored) if stored.expose() == value.expose() => ImportAction::Same,
                Some(_) if self.on_conflict == OnConflict::Skip => ImportAction::Keep,
                Some(_) => ImportAction::Replace,
            })
        };
        let pairs = self.secrets.iter();
        let secrets = pairs.map(|(name, value)| Ok((name.clone(), action(name, value)?)));
        Ok(Imported {
            scope_created: scope.is_none(),
            secrets: secrets.collect::<Result<_, Error>>()?,
        })
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
            on_conflict: OnConflict::Fail,
        };
        let failed = import.run(&filled());
        assert!(matches!(failed, Err(Error::Conflicts { names, .. }) if names == [name("K")]));
    }
}
