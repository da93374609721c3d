//! How many streams are open: each holds one of the gateway's connections, for as long as its reader likes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::sessions::{Digest, digest};

/// The most streams that one token may have open.
pub(crate) const MOST: usize = 8;

/// The streams that are open, by the token of their readers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Streams(Arc<Mutex<HashMap<Digest, usize>>>);

/// The place of a stream. On drop another one may have it.
#[derive(Debug)]
pub(crate) struct Place {
    streams: Streams,
    token: Digest,
}

impl Streams {
    /// Takes a place for a stream; `None` if this token has as many as it may.
    pub(crate) fn take(&self, token: &str) -> Option<Place> {
        let token = digest(token);
        let mut open = self.open();
        let count = open.entry(token).or_default();
        if *count == MOST {
            return None;
        }
        *count += 1;
        Some(Place {
            streams: self.clone(),
            token,
        })
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Digest, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.streams.open();
        if let Some(count) = open.get_mut(&self.token) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.token);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_token_has_some_places_and_nothing_is_kept_of_one_without() {
        let streams = Streams::default();
        let mut places: Vec<_> = (0..MOST).map(|_| streams.take("a").unwrap()).collect();
        assert!(streams.take("a").is_none());
        let other = streams.take("b").unwrap();
        places.pop();
        places.push(streams.take("a").unwrap());
        assert!(streams.take("a").is_none());
        drop((places, other));
        assert!(streams.open().is_empty());
    }
}
