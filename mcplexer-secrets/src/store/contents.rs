//! Walking over everything in one state of the store.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::consistency::{Version, check_scopes, each_secret, unknown};
use super::reader::Reader;
use super::unlocked::{OpenScope, Unlocked};
use crate::backend::{Range, Table};
use crate::record::{Header, ScopeRef};
use crate::{Error, ScopeId};

/// How far a walk over all secrets has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Secrets done.
    pub done: u64,
    /// Secrets in all.
    pub total: u64,
}

/// Takes each value with its scope and what is known of its version.
pub(super) type EachValue<'a> = dyn FnMut(&ScopeId, &Version<'_>, &[u8]) -> Result<(), Error> + 'a;

/// What a walk has come across.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    /// Secrets whose current version was opened.
    pub(super) secrets: u64,
    /// Versions that were opened, each of which is a record.
    pub(super) versions: u64,
}

impl Seen {
    /// Counts a version.
    pub(super) fn count(&mut self, version: &Version<'_>) {
        self.versions += 1;
        self.secrets += u64::from(version.is_current);
    }
}

/// How many records there are in [`Table::Meta`] besides the pages of a store: the header and the list of owners.
pub(super) const HEADER_AND_OWNERS: u64 = 2;

/// Every scope of one state, opened.
pub(super) struct Contents<'r> {
    reader: &'r Reader<'r>,
    pub(super) scopes: Vec<(ScopeId, Arc<OpenScope>)>,
    /// How many secrets the scopes list.
    pub(super) secrets: u64,
}

impl<'r> Contents<'r> {
    /// Opens every scope. Fails at the first that does not open.
    pub(super) fn open(reader: &'r Reader<'r>) -> Result<Self, Error> {
        let mut first = None;
        let contents = Self::open_what_opens(reader, &mut |error| {
            first.get_or_insert(error);
        })?;
        first.map_or(Ok(contents), Err)
    }

    /// Opens every scope that opens. Passes what is wrong with the others to `found`.
    pub(super) fn open_what_opens(
        reader: &'r Reader<'r>,
        found: &mut dyn FnMut(Error),
    ) -> Result<Self, Error> {
        let listed = reader.scopes()?;
        if let Err(error) = check_scopes(&listed, reader.snapshot) {
            found(error);
        }
        let mut contents = Self {
            reader,
            scopes: Vec::new(),
            secrets: 0,
        };
        for ScopeRef { id, digest } in listed {
            // Read again, if it is open already: the record may have been changed since.
            match reader.unlocked.open_scope(reader.snapshot, &id, &digest) {
                Ok(open) => {
                    contents.secrets += open.record.secrets;
                    contents.scopes.push((id, Arc::new(open)));
                }
                Err(error) => found(error),
            }
        }
        Ok(contents)
    }

    /// Opens every version of every secret and passes it to `each`, in order of scope and name, the current one
    /// before the earlier ones. Fails at the first that does not open.
    pub(super) fn each_value(
        &self,
        progress: &mut dyn FnMut(Progress),
        each: &mut EachValue<'_>,
    ) -> Result<(), Error> {
        let mut seen = Seen::default();
        for (id, open) in &self.scopes {
            self.each_of(id, open, &mut seen, progress, each)?;
        }
        self.check_count(&seen, HEADER_AND_OWNERS)
    }

    /// Opens every version that opens and returns how many secrets those were of. Passes what is wrong with the
    /// others to `found`, at most one error a scope.
    pub(super) fn check_values(
        &self,
        found: &mut dyn FnMut(Error),
        progress: &mut dyn FnMut(Progress),
    ) -> u64 {
        let (mut seen, mut is_whole) = (Seen::default(), true);
        for (id, open) in &self.scopes {
            let nothing: &mut EachValue<'_> = &mut |_, _, _| Ok(());
            if let Err(error) = self.each_of(id, open, &mut seen, progress, nothing) {
                is_whole = false;
                found(error);
            }
        }
        // With a scope or a value missing, the count is known to be wrong.
        let all_opened = is_whole && self.scopes.len() as u64 == self.header().scopes;
        if all_opened && let Err(error) = self.check_count(&seen, HEADER_AND_OWNERS) {
            found(error);
        }
        seen.secrets
    }

    /// Opens every version of every secret of a scope.
    pub(super) fn each_of(
        &self,
        id: &ScopeId,
        open: &Arc<OpenScope>,
        seen: &mut Seen,
        progress: &mut dyn FnMut(Progress),
        each: &mut EachValue<'_>,
    ) -> Result<(), Error> {
        let (header, total) = (self.header(), self.secrets);
        let entries = self.reader.opened(id, Arc::clone(open)).entries()?;
        each_secret(
            self.reader.snapshot,
            id,
            &entries,
            &mut |version, sealed| {
                let value = open.open_secret(header, id, &version.entry, sealed)?;
                each(id, version, &value)?;
                seen.count(version);
                if version.is_current {
                    let done = seen.secrets;
                    progress(Progress { done, total });
                }
                Ok(())
            },
        )
    }

    /// Fails if there is a record that nothing lists. `others` is how many there are in [`Table::Meta`] besides pages.
    pub(super) fn check_count(&self, seen: &Seen, others: u64) -> Result<(), Error> {
        let count = |table| {
            let mut there = 0;
            let snapshot = self.reader.snapshot;
            snapshot.scan(Range::all(table), &mut |_, _| {
                there += 1;
                ControlFlow::Continue(())
            })?;
            Ok::<u64, Error>(there)
        };
        if count(Table::Secrets)? != seen.versions || seen.secrets != self.secrets {
            return Err(unknown(Table::Secrets));
        }
        let pages = self.scopes.iter().map(|(_, open)| &open.record.pages);
        let pages: usize = pages.chain([&self.header().pages]).map(Vec::len).sum();
        match count(Table::Meta)? == pages as u64 + others {
            true => Ok(()),
            false => Err(unknown(Table::Meta)),
        }
    }

    /// A scope, opened.
    pub(super) fn scope(&self, id: &ScopeId) -> Option<&Arc<OpenScope>> {
        let at = self.scopes.binary_search_by(|(it, _)| it.cmp(id)).ok()?;
        self.scopes.get(at).map(|(_, open)| open)
    }

    pub(super) fn reader(&self) -> &Reader<'r> {
        self.reader
    }

    pub(super) fn header(&self) -> &Header {
        self.reader.header()
    }

    pub(super) fn unlocked(&self) -> &Unlocked {
        &self.reader.unlocked
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record;
    use crate::store::fixture::{filled, id, name};
    use crate::store::vault::Vault;

    fn walk(vault: &Vault) -> Result<Vec<(ScopeId, Vec<u8>)>, Error> {
        let walked = vault.peek(|reader| {
            let mut values = Vec::new();
            let contents = Contents::open(reader)?;
            contents.each_value(&mut |_| (), &mut |scope, _, value| {
                values.push((scope.clone(), value.to_vec()));
                Ok(())
            })?;
            Ok(values)
        });
        walked.map(Option::unwrap)
    }

    #[test]
    fn every_value_is_opened_in_order() {
        let expected = [(id("s"), b"K".to_vec()), (id("s"), b"L".to_vec())];
        assert_eq!(walk(&filled()).unwrap(), expected);
    }

    #[test]
    fn a_secret_of_no_scope_ends_the_walk_and_is_found_by_a_check() {
        let vault = filled();
        let mut transaction = vault.backend.write().unwrap();
        let stray = record::secret_key(&id("x"), &name("K"));
        transaction.put(Table::Secrets, &stray, b"record").unwrap();
        let _applied = transaction.commit().unwrap();
        assert!(matches!(walk(&vault), Err(Error::Tampered { .. })));
        let checked = vault.peek(|reader| {
            let mut found = 0;
            let contents = Contents::open_what_opens(reader, &mut |_| ())?;
            let opened = contents.check_values(&mut |_| found += 1, &mut |_| ());
            Ok((opened, found))
        });
        assert_eq!(checked.unwrap().unwrap(), (2, 1));
    }
}
