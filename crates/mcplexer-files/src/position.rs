//! Positions in a text, as people count them: in lines and characters.

use std::cell::Cell;
use std::fmt;

/// A position in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The character in that line, from 1.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

impl Position {
    /// The beginning of a text.
    pub(crate) const START: Self = Self { line: 1, column: 1 };

    /// Returns the position of the byte at an index.
    #[must_use]
    pub fn in_text(text: &[u8], at: usize) -> Self {
        Lines::of(text).position(at)
    }
}

/// The beginnings of the lines of a text, to find many positions quickly.
pub struct Lines<'a> {
    text: &'a [u8],
    starts: Vec<usize>,
    /// The last index asked for, and its position: the next is often behind it on the same line.
    last: Cell<(usize, Position)>,
}

impl<'a> Lines<'a> {
    /// Finds the lines of a text.
    #[must_use]
    pub fn of(text: &'a [u8]) -> Self {
        let ends = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let starts = std::iter::once(0).chain(ends.map(|(at, _)| at + 1));
        Self {
            text,
            starts: starts.collect(),
            last: Cell::new((0, Position::START)),
        }
    }

    /// Returns the line of the byte at an index, from 1.
    #[must_use]
    pub fn line(&self, at: usize) -> usize {
        self.starts.partition_point(|&start| start <= at)
    }

    /// Returns the position of the byte at an index.
    #[must_use]
    pub fn position(&self, at: usize) -> Position {
        let line = self.line(at);
        let (from, column) = match self.last.get() {
            (last, position) if position.line == line && last <= at => (last, position.column),
            _ => {
                let start = self.starts.get(line.saturating_sub(1));
                (start.copied().unwrap_or_default(), 1)
            }
        };
        let between = String::from_utf8_lossy(self.text.get(from..at).unwrap_or_default());
        let column = column + between.chars().count();
        let position = Position { line, column };
        self.last.set((at, position));
        position
    }
}

impl fmt::Debug for Lines<'_> {
    /// Writes no text, which may have secrets in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lines({})", self.starts.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_text() {
        assert_eq!(format!("{:?}", Lines::of(b"visible?\n")), "Lines(2)");
    }

    #[test]
    fn positions_are_the_same_in_any_order() {
        let text = "ä b\n\nc€d\u{1f511}e\n";
        let lines = Lines::of(text.as_bytes());
        let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        for &first in &starts {
            for &second in &starts {
                let (_, before) = (lines.position(first), text.get(..second).unwrap());
                let expected = Position {
                    line: before.matches('\n').count() + 1,
                    column: before.rsplit('\n').next().unwrap().chars().count() + 1,
                };
                assert_eq!(lines.position(second), expected);
            }
        }
    }
}
