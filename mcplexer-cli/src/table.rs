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

/// Aligns rows in columns that fit the terminal, below a head. Leaves out columns that say nothing, and shortens the
/// names in the first one last.
pub(crate) fn named<const N: usize>(head: [&str; N], rows: &[Vec<String>]) -> String {
    let screen = Screen::stdout();
    let says = |at: usize| {
        rows.iter()
            .filter_map(|row| row.get(at))
            .any(|it| !is_empty(it))
    };
    let kept: Vec<_> = (0..N).map(|at| !screen.is_narrow() || says(at)).collect();
    let kept_of = |cells: &[String]| -> Vec<String> {
        let kept = cells.iter().zip(&kept).filter(|(_, is_kept)| **is_kept);
        kept.map(|(cell, _)| cell.clone()).collect()
    };
    let head = kept_of(&head.map(str::to_owned));
    let head: Vec<_> = head.iter().map(String::as_str).collect();
    let rows: Vec<_> = rows.iter().map(|row| kept_of(row)).collect();
    Columns::new(screen).with_name(0).headed(&head, &rows)
}

/// Returns whether a cell says nothing.
fn is_empty(cell: &str) -> bool {
    cell.is_empty() || cell == "-"
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
    /// The column that is shortened last: a name is what people copy.
    name: Option<usize>,
    /// The head of a table that is too wide for the screen: each row is a block of lines then.
    blocks: Option<Vec<String>>,
    look: fn(usize, &str) -> Option<Look>,
}

impl Columns {
    /// Starts a table on `screen`.
    pub(crate) fn new(screen: Screen) -> Self {
        Self {
            screen,
            widths: Vec::new(),
            kept: Vec::new(),
            name: None,
            blocks: None,
            look: |_, _| None,
        }
    }

    /// Lets `look` decide how a cell looks, by the number of its column and its text.
    pub(crate) fn with_look(mut self, look: fn(usize, &str) -> Option<Look>) -> Self {
        self.look = look;
        self
    }

    /// Shortens this column last.
    pub(crate) fn with_name(mut self, column: usize) -> Self {
        self.name = Some(column);
        self
    }

    /// Aligns the first rows, below a head. If they cannot fit the screen, each row is a block of `name: value`, and so
    /// are all that follow.
    pub(crate) fn headed(&mut self, head: &[&str], rows: &[Vec<String>]) -> String {
        let head: Vec<_> = head.iter().map(|&it| it.to_owned()).collect();
        let rows = clean(rows);
        self.widen(std::slice::from_ref(&head));
        self.widen(&rows);
        let widths = self.fitting();
        let needed = widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
        if self.screen.width.is_some_and(|screen| needed > screen) {
            self.blocks = Some(head);
            return self.as_blocks(&rows);
        }
        let head = self.line(&head, &widths, |_, _| Some(Look::Heading));
        head + &self.lines(&rows, &widths)
    }

    /// Aligns more rows.
    pub(crate) fn rows(&mut self, rows: &[Vec<String>]) -> String {
        let rows = clean(rows);
        if self.blocks.is_some() {
            return self.as_blocks(&rows);
        }
        self.widen(&rows);
        self.lines(&rows, &self.fitting())
    }

    /// Puts each cell on a line of its own, with its name before it, and an empty line behind each row.
    fn as_blocks(&self, rows: &[Vec<String>]) -> String {
        let names: Vec<_> = self
            .blocks
            .iter()
            .flatten()
            .map(|it| it.to_lowercase() + ":")
            .collect();
        let width = names.iter().map(|it| it.width()).max().unwrap_or(0) + 1;
        let mut text = String::new();
        for row in rows {
            for (at, (name, cell)) in names.iter().zip(row).enumerate() {
                if is_empty(cell) {
                    continue;
                }
                let space = " ".repeat(width.saturating_sub(name.width()));
                let cell = match (self.look)(at, cell) {
                    Some(look) => self.screen.paint.text(look, cell),
                    None => cell.clone(),
                };
                text.push_str(&format!("{name}{space}{cell}\n"));
            }
            text.push('\n');
        }
        text
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

    /// Returns widths with which a row fits on the screen: the widest columns give way first, and that of the names last.
    fn fitting(&self) -> Vec<usize> {
        let mut widths = self.widths.clone();
        let Some(screen) = self.screen.width else {
            return widths;
        };
        for is_name in [false, true] {
            loop {
                let gaps = GAP * widths.len().saturating_sub(1);
                let excess = (widths.iter().sum::<usize>() + gaps).saturating_sub(screen);
                let others = widths
                    .iter_mut()
                    .zip(&self.kept)
                    .enumerate()
                    .filter(|(at, (_, kept))| !**kept && (self.name == Some(*at)) == is_name);
                let widest = others.map(|(_, (width, _))| width).max();
                let Some(widest) = widest.filter(|it| excess > 0 && **it > NARROWEST) else {
                    break;
                };
                *widest -= 1;
            }
        }
        widths
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
    fn the_names_are_shortened_last() {
        let screen = Screen {
            width: Some(24),
            ..Screen::default()
        };
        let rows = [row(["0123456789abc", "0123456789"])];
        let mut columns = Columns::new(screen).with_name(0);
        let text = columns.rows(&rows);
        assert_eq!(text, "0123456789abc  0123…6789\n");
    }

    #[test]
    fn a_table_that_is_too_wide_becomes_blocks() {
        let screen = Screen {
            width: Some(20),
            ..Screen::default()
        };
        let rows = [row(["2027-01-31 12:00:00", "-", "0123456789"])];
        let mut columns = Columns::new(screen);
        let text = columns.headed(&["TIME", "NONE", "BY"], &rows);
        assert_eq!(text, "time: 2027-01-31 12:00:00\nby:   0123456789\n\n");
        let more = columns.rows(&[row(["a", "b", "c"])]);
        assert_eq!(more, "time: a\nnone: b\nby:   c\n\n");
    }

    #[test]
    fn control_characters_become_visible() {
        let text = whole(&[row(["a\u{1b}[2J\u{202e}", "b"])]);
        assert_eq!(text, "a\\u{1b}[2J\\u{202e}  b\n");
    }
}
