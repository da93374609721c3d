//! Lists in pages: that of all scopes, for which the header vouches, and that of a scope's secrets, for which
//! its record vouches.

use std::ops::ControlFlow;

use crate::backend::{Range, Snapshot, Table, Transaction};
use crate::error::{Finding, RecordName};
use crate::record::{self, Listed, Page, PageRef, Pages, Span};
use crate::{Error, ScopeId};

/// Which list it is.
#[derive(Debug, Clone, Copy)]
pub(super) enum List<'a> {
    Scopes,
    SecretsOf(&'a ScopeId),
}

impl List<'_> {
    /// The prefix of the keys of its pages in [`Table::Meta`].
    pub(super) fn prefix(self) -> Vec<u8> {
        match self {
            Self::Scopes => record::scope_pages(),
            Self::SecretsOf(scope) => record::secret_pages(scope),
        }
    }

    pub(super) fn key(self, span: Span) -> Vec<u8> {
        let mut key = self.prefix();
        key.push(span.number);
        key
    }

    fn tampered(self, finding: Finding) -> Error {
        Error::tampered(self.name(), finding)
    }

    fn name(self) -> RecordName {
        match self {
            Self::Scopes => RecordName::ScopeList,
            Self::SecretsOf(scope) => RecordName::SecretList(scope.clone()),
        }
    }

    /// Finds something by its name. Reads one page.
    pub(super) fn find<T: Listed>(
        self,
        pages: &[PageRef],
        snapshot: &dyn Snapshot,
        name: &str,
    ) -> Result<Option<T>, Error> {
        let span = Span::of(name, &Span::of_pages(pages));
        let mut page = self.page(pages, snapshot, span)?;
        Ok(position(&page, name).ok().map(|at| page.swap_remove(at)))
    }

    /// Returns everything in the list, sorted. Reads every page, and fails if there is one that is not
    /// vouched for.
    pub(super) fn all<T: Listed>(
        self,
        pages: &[PageRef],
        snapshot: &dyn Snapshot,
    ) -> Result<Vec<T>, Error> {
        let prefix = self.prefix();
        let mut found = Vec::new();
        snapshot.scan(Range::prefix(Table::Meta, &prefix), &mut |key, bytes| {
            found.push((
                key.strip_prefix(&*prefix).map(<[u8]>::to_vec),
                bytes.to_vec(),
            ));
            ControlFlow::Continue(())
        })?;
        let (mut all, mut expected) = (Vec::new(), pages.iter());
        for (number, bytes) in found {
            match (expected.next(), number.as_deref()) {
                (Some(page), Some([number])) if page.span.number == *number => {
                    all.extend(self.read::<T>(page, &bytes)?);
                }
                (Some(page), Some([number])) if page.span.number < *number => {
                    return Err(self.tampered(Finding::Missing));
                }
                _ => return Err(self.tampered(Finding::Unlisted)),
            }
        }
        if expected.next().is_some() {
            return Err(self.tampered(Finding::Missing));
        }
        all.sort_unstable_by(|a, b| a.name().cmp(b.name()));
        Ok(all)
    }

    /// Reads a page. One that is not vouched for is empty.
    pub(super) fn page<T: Listed>(
        self,
        pages: &[PageRef],
        snapshot: &dyn Snapshot,
        span: Span,
    ) -> Result<Vec<T>, Error> {
        let bytes = snapshot.get(Table::Meta, &self.key(span))?;
        let page = pages.iter().find(|page| page.span == span);
        match (page, bytes) {
            (None, None) => Ok(Vec::new()),
            (None, Some(_)) => Err(self.tampered(Finding::Unlisted)),
            (Some(_), None) => Err(self.tampered(Finding::Missing)),
            (Some(page), Some(bytes)) => self.read(page, &bytes),
        }
    }

    fn read<T: Listed>(self, page: &PageRef, bytes: &[u8]) -> Result<Vec<T>, Error> {
        if record::digest(bytes) != page.digest {
            return Err(self.tampered(Finding::NotAsSealed));
        }
        let Page(list) = record::decode(bytes, || self.name())?;
        Ok(list)
    }

    /// Puts a page, and vouches for it; an empty page is deleted, and one that has grown is split.
    pub(super) fn put<T: Listed>(
        self,
        pages: &mut Pages,
        transaction: &mut dyn Transaction,
        span: Span,
        page: Vec<T>,
    ) -> Result<(), Error> {
        let split = span.split(page);
        if split.iter().all(|(_, page)| page.is_empty())
            || split.iter().all(|(it, _)| it.number != span.number)
        {
            transaction.delete(Table::Meta, &self.key(span))?;
        }
        pages.retain(|page| page.span != span);
        for (span, page) in split {
            if page.is_empty() {
                continue;
            }
            let bytes = record::encode(&Page(page))?;
            let digest = record::digest(&bytes);
            transaction.put(Table::Meta, &self.key(span), &bytes)?;
            let at = pages.partition_point(|page| page.span.number < span.number);
            pages.insert(at, PageRef { span, digest });
        }
        Ok(())
    }
}

/// Returns where something with this name is on its page, or where it would be inserted.
pub(super) fn position<T: Listed>(page: &[T], name: &str) -> Result<usize, usize> {
    page.binary_search_by(|it| it.name().cmp(name))
}

/// Puts something on its page, in the place of one of the same name; returns whether that was there.
pub(super) fn insert<T: Listed>(page: &mut Vec<T>, element: T) -> bool {
    match position(page, element.name()) {
        Ok(at) => {
            if let Some(there) = page.get_mut(at) {
                *there = element;
            }
            true
        }
        Err(at) => {
            page.insert(at, element);
            false
        }
    }
}
