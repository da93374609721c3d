//! Moves the store to another place, such as from the file of this home to a server, and deletes what is left of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use mcplexer_secrets::backend::Backend;
use mcplexer_secrets::{Error as StoreError, PlaceHas, Progress, StoreOptions};
use serde::Serialize;

use crate::exposed::Exposed;
use crate::open::OpenHome;
use crate::place::StorePlace;

/// A failure to move the store, or to delete what is left of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The place is the one where the store is.
    #[error("the store is at {place} already")]
    SamePlace {
        /// The place.
        place: StorePlace,
    },
    /// The place is the one where the store of this home is, and it takes changes there.
    #[error("the store of this home is at {place}, and was not moved away from there")]
    NotMovedAway {
        /// The place.
        place: StorePlace,
    },
    /// Other users could change the file that the store is to be in, or a directory above it.
    #[error("{}", .0.first().map(ToString::to_string).unwrap_or_default())]
    Exposed(Vec<Exposed>),
    /// The place that the store was moved to cannot be asked, so nobody knows what was changed there.
    #[error("{place} cannot be asked: {source}")]
    NotAsked {
        /// The place, as the move named it.
        place: String,
        /// Why not.
        source: StoreError,
    },
    /// What is left cannot be deleted.
    #[error("cannot delete {}: {source}", .path.display())]
    NotDeleted {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The store does not allow it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A store that was moved.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct MoveReport {
    /// Where it was.
    pub from: StorePlace,
    /// Where it is.
    pub to: StorePlace,
    /// Whether it was moved there before, so that nothing was done.
    pub was_done: bool,
    /// How many records it has.
    pub records: u64,
    /// How many bytes they have.
    pub bytes: u64,
    /// How many of them were put.
    pub put: u64,
    /// How many other records were deleted there.
    pub deleted: u64,
    /// Its revision.
    pub revision: u64,
    /// How many scopes were opened at the new place.
    pub scopes: u64,
    /// How many secrets were opened there.
    pub secrets: u64,
}

/// What is left of a store that was moved, and may go.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Left {
    /// This file, which was deleted.
    Deleted(PathBuf),
    /// What this command deletes on the server.
    OnServer(String),
}

/// Moves the store to another place, or goes on with that.
///
/// # Errors
/// As [`Store::move_to`](mcplexer_secrets::Store::move_to).
pub fn move_to(
    to: &StorePlace,
    open: &OpenHome,
    progress: &mut dyn FnMut(Progress),
) -> Result<MoveReport, Error> {
    let from = open.home().store();
    if to == from {
        return Err(Error::SamePlace { place: to.clone() });
    }
    let exposed = Exposed::refused_in(&open.home().with_store(to.clone()));
    if !exposed.is_empty() {
        return Err(Error::Exposed(exposed));
    }
    let moved = open
        .store()
        .move_to(backend(to)?, &to.to_string(), progress)?;
    Ok(MoveReport {
        from: from.clone(),
        to: to.clone(),
        was_done: moved.was_done,
        records: moved.records,
        bytes: moved.bytes,
        put: moved.put,
        deleted: moved.deleted,
        revision: moved.revision,
        scopes: moved.scopes,
        secrets: moved.secrets,
    })
}

/// Gives up a move from here that was not finished. Returns the place that it was to; `None` if there was no move.
///
/// # Errors
/// As [`Store::keep_here`](mcplexer_secrets::Store::keep_here). [`Error::NotAsked`] if the new place cannot be reached.
pub fn keep(open: &OpenHome) -> Result<Option<StorePlace>, Error> {
    // Without a key, nobody knows.
    let to = match open.store().unlock() {
        // The log knows of changes that were made there.
        Err(StoreError::Moved { to }) => Some(to),
        unlocked => {
            unlocked?;
            open.store().moved_to()?
        }
    };
    let Some(to) = to else {
        return Ok(None);
    };
    let gone = || StoreError::Place {
        place: to.clone(),
        has: PlaceHas::Gone,
    };
    let place = StorePlace::of_name(&to).ok_or_else(gone)?;
    // The file may be one of another machine.
    if place.file().is_some_and(|path| !path.exists()) {
        return Err(gone().into());
    }
    let asked = backend(&place).and_then(|it| {
        it.read()?;
        Ok(it)
    });
    let backend = asked.map_err(|source| Error::NotAsked {
        place: to.clone(),
        source,
    })?;
    open.store().keep_here(Some((backend, &to)))?;
    Ok(Some(place))
}

/// Lets the store take changes here again although it was moved. What was changed at the new place is lost.
///
/// # Errors
/// As [`Store::keep_here`](mcplexer_secrets::Store::keep_here).
pub fn keep_over_loss(open: &OpenHome) -> Result<(), Error> {
    open.store().keep_here(None)?;
    Ok(())
}

/// Deletes what is left at a place that the store of this home was moved away from, or to which a move from here was not finished.
/// Of a server, returns what deletes it there, and deletes the copy in this home if that has the store in a file.
///
/// # Errors
/// As [`Store::let_go_of`](mcplexer_secrets::Store::let_go_of). [`Error::NotMovedAway`] if the place is the one of this home.
pub fn delete_moved(old: &StorePlace, open: &OpenHome) -> Result<Left, Error> {
    if old.file().is_some_and(|path| !path.exists()) {
        let place = old.to_string();
        let has = PlaceHas::Nothing;
        return Err(StoreError::Place { place, has }.into());
    }
    if old == open.home().store() {
        open.store().unlock()?;
        return Err(match open.store().moved_to()? {
            Some(to) => StoreError::Moved { to }.into(),
            None => Error::NotMovedAway { place: old.clone() },
        });
    }
    open.store().let_go_of(backend(old)?, &old.to_string())?;
    match old {
        StorePlace::File(path) => {
            fs::remove_file(path).map_err(not_deleted(path))?;
            Ok(Left::Deleted(path.clone()))
        }
        StorePlace::Server(url) => {
            let copy = open.home().store_cache();
            // The store is in a file: a copy is of no use any more.
            if open.home().store().file().is_some() && copy.exists() {
                fs::remove_file(&copy).map_err(not_deleted(&copy))?;
            }
            Ok(Left::OnServer(url.deletion()))
        }
    }
}

fn not_deleted(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    |source| Error::NotDeleted { path, source }
}

fn backend(place: &StorePlace) -> Result<Arc<dyn Backend>, StoreError> {
    Ok(place.backend(&StoreOptions::default())?)
}

#[cfg(test)]
mod tests {
    use mcplexer_secrets::SecretStore;
    use mcplexer_secrets::keys::PassphraseRequest;
    use tempfile::TempDir;

    use super::*;
    use crate::open::tests::{opened, put};

    fn file(directory: &TempDir, name: &str) -> StorePlace {
        StorePlace::File(directory.path().join("home").join(name))
    }

    #[test]
    fn a_store_is_moved_and_what_is_left_of_it_deleted() {
        let directory = tempfile::tempdir().unwrap();
        let open = opened(&directory);
        put(&open, "web", "A", "v");
        let here = open.home().store().clone();
        let to = file(&directory, "other.redb");
        let report = move_to(&to, &open, &mut |_| ()).unwrap();
        assert_eq!((&report.from, &report.to), (&here, &to));
        assert_eq!((report.scopes, report.secrets), (1, 1));
        assert!(move_to(&to, &open, &mut |_| ()).unwrap().was_done);

        let nobody = |_: &PassphraseRequest<'_>| None;
        let moved = OpenHome::open(open.home().with_store(to.clone()), nobody).unwrap();
        let value = moved
            .store()
            .get(&"web".parse().unwrap(), &"A".parse().unwrap());
        assert_eq!(value.unwrap().expose(), b"v");
        let path = here.file().unwrap().to_owned();
        assert!(path.exists());
        let left = delete_moved(&here, &moved).unwrap();
        assert_eq!(left, Left::Deleted(path.clone()));
        assert!(!path.exists());
    }

    #[test]
    fn a_move_to_the_same_place_and_what_takes_changes_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let open = opened(&directory);
        put(&open, "web", "A", "v");
        let here = open.home().store().clone();
        let refused = move_to(&here, &open, &mut |_| ());
        assert!(matches!(refused, Err(Error::SamePlace { .. })));
        let refused = delete_moved(&here, &open);
        assert!(matches!(refused, Err(Error::NotMovedAway { .. })));
        assert_eq!(keep(&open).unwrap(), None);
        move_to(&file(&directory, "other.redb"), &open, &mut |_| ()).unwrap();
        let refused = delete_moved(&here, &open);
        assert!(matches!(
            refused,
            Err(Error::Store(StoreError::Moved { .. }))
        ));
        let finished = keep(&open);
        assert!(matches!(
            finished,
            Err(Error::Store(StoreError::Place {
                has: PlaceHas::SameStore,
                ..
            }))
        ));
    }

    #[test]
    fn a_move_to_a_file_that_is_not_there_is_given_up_only_as_lost() {
        let directory = tempfile::tempdir().unwrap();
        let open = opened(&directory);
        put(&open, "web", "A", "v");
        let to = file(&directory, "other.redb");
        move_to(&to, &open, &mut |_| ()).unwrap();
        let path = to.file().unwrap();
        fs::remove_file(path).unwrap();
        let refused = keep(&open);
        assert!(matches!(
            refused,
            Err(Error::Store(StoreError::Place {
                has: PlaceHas::Gone,
                ..
            }))
        ));
        assert!(!path.exists());
        keep_over_loss(&open).unwrap();
        put(&open, "web", "B", "v");
    }
}
