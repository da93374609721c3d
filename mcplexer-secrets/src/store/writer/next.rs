//! The next state, in the place of the current one.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::Writer;
use crate::Error;
use crate::backend::{BackendError, Commit, Limits, Successor, Table, Transaction};
use crate::record::{self, BEGINNING_KEY, Beginning};
use crate::store::room::Room;
use crate::store::unlocked::Unlocked;

/// Where a change is written.
pub(super) enum Change<'t> {
    OfSome(Box<dyn Transaction + 't>),
    OfAll(Box<dyn Successor + 't>),
}

impl<'t> Deref for Change<'t> {
    type Target = dyn Transaction + 't;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::OfSome(transaction) => &**transaction,
            Self::OfAll(successor) => &**successor,
        }
    }
}

impl DerefMut for Change<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        match self {
            Self::OfSome(transaction) => &mut **transaction,
            Self::OfAll(successor) => &mut **successor,
        }
    }
}

impl Change<'_> {
    pub(super) fn commit(self) -> Result<Commit, BackendError> {
        match self {
            Self::OfSome(transaction) => transaction.commit(),
            Self::OfAll(successor) => successor.commit(),
        }
    }
}

impl<'t> Writer<'t> {
    /// Begins a new state, which takes the place of another one.
    pub(in crate::store) fn replacing(
        successor: Box<dyn Successor + 't>,
        unlocked: Arc<Unlocked>,
    ) -> Self {
        Self {
            transaction: Change::OfAll(successor),
            unlocked,
            parts: Vec::new(),
            // An engine with limits writes a whole state in several steps.
            room: Room::new(Limits::NONE),
        }
    }

    /// Goes on with what a re-key has left, under the root key of that.
    pub(in crate::store) fn go_on(&mut self, unlocked: Arc<Unlocked>) {
        self.unlocked = unlocked;
    }

    /// Deletes what a re-key has left, if there is anything.
    pub(in crate::store) fn clear(&mut self) -> Result<(), Error> {
        match &mut self.transaction {
            Change::OfSome(_) => Ok(()),
            Change::OfAll(successor) => Ok(successor.clear()?),
        }
    }

    /// Keeps the scopes that were put so far, as the beginning of a state.
    pub(in crate::store) fn keep(&mut self, beginning: &mut Beginning) -> Result<(), Error> {
        let Self {
            transaction,
            unlocked,
            ..
        } = self;
        beginning.scopes = unlocked.header.scopes;
        beginning.pages.clone_from(&unlocked.header.pages);
        let context = beginning.context(&unlocked.header);
        beginning.proof = unlocked.root.prove(&context, "")?;
        let bytes = record::encode(beginning)?;
        transaction.put(Table::Meta, BEGINNING_KEY, &bytes)?;
        match transaction {
            Change::OfSome(_) => Ok(()),
            Change::OfAll(successor) => Ok(successor.keep()?),
        }
    }

    /// Makes a state of a beginning.
    pub(in crate::store) fn end_beginning(&mut self) -> Result<(), Error> {
        Ok(self.transaction.delete(Table::Meta, BEGINNING_KEY)?)
    }
}
