//! The leader of the session that a masked command runs in.
//!
//! The kernel stops a process by Ctrl-Z only if another process of its session looks after it (POSIX,
//! "orphaned process group"), which for an ordinary command is the shell. Here it is this process: it
//! starts the command in the foreground of the session's terminal, and stops, goes on and ends as the
//! command does, for the process outside that it was started by.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use mcplexer_home::harden;
use nix::sys::signal::{SigSet, Signal};
use rustix::process::{Pid, getpgrp};
use rustix::termios::tcsetpgrp;

use super::not_started;
use super::supervise::{Group, Supervised, supervise};
use crate::cli::RunInSession;
use crate::failure::Failure;

pub(in crate::commands) fn run(run: &RunInSession) -> Result<(), Failure> {
    let core_limit = harden();
    let signals = Supervised::watch()?;
    let [program, arguments @ ..] = &run.command[..] else {
        return Err(Failure::new("no command was given"));
    };
    core_limit.restore();
    let child = Command::new(program)
        .args(arguments)
        .process_group(0)
        .spawn()
        .map_err(|error| not_started(program, &error))?;
    harden();
    let command = Pid::from_child(&child);
    // Standard output is the session's terminal.
    let _ended = tcsetpgrp(io::stdout(), command);
    let ended = supervise(signals, command, Group::Its, &mut ())?;
    // What the command has left running would else be told that the terminal is gone. A process in
    // the background may take the foreground if it does not listen to SIGTTOU (POSIX, tcsetpgrp).
    let mut blocked = SigSet::empty();
    blocked.add(Signal::SIGTTOU);
    let _taken = blocked
        .thread_block()
        .map(|()| tcsetpgrp(io::stdout(), getpgrp()));
    ended.die_alike()
}
