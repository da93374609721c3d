//! Changing secrets: their values, what is said about them, and their earlier versions.

use super::Writer;
use crate::backend::Table;
use crate::record::{self, Digest, EarlierValue, Entry, Secret};
use crate::store::draft::Draft;
use crate::store::life::SecretEdit;
use crate::store::not_found;
use crate::store::scope::NewScope;
use crate::store::secret::{PutMode, SecretInfo, Stored};
use crate::store::state::SecretState;
use crate::store::versions;
use crate::{Error, ScopeId, SecretName, SecretValue, Timestamp};

impl Writer<'_> {
    /// Stores a value as `mode` allows, with changes to what is said about it, and creates the scope if it does
    /// not exist.
    pub(in crate::store) fn put_secret(
        &mut self,
        scope: &NewScope,
        name: &SecretName,
        value: &SecretValue,
        mode: PutMode,
        state: Option<SecretState>,
        edit: &SecretEdit,
    ) -> Result<Stored, Error> {
        edit.check()?;
        let (mut draft, scope_created) = self.draft_or_new(scope)?;
        draft.record.kind.check(name)?;
        mode.check(&scope.id, name, draft.entry(self.snapshot(), name)?)?;
        if let Some(state) = state {
            state.check(&scope.id, name, draft.entry(self.snapshot(), name)?)?;
        }
        let mut stored = self.put_next(&mut draft, name, value, edit, Timestamp::now())?;
        stored.scope_created = scope_created;
        self.put_scope(draft)?;
        Ok(stored)
    }

    /// Stores the value of an earlier version as the next version.
    pub(in crate::store) fn restore_version(
        &mut self,
        scope: &ScopeId,
        name: &SecretName,
        version: u64,
        state: Option<SecretState>,
    ) -> Result<Stored, Error> {
        let value = self
            .reader()
            .existing_scope(scope)?
            .version(name, version)?;
        let mut draft = self.existing_draft(scope)?;
        if let Some(state) = state {
            state.check(scope, name, draft.entry(self.snapshot(), name)?)?;
        }
        let edit = SecretEdit::default();
        let stored = self.put_next(&mut draft, name, &value, &edit, Timestamp::now())?;
        self.put_scope(draft)?;
        Ok(stored)
    }

    /// Changes what is said about a secret; returns it as it is now.
    pub(in crate::store) fn edit_secret(
        &mut self,
        scope: &ScopeId,
        name: &SecretName,
        edit: &SecretEdit,
        state: Option<SecretState>,
    ) -> Result<SecretInfo, Error> {
        edit.check()?;
        let mut draft = self.existing_draft(scope)?;
        let entry = draft.entry(self.snapshot(), name)?.cloned();
        let mut entry = entry.ok_or_else(|| not_found::secret(scope, name))?;
        if let Some(state) = state {
            state.check(scope, name, Some(&entry))?;
        }
        edit.apply(&mut entry);
        let info = entry.info();
        draft.list(self.snapshot(), entry)?;
        self.put_scope(draft)?;
        Ok(info)
    }

    /// Deletes a secret with its earlier versions.
    pub(in crate::store) fn delete_secret(
        &mut self,
        scope: &ScopeId,
        name: &SecretName,
    ) -> Result<(), Error> {
        let mut draft = self.existing_draft(scope)?;
        if !draft.remove(self.snapshot(), name)? {
            return Err(not_found::secret(scope, name));
        }
        let key = record::secret_key(scope, name);
        self.transaction.delete(Table::Secrets, &key)?;
        let versions = record::version_prefix(scope, name);
        self.transaction.delete_prefix(Table::Secrets, &versions)?;
        self.put_scope(draft)
    }

    /// Puts a value as the [next version](versions::next) of its name, and lists it.
    pub(in crate::store) fn put_next(
        &mut self,
        draft: &mut Draft,
        name: &SecretName,
        value: &SecretValue,
        edit: &SecretEdit,
        now: Timestamp,
    ) -> Result<Stored, Error> {
        let before = draft.entry(self.snapshot(), name)?.cloned();
        let (entry, stored) =
            versions::next(before.as_ref(), name, edit, self.next_revision(), now);
        self.put_version(draft, before.as_ref(), entry, value.expose())?;
        Ok(stored)
    }

    /// Puts a value as the version that `entry` describes, over the one before, and lists it.
    pub(in crate::store) fn put_version(
        &mut self,
        draft: &mut Draft,
        before: Option<&Entry>,
        entry: Entry,
        value: &[u8],
    ) -> Result<(), Error> {
        let earlier = match before {
            Some(before) => versions::set_aside(&mut *self.transaction, draft, before)?,
            None => Vec::new(),
        };
        let sealed = self.seal(draft, &entry, value)?;
        self.put_record(draft, entry, &Secret { sealed, earlier })
    }

    /// Seals a value as the version that `entry` describes.
    pub(in crate::store) fn seal(
        &self,
        draft: &Draft,
        entry: &Entry,
        value: &[u8],
    ) -> Result<Vec<u8>, Error> {
        self.require_room(1, value.len())?;
        let context = self.header().value(&draft.id, entry);
        draft.key().seal(value, &context)
    }

    /// Puts the record of a secret, and lists it as `entry` with the digest of that record.
    pub(in crate::store) fn put_record(
        &mut self,
        draft: &mut Draft,
        mut entry: Entry,
        secret: &Secret,
    ) -> Result<(), Error> {
        let bytes = record::encode(secret)?;
        entry.digest = record::digest(&bytes);
        let key = record::secret_key(&draft.id, &entry.name);
        draft.list(self.snapshot(), entry)?;
        Ok(self.transaction.put(Table::Secrets, &key, &bytes)?)
    }

    /// Puts the record of an earlier version, which `entry` describes; returns its digest.
    pub(in crate::store) fn put_earlier(
        &mut self,
        draft: &Draft,
        entry: &Entry,
        sealed: Vec<u8>,
    ) -> Result<Digest, Error> {
        let bytes = record::encode(&EarlierValue { sealed })?;
        let key = record::version_key(&draft.id, &entry.name, entry.version);
        self.transaction.put(Table::Secrets, &key, &bytes)?;
        Ok(record::digest(&bytes))
    }
}

#[cfg(test)]
mod tests {
    use crate::store::fixture::{change, filled, id, name, put};
    use crate::store::reader::Reader;

    #[test]
    fn the_next_version_keeps_the_time_of_the_first() {
        let vault = filled();
        let entry = || {
            let entry = |reader: &Reader<'_>| {
                let scope = reader.existing_scope(&id("s"))?;
                Ok(scope.entry(&name("K"))?.unwrap())
            };
            vault.peek(entry).unwrap().unwrap()
        };
        let first = entry();
        change(&vault, |writer| put(writer, "K", b"next")).unwrap();
        let next = entry();
        assert_eq!((first.version, next.version), (1, 2));
        assert_eq!(first.created, next.created);
        assert!(first.updated <= next.updated);
    }
}
