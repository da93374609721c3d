//! Tables: columns line up, and fit the terminal.

use std::io;
use std::os::fd::AsFd;

use rustix::termios::tcgetwinsize;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::output::stdout_is_terminal;
use crate::style::{Look, Paint};
use crate::text::{sanitized, wrapped};

/// The space between columns.
const GAP: usize = 2;
/// No column is shortened to less, in columns of a terminal.
const NARROWEST: usize = 8;

/// Aligns rows in columns. Nothing is shortened: people copy what they see.
pub(crate) fn whole(rows: &[Vec<String>]) -> String {
    Columns::new(Screen::default()).rows(rows)
}

/// Aligns rows in columns that fit the terminal.
pub(crate) fn fitting(rows: &[Vec<String>]) -> String {
    Columns::new(Screen::stdout()).rows(rows)
}

/// Aligns rows in columns that fit the terminal, below a head.
pub(crate) fn headed<const N: usize>(head: [&str; N], rows: &[Vec<String>]) -> String {
    let mut columns = Columns::new(Screen::stdout());
    columns.headed(&head, rows)
}

/// What a table is printed on.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Screen {
    /// The width of the terminal. `None` for a file or a pipe, where nothing is shortened.
    width: Option<usize>,
    paint: Paint,
}

impl Screen {
    /// Returns whether rows are shortened if they are too long.
    pub(crate) fn is_narrow(self) -> bool {
        self.width.is_some()
    }

    /// Breaks a text into lines that fit, at its words.
    pub(crate) fn lines(self, text: &str) -> String {
        let words: Vec<_> = text.split(' ').map(str::to_owned).collect();
        match self.width {
            Some(width) => wrapped(&words, width) + "\n",
            None => format!("{text}\n"),
        }
    }

    /// Returns what standard output is.
    pub(crate) fn stdout() -> Self {
        Self {
            width: stdout_is_terminal()
                .then(|| terminal_width(io::stdout()))
                .flatten(),
            paint: Paint::stdout(),
        }
    }
}

/// Returns the width of a terminal: `COLUMNS`, if it is set, or what the terminal says.
pub(crate) fn terminal_width(terminal: impl AsFd) -> Option<usize> {
    let variable = std::env::var("COLUMNS").ok();
    let given = variable.and_then(|it| it.parse().ok());
    let width = given.or_else(|| {
        let size = tcgetwinsize(terminal).ok()?;
        Some(usize::from(size.ws_col))
    });
    width.filter(|&it| it > 0)
}

/// The columns of a table whose rows come one after the other: each is at least as wide as in the rows before.
#[derive(Debug)]
pub(crate) struct Columns {
    screen: Screen,
    widths: Vec<usize>,
    /// Which columns are never shortened.
    kept: Vec<bool>,
    look: fn(usize, &str) -> Option<Look>,
}

impl Columns {
    /// Starts a table on `screen`.
    pub(crate) fn new(screen: Screen) -> Self {
        Self {
            screen,
            widths: Vec::new(),
            kept: Vec::new(),
            look: |_, _| None,
        }
    }

    /// Lets `look` decide how a cell looks, by the number of its column and its text.
    pub(crate) fn with_look(mut self, look: fn(usize, &str) -> Option<Look>) -> Self {
        self.look = look;
        self
    }

    /// Aligns the first rows, below a head.
    pub(crate) fn headed(&mut self, head: &[&str], rows: &[Vec<String>]) -> String {
        let head: Vec<_> = head.iter().map(|&it| it.to_owned()).collect();
        let rows = clean(rows);
        self.widen(std::slice::from_ref(&head));
        self.widen(&rows);
        let widths = self.fitting();
        let head = self.line(&head, &widths, |_, _| Some(Look::Heading));
        head + &self.lines(&rows, &widths)
    }

    /// Aligns more rows.
    pub(crate) fn rows(&mut self, rows: &[Vec<String>]) -> String {
        let rows = clean(rows);
        self.widen(&rows);
        self.lines(&rows, &self.fitting())
    }

    fn widen(&mut self, rows: &[Vec<String>]) {
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        self.widths.resize(columns.max(self.widths.len()), 0);
        self.kept.resize(self.widths.len(), false);
        for row in rows {
            for ((cell, width), kept) in row.iter().zip(&mut self.widths).zip(&mut self.kept) {
                *width = cell.width().max(*width);
                *kept |= is_kept(cell);
            }
        }
    }

    /// Returns widths with which a row fits on the screen: the widest columns give way first.
    fn fitting(&self) -> Vec<usize> {
        let mut widths = self.widths.clone();
        let Some(screen) = self.screen.width else {
            return widths;
        };
        loop {
            let gaps = GAP * widths.len().saturating_sub(1);
            let excess = (widths.iter().sum::<usize>() + gaps).saturating_sub(screen);
            let others = widths
                .iter_mut()
                .zip(&self.kept)
                .filter(|(_, kept)| !**kept);
            let Some(widest) = others.map(|(width, _)| width).max() else {
                return widths;
            };
            if excess == 0 || *widest <= NARROWEST {
                return widths;
            }
            *widest -= 1;
        }
    }

    fn lines(&self, rows: &[Vec<String>], widths: &[usize]) -> String {
        let lines = rows.iter().map(|row| self.line(row, widths, self.look));
        lines.collect()
    }

    fn line(
        &self,
        row: &[String],
        widths: &[usize],
        look: impl Fn(usize, &str) -> Option<Look>,
    ) -> String {
        let mut line = String::new();
        // The space before the next cell that is not empty.
        let mut space = 0;
        for (at, (cell, &width)) in row.iter().zip(widths).enumerate() {
            let cell_shown = in_middle(cell, width);
            if !cell_shown.is_empty() {
                line.extend(std::iter::repeat_n(' ', space));
                space = 0;
                line.push_str(&match look(at, cell) {
                    Some(look) => self.screen.paint.text(look, &cell_shown),
                    None => cell_shown.clone(),
                });
            }
            space += width.saturating_sub(cell_shown.width()) + GAP;
        }
        line.push('\n');
        line
    }
}

/// Makes control characters visible, which have no width.
fn clean(rows: &[Vec<String>]) -> Vec<Vec<String>> {
    let cells = |row: &Vec<String>| row.iter().map(sanitized).collect();
    rows.iter().map(cells).collect()
}

/// Returns whether half of a text says nothing: a time, such as `2027-01-31 12:00`, or the name that a secret gets.
fn is_kept(text: &str) -> bool {
    let day = text.as_bytes().first_chunk::<10>();
    let is_time = day.is_some_and(|day| {
        let mut places = day.iter().enumerate();
        places.all(|(at, it)| match at {
            4 | 7 => *it == b'-',
            _ => it.is_ascii_digit(),
        })
    });
    is_time || text.starts_with("→ ")
}

/// Shortens a text in its middle: `abc…xyz`.
fn in_middle(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(1);
    let head = first(text.chars(), room.div_ceil(2));
    let tail = first(text.chars().rev(), room / 2);
    let tail: String = tail.chars().rev().collect();
    format!("{head}…{tail}")
}

/// Returns the first characters of a text that fit into a width.
fn first(text: impl Iterator<Item = char>, width: usize) -> String {
    let mut left = width;
    let fits = text.take_while(|it| {
        let needed = it.width().unwrap_or(0);
        let fits = needed <= left;
        left = left.saturating_sub(needed);
        fits
    });
    fits.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
        cells.map(str::to_owned).to_vec()
    }

    #[test]
    fn columns_line_up() {
        let rows = [row(["LONGER", "1", ""]), row(["幅", "2", "x"])];
        let text = Columns::new(Screen::default()).headed(&["KEY", "V"], &rows);
        assert_eq!(text, "KEY     V\nLONGER  1\n幅      2  x\n");
    }

    #[test]
    fn what_is_long_is_shortened_in_its_middle() {
        for (text, width, expected) in [
            ("abcdefgh", 8, "abcdefgh"),
            ("abcdefghi", 8, "abcd…ghi"),
            ("幅幅幅幅幅", 8, "幅幅…幅"),
            ("e\u{301}bcdefghi", 8, "e\u{301}bcd…ghi"),
        ] {
            assert_eq!(in_middle(text, width), expected);
        }
    }

    #[test]
    fn the_widest_column_gives_way_first() {
        let screen = Screen {
            width: Some(20),
            ..Screen::default()
        };
        let rows = [row(["short", "a-very-long-text-without-an-end"])];
        let text = Columns::new(screen).rows(&rows);
        assert_eq!(text, "short  a-very…an-end\n");
        assert_eq!(text.trim_end().width(), 20);
        let rows = [row(["2027-01-31 12:00:00", "abcdefghi"])];
        let text = Columns::new(screen).rows(&rows);
        assert_eq!(text, "2027-01-31 12:00:00  abcd…ghi\n");
        // Less room than columns need: they keep what can be read.
        let rows = [row(["0123456789", "0123456789", "0123456789"])];
        let text = Columns::new(screen).rows(&rows);
        assert_eq!(text, "0123…789  0123…789  0123…789\n");
    }

    #[test]
    fn control_characters_become_visible() {
        let text = whole(&[row(["a\u{1b}[2J\u{202e}", "b"])]);
        assert_eq!(text, "a\\u{1b}[2J\\u{202e}  b\n");
    }
}
