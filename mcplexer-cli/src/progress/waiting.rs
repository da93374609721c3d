//! Says that an operation goes on, where nobody can say how far it is.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::{CLEAR, can_redraw, draw};
use crate::cli::Global;

/// After this time, and each time it has passed again, the line is drawn.
const INTERVAL: Duration = Duration::from_secs(1);

/// What is on the line of the cursor.
static LINE: Mutex<Line> = Mutex::new(Line {
    is_drawn: false,
    is_asked: false,
});

struct Line {
    /// How long something takes is on it.
    is_drawn: bool,
    /// A question is on it, which is not drawn over.
    is_asked: bool,
}

impl Line {
    fn lock() -> MutexGuard<'static, Self> {
        LINE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.is_drawn) {
            draw(CLEAR);
        }
    }
}

/// A line on standard error, if that is a terminal: what is done, and for how long already. It appears after a second, and
/// goes when this is dropped.
pub(crate) struct Waiting(Option<(Sender<()>, JoinHandle<()>)>);

impl Waiting {
    /// Begins to wait for what is `doing`, such as `restoring`.
    pub(crate) fn new(doing: &'static str, global: Global) -> Self {
        if !can_redraw(global) {
            return Self(None);
        }
        let (end, ended) = mpsc::channel();
        let begun = Instant::now();
        let drawing = move || {
            while ended.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                let mut line = Line::lock();
                if !line.is_asked {
                    draw(&format!("{CLEAR}{doing}… {} s", begun.elapsed().as_secs()));
                    line.is_drawn = true;
                }
            }
        };
        // Without a thread there is no line, and nothing else is lost.
        let thread = thread::Builder::new().spawn(drawing);
        Self(thread.ok().map(|thread| (end, thread)))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some((end, thread)) = self.0.take() {
            drop(end);
            let _ended = thread.join();
            make_way();
        }
    }
}

/// Clears the line for a message.
pub(crate) fn make_way() {
    Line::lock().clear();
}

/// A question on the terminal, over which nothing is drawn until this is dropped.
pub(crate) struct Asking(());

impl Asking {
    /// Clears the line for a question.
    pub(crate) fn begin() -> Self {
        let mut line = Line::lock();
        line.clear();
        line.is_asked = true;
        Self(())
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        Line::lock().is_asked = false;
    }
}
