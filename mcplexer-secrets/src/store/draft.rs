//! A scope that is being changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::pages::{self, List};
use super::scope::MAX_SECRETS_PER_SCOPE;
use super::span::MAX_PAGE_LEN;
use super::unlocked::OpenScope;
use crate::backend::{Snapshot, Table, Transaction};
use crate::record::{self, Entry, Header, Scope, ScopeRef, Span};
use crate::seal::{RootKey, ScopeKey};
use crate::{Error, ScopeId, SecretName};

/// A scope's record in the making, and those pages of the list of its secrets that were looked at.
pub(super) struct Draft {
    pub(super) id: ScopeId,
    pub(super) record: Scope,
    open: Arc<OpenScope>,
    is_new: bool,
    /// By the number of the span.
    pages: BTreeMap<u8, DraftPage>,
    /// The spans of the record's pages that were looked at.
    read: Vec<Span>,
}

struct DraftPage {
    span: Span,
    entries: Vec<Entry>,
    is_changed: bool,
}

impl Draft {
    /// Begins to change a scope.
    pub(super) fn of(id: ScopeId, open: Arc<OpenScope>) -> Self {
        Self {
            id,
            record: open.record.clone(),
            open,
            is_new: false,
            pages: BTreeMap::new(),
            read: Vec::new(),
        }
    }

    /// Begins a scope, which has no secrets yet, with a key of its own.
    pub(super) fn new(id: ScopeId, mut record: Scope) -> Result<Self, Error> {
        (record.secrets, record.pages) = (0, Vec::new());
        let key = ScopeKey::generate()?;
        let open = Arc::new(OpenScope { record, key });
        Ok(Self {
            is_new: true,
            ..Self::of(id, open)
        })
    }

    pub(super) fn key(&self) -> &ScopeKey {
        &self.open.key
    }

    /// Whether writing it would change anything.
    pub(super) fn is_changed(&self) -> bool {
        self.is_new
            || self.record != self.open.record
            || self.pages.values().any(|page| page.is_changed)
    }

    /// The secret with this name, as the scope lists it.
    pub(super) fn entry(
        &mut self,
        snapshot: &dyn Snapshot,
        name: &SecretName,
    ) -> Result<Option<&Entry>, Error> {
        let entries = &self.page(snapshot, name)?.entries;
        let at = pages::position(entries, name.as_str()).ok();
        Ok(at.and_then(|at| entries.get(at)))
    }

    /// Fails if the scope cannot hold this many secrets more.
    pub(super) fn require_room(&self, more: u64) -> Result<(), Error> {
        match self.record.secrets.saturating_add(more) <= MAX_SECRETS_PER_SCOPE as u64 {
            true => Ok(()),
            false => Err(Error::ScopeFull {
                scope: self.id.clone(),
            }),
        }
    }

    /// Lists a secret, in the place of one of the same name.
    pub(super) fn list(&mut self, snapshot: &dyn Snapshot, entry: Entry) -> Result<(), Error> {
        if self.entry(snapshot, &entry.name)?.is_none() {
            self.require_room(1)?;
        }
        let page = self.page(snapshot, &entry.name)?;
        page.is_changed = true;
        let was_there = pages::insert(&mut page.entries, entry);
        if page.entries.len() > MAX_PAGE_LEN {
            let span = page.span;
            self.split(span);
        }
        if !was_there {
            self.record.secrets += 1;
        }
        Ok(())
    }

    /// Splits a page that has grown, so that a list of many secrets is made quickly.
    fn split(&mut self, span: Span) {
        let entries = self.pages.remove(&span.number);
        let entries = entries.map_or_else(Vec::new, |page| page.entries);
        for (span, entries) in span.split(entries) {
            let page = DraftPage {
                span,
                entries,
                is_changed: true,
            };
            self.pages.insert(span.number, page);
        }
    }

    /// Takes a secret off the list; returns whether it was there.
    pub(super) fn remove(
        &mut self,
        snapshot: &dyn Snapshot,
        name: &SecretName,
    ) -> Result<bool, Error> {
        let page = self.page(snapshot, name)?;
        let Ok(at) = pages::position(&page.entries, name.as_str()) else {
            return Ok(false);
        };
        page.entries.remove(at);
        page.is_changed = true;
        self.record.secrets = self.record.secrets.saturating_sub(1);
        Ok(true)
    }

    fn page(
        &mut self,
        snapshot: &dyn Snapshot,
        name: &SecretName,
    ) -> Result<&mut DraftPage, Error> {
        let made = self.pages.values().map(|page| page.span);
        let unread = Span::of_pages(&self.record.pages).filter(|span| !self.read.contains(span));
        let span = Span::of(name.as_str(), &made.chain(unread));
        let page = match self.pages.remove(&span.number) {
            Some(page) => page,
            None => DraftPage {
                span,
                entries: List::SecretsOf(&self.id).page(&self.record.pages, snapshot, span)?,
                is_changed: false,
            },
        };
        if self.record.pages.iter().any(|it| it.span == span) && !self.read.contains(&span) {
            self.read.push(span);
        }
        Ok(self.pages.entry(span.number).or_insert(page))
    }

    /// Puts the pages that were changed and the record; returns how the scope is listed.
    pub(super) fn put(
        mut self,
        transaction: &mut dyn Transaction,
        header: &Header,
        root: &RootKey,
    ) -> Result<ScopeRef, Error> {
        let list = List::SecretsOf(&self.id);
        // The pages that were split.
        for span in self.read {
            let is_there = self
                .pages
                .get(&span.number)
                .is_some_and(|page| page.span == span);
            if !is_there {
                list.put(
                    &mut self.record.pages,
                    transaction,
                    span,
                    Vec::<Entry>::new(),
                )?;
            }
        }
        for page in self.pages.into_values().filter(|page| page.is_changed) {
            list.put(&mut self.record.pages, transaction, page.span, page.entries)?;
        }
        if self.is_new {
            self.record.key = root.wrap_scope_key(&self.open.key, &header.scope_key(&self.id))?;
        }
        let bytes = record::encode(&self.record)?;
        transaction.put(Table::Scopes, self.id.as_str().as_bytes(), &bytes)?;
        Ok(ScopeRef {
            id: self.id,
            digest: record::digest(&bytes),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;
    use crate::store::fixture::{change, filled, id, name};

    fn entry(name: SecretName) -> Entry {
        Entry {
            name,
            version: 1,
            created: Timestamp::from_micros(0),
            updated: Timestamp::from_micros(0),
            revision: 0,
            note: None,
            expires: None,
            rotate_every: None,
            digest: [0; 32],
        }
    }

    #[test]
    fn a_scope_lists_100_000_secrets_and_no_more() {
        let full = change(&filled(), |writer| {
            let mut draft = writer.existing_draft(&id("s"))?;
            draft.record.secrets = MAX_SECRETS_PER_SCOPE as u64 - 1;
            draft.list(writer.snapshot(), entry(name("LAST")))?;
            draft.list(writer.snapshot(), entry(name("K")))?;
            draft.list(writer.snapshot(), entry(name("MORE")))
        });
        assert!(matches!(full, Err(Error::ScopeFull { scope }) if scope == id("s")));
    }

    #[test]
    fn a_draft_is_changed_once_something_in_it_is() {
        change(&filled(), |writer| {
            let draft = |name: &str| writer.existing_draft(&id(name)).unwrap();
            let snapshot = writer.snapshot();
            let mut looked_at = draft("s");
            assert!(looked_at.entry(snapshot, &name("K"))?.is_some());
            assert!(!looked_at.remove(snapshot, &name("X"))?);
            assert!(!looked_at.is_changed());
            assert!(looked_at.remove(snapshot, &name("K"))?);
            assert!(looked_at.is_changed() && looked_at.record.secrets == 1);
            let mut described = draft("t");
            described.record.display_name = Some("T".to_owned());
            assert!(described.is_changed());
            assert!(Draft::new(id("u"), described.record)?.is_changed());
            Ok(())
        })
        .unwrap();
    }
}
