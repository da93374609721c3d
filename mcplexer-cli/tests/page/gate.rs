//! What a server waits for, so that a test decides how long something goes on.

use std::fs::File;
use std::io::Write;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::place::Place;

/// A closed gate: the tool `wait` and a server that was started with `slow` stop at it.
pub(crate) struct Gate(File);

impl Gate {
    /// Closes the gate of the servers of a home.
    pub(crate) fn of(place: &Place) -> Self {
        let path = place.root().join("server.gate");
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        // Open at both ends, it holds up nobody but who reads.
        Self(File::options().read(true).write(true).open(path).unwrap())
    }

    /// Lets the first one through that waits or comes.
    pub(crate) fn open(&mut self) {
        self.0.write_all(b"go\n").unwrap();
    }
}
