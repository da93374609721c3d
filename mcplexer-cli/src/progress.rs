//! How far a long piece of work has come.
//!
//! Drawn here, since a library for bars would have every command link libm, which makes starting
//! one slower by a tenth.

use std::cell::Cell;
use std::io::{self, IsTerminal, Write};

use mcplexer_secrets::Progress;
use rustix::termios::tcgetwinsize;

use crate::cli::Global;
use crate::output::thousands;

/// Characters in the bar.
const WIDTH: u64 = 30;
/// A narrower terminal would break the line.
const NARROWEST: u16 = 80;

/// A bar on the terminal; nothing where standard error is none.
pub(crate) struct Bar {
    doing: &'static str,
    is_shown: bool,
    /// The hundredths that are drawn.
    drawn: Cell<Option<u64>>,
}

impl Bar {
    /// A bar for what is being done to all secrets, such as `re-keying`.
    pub(crate) fn new(doing: &'static str, global: Global) -> Self {
        let is_wide = tcgetwinsize(io::stderr()).is_ok_and(|size| size.ws_col >= NARROWEST);
        let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        Self {
            doing,
            is_shown: !global.quiet && io::stderr().is_terminal() && is_wide && !is_dumb,
            drawn: Cell::new(None),
        }
    }

    pub(crate) fn show(&self, progress: Progress) {
        let hundredths = progress.done * 100 / progress.total.max(1);
        if self.is_shown && self.drawn.replace(Some(hundredths)) != Some(hundredths) {
            draw(&format!("\r{}", line(self.doing, progress)));
        }
    }

    /// Leaves the bar where it is.
    pub(crate) fn keep(self) {
        if self.drawn.take().is_some() {
            draw("\n");
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if self.drawn.take().is_some() {
            draw("\r\x1b[K");
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
