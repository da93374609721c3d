//! What files are searched for.

use std::collections::HashSet;
use std::io::{self, Read};

use mcplexer_mask::{Occurrence, Scanner};

use super::{Place, shapes};

/// What to look for.
pub(crate) enum Search {
    /// The values of the store.
    Values(Box<Scanner>),
    /// Credentials of known shapes.
    Shapes,
}

impl Search {
    /// Returns the same search for another thread.
    pub(super) fn for_another_thread(&self) -> Self {
        match self {
            Self::Values(scanner) => Self::Values(Box::new(scanner.for_another_thread())),
            Self::Shapes => Self::Shapes,
        }
    }

    /// Searches a stream to its end. A value of the store is returned once a line.
    pub(super) fn scan(&mut self, stream: impl Read) -> io::Result<Vec<Place>> {
        match self {
            Self::Values(scanner) => scanner.scan(stream).map(once_a_line),
            Self::Shapes => shapes::scan(stream),
        }
    }
}

fn once_a_line(mut found: Vec<Occurrence>) -> Vec<Place> {
    found.sort_by_key(|it| (it.line, it.column));
    let mut listed = HashSet::new();
    found.retain(|it| listed.insert((it.line, it.label.clone())));
    let place = |it: Occurrence| Place {
        line: it.line,
        column: it.column,
        label: it.label,
    };
    found.into_iter().map(place).collect()
}
