//! The list of all scopes, in pages that the header vouches for.

use super::transact::Change;
use crate::backend::{Snapshot, Table, Transaction};
use crate::error::{Finding, RecordName};
use crate::record::{self, Header, Page, PageRef};
use crate::{Error, ScopeId};

/// Reads a page, which must be the one that the header vouches for; one that it does not name is
/// empty.
pub(super) fn read_page(
    header: &Header,
    snapshot: &dyn Snapshot,
    number: u8,
) -> Result<Page, Error> {
    let tampered = |finding| Error::tampered(RecordName::ScopeList, finding);
    let bytes = snapshot.get(Table::Meta, &record::page_key(number))?;
    let page = header.pages.iter().find(|page| page.number == number);
    match (page, bytes) {
        (None, None) => Ok(Page(Vec::new())),
        (None, Some(_)) => Err(tampered(Finding::Unlisted)),
        (Some(_), None) => Err(tampered(Finding::Missing)),
        (Some(page), Some(bytes)) if record::digest(&bytes) == page.digest => {
            record::decode(&bytes, || RecordName::ScopeList)
        }
        (Some(_), Some(_)) => Err(tampered(Finding::NotAsSealed)),
    }
}

/// Whether there is such a scope, by the list.
pub(super) fn is_listed(
    header: &Header,
    snapshot: &dyn Snapshot,
    scope: &ScopeId,
) -> Result<bool, Error> {
    let page = read_page(header, snapshot, record::page_number(scope))?;
    Ok(page.0.binary_search(scope).is_ok())
}

/// All scopes, in order.
pub(super) fn list(header: &Header, snapshot: &dyn Snapshot) -> Result<Vec<ScopeId>, Error> {
    let mut scopes = Vec::new();
    for page in &header.pages {
        scopes.extend(read_page(header, snapshot, page.number)?.0);
    }
    scopes.sort_unstable();
    Ok(scopes)
}

impl Change<'_> {
    /// Lists a scope, if it is not listed yet.
    pub(super) fn add_to_list(&mut self, scope: &ScopeId) -> Result<(), Error> {
        let mut header = self.header().clone();
        let number = record::page_number(scope);
        let mut page = read_page(&header, &*self.transaction, number)?;
        if let Err(at) = page.0.binary_search(scope) {
            page.0.insert(at, scope.clone());
            header.scopes += 1;
        }
        put_page(&mut header, &mut *self.transaction, number, &page)?;
        self.put_header(header)
    }

    /// Takes a scope from the list; says whether it was there.
    pub(super) fn remove_from_list(&mut self, scope: &ScopeId) -> Result<bool, Error> {
        let mut header = self.header().clone();
        let number = record::page_number(scope);
        let mut page = read_page(&header, &*self.transaction, number)?;
        let Ok(at) = page.0.binary_search(scope) else {
            return Ok(false);
        };
        page.0.remove(at);
        header.scopes = header.scopes.saturating_sub(1);
        put_page(&mut header, &mut *self.transaction, number, &page)?;
        self.put_header(header)?;
        Ok(true)
    }
}

/// Puts a page, or removes an empty one, and lets the header vouch for it.
fn put_page(
    header: &mut Header,
    transaction: &mut dyn Transaction,
    number: u8,
    page: &Page,
) -> Result<(), Error> {
    let key = record::page_key(number);
    header.pages.retain(|page| page.number != number);
    if page.0.is_empty() {
        transaction.delete(Table::Meta, &key)?;
        return Ok(());
    }
    let bytes = record::encode(page)?;
    transaction.put(Table::Meta, &key, &bytes)?;
    let digest = record::digest(&bytes);
    header.pages.push(PageRef { number, digest });
    header.pages.sort_unstable_by_key(|page| page.number);
    Ok(())
}
