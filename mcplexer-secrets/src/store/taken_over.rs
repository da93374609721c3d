//! The scopes that a re-key that was interrupted has encrypted again already.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::consistency::each_secret;
use super::contents::{Contents, Seen};
use super::reader::Reader;
use super::unlocked::OpenScope;
use crate::record::{Entry, Scope};
use crate::{Error, ScopeId};

/// The record of a beginning, which stands in [`Table::Meta`](crate::backend::Table::Meta) besides pages.
const BEGINNING: u64 = 1;

/// Scopes that need not be encrypted again.
#[derive(Default)]
pub(super) struct TakenOver {
    pub(super) scopes: BTreeSet<ScopeId>,
    /// The secrets of these scopes.
    pub(super) seen: Seen,
}

impl TakenOver {
    /// Compares what a re-key has left with the state that it replaces: `None` unless each scope has the same secrets in
    /// the same versions, everything that is listed is there, and nothing else. Opens no value.
    pub(super) fn compare(old: &Contents<'_>, left: &Reader<'_>) -> Result<Option<Self>, Error> {
        let Some(contents) = certain(Contents::open(left))? else {
            return Ok(None);
        };
        let mut taken = Self::default();
        for (id, open) in &contents.scopes {
            let Some(before) = old.scope(id) else {
                return Ok(None);
            };
            let Some(now) = certain(versions(left, id, open, &mut taken.seen))? else {
                return Ok(None);
            };
            let before_all = versions(old.reader(), id, before, &mut Seen::default())?;
            if said(&before.record) != said(&open.record) || before_all != now {
                return Ok(None);
            }
            taken.scopes.insert(id.clone());
        }
        let is_whole = contents.header().scopes == contents.scopes.len() as u64
            && certain(contents.check_count(&taken.seen, BEGINNING))?.is_some();
        Ok(is_whole.then_some(taken))
    }
}

/// What a re-key does not change of a scope.
fn said(scope: &Scope) -> Scope {
    Scope {
        pages: Vec::new(),
        key: Vec::new(),
        ..scope.clone()
    }
}

/// What a re-key does not change of each version of each secret of a scope, and whether that is the current one. Fails
/// if a record is not the one that is listed.
fn versions(
    reader: &Reader<'_>,
    id: &ScopeId,
    open: &Arc<OpenScope>,
    seen: &mut Seen,
) -> Result<Vec<(Entry, bool)>, Error> {
    let entries = reader.opened(id, Arc::clone(open)).entries()?;
    let mut all = Vec::with_capacity(entries.len());
    each_secret(reader.snapshot, id, &entries, &mut |version, _| {
        seen.count(version);
        let entry = Entry {
            digest: [0; 32],
            ..version.entry.clone().into_owned()
        };
        all.push((entry, version.is_current));
        Ok(())
    })?;
    Ok(all)
}

/// What is certain about a beginning; `None` if it is not what its owner has written.
fn certain<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Error::Backend(error)) => Err(error.into()),
        Err(_) => Ok(None),
    }
}
