//! Shows the progress of a long operation.
//!
//! A crate for progress bars would make every command link libm, which makes starting a tenth
//! slower.

mod waiting;

use std::cell::Cell;
use std::io::{self, IsTerminal, Write};

use mcplexer_secrets::Progress;
use rustix::termios::tcgetwinsize;

use crate::cli::Global;
use crate::text::thousands;

pub(crate) use waiting::{Asking, Waiting, make_way};

/// The length of the bar in characters.
const WIDTH: u64 = 30;
/// The minimum width of a terminal, in columns. On a narrower one, the line would wrap.
const NARROWEST: u16 = 80;

/// Clears the line of the cursor.
const CLEAR: &str = "\r\x1b[K";

/// Whether standard error is a terminal on which a line can be drawn again.
fn can_redraw(global: Global) -> bool {
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    !global.quiet && io::stderr().is_terminal() && !is_dumb
}

/// A progress bar on standard error, if that is a terminal.
pub(crate) struct Bar {
    doing: &'static str,
    is_shown: bool,
    /// The percentage drawn last.
    drawn: Cell<Option<u64>>,
}

impl Bar {
    /// Creates a bar for an operation on all secrets, such as `re-encrypting`.
    pub(crate) fn new(doing: &'static str, global: Global) -> Self {
        let is_wide = tcgetwinsize(io::stderr()).is_ok_and(|size| size.ws_col >= NARROWEST);
        Self {
            doing,
            is_shown: can_redraw(global) && is_wide,
            drawn: Cell::new(None),
        }
    }

    pub(crate) fn show(&self, progress: Progress) {
        let percentage = progress.done * 100 / progress.total.max(1);
        if self.is_shown && self.drawn.replace(Some(percentage)) != Some(percentage) {
            draw(&format!("\r{}", line(self.doing, progress)));
        }
    }

    /// Leaves the finished bar on the terminal.
    pub(crate) fn keep(self) {
        if self.drawn.take().is_some() {
            draw("\n");
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if self.drawn.take().is_some() {
            draw(CLEAR);
        }
    }
}

fn line(doing: &str, progress: Progress) -> String {
    let Progress { done, total, .. } = progress;
    let full = done * WIDTH / total.max(1);
    let bar: String = (0..WIDTH)
        .map(|at| if at < full { '━' } else { '─' })
        .collect();
    format!(
        "{doing} {bar} {} of {} secrets",
        thousands(done),
        thousands(total)
    )
}

fn draw(text: &str) {
    let mut stderr = io::stderr().lock();
    let _unseen = stderr
        .write_all(text.as_bytes())
        .and_then(|()| stderr.flush());
}
