//! Reading values: one state of the store, and its unlocked header.

use std::sync::Arc;

use super::consistency::{decode_earlier, decode_secret, each_secret};
use super::not_found;
use super::pages::List;
use super::state::SecretState;
use super::unlocked::{OpenScope, Unlocked};
use crate::backend::{Snapshot, Table};
use crate::credentials::{Credentials, Select};
use crate::error::{Finding, RecordName};
use crate::record::{self, Earlier, EarlierValue, Entry, Header, Scope, ScopeRef, Secret};
use crate::{Error, ScopeId, SecretInfo, SecretName, SecretValue, Timestamp};

/// Opens scopes and values of one state of the store.
pub(super) struct Reader<'s> {
    pub(super) snapshot: &'s dyn Snapshot,
    pub(super) unlocked: Arc<Unlocked>,
}

impl<'s> Reader<'s> {
    pub(super) fn new(snapshot: &'s dyn Snapshot, unlocked: Arc<Unlocked>) -> Self {
        Self { snapshot, unlocked }
    }

    pub(super) fn header(&self) -> &Header {
        &self.unlocked.header
    }

    /// All scopes, sorted, as the header lists them.
    pub(super) fn scopes(&self) -> Result<Vec<ScopeRef>, Error> {
        List::Scopes.all(&self.header().pages, self.snapshot)
    }

    /// As [`scopes`](Self::scopes).
    pub(super) fn scope_ids(&self) -> Result<Vec<ScopeId>, Error> {
        Ok(self.scopes()?.into_iter().map(|it| it.id).collect())
    }

    /// Opens a scope; `None` if it does not exist.
    pub(super) fn scope(&self, id: &ScopeId) -> Result<Option<ScopeReader<'_>>, Error> {
        let open = self.unlocked.scope(self.snapshot, id)?;
        Ok(open.map(|open| self.opened(id, open)))
    }

    /// Opens a scope that the list names.
    pub(super) fn listed_scope(&self, id: &ScopeId) -> Result<ScopeReader<'_>, Error> {
        self.scope(id)?.ok_or_else(|| not_found::listed_scope(id))
    }

    /// Opens a scope that the caller asked for.
    pub(super) fn existing_scope(&self, id: &ScopeId) -> Result<ScopeReader<'_>, Error> {
        self.scope(id)?.ok_or_else(|| not_found::scope(id))
    }

    /// Reads secrets of a scope that is open already.
    pub(super) fn opened(&self, id: &ScopeId, open: Arc<OpenScope>) -> ScopeReader<'_> {
        ScopeReader {
            snapshot: self.snapshot,
            header: &self.unlocked.header,
            id: id.clone(),
            open,
        }
    }
}

/// Opens values of one scope.
pub(super) struct ScopeReader<'r> {
    snapshot: &'r dyn Snapshot,
    header: &'r Header,
    id: ScopeId,
    pub(super) open: Arc<OpenScope>,
}

impl ScopeReader<'_> {
    pub(super) fn record(&self) -> &Scope {
        &self.open.record
    }

    /// Every secret, sorted, as the scope lists them.
    pub(super) fn entries(&self) -> Result<Vec<Entry>, Error> {
        let pages = &self.record().pages;
        List::SecretsOf(&self.id).all(pages, self.snapshot)
    }

    /// The secret called `name`, as the scope lists it.
    pub(super) fn entry(&self, name: &SecretName) -> Result<Option<Entry>, Error> {
        let pages = &self.record().pages;
        List::SecretsOf(&self.id).find(pages, self.snapshot, name.as_str())
    }

    /// Opens the value called `name`; `None` if the scope does not list it and there is no record.
    pub(super) fn secret(&self, name: &SecretName) -> Result<Option<SecretValue>, Error> {
        match self.record_of(name)? {
            Some((entry, secret)) => self.value(&entry, &secret.sealed).map(Some),
            None => Ok(None),
        }
    }

    /// As [`secret`](Self::secret), with the state of the secret.
    pub(super) fn secret_with_state(
        &self,
        name: &SecretName,
    ) -> Result<Option<(SecretValue, SecretState)>, Error> {
        let found = self.record_of(name)?;
        let open = |(entry, secret): (Entry, Secret)| {
            let value = self.value(&entry, &secret.sealed)?;
            Ok((value, entry.info().state()))
        };
        found.map(open).transpose()
    }

    /// The earlier versions of the secret called `name`, oldest first.
    pub(super) fn earlier(&self, name: &SecretName) -> Result<Vec<Earlier>, Error> {
        let found = self.record_of(name)?;
        Ok(found.map_or_else(Vec::new, |(_, secret)| secret.earlier))
    }

    /// Opens a version of the value called `name`, which the caller asked for.
    pub(super) fn version(&self, name: &SecretName, version: u64) -> Result<SecretValue, Error> {
        let found = self.record_of(name)?;
        let (entry, secret) = found.ok_or_else(|| not_found::secret(&self.id, name))?;
        if entry.version == version {
            return self.value(&entry, &secret.sealed);
        }
        let earlier = secret.earlier.iter().find(|it| it.version == version);
        let entry = entry.at(earlier.ok_or_else(|| not_found::version(&self.id, name, version))?);
        let key = record::version_key(&self.id, name, version);
        let bytes = self.snapshot.get(Table::Secrets, &key)?;
        let bytes = bytes.ok_or_else(|| {
            let record = RecordName::Version(self.id.clone(), name.clone(), version);
            Error::tampered(record, Finding::Missing)
        })?;
        let EarlierValue { sealed } = decode_earlier(&bytes, &self.id, &entry)?;
        self.value(&entry, &sealed)
    }

    /// The secret called `name` and its record; `None` if the scope does not list it and there is no record.
    fn record_of(&self, name: &SecretName) -> Result<Option<(Entry, Secret)>, Error> {
        let key = record::secret_key(&self.id, name);
        let bytes = self.snapshot.get(Table::Secrets, &key)?;
        match (self.entry(name)?, bytes) {
            (Some(entry), Some(bytes)) => {
                let secret = decode_secret(&bytes, &self.id, &entry)?;
                Ok(Some((entry, secret)))
            }
            (Some(_), None) => Err(not_found::bad_secret(&self.id, name, Finding::Missing)),
            (None, Some(_)) => Err(not_found::bad_secret(&self.id, name, Finding::Unlisted)),
            (None, None) => Ok(None),
        }
    }

    /// Opens the value called `name`, which the caller asked for.
    pub(super) fn existing_secret(&self, name: &SecretName) -> Result<SecretValue, Error> {
        let value = self.secret(name)?;
        value.ok_or_else(|| not_found::secret(&self.id, name))
    }

    /// Opens the selected secrets.
    pub(super) fn credentials(self, select: Select<'_>) -> Result<Credentials, Error> {
        let mut opened = Opened::default();
        match select {
            Select::All => self.open_all(&mut opened)?,
            Select::Only(names) => {
                for name in names {
                    let found = self.open(name, &mut opened)?;
                    found.ok_or_else(|| not_found::secret(&self.id, name))?;
                }
            }
            Select::AnyOf(names) => {
                for name in names {
                    self.open(name, &mut opened)?;
                }
            }
        }
        let kind = self.record().kind;
        Ok(Credentials::new(self.id, kind, opened.secrets).with_due(opened.due))
    }

    /// Opens a value; `None` if there is no such secret.
    fn open(&self, name: &SecretName, opened: &mut Opened) -> Result<Option<()>, Error> {
        let Some((entry, secret)) = self.record_of(name)? else {
            return Ok(None);
        };
        opened.add(&entry, self.value(&entry, &secret.sealed)?);
        Ok(Some(()))
    }

    fn open_all(&self, opened: &mut Opened) -> Result<(), Error> {
        let entries = self.entries()?;
        each_secret(self.snapshot, &self.id, &entries, &mut |version, sealed| {
            if version.is_current {
                opened.add(&version.entry, self.value(&version.entry, sealed)?);
            }
            Ok(())
        })
    }

    fn value(&self, entry: &Entry, sealed: &[u8]) -> Result<SecretValue, Error> {
        let value = self
            .open
            .open_secret(self.header, &self.id, entry, sealed)?;
        SecretValue::copy_of(&value)
            .map_err(|_| not_found::bad_secret(&self.id, &entry.name, Finding::Malformed))
    }
}

/// Secrets opened together, and those of them that are to be replaced by now.
struct Opened {
    now: Timestamp,
    secrets: Vec<(SecretName, SecretValue)>,
    due: Vec<SecretInfo>,
}

impl Default for Opened {
    fn default() -> Self {
        Self {
            now: Timestamp::now(),
            secrets: Vec::new(),
            due: Vec::new(),
        }
    }
}

impl Opened {
    fn add(&mut self, entry: &Entry, value: SecretValue) {
        if entry.expires.is_some() || entry.rotate_every.is_some() {
            let info = entry.info();
            self.due
                .extend(info.due_by(self.now).is_some().then_some(info));
        }
        self.secrets.push((entry.name.clone(), value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::fixture::{change, filled, id, name};

    #[test]
    fn a_value_is_opened_or_certainly_not_there() {
        let vault = filled();
        let opened = vault.peek(|reader| {
            let scope = reader.existing_scope(&id("s"))?;
            assert!(scope.secret(&name("X"))?.is_none());
            let missing = scope.existing_secret(&name("X"));
            assert!(matches!(missing, Err(Error::SecretNotFound { .. })));
            assert!(reader.scope(&id("x"))?.is_none());
            let missing = reader.existing_scope(&id("x"));
            assert!(matches!(missing, Err(Error::ScopeNotFound { .. })));
            let missing = reader.listed_scope(&id("x"));
            assert!(matches!(missing, Err(Error::Tampered { .. })));
            scope.existing_secret(&name("K"))
        });
        assert_eq!(opened.unwrap().unwrap().expose(), b"K");
    }

    #[test]
    fn a_value_without_an_entry_and_an_entry_without_a_value_are_tampered() {
        let key = record::secret_key(&id("s"), &name("K"));
        let stray = record::secret_key(&id("t"), &name("K"));
        let vault = filled();
        let mut transaction = vault.backend.write().unwrap();
        let bytes = transaction.get(Table::Secrets, &key).unwrap().unwrap();
        transaction.put(Table::Secrets, &stray, &bytes).unwrap();
        transaction.delete(Table::Secrets, &key).unwrap();
        let _applied = transaction.commit().unwrap();
        for scope in ["s", "t"] {
            let opened = vault.peek(|reader| {
                let scope = reader.existing_scope(&id(scope))?;
                scope.secret(&name("K"))
            });
            assert!(matches!(opened, Err(Error::Tampered { .. })), "{scope}");
        }
    }

    #[test]
    fn all_some_or_any_secrets_are_selected() {
        let vault = filled();
        let count = |select: Select<'_>| {
            let credentials =
                |reader: &Reader<'_>| reader.existing_scope(&id("s"))?.credentials(select);
            vault.peek(credentials).map(|it| it.unwrap().iter().count())
        };
        let names = [name("L"), name("X")];
        assert_eq!(count(Select::All).unwrap(), 2);
        assert_eq!(count(Select::Only(&names[..1])).unwrap(), 1);
        assert_eq!(count(Select::AnyOf(&names)).unwrap(), 1);
        let missing = count(Select::Only(&names));
        assert!(matches!(missing, Err(Error::SecretNotFound { .. })));
    }

    #[test]
    fn a_reader_sees_the_change_that_it_is_of() {
        let vault = filled();
        let deleted = change(&vault, |writer| {
            writer.delete_scope(&id("s"))?;
            writer.reader().scope_ids()
        });
        assert_eq!(deleted.unwrap(), [id("t")]);
    }
}
