//! Reading at once what an operation is about: over a network, each read is a way there and back.

use std::cell::RefCell;

use super::pages::List;
use super::unlocked::Unlocked;
use crate::backend::{
    BackendError, Commit, Copied, EachRecord, Range, Snapshot, Table, Transaction,
};
use crate::error::RecordName;
use crate::record::{self, HEADER_KEY, Header, OWNERS_KEY, PageRef, Scope, Span};
use crate::{ScopeId, SecretName};

/// Enough for the records of one secret, and those of a scope with some.
const EXPECTED: usize = 8;

/// Of how many secrets to read every page that may list them, where it is not known which one does.
const GUESSED: usize = 16;

/// What is read at once: a scope, and secrets of it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wanted<'a> {
    pub(super) scope: Option<&'a ScopeId>,
    pub(super) names: &'a [SecretName],
}

/// A place, and the record there.
type Known = (Table, Vec<u8>, Option<Vec<u8>>);

/// A state, or a change of it, some of whose records were read already.
pub(super) struct ReadAhead<S> {
    inner: S,
    known: RefCell<Vec<Known>>,
}

impl<S: Snapshot> ReadAhead<S> {
    /// Reads the header, the owners, and what is asked for: the scope, the secrets, and the pages that list them.
    ///
    /// Which pages those are says the header, and the record of the scope. With `last`, what was unlocked before, the
    /// pages are mostly guessed right, and it takes one way there and back. Otherwise it takes two. Of a scope that is
    /// not open, every page is read that may list a secret: some three more than the one that does.
    pub(super) fn of(
        inner: S,
        wanted: Wanted<'_>,
        last: Option<&Unlocked>,
    ) -> Result<Self, BackendError> {
        let ahead = Self {
            inner,
            known: RefCell::new(Vec::with_capacity(EXPECTED)),
        };
        let mut places = vec![(Table::Meta, HEADER_KEY.to_vec())];
        if last.is_none() {
            places.push((Table::Meta, OWNERS_KEY.to_vec()));
        }
        let Some(scope) = wanted.scope else {
            ahead.read(places)?;
            return Ok(ahead);
        };
        places.push((Table::Scopes, scope.as_str().as_bytes().to_vec()));
        let secrets = wanted.names.iter();
        places.extend(secrets.map(|it| (Table::Secrets, record::secret_key(scope, it))));
        if let Some(last) = last {
            let open = last.open_already(scope);
            let pages = open.as_ref().map(|open| &*open.record.pages);
            push_pages(&mut places, &last.header.pages, scope, pages, wanted.names);
            if open.is_none() && wanted.names.len() <= GUESSED {
                push_candidates(&mut places, scope, wanted.names);
            }
        }
        ahead.read(places)?;
        let header = ahead.known(Table::Meta, HEADER_KEY).flatten();
        if let Some(header) = header
            && !last.is_some_and(|last| last.is_from(&header))
        {
            // Nothing more if all was guessed.
            ahead.read(ahead.listing_pages(&header, scope, wanted.names))?;
        }
        Ok(ahead)
    }

    /// The pages that list a scope and its secrets, as the records say that were read. What is wrong with those is
    /// found later, when they are verified.
    fn listing_pages(
        &self,
        header: &[u8],
        scope: &ScopeId,
        names: &[SecretName],
    ) -> Vec<(Table, Vec<u8>)> {
        let mut places = Vec::new();
        let unverified = || RecordName::Header;
        if let Ok(header) = record::decode::<Header>(header, unverified) {
            let open = self.known(Table::Scopes, scope.as_str().as_bytes());
            let open = open.flatten();
            let open = open.and_then(|it| record::decode::<Scope>(&it, unverified).ok());
            let pages = open.as_ref().map(|open| &*open.pages);
            push_pages(&mut places, &header.pages, scope, pages, names);
        }
        places
    }

    /// Reads what is not known yet.
    fn read(&self, mut places: Vec<(Table, Vec<u8>)>) -> Result<(), BackendError> {
        places.retain(|(table, key)| self.known(*table, key).is_none());
        if places.is_empty() {
            return Ok(());
        }
        let wanted: Vec<_> = places.iter().map(|(table, key)| (*table, &**key)).collect();
        let found = self.inner.get_many(&wanted)?;
        let read = places.into_iter().zip(found);
        let read = read.map(|((table, key), record)| (table, key, record));
        self.known.borrow_mut().extend(read);
        Ok(())
    }

    fn known(&self, table: Table, key: &[u8]) -> Option<Option<Vec<u8>>> {
        let known = self.known.borrow();
        let mut known = known.iter();
        let found = known.find(|(of, at, _)| *of == table && at == key);
        found.map(|(_, _, record)| record.clone())
    }
}

fn push_pages(
    places: &mut Vec<(Table, Vec<u8>)>,
    scopes: &[PageRef],
    scope: &ScopeId,
    secrets: Option<&[PageRef]>,
    names: &[SecretName],
) {
    let mut push = |list: List<'_>, pages: &[PageRef], name: &str| {
        let place = (
            Table::Meta,
            list.key(Span::of(name, &Span::of_pages(pages))),
        );
        if !places.contains(&place) {
            places.push(place);
        }
    };
    push(List::Scopes, scopes, scope.as_str());
    for (name, pages) in names.iter().filter_map(|name| Some((name, secrets?))) {
        push(List::SecretsOf(scope), pages, name.as_str());
    }
}

/// Every page that may list the secrets of a scope.
fn push_candidates(places: &mut Vec<(Table, Vec<u8>)>, scope: &ScopeId, names: &[SecretName]) {
    for span in names.iter().flat_map(|it| Span::candidates(it.as_str())) {
        let place = (Table::Meta, List::SecretsOf(scope).key(span));
        if !places.contains(&place) {
            places.push(place);
        }
    }
}

impl<S: Snapshot> Snapshot for ReadAhead<S> {
    fn get_many(&self, places: &[(Table, &[u8])]) -> Result<Vec<Option<Vec<u8>>>, BackendError> {
        let known = places.iter().map(|(table, key)| self.known(*table, key));
        if let Some(known) = known.collect() {
            return Ok(known);
        }
        self.inner.get_many(places)
    }

    fn scan(&self, range: Range<'_>, each: &mut EachRecord<'_>) -> Result<(), BackendError> {
        self.inner.scan(range, each)
    }

    fn copied(&self) -> Option<Copied> {
        self.inner.copied()
    }
}

impl<T: Transaction> Transaction for ReadAhead<T> {
    fn is_first(&self) -> bool {
        self.inner.is_first()
    }

    fn put(&mut self, table: Table, key: &[u8], record: &[u8]) -> Result<(), BackendError> {
        self.inner.put(table, key, record)?;
        self.change(|of, at| of == table && at == key, Some(record));
        Ok(())
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), BackendError> {
        self.inner.delete(table, key)?;
        self.change(|of, at| of == table && at == key, None);
        Ok(())
    }

    fn delete_prefix(&mut self, table: Table, prefix: &[u8]) -> Result<(), BackendError> {
        self.inner.delete_prefix(table, prefix)?;
        self.change(|of, at| of == table && at.starts_with(prefix), None);
        Ok(())
    }

    fn commit(self: Box<Self>) -> Result<Commit, BackendError> {
        Box::new(self.inner).commit()
    }
}

impl<T> ReadAhead<T> {
    fn change(&mut self, is_changed: impl Fn(Table, &[u8]) -> bool, record: Option<&[u8]>) {
        for (table, key, known) in self.known.get_mut() {
            if is_changed(*table, key) {
                *known = record.map(<[u8]>::to_vec);
            }
        }
    }
}
