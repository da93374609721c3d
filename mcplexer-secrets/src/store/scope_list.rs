//! The list of all scopes, in pages that the header vouches for.

use crate::backend::{Snapshot, Table, Transaction};
use crate::error::{Finding, RecordName};
use crate::record::{self, Header, Page, PageRef};
use crate::{Error, ScopeId};

/// Whether the list names the scope. Reads one page.
pub(super) fn contains(
    header: &Header,
    snapshot: &dyn Snapshot,
    scope: &ScopeId,
) -> Result<bool, Error> {
    let page = read_page(header, snapshot, record::page_number(scope))?;
    Ok(page.0.binary_search(scope).is_ok())
}

/// All scopes, sorted. Reads every page.
pub(super) fn all(header: &Header, snapshot: &dyn Snapshot) -> Result<Vec<ScopeId>, Error> {
    let mut scopes = Vec::new();
    for page in &header.pages {
        scopes.extend(read_page(header, snapshot, page.number)?.0);
    }
    scopes.sort_unstable();
    Ok(scopes)
}

/// Adds a scope to the list, unless it is there.
pub(super) fn add(
    header: &mut Header,
    transaction: &mut dyn Transaction,
    scope: &ScopeId,
) -> Result<(), Error> {
    let number = record::page_number(scope);
    let mut page = read_page(header, &*transaction, number)?;
    if let Err(at) = page.0.binary_search(scope) {
        page.0.insert(at, scope.clone());
        header.scopes += 1;
    }
    put_page(header, transaction, number, &page)
}

/// Removes a scope from the list; returns whether it was there.
pub(super) fn remove(
    header: &mut Header,
    transaction: &mut dyn Transaction,
    scope: &ScopeId,
) -> Result<bool, Error> {
    let number = record::page_number(scope);
    let mut page = read_page(header, &*transaction, number)?;
    let Ok(at) = page.0.binary_search(scope) else {
        return Ok(false);
    };
    page.0.remove(at);
    header.scopes = header.scopes.saturating_sub(1);
    put_page(header, transaction, number, &page)?;
    Ok(true)
}

/// Copies every page as it is to a transaction of the same header.
pub(super) fn copy(
    header: &Header,
    from: &dyn Snapshot,
    to: &mut dyn Transaction,
) -> Result<(), Error> {
    for page in &header.pages {
        let key = record::page_key(page.number);
        let bytes = from.get(Table::Meta, &key)?;
        let bytes = bytes.ok_or_else(|| tampered(Finding::Missing))?;
        to.put(Table::Meta, &key, &bytes)?;
    }
    Ok(())
}

/// Reads a page and checks it against the digest in the header. A page that the header does not
/// name is empty.
fn read_page(header: &Header, snapshot: &dyn Snapshot, number: u8) -> Result<Page, Error> {
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

/// Puts a page and its digest; an empty page is deleted.
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

fn tampered(finding: Finding) -> Error {
    Error::tampered(RecordName::ScopeList, finding)
}
