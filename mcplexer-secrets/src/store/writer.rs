//! Changing the store: a transaction, and the header that vouches for what it writes.

use std::sync::Arc;

use super::opener::Opener;
use super::reader::Reader;
use super::scope::{MAX_SCOPES, MAX_SECRETS_PER_SCOPE, NewScope};
use super::secret::{PutMode, Stored};
use super::unlocked::{OpenScope, Unlocked};
use super::{not_found, scope_list};
use crate::audit::AuditOperation;
use crate::backend::{Commit, Snapshot, Table, Transaction};
use crate::error::{Finding, RecordName};
use crate::record::{self, Entry, HEADER_KEY, Header, Scope, Secret, Slot, StoreId};
use crate::seal::{RootKey, ScopeKey};
use crate::{Error, ScopeId, SecretName, SecretValue, Timestamp};

/// A change of the store in the making. Dropped without a commit, it changes nothing.
pub(super) struct Writer<'t> {
    transaction: Box<dyn Transaction + 't>,
    unlocked: Arc<Unlocked>,
    parts: Vec<(AuditOperation, ScopeId)>,
}

impl<'t> Writer<'t> {
    pub(super) fn new(transaction: Box<dyn Transaction + 't>, unlocked: Arc<Unlocked>) -> Self {
        Self {
            transaction,
            unlocked,
            parts: Vec::new(),
        }
    }

    /// Begins a new, empty store, which nobody can open yet.
    pub(super) fn create(transaction: Box<dyn Transaction + 't>) -> Result<Self, Error> {
        let header = Header {
            store: StoreId::generate()?,
            generation: 1,
            created: Timestamp::now(),
            slots: Vec::new(),
            scopes: 0,
            pages: Vec::new(),
            proof: Vec::new(),
        };
        let root = Arc::new(RootKey::generate()?);
        let unlocked = Arc::new(Unlocked::new(Vec::new(), header, root, None));
        Ok(Self::new(transaction, unlocked))
    }

    pub(super) fn unlocked(&self) -> &Arc<Unlocked> {
        &self.unlocked
    }

    pub(super) fn header(&self) -> &Header {
        &self.unlocked.header
    }

    /// The state with the change.
    pub(super) fn snapshot(&self) -> &dyn Snapshot {
        &*self.transaction
    }

    /// Reads the state with the change.
    pub(super) fn reader(&self) -> Reader<'_> {
        Reader::new(self.snapshot(), Arc::clone(&self.unlocked))
    }

    /// What the change does to single scopes, for the audit log.
    pub(super) fn parts(&self) -> &[(AuditOperation, ScopeId)] {
        &self.parts
    }

    /// Adds to what the audit log says about single scopes.
    pub(super) fn add_part(&mut self, operation: AuditOperation, scope: &ScopeId) {
        self.parts.push((operation, scope.clone()));
    }

    /// Commits; returns the header as it is now.
    pub(super) fn commit(self) -> Result<(Commit, Arc<Unlocked>), Error> {
        Ok((self.transaction.commit()?, self.unlocked))
    }

    /// Opens a scope; `None` if it does not exist.
    pub(super) fn scope(&self, id: &ScopeId) -> Result<Option<Arc<OpenScope>>, Error> {
        self.unlocked.scope(self.snapshot(), id)
    }

    /// Opens a scope that the caller asked for.
    fn existing_scope(&self, id: &ScopeId) -> Result<Arc<OpenScope>, Error> {
        self.scope(id)?.ok_or_else(|| not_found::scope(id))
    }

    /// Opens a scope, and creates it as described if it does not exist; returns whether it did.
    pub(super) fn open_or_add_scope(
        &mut self,
        new: &NewScope,
    ) -> Result<(Arc<OpenScope>, bool), Error> {
        match self.scope(&new.id)? {
            Some(open) => Ok((open, false)),
            None => Ok((self.add_scope(new)?, true)),
        }
    }

    /// Creates an empty scope, which must not exist.
    pub(super) fn create_scope(&mut self, new: &NewScope) -> Result<(), Error> {
        match self.scope(&new.id)? {
            Some(_) => Err(Error::ScopeExists {
                scope: new.id.clone(),
            }),
            None => self.add_scope(new).map(drop),
        }
    }

    fn add_scope(&mut self, new: &NewScope) -> Result<Arc<OpenScope>, Error> {
        new.check()?;
        if self.header().scopes >= MAX_SCOPES {
            return Err(Error::StoreFull);
        }
        let mut header = self.header().clone();
        scope_list::add(&mut header, &mut *self.transaction, &new.id)?;
        self.put_header(header)?;
        let open = OpenScope {
            record: Scope {
                generation: self.header().generation,
                kind: new.kind,
                display_name: new.display_name.clone(),
                redaction_hints: new.redaction_hints.clone(),
                created: Timestamp::now(),
                secrets: Vec::new(),
                key: Vec::new(),
            },
            key: ScopeKey::generate()?,
        };
        self.put_scope(&new.id, open.record.clone(), &open.key)?;
        Ok(Arc::new(open))
    }

    /// Gives a scope another kind, display name and hints.
    pub(super) fn update_scope(&mut self, wanted: &NewScope) -> Result<(), Error> {
        let open = self.existing_scope(&wanted.id)?;
        wanted.check_fits(&open.record)?;
        let mut record = open.record.clone();
        record.kind = wanted.kind;
        record.display_name.clone_from(&wanted.display_name);
        record.redaction_hints.clone_from(&wanted.redaction_hints);
        self.put_scope(&wanted.id, record, &open.key)
    }

    /// Deletes a scope with its secrets, without opening either; returns how many secrets those
    /// were.
    pub(super) fn delete_scope(&mut self, id: &ScopeId) -> Result<usize, Error> {
        let mut header = self.header().clone();
        if !scope_list::remove(&mut header, &mut *self.transaction, id)? {
            return Err(not_found::scope(id));
        }
        self.put_header(header)?;
        let prefix = record::secret_prefix(id);
        let mut count = 0;
        self.transaction
            .scan(Table::Secrets, &prefix, &mut |_, _| count += 1)?;
        self.transaction.delete_prefix(Table::Secrets, &prefix)?;
        self.transaction
            .delete(Table::Scopes, id.as_str().as_bytes())?;
        Ok(count)
    }

    /// Stores a value as `mode` allows, and creates the scope if it does not exist.
    pub(super) fn put_secret(
        &mut self,
        scope: &NewScope,
        name: &SecretName,
        value: &SecretValue,
        mode: PutMode,
    ) -> Result<Stored, Error> {
        let (open, scope_created) = self.open_or_add_scope(scope)?;
        let mut record = open.record.clone();
        record.kind.check(name)?;
        mode.check(&scope.id, name, record.entry(name))?;
        let now = Timestamp::now();
        let version = self.put_next(&scope.id, &mut record, &open.key, name, value, now)?;
        self.put_scope(&scope.id, record, &open.key)?;
        Ok(Stored::new(version, scope_created))
    }

    /// Deletes a secret.
    pub(super) fn delete_secret(
        &mut self,
        scope: &ScopeId,
        name: &SecretName,
    ) -> Result<(), Error> {
        let open = self.existing_scope(scope)?;
        let mut record = open.record.clone();
        let at = record.position(name);
        let at = at.map_err(|_| not_found::secret(scope, name))?;
        record.secrets.remove(at);
        let key = record::secret_key(scope, name);
        self.transaction.delete(Table::Secrets, &key)?;
        self.put_scope(scope, record, &open.key)
    }

    /// Puts a value as the next version of its name, and lists it in `record`; returns the version.
    /// The caller puts the record.
    pub(super) fn put_next(
        &mut self,
        scope: &ScopeId,
        record: &mut Scope,
        key: &ScopeKey,
        name: &SecretName,
        value: &SecretValue,
        now: Timestamp,
    ) -> Result<u64, Error> {
        let before = record.entry(name);
        let entry = Entry {
            name: name.clone(),
            version: before.map_or(0, |it| it.version).saturating_add(1),
            created: before.map_or(now, |it| it.created),
            updated: now,
        };
        list_entry(scope, record, entry.clone())?;
        self.put_value(scope, &entry, key, value.expose())?;
        Ok(entry.version)
    }

    /// Seals and puts a value. Its scope must list the entry.
    pub(super) fn put_value(
        &mut self,
        scope: &ScopeId,
        entry: &Entry,
        key: &ScopeKey,
        value: &[u8],
    ) -> Result<(), Error> {
        let header = self.header();
        let secret = Secret {
            generation: header.generation,
            version: entry.version,
            sealed: key.seal(value, &entry.context(header, scope))?,
        };
        let bytes = record::encode(&secret)?;
        self.put(
            Table::Secrets,
            &record::secret_key(scope, &entry.name),
            &bytes,
        )
    }

    /// Puts a scope's record, sealed over what it says.
    pub(super) fn put_scope(
        &mut self,
        id: &ScopeId,
        mut record: Scope,
        key: &ScopeKey,
    ) -> Result<(), Error> {
        let context = record.context(self.header(), id);
        record.key = self.unlocked.root.wrap_scope_key(key, &context)?;
        let bytes = record::encode(&record)?;
        self.put(Table::Scopes, id.as_str().as_bytes(), &bytes)
    }

    /// Adds a slot.
    pub(super) fn push_slot(&mut self, slot: Slot) -> Result<(), Error> {
        let mut header = self.header().clone();
        header.slots.push(slot);
        self.put_header(header)
    }

    /// Adds the first slot of a new store, with the identity that opens it.
    pub(super) fn push_first_slot(&mut self, slot: Slot, opener: Opener) -> Result<(), Error> {
        let (header, root) = (self.header().clone(), Arc::clone(&self.unlocked.root));
        self.unlocked = Arc::new(Unlocked::new(Vec::new(), header, root, Some(opener)));
        self.push_slot(slot)
    }

    /// Puts the header, with a proof over what it says.
    pub(super) fn put_header(&mut self, mut header: Header) -> Result<(), Error> {
        let root = Arc::clone(&self.unlocked.root);
        header.proof = root.prove(&header.context())?;
        let bytes = record::encode(&header)?;
        self.put(Table::Meta, HEADER_KEY, &bytes)?;
        let opener = self.unlocked.opener.clone();
        self.unlocked = Arc::new(Unlocked::new(bytes, header, root, opener));
        Ok(())
    }

    /// Copies the pages of the list of scopes from a state with the same list.
    pub(super) fn copy_scope_list(
        &mut self,
        header: &Header,
        from: &dyn Snapshot,
    ) -> Result<(), Error> {
        scope_list::copy(header, from, &mut *self.transaction)
    }

    /// Puts a record as it is.
    pub(super) fn put(&mut self, table: Table, key: &[u8], record: &[u8]) -> Result<(), Error> {
        Ok(self.transaction.put(table, key, record)?)
    }
}

/// Lists a secret in its scope's record, in the place of one of the same name.
pub(super) fn list_entry(scope: &ScopeId, record: &mut Scope, entry: Entry) -> Result<(), Error> {
    match record.position(&entry.name) {
        Ok(at) => {
            let malformed =
                || Error::tampered(RecordName::Scope(scope.clone()), Finding::Malformed);
            *record.secrets.get_mut(at).ok_or_else(malformed)? = entry;
        }
        Err(_) if record.secrets.len() >= MAX_SECRETS_PER_SCOPE => {
            return Err(Error::ScopeFull {
                scope: scope.clone(),
            });
        }
        Err(at) => record.secrets.insert(at, entry),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::fixture::{change, filled, id, name, put, scope, value};

    /// The header of a store with as many scopes as there can be, less `room`.
    fn nearly_full(writer: &mut Writer<'_>, room: u64) -> Result<(), Error> {
        let mut header = writer.header().clone();
        header.scopes = MAX_SCOPES - room;
        writer.put_header(header)
    }

    #[test]
    fn a_store_holds_100_000_scopes_and_no_more() {
        let vault = filled();
        let full = change(&vault, |writer| {
            nearly_full(writer, 1)?;
            writer.create_scope(&scope("last"))?;
            assert_eq!(writer.header().scopes, MAX_SCOPES);
            writer.create_scope(&scope("more"))
        });
        assert!(matches!(full, Err(Error::StoreFull)));
        let put = change(&vault, |writer| {
            nearly_full(writer, 0)?;
            put(writer, "M", b"into a scope that is there")?;
            let more = scope("more");
            writer.put_secret(&more, &name("K"), &value(b"v"), PutMode::Overwrite)
        });
        assert!(matches!(put, Err(Error::StoreFull)));
    }

    #[test]
    fn a_scope_lists_10_000_secrets_and_no_more() {
        let entry = |name: SecretName| Entry {
            name,
            version: 1,
            created: Timestamp::from_micros(0),
            updated: Timestamp::from_micros(0),
        };
        let vault = filled();
        let full = change(&vault, |writer| {
            let mut record = writer.existing_scope(&id("t"))?.record.clone();
            for number in 0..MAX_SECRETS_PER_SCOPE {
                list_entry(&id("t"), &mut record, entry(name(&format!("K{number:04}"))))?;
            }
            list_entry(&id("t"), &mut record, entry(name("K0000")))?;
            list_entry(&id("t"), &mut record, entry(name("MORE")))
        });
        assert!(matches!(full, Err(Error::ScopeFull { scope }) if scope == id("t")));
    }

    #[test]
    fn the_next_version_keeps_the_time_of_the_first() {
        let vault = filled();
        let entry = || {
            let entry = |reader: &Reader<'_>| {
                let scope = reader.existing_scope(&id("s"))?;
                Ok(scope.record().entry(&name("K")).cloned().unwrap())
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

    #[test]
    fn what_is_not_there_is_not_deleted_and_what_is_there_is_not_created() {
        let vault = filled();
        let gone = change(&vault, |writer| writer.delete_secret(&id("s"), &name("X")));
        assert!(matches!(gone, Err(Error::SecretNotFound { .. })));
        let gone = change(&vault, |writer| writer.delete_scope(&id("x")));
        assert!(matches!(gone, Err(Error::ScopeNotFound { .. })));
        let there = change(&vault, |writer| writer.create_scope(&scope("s")));
        assert!(matches!(there, Err(Error::ScopeExists { .. })));
        assert_eq!(change(&vault, |it| it.delete_scope(&id("s"))).unwrap(), 2);
    }
}
