//! The record of a re-key that is not finished.

use serde::{Deserialize, Serialize};

use super::{Context, Digest, Header, Pages};

/// Key of the record in [`Table::Meta`](crate::backend::Table::Meta) of a state that is not committed.
pub(crate) const BEGINNING_KEY: &[u8] = b"beginning";

/// What a re-key has done so far: some scopes, under the next root key. It stands where a store has its header, so that
/// nobody takes it for a store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Beginning {
    /// Of the header that is replaced, which vouches for everything that was encrypted again.
    pub(crate) of: Digest,
    /// The recipient of the owner who made the root key.
    pub(crate) by: String,
    /// The owners of the next state.
    pub(crate) heirs: Vec<Heir>,
    /// The number of scopes so far.
    pub(crate) scopes: u64,
    /// The pages of the list of these scopes.
    pub(crate) pages: Pages,
    /// An empty text, sealed with the next root key over all of the above.
    #[serde(with = "serde_bytes")]
    pub(crate) proof: Vec<u8>,
}

/// An owner of the next state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Heir {
    pub(crate) recipient: String,
    /// The next root key, as an ordinary age file to that recipient.
    #[serde(with = "serde_bytes")]
    pub(crate) wrapped: Vec<u8>,
    /// Over the header that is replaced, the root key and the recipients of all heirs, under a key that only `by` and this
    /// owner know; `None` if they have no such key.
    pub(crate) mac: Option<Digest>,
}

impl Beginning {
    /// What the proof is about, in a store with this header.
    pub(crate) fn context<'a>(&'a self, header: &Header) -> Context<'a> {
        Context::Beginning {
            store: header.store,
            generation: header.generation,
            of: &self.of,
            by: &self.by,
            heirs: &self.heirs,
            scopes: self.scopes,
            pages: &self.pages,
        }
    }
}
