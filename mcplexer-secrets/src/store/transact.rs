//! Changing the store: wholly or not at all, recorded, and with everything that vouches for the
//! records kept in step.

use std::sync::{Arc, PoisonError};

use super::audited::Subject;
use super::sealed_store::Store;
use super::unlock::{OpenScope, Opener, Unlocked};
use crate::audit::AuditOperation;
use crate::backend::{BackendError, BackendErrorKind, Commit, Table, Transaction};
use crate::error::{Finding, RecordName};
use crate::keys::{Ask, Identity, KeyError, Person};
use crate::record::{self, Entry, HEADER_KEY, Header, Holder, Scope, Secret, Slot, StoreId};
use crate::seal::{RootKey, ScopeKey};
use crate::{Error, NewScope, ScopeId, SecretName, SecretValue, Timestamp};

/// How often a change starts over after losing to another writer.
const ATTEMPTS: u32 = 100;

/// A change in the making.
pub(super) struct Change<'a> {
    pub(super) transaction: Box<dyn Transaction + 'a>,
    pub(super) unlocked: Arc<Unlocked>,
    /// What it does to which scope, to be recorded before the operation as a whole.
    pub(super) parts: Vec<(AuditOperation, ScopeId)>,
}

impl Store {
    /// Applies `work` to the store, which is made if it does not exist and the operation makes
    /// one. `work` may run several times; the last one counts.
    pub(super) fn change<T>(
        &self,
        subject: Subject<'_>,
        work: impl Fn(&mut Change<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let deletes = matches!(
            subject.operation,
            AuditOperation::Delete | AuditOperation::DeleteScope
        );
        if deletes
            && let Some(scope) = subject.scope
            && matches!(self.backend.read(), Ok(None))
        {
            return Err(Error::ScopeNotFound {
                scope: scope.clone(),
            });
        }
        let result = self.change_until_applied(subject, work);
        if let Err(error) = &result {
            self.record_failure(subject, error);
        }
        result
    }

    fn change_until_applied<T>(
        &self,
        subject: Subject<'_>,
        work: impl Fn(&mut Change<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let busy = || BackendError::new(BackendErrorKind::Busy, "others keep changing the store");
        for _ in 0..ATTEMPTS {
            // Unlocking may ask for a passphrase: that is done before it is this writer's turn.
            self.snapshot(|snapshot| self.unlock(snapshot, Ask::Allowed))?;
            let transaction = self.backend.write()?;
            let is_first = transaction.is_first();
            let unlocked = match is_first {
                true => new_store()?,
                false => self.unlock(&*transaction, Ask::Allowed)?,
            };
            let mut change = Change {
                transaction,
                unlocked,
                parts: Vec::new(),
            };
            let value = work(&mut change)?;
            if is_first {
                self.check_none_is_gone(subject.operation)?;
                // Only now, when nothing else can be wrong with the request, a key is made.
                let identities = match self.keys.writer() {
                    Some(keys) => keys.identities_for_new_store()?,
                    None => self.keys.identities(Ask::Allowed)?,
                };
                change.add_first_slot(&identities, self.keys.prompter())?;
            }
            self.record_change(subject, &mut change)?;
            match change.transaction.commit()? {
                Commit::Applied => {
                    // A new store's key need not be asked for again.
                    self.remember(change.unlocked, is_first);
                    return Ok(value);
                }
                Commit::Conflict => self.record_failure(subject, &busy().into()),
            }
        }
        Err(busy().into())
    }

    /// Keeps at hand what a commit has made of the header, if it is a new one.
    pub(super) fn remember(&self, unlocked: Arc<Unlocked>, is_new: bool) {
        if is_new {
            let mut known = self.unlocked.lock().unwrap_or_else(PoisonError::into_inner);
            *known = Some(unlocked);
        }
    }
}

/// A new empty store that nobody can open yet.
fn new_store() -> Result<Arc<Unlocked>, Error> {
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
    Ok(Arc::new(Unlocked::new(Vec::new(), header, root, None)))
}

impl Change<'_> {
    pub(super) fn header(&self) -> &Header {
        &self.unlocked.header
    }

    /// The change does this as well.
    pub(super) fn also(&mut self, operation: AuditOperation, scope: &ScopeId) {
        self.parts.push((operation, scope.clone()));
    }

    /// Opens a scope; `None` if it does not exist.
    pub(super) fn scope(&self, id: &ScopeId) -> Result<Option<Arc<OpenScope>>, Error> {
        self.unlocked.scope(&*self.transaction, id)
    }

    /// Makes an empty scope, which must not exist.
    pub(super) fn add_scope(&mut self, new: &NewScope) -> Result<Arc<OpenScope>, Error> {
        new.check()?;
        if self.header().scopes >= crate::MAX_SCOPES {
            return Err(Error::StoreFull);
        }
        self.add_to_list(&new.id)?;
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

    /// Puts a scope record, sealed over what it says now.
    pub(super) fn put_scope(
        &mut self,
        id: &ScopeId,
        mut record: Scope,
        key: &ScopeKey,
    ) -> Result<(), Error> {
        let context = record.context(self.header(), id);
        record.key = self.unlocked.root.wrap_scope_key(key, &context)?;
        let bytes = record::encode(&record)?;
        self.transaction
            .put(Table::Scopes, id.as_str().as_bytes(), &bytes)?;
        Ok(())
    }

    /// Removes a scope with all its secrets, without opening either; says how many secrets those
    /// were.
    pub(super) fn remove_scope(&mut self, id: &ScopeId) -> Result<usize, Error> {
        if !self.remove_from_list(id)? {
            return Err(Error::ScopeNotFound { scope: id.clone() });
        }
        let prefix = record::secret_prefix(id);
        let mut count = 0;
        self.transaction
            .scan(Table::Secrets, &prefix, &mut |_, _| count += 1)?;
        self.transaction.delete_prefix(Table::Secrets, &prefix)?;
        self.transaction
            .delete(Table::Scopes, id.as_str().as_bytes())?;
        Ok(count)
    }

    /// Lets the first of these identities open the store.
    fn add_first_slot(
        &mut self,
        identities: &[Identity],
        person: Option<Person>,
    ) -> Result<(), Error> {
        let identity = identities.first().ok_or(KeyError::NoIdentity)?;
        let recipient = identity.recipient().ok_or_else(|| KeyError::NoRecipient {
            name: identity.name(),
        })?;
        let slot = Slot {
            label: machine_name(),
            recipient: recipient.to_string(),
            created: self.header().created,
            holder: Holder::Key,
            wrapped: self.unlocked.root.wrap(&recipient, person)?,
        };
        let opener = Opener {
            identity: identity.clone(),
            recipient: slot.recipient.clone(),
        };
        let (header, root) = (self.header().clone(), Arc::clone(&self.unlocked.root));
        self.unlocked = Arc::new(Unlocked::new(Vec::new(), header, root, Some(opener)));
        self.push_slot(slot)
    }

    pub(super) fn push_slot(&mut self, slot: Slot) -> Result<(), Error> {
        let mut header = self.header().clone();
        header.slots.push(slot);
        self.put_header(header)
    }

    /// Puts a value as the next version of its name, and lists it in `record`, which the caller
    /// puts when it has listed all; says which version that is.
    pub(super) fn put_next(
        &mut self,
        scope: &ScopeId,
        record: &mut Scope,
        key: &ScopeKey,
        name: &SecretName,
        value: &SecretValue,
        now: Timestamp,
    ) -> Result<u64, Error> {
        let at = match record.position(name) {
            Ok(at) => at,
            Err(_) if record.secrets.len() >= crate::MAX_SECRETS_PER_SCOPE => {
                return Err(Error::ScopeFull {
                    scope: scope.clone(),
                });
            }
            Err(at) => {
                let entry = Entry {
                    name: name.clone(),
                    version: 0,
                    created: now,
                    updated: now,
                };
                record.secrets.insert(at, entry);
                at
            }
        };
        let Some(entry) = record.secrets.get_mut(at) else {
            return Err(Error::tampered(
                RecordName::Scope(scope.clone()),
                Finding::Malformed,
            ));
        };
        entry.version = entry.version.saturating_add(1);
        entry.updated = now;
        self.put_secret(scope, entry, key, value.expose())?;
        Ok(entry.version)
    }

    /// Seals a value and puts it; its scope must list the entry.
    pub(super) fn put_secret(
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
        let key = record::secret_key(scope, &entry.name);
        self.transaction.put(Table::Secrets, &key, &bytes)?;
        Ok(())
    }

    /// Puts the header, proved anew over what it says now.
    pub(super) fn put_header(&mut self, mut header: Header) -> Result<(), Error> {
        let root = Arc::clone(&self.unlocked.root);
        header.proof = root.prove(&header.context())?;
        let bytes = record::encode(&header)?;
        self.transaction.put(Table::Meta, HEADER_KEY, &bytes)?;
        let opener = self.unlocked.opener.clone();
        self.unlocked = Arc::new(Unlocked::new(bytes, header, root, opener));
        Ok(())
    }
}

/// What to call the owner of the first slot.
pub(super) fn machine_name() -> String {
    let system = rustix::system::uname();
    let name = system.nodename().to_string_lossy();
    name.chars().filter(|c| !c.is_control()).take(64).collect()
}
