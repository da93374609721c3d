//! Moving the whole store to another place.

use std::sync::Arc;

use super::Store;
use crate::Error;
use crate::backend::Backend;
use crate::store::contents::Progress;
use crate::store::transfer::{self, Target, Transferred};

impl Store {
    /// Moves the store to another place, sealed as it is: the same keys open it there. `place` is what people call the
    /// place, such as its URL; it must have no password in it.
    ///
    /// Others read meanwhile, and those who write wait for the end of it. Then the store is where it was, too, but takes no
    /// changes there: they fail with [`Error::Moved`]. If this is interrupted, run it again: it goes on where it was. Until
    /// it is finished, the new place is no store, and opening it fails with [`Error::MoveUnfinished`].
    ///
    /// # Errors
    /// * [`Error::Place`] if there is something else, or what was put there does not come back.
    /// * [`Error::Moved`] if the store was moved to another place already.
    /// * [`Error::Tampered`] names the first record that does not open. Nothing is moved then.
    pub fn move_to(
        &self,
        to: impl Backend + 'static,
        place: &str,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Transferred, Error> {
        let to = transfer::beside(&self.vault, Arc::new(to));
        transfer::transfer(&self.vault, &to, place, progress)
    }

    /// Lets a store take changes here again if its move was not finished. Returns whether there was one. `to` is the new place
    /// and what people call it; `None` if it is gone for good, with all changes that may have been made there.
    ///
    /// # Errors
    /// * [`Error::Place`] if the move was finished: move it back instead. Also if the new place does not have the store any
    ///   more, so that changes that were made there are lost.
    /// * [`Error::Moved`] if the store was moved on from there, or the audit log knows of later changes.
    pub fn keep_here(&self, to: Option<(Arc<dyn Backend>, &str)>) -> Result<bool, Error> {
        let Some((to, place)) = to else {
            return transfer::keep(&self.vault, None);
        };
        let vault = &transfer::beside(&self.vault, to);
        transfer::keep(&self.vault, Some(Target { vault, place }))
    }

    /// Requires that `old` is what was left of this store when it was moved, or what a move from here has put there that was
    /// not finished, and records that it is deleted. The caller deletes it afterwards, while no such move runs.
    ///
    /// # Errors
    /// [`Error::Place`] if that is not so; [`Error::Moved`] if this store was moved away itself.
    pub fn let_go_of(&self, old: impl Backend + 'static, place: &str) -> Result<(), Error> {
        let old = transfer::beside(&self.vault, Arc::new(old));
        transfer::let_go(&self.vault, &old, place)
    }

    /// Returns where the store was moved to, as the last operation has seen. Reads nothing.
    #[must_use]
    pub fn seen_moved_to(&self) -> Option<String> {
        let last = self.vault.keyring.last_unlocked();
        let moved = last?.moved.clone();
        moved.map(|it| it.place)
    }

    /// Returns where the store was moved to. `None` if it is here, and if no key is at hand to verify that.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn moved_to(&self) -> Result<Option<String>, Error> {
        transfer::moved_to(&self.vault)
    }
}
