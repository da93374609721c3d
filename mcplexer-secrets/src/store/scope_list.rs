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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::fixture::{filled, id};
    use crate::store::reader::Reader;

    /// Damages the page of `s`, and says whether the list is then found out.
    fn is_found_out(damage: impl Fn(&mut dyn Transaction, &[u8])) -> bool {
        let vault = filled();
        let key = record::page_key(record::page_number(&id("s")));
        let mut transaction = vault.backend.write().unwrap();
        damage(&mut *transaction, &key);
        let _applied = transaction.commit().unwrap();
        let listed = vault.peek(|reader: &Reader<'_>| reader.scope_ids());
        let looked_up = vault.peek_names(|names| names.has_scope(&id("s")));
        let is_tampered = |error: Option<Error>| matches!(error, Some(Error::Tampered { .. }));
        is_tampered(listed.err()) && is_tampered(looked_up.err())
    }

    #[test]
    fn a_page_that_is_gone_or_another_is_tampered() {
        assert!(is_found_out(|transaction, key| {
            transaction.delete(Table::Meta, key).unwrap();
        }));
        assert!(is_found_out(|transaction, key| {
            let page = record::encode(&Page(vec![id("r"), id("s")])).unwrap();
            transaction.put(Table::Meta, key, &page).unwrap();
        }));
    }

    #[test]
    fn a_scope_is_listed_once_and_an_empty_page_is_deleted() {
        let vault = filled();
        let mut header = vault
            .peek(|reader| Ok(reader.header().clone()))
            .unwrap()
            .unwrap();
        let mut transaction = vault.backend.write().unwrap();
        add(&mut header, &mut *transaction, &id("s")).unwrap();
        assert_eq!((header.scopes, header.pages.len()), (2, 2));
        assert!(!remove(&mut header, &mut *transaction, &id("x")).unwrap());
        for scope in ["s", "t"] {
            assert!(remove(&mut header, &mut *transaction, &id(scope)).unwrap());
            assert!(!contains(&header, &*transaction, &id(scope)).unwrap());
        }
        assert_eq!((header.scopes, header.pages.len()), (0, 0));
    }

    #[test]
    fn a_page_that_is_missing_is_not_copied_as_an_empty_one() {
        let (from, to) = (filled(), crate::store::fixture::vault());
        let header = from
            .peek(|reader| Ok(reader.header().clone()))
            .unwrap()
            .unwrap();
        let old = from.backend.read().unwrap().unwrap();
        let mut new = to.backend.write().unwrap();
        copy(&header, &*old, &mut *new).unwrap();
        assert_eq!(all(&header, &*new).unwrap(), [id("s"), id("t")]);
        drop(old);
        let mut transaction = from.backend.write().unwrap();
        let key = record::page_key(record::page_number(&id("t")));
        transaction.delete(Table::Meta, &key).unwrap();
        let missing = copy(&header, &*transaction, &mut *new);
        assert!(matches!(missing, Err(Error::Tampered { .. })));
    }
}
