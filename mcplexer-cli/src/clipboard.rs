//! The clipboard, through the programs that the desktop has for it, or through the terminal.
//!
//! A library would have to serve the value itself on X11 and Wayland, from a process that holds it until another one
//! copies something, and does not reach every Wayland desktop.

mod clear;
mod limited;
mod program;
mod terminal;

use std::io;

pub(crate) use clear::Clearing;
pub(crate) use program::Program;
pub(crate) use terminal::copy as copy_by_terminal;

/// Why nothing was copied.
#[derive(Debug)]
pub(crate) enum NotCopied {
    /// There is no desktop.
    NoDesktop,
    /// The desktop's clipboard needs a program of these packages.
    NoProgram { install: &'static str },
    /// `wl-copy` would keep the value in a file on a disk.
    OnDisk,
    /// The program failed.
    Program { name: &'static str, how: String },
    /// There is no terminal.
    NoTerminal(io::Error),
    /// The value is longer than terminals take.
    TooLong,
}
