//! The leader of the session that a masked command runs in: this program, started once more.
//!
//! The kernel lets Ctrl-Z stop a process only if another process of its session could continue it (POSIX,
//! "orphaned process group"). For an ordinary command that is the shell. Here it is the leader: it
//! starts the command in the foreground of the session's terminal, and stops, continues and ends when
//! the command does. The process outside, which started the leader, sees all of that.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::sys::signal::Signal;
use rustix::process::{Pid, getpgrp};
use rustix::termios::tcsetpgrp;

use super::helper::Role;
use super::supervise::{Group, Supervised, supervise};
use super::{Blocked, ProcessError};
use mcplexer_home::harden;

/// Runs a command in the foreground of this session's terminal, and ends as it did.
///
/// # Errors
///
/// * `NoOwnPath` if the path of this program is unknown.
/// * `NotStarted` if the program cannot be started.
/// * `NotSupervised` if it cannot be watched.
pub(super) fn lead(command: &Command) -> Result<(), ProcessError> {
    let own = std::env::current_exe().map_err(ProcessError::NoOwnPath)?;
    let core_limit = harden();
    let signals = Supervised::watch()?;
    core_limit.restore();
    let child = Role::Become
        .helper(&own, command)
        .process_group(0)
        .spawn()
        .map_err(|source| ProcessError::NotStarted {
            program: command.get_program().to_owned(),
            source,
        })?;
    harden();
    let command = Pid::from_child(&child);
    // Standard output is the session's terminal.
    let _ended = tcsetpgrp(io::stdout(), command);
    let ended = supervise(signals, command, Group::Its, &mut ())?;
    take_foreground();
    ended.die_alike()
}

/// Puts this process back into the foreground, so that processes which the command left running do not
/// get SIGHUP when this process, the session leader, ends. A background process may do this while it
/// blocks SIGTTOU (POSIX, tcsetpgrp).
fn take_foreground() {
    let blocked = Blocked::new([Signal::SIGTTOU]);
    let _taken = blocked.map(|_blocked| tcsetpgrp(io::stdout(), getpgrp()));
}
