//! Changing the store: a transaction, and the header that vouches for what it writes.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::draft::Draft;
use super::not_found;
use super::opener::Opener;
use super::pages::{self, List};
use super::reader::Reader;
use super::room::Room;
use super::scope::{MAX_SCOPES, NewScope};
use super::unlocked::{OpenScope, Unlocked};
use crate::audit::AuditOperation;
use crate::backend::{Commit, Limits, Range, Snapshot, Table, Transaction};
use crate::record::{
    self, AuditSeal, Claim, HEADER_KEY, Header, MovedTo, OWNERS_KEY, Owners, Scope, ScopeRef, Slot,
    Span, StoreId,
};
use crate::seal::RootKey;
use crate::{Error, ScopeId, SecretName, Timestamp};

mod next;
mod secrets;

use self::next::Change;

/// What a change does to one scope, or to one of its secrets.
pub(super) type Part = (AuditOperation, ScopeId, Option<SecretName>);

/// A change of the store in the making. Dropped without a commit, it changes nothing.
pub(super) struct Writer<'t> {
    transaction: Change<'t>,
    unlocked: Arc<Unlocked>,
    parts: Vec<Part>,
    room: Room,
}

impl<'t> Writer<'t> {
    pub(super) fn new(transaction: Box<dyn Transaction + 't>, unlocked: Arc<Unlocked>) -> Self {
        Self {
            transaction: Change::OfSome(transaction),
            unlocked,
            parts: Vec::new(),
            room: Room::new(Limits::NONE),
        }
    }

    /// The same change, which has this room.
    pub(super) fn within(mut self, room: Room) -> Self {
        self.room = room;
        self
    }

    /// Fails unless so many operations and bytes more fit into the commit.
    pub(super) fn require_room(&self, operations: usize, bytes: usize) -> Result<(), Error> {
        Ok(self.room.require(operations, bytes)?)
    }

    /// Fails unless the records of another scope with the same secrets fit into the commit.
    pub(super) fn require_room_for_copy_of(&self, id: &ScopeId) -> Result<(), Error> {
        if self.room.is_endless() {
            return Ok(());
        }
        let (mut count, mut bytes) = (0, 0);
        let (secrets, list) = (record::secret_prefix(id), List::SecretsOf(id).prefix());
        for range in [
            Range::prefix(Table::Secrets, &secrets),
            Range::prefix(Table::Meta, &list),
        ] {
            self.snapshot().scan(range, &mut |key, record| {
                count += 1;
                bytes += key.len() + record.len();
                ControlFlow::Continue(())
            })?;
        }
        self.require_room(count, bytes)
    }

    /// Fails unless the header, which is put last, fits into the commit.
    pub(super) fn require_room_for_header(&self) -> Result<(), Error> {
        let len = record::encode(self.header())?.len();
        Ok(self.room.require_header(HEADER_KEY.len() + len)?)
    }

    /// Begins a new, empty store, which nobody can open yet.
    pub(super) fn create(transaction: Box<dyn Transaction + 't>) -> Result<Self, Error> {
        let header = Header {
            store: StoreId::generate()?,
            generation: 1,
            revision: 0,
            created: Timestamp::now(),
            owners: [0; 32],
            left: 1,
            scopes: 0,
            pages: Vec::new(),
            logs: Vec::new(),
            proof: Vec::new(),
        };
        let root = Arc::new(RootKey::generate()?);
        let unlocked = Arc::new(Unlocked::new(header, root));
        Ok(Self::new(transaction, unlocked))
    }

    pub(super) fn unlocked(&self) -> &Arc<Unlocked> {
        &self.unlocked
    }

    pub(super) fn header(&self) -> &Header {
        &self.unlocked.header
    }

    pub(super) fn header_mut(&mut self) -> &mut Header {
        &mut Arc::make_mut(&mut self.unlocked).header
    }

    pub(super) fn slots(&self) -> &[Slot] {
        &self.unlocked.slots
    }

    /// The state with the change.
    pub(super) fn snapshot(&self) -> &dyn Snapshot {
        &*self.transaction
    }

    /// Reads the state with the change.
    pub(super) fn reader(&self) -> Reader<'_> {
        Reader::new(self.snapshot(), Arc::clone(&self.unlocked))
    }

    /// What the change does to single scopes and secrets, for the audit log.
    pub(super) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Adds to what the audit log says about single scopes.
    pub(super) fn add_part(&mut self, operation: AuditOperation, scope: &ScopeId) {
        self.parts.push((operation, scope.clone(), None));
    }

    /// Adds to what the audit log says about single secrets.
    pub(super) fn add_secret_part(
        &mut self,
        operation: AuditOperation,
        scope: &ScopeId,
        name: &SecretName,
    ) {
        self.parts
            .push((operation, scope.clone(), Some(name.clone())));
    }

    /// Puts the header of the next revision, and commits; returns the header as it is now.
    pub(super) fn commit(mut self) -> Result<(Commit, Arc<Unlocked>), Error> {
        let unlocked = Arc::make_mut(&mut self.unlocked);
        unlocked.header.revision = unlocked.header.revision.saturating_add(1);
        let bytes = unlocked.seal()?;
        self.transaction.put(Table::Meta, HEADER_KEY, bytes)?;
        Ok((self.transaction.commit()?, self.unlocked))
    }

    /// Opens a scope; `None` if it does not exist.
    fn scope(&self, id: &ScopeId) -> Result<Option<Arc<OpenScope>>, Error> {
        self.unlocked.scope(self.snapshot(), id)
    }

    /// Opens a scope that the caller asked for.
    fn existing_scope(&self, id: &ScopeId) -> Result<Arc<OpenScope>, Error> {
        self.scope(id)?.ok_or_else(|| not_found::scope(id))
    }

    /// Begins to change a scope that the caller asked for.
    pub(super) fn existing_draft(&self, id: &ScopeId) -> Result<Draft, Error> {
        Ok(Draft::of(id.clone(), self.existing_scope(id)?))
    }

    /// Begins to change a scope, or to create it as described if it does not exist; returns whether it
    /// does not. The caller puts it.
    pub(super) fn draft_or_new(&self, new: &NewScope) -> Result<(Draft, bool), Error> {
        match self.scope(&new.id)? {
            Some(open) => Ok((Draft::of(new.id.clone(), open), false)),
            None => Ok((self.new_draft(new)?, true)),
        }
    }

    /// Creates an empty scope, which must not exist.
    pub(super) fn create_scope(&mut self, new: &NewScope) -> Result<(), Error> {
        match self.draft_or_new(new)? {
            (_, false) => Err(Error::ScopeExists {
                scope: new.id.clone(),
            }),
            (draft, true) => self.put_scope(draft),
        }
    }

    fn new_draft(&self, new: &NewScope) -> Result<Draft, Error> {
        new.check()?;
        if self.header().scopes >= MAX_SCOPES {
            return Err(Error::StoreFull);
        }
        let record = Scope {
            kind: new.kind,
            display_name: new.display_name.clone(),
            redaction_hints: new.redaction_hints.clone(),
            created: Timestamp::now(),
            keep_versions: new.keep_versions,
            secrets: 0,
            pages: Vec::new(),
            key: Vec::new(),
        };
        Draft::new(new.id.clone(), record)
    }

    /// Gives a scope another kind, display name and hints, and another number of versions to keep.
    pub(super) fn update_scope(&mut self, wanted: &NewScope) -> Result<(), Error> {
        let open = self.existing_scope(&wanted.id)?;
        wanted.check_fits(&self.reader().opened(&wanted.id, Arc::clone(&open)))?;
        let mut draft = Draft::of(wanted.id.clone(), open);
        draft.record.kind = wanted.kind;
        draft.record.display_name.clone_from(&wanted.display_name);
        let hints = &mut draft.record.redaction_hints;
        hints.clone_from(&wanted.redaction_hints);
        draft.record.keep_versions = wanted.keep_versions;
        self.put_scope(draft)
    }

    /// Deletes a scope with its secrets, without opening either; returns how many secrets those
    /// were.
    pub(super) fn delete_scope(&mut self, id: &ScopeId) -> Result<usize, Error> {
        let span = Span::of(id.as_str(), &Span::of_pages(&self.header().pages));
        let mut page: Vec<ScopeRef> =
            List::Scopes.page(&self.header().pages, self.snapshot(), span)?;
        let at = pages::position(&page, id.as_str()).map_err(|_| not_found::scope(id))?;
        page.remove(at);
        self.put_scope_page(span, page)?;
        let header = self.header_mut();
        header.scopes = header.scopes.saturating_sub(1);
        let prefix = record::secret_prefix(id);
        let mut count = 0;
        self.transaction
            .scan(Range::prefix(Table::Secrets, &prefix), &mut |key, _| {
                let place = key.strip_prefix(&*prefix).unwrap_or_default();
                let (_, version) = record::split_place(place);
                count += usize::from(version.is_none());
                ControlFlow::Continue(())
            })?;
        self.transaction.delete_prefix(Table::Secrets, &prefix)?;
        self.transaction
            .delete_prefix(Table::Meta, &List::SecretsOf(id).prefix())?;
        self.transaction
            .delete(Table::Scopes, id.as_str().as_bytes())?;
        Ok(count)
    }

    /// Makes the revision that the change leads to higher than one that was taken over from a copy of the store: what is
    /// put later is then newer than that.
    pub(super) fn follow_revision(&mut self, taken_over: u64) {
        let header = self.header_mut();
        header.revision = header.revision.max(taken_over);
    }

    /// The revision that the change leads to.
    pub(super) fn next_revision(&self) -> u64 {
        self.header().revision.saturating_add(1)
    }

    /// Puts a scope, and lists it.
    pub(super) fn put_scope(&mut self, draft: Draft) -> Result<(), Error> {
        let Self {
            transaction,
            unlocked,
            ..
        } = self;
        let put = draft.put(&mut **transaction, &unlocked.header, &unlocked.root)?;
        let span = Span::of(put.id.as_str(), &Span::of_pages(&self.header().pages));
        let mut page = List::Scopes.page(&self.header().pages, self.snapshot(), span)?;
        if !pages::insert(&mut page, put) {
            self.header_mut().scopes += 1;
        }
        self.put_scope_page(span, page)
    }

    fn put_scope_page(&mut self, span: Span, page: Vec<ScopeRef>) -> Result<(), Error> {
        let header = &mut Arc::make_mut(&mut self.unlocked).header;
        List::Scopes.put(&mut header.pages, &mut *self.transaction, span, page)
    }

    /// Puts the owners.
    pub(super) fn put_slots(&mut self, slots: Vec<Slot>) -> Result<(), Error> {
        let owners = Owners(slots);
        let bytes = record::encode(&owners)?;
        self.transaction.put(Table::Meta, OWNERS_KEY, &bytes)?;
        let unlocked = Arc::make_mut(&mut self.unlocked);
        unlocked.header.owners = record::digest(&bytes);
        unlocked.slots = Arc::new(owners.0);
        Ok(())
    }

    /// Puts the claim of an owner.
    pub(super) fn put_claim(
        &mut self,
        recipient: &str,
        claim: Option<&Claim>,
    ) -> Result<(), Error> {
        let mut slots = self.slots().to_vec();
        for slot in slots.iter_mut().filter(|it| it.recipient == recipient) {
            slot.claim = claim.cloned();
        }
        self.put_slots(slots)
    }

    /// Says that the owner who makes the change has accepted the store.
    pub(super) fn set_accepted(&mut self) {
        Arc::make_mut(&mut self.unlocked).is_accepted = true;
    }

    /// Says where the store is from now on; `None` if it is here.
    pub(super) fn set_moved(&mut self, to: Option<MovedTo>) {
        Arc::make_mut(&mut self.unlocked).moved = to;
    }

    /// Adds an owner.
    pub(super) fn push_slot(&mut self, slot: Slot) -> Result<(), Error> {
        let mut slots = self.slots().to_vec();
        slots.push(slot);
        self.put_slots(slots)
    }

    /// Adds the first owner of a new store, with the identity that opens it.
    pub(super) fn push_first_slot(&mut self, slot: Slot, opener: Opener) -> Result<(), Error> {
        self.set_opener(Some(opener))?;
        self.push_slot(slot)
    }

    /// Says with which identity the changed store will be opened.
    pub(super) fn set_opener(&mut self, opener: Option<Opener>) -> Result<(), Error> {
        Arc::make_mut(&mut self.unlocked).set_opener(opener)
    }

    /// Says how far a log is sealed, in the place of an earlier seal of it.
    pub(super) fn put_seal(&mut self, seal: AuditSeal) {
        let logs = &mut self.header_mut().logs;
        match logs.iter_mut().find(|it| it.log == seal.log) {
            Some(there) => *there = seal,
            None => logs.push(seal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::fixture::{change, filled, id, name, put, scope, value};
    use crate::store::life::SecretEdit;
    use crate::store::secret::PutMode;

    #[test]
    fn a_store_holds_100_000_scopes_and_no_more() {
        let vault = filled();
        let full = change(&vault, |writer| {
            writer.header_mut().scopes = MAX_SCOPES - 1;
            writer.create_scope(&scope("last"))?;
            assert_eq!(writer.header().scopes, MAX_SCOPES);
            writer.create_scope(&scope("more"))
        });
        assert!(matches!(full, Err(Error::StoreFull)));
        let put = change(&vault, |writer| {
            writer.header_mut().scopes = MAX_SCOPES;
            put(writer, "M", b"into a scope that is there")?;
            let more = scope("more");
            writer.put_secret(
                &more,
                &name("K"),
                &value(b"v"),
                PutMode::Overwrite,
                None,
                &SecretEdit::default(),
            )
        });
        assert!(matches!(put, Err(Error::StoreFull)));
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
