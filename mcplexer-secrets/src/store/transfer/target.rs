//! The place that a store is moved to.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::Error;
use crate::backend::{Range, Snapshot, Table, Transaction};
use crate::error::{PlaceHas, RecordName};
use crate::keys::Ask;
use crate::record::{self, HEADER_KEY, Header, MOVING_KEY, MoveId, Moving};
use crate::store::patience::Patience;
use crate::store::unlocked::{Unlocked, read_header};
use crate::store::vault::{Vault, overtaken};

/// A place, and what people call it.
#[derive(Clone, Copy)]
pub(in crate::store) struct Target<'v> {
    pub(in crate::store) vault: &'v Vault,
    pub(in crate::store) place: &'v str,
}

impl<'v> Target<'v> {
    pub(super) fn error(self, has: PlaceHas) -> Error {
        Error::Place {
            place: self.place.to_owned(),
            has,
        }
    }

    /// Whether the store is there that was moved from here, or a later state of it.
    pub(super) fn has(self, here: &Unlocked) -> Result<bool, Error> {
        let there = self.unlocked_of(&here.header)?;
        Ok(
            there
                .is_some_and(|it| it.moved.is_none() && it.header.revision >= here.header.revision),
        )
    }

    /// The header there, if it is of the same store; `None` without a header.
    pub(super) fn unlocked_of(self, here: &Header) -> Result<Option<Arc<Unlocked>>, Error> {
        match self.vault.backend.read()? {
            Some(snapshot) => self.unlocked_in(&*snapshot, here),
            None => Ok(None),
        }
    }

    fn unlocked_in(
        self,
        snapshot: &dyn Snapshot,
        here: &Header,
    ) -> Result<Option<Arc<Unlocked>>, Error> {
        if snapshot.get(Table::Meta, HEADER_KEY)?.is_none() {
            return Ok(None);
        }
        if read_header(snapshot)?.1.store != here.store {
            return Err(self.error(PlaceHas::OtherStore));
        }
        let keyring = &self.vault.keyring;
        keyring.unlock_any(snapshot, Ask::Allowed).map(Some)
    }

    pub(super) fn revision(self) -> Result<u64, Error> {
        let snapshot = self.vault.backend.read()?;
        let snapshot = snapshot.ok_or_else(|| self.error(PlaceHas::Nothing))?;
        Ok(read_header(&*snapshot)?.1.revision)
    }

    /// Makes sure that the place is empty, or has what a move of this store left there: begun and interrupted, or an
    /// earlier one away from there. In any case it is no store from then on, and only `mover` puts records. Returns the
    /// move.
    pub(super) fn prepare(self, here: &Header, mover: MoveId) -> Result<MoveId, Error> {
        // Unlocking may wait for a passphrase: do it before other writers have to wait.
        self.unlocked_of(here)?;
        let id = MoveId::generate()?;
        self.commit(|transaction| {
            let begun = if let Some(there) = self.unlocked_in(&*transaction, here)? {
                if there.moved.is_none() {
                    return Err(self.error(PlaceHas::SameStore));
                }
                if there.header.revision > here.revision {
                    return Err(self.error(PlaceHas::LaterState));
                }
                transaction.delete(Table::Meta, HEADER_KEY)?;
                None
            } else {
                let begun = self.moving(&*transaction, here)?;
                if begun.is_none() && !is_empty(&*transaction)? {
                    return Err(self.error(PlaceHas::NoHeader));
                }
                begun
            };
            let moving = match begun {
                // Its mover may be about to mark the old place.
                Some(begun) if begun.revision > 0 => Moving { mover, ..begun },
                _ => Moving {
                    store: here.store,
                    id,
                    mover,
                    revision: 0,
                },
            };
            put_moving(transaction, &moving)?;
            Ok(moving.id)
        })
    }

    /// The move to there of this store that is not finished.
    fn moving(self, snapshot: &dyn Snapshot, here: &Header) -> Result<Option<Moving>, Error> {
        let Some(bytes) = snapshot.get(Table::Meta, MOVING_KEY)? else {
            return Ok(None);
        };
        let moving: Moving = record::decode(&bytes, || RecordName::Header)?;
        match moving.store == here.store {
            true => Ok(Some(moving)),
            false => Err(self.error(PlaceHas::OtherMove)),
        }
    }

    /// Whether a move of this store to there was begun, and not finished.
    pub(super) fn is_begun(self, here: &Header) -> Result<bool, Error> {
        match self.vault.backend.read()? {
            Some(snapshot) => Ok(self.moving(&*snapshot, here)?.is_some()),
            None => Ok(false),
        }
    }

    /// Fails if somebody else has finished the move to there meanwhile, goes on with it, or has begun another one.
    pub(super) fn require_mover(
        self,
        snapshot: &dyn Snapshot,
        here: &Header,
        mover: MoveId,
    ) -> Result<Moving, Error> {
        if snapshot.get(Table::Meta, HEADER_KEY)?.is_some() {
            return Err(self.error(PlaceHas::SameStore));
        }
        let moving = self.moving(snapshot, here)?;
        let moving = moving.ok_or_else(|| self.error(PlaceHas::Nothing))?;
        match moving.mover == mover {
            true => Ok(moving),
            false => Err(self.error(PlaceHas::OtherMover)),
        }
    }

    /// Says with which revision the store will be moved to there.
    pub(super) fn expect(self, here: &Header, mover: MoveId, revision: u64) -> Result<(), Error> {
        self.commit(|transaction| {
            let moving = self.require_mover(&*transaction, here, mover)?;
            put_moving(transaction, &Moving { revision, ..moving })
        })
    }

    /// Goes on with the move of a store that is marked as moved to there, and says once more with which revision. Fails if
    /// the move was given up.
    pub(super) fn claim(self, here: &Unlocked, mover: MoveId) -> Result<(), Error> {
        let revision = here.header.revision;
        self.commit(|transaction| {
            let moving = self.require_unfinished_in(&*transaction, here)?;
            if !(1..=revision).contains(&moving.revision) {
                return Err(self.error(PlaceHas::MoveGivenUp));
            }
            let moving = Moving {
                mover,
                revision,
                ..moving
            };
            put_moving(transaction, &moving)
        })
    }

    /// Puts the header, with which the place becomes the store.
    pub(super) fn finish(self, here: &Header, mover: MoveId, header: &[u8]) -> Result<(), Error> {
        self.commit(|transaction| {
            let moving = self.require_mover(&*transaction, here, mover)?;
            if moving.revision != here.revision {
                return Err(self.error(PlaceHas::MoveGivenUp));
            }
            transaction.delete(Table::Meta, MOVING_KEY)?;
            Ok(transaction.put(Table::Meta, HEADER_KEY, header)?)
        })?;
        let snapshot = self.vault.backend.read()?;
        let snapshot = snapshot.ok_or_else(|| self.error(PlaceHas::Nothing))?;
        match read_header(&*snapshot)?.0 == header {
            true => Ok(()),
            false => Err(self.error(PlaceHas::OtherRecords)),
        }
    }

    /// Fails unless the place has the move of this store that is not finished. Changes nothing there.
    pub(super) fn require_unfinished(self, here: &Unlocked) -> Result<(), Error> {
        match self.vault.backend.read()? {
            Some(snapshot) => self.require_unfinished_in(&*snapshot, here).map(drop),
            None => Err(self.error(PlaceHas::Gone)),
        }
    }

    /// A place that is empty, or has another move, may be another one with the same name.
    fn require_unfinished_in(
        self,
        snapshot: &dyn Snapshot,
        here: &Unlocked,
    ) -> Result<Moving, Error> {
        let found = match self.unlocked_in(snapshot, &here.header) {
            Ok(Some(there)) => {
                there.require_here()?;
                return Err(self.error(PlaceHas::SameStore));
            }
            Ok(None) => self.moving(snapshot, &here.header),
            Err(error) => Err(error),
        };
        let id = here.moved.as_ref().map(|it| it.id);
        match found {
            Ok(Some(moving)) if Some(moving.id) == id => Ok(moving),
            // Another store may have taken the place.
            Ok(_) | Err(Error::Place { .. }) => Err(self.error(PlaceHas::Gone)),
            Err(error) => Err(error),
        }
    }

    /// Makes sure that the move to there is never finished. Fails if it is, or if none was begun.
    pub(super) fn give_up(self, here: &Unlocked) -> Result<(), Error> {
        self.commit(|transaction| {
            let moving = self.require_unfinished_in(&*transaction, here)?;
            let revision = 0;
            put_moving(transaction, &Moving { revision, ..moving })
        })
    }

    /// Changes the place in one commit. `work` runs again if another writer was faster.
    pub(super) fn commit<T>(
        self,
        work: impl Fn(&mut dyn Transaction) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut patience = Patience::new(self.vault.patience);
        loop {
            let mut transaction = self.vault.backend.write()?;
            let done = work(&mut *transaction)?;
            if self.vault.is_applied(transaction.commit()?)? {
                return Ok(done);
            }
            if !patience.pause()? {
                return Err(overtaken("other writers keep changing the new place"));
            }
        }
    }
}

fn put_moving(transaction: &mut dyn Transaction, moving: &Moving) -> Result<(), Error> {
    let moving = record::encode(moving)?;
    Ok(transaction.put(Table::Meta, MOVING_KEY, &moving)?)
}

fn is_empty(snapshot: &dyn Snapshot) -> Result<bool, Error> {
    let mut is_empty = true;
    for table in Table::ALL {
        snapshot.scan(Range::all(table), &mut |_, _| {
            is_empty = false;
            ControlFlow::Break(())
        })?;
    }
    Ok(is_empty)
}
