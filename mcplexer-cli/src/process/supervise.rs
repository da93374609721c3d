//! Stands in for a command: passes signals on to it, and stops, continues and ends when it does.

use std::io;
use std::thread;

use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitOptions, WaitStatus, getpid, kill_current_process_group, kill_process,
    kill_process_group, waitpid,
};
use rustix::termios::tcgetpgrp;
use signal_hook::consts::{
    SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGSTOP, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU,
    SIGUSR1, SIGUSR2, SIGWINCH,
};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::origin::{Origin, WithOrigin};
use signal_hook::low_level::emulate_default_handler;
use signal_hook::low_level::siginfo::Cause;

use super::ProcessError;
use super::job::is_orphaned;
use super::relay::Relay;
use super::signal_mask::{Ignored, unblock_all};
use crate::failure::{Context, Failure};

/// Signals that are passed on to the command.
const PASSED_ON: [i32; 7] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR1, SIGUSR2];
/// Those of them that ask it to end.
const ENDING: [i32; 4] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];

/// How the command is related to this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    /// It is in the same process group, so both get the terminal's signals. When it stops, only this
    /// process stops with it.
    Own,
    /// It leads a group of its own, in the foreground of the same terminal.
    Its,
    /// It is in a session of its own, for which this process is in the foreground: this whole group
    /// stops with it.
    Foreground,
}

impl Group {
    /// Returns whether the terminal has sent the command the same signal as this process.
    fn also_got(self, signal: i32) -> bool {
        match self {
            Self::Own => true,
            // A key reaches this process only while the command is not in the foreground yet. A
            // terminal that goes away signals the leader of its session and the foreground.
            Self::Its => signal == SIGHUP,
            Self::Foreground => false,
        }
    }
}

/// What to do besides, when the state of the command changes.
pub(super) trait Watch {
    /// Runs after the command has stopped, before this process does.
    fn stops(&mut self) {}
    /// Runs when this process continues.
    fn continues(&mut self) {}
    /// Runs when the size of the window has changed.
    fn resized(&mut self) {}
}

impl Watch for () {}

/// The signals to watch, from before the command starts.
pub(super) struct Supervised(SignalsInfo<WithOrigin>);

impl Supervised {
    /// Starts to watch.
    ///
    /// # Errors
    ///
    /// Fails with `NotSupervised` if the system refuses.
    pub(super) fn watch() -> Result<Self, ProcessError> {
        // This process may have been started with some blocked. The command starts with none blocked in
        // any case: `std::process` clears the mask.
        unblock_all().map_err(ProcessError::NotSupervised)?;
        let ignored = Ignored::now();
        // A signal that was ignored at the start, as by nohup, stays ignored for the command.
        let passed_on = PASSED_ON
            .iter()
            .filter(|&&signal| !ignored.contains(signal));
        let signals = [SIGCHLD, SIGCONT, SIGWINCH].iter().chain(passed_on);
        let watched = SignalsInfo::new(signals).map(Self);
        watched.map_err(ProcessError::NotSupervised)
    }
}

/// How a command ended.
pub(super) struct Ended {
    status: WaitStatus,
    /// Whether a signal asked it to.
    was_told_to: bool,
    signals: Supervised,
}

impl Ended {
    /// Relays what the command has left, runs `last`, and ends as the command did. A signal that arrives
    /// meanwhile ends this process at once, after `last`. Output that is lost is reported, and makes a success
    /// a failure.
    pub(super) fn finish(
        self,
        mut relays: Vec<Relay>,
        last: impl Fn() + Clone + Send + 'static,
    ) -> ! {
        let (mut signals, before_death) = (self.signals, last.clone());
        thread::spawn(move || {
            let is_ending = |it: &Origin| ENDING.contains(&it.signal);
            let known = signals.0.pending().find(is_ending);
            let ending = known.or_else(|| signals.0.forever().find(is_ending));
            if let Some(Origin { signal, .. }) = ending {
                before_death();
                die_by(signal);
            }
        });
        let mut lost = None;
        for relay in &mut relays {
            if lost.is_some() {
                relay.give_back_stderr();
            }
            let error = relay.finish(self.was_told_to);
            lost = lost.or(error.map(Failure::of_stdout));
        }
        last();
        if let Some(lost) = lost {
            let code = lost.report(&Context::default());
            if self.status.exit_status() == Some(0) {
                std::process::exit(code.into());
            }
        }
        die_alike(self.status)
    }

    /// Returns the signal that ended the command, if one did.
    pub(super) fn terminating_signal(&self) -> Option<i32> {
        self.status.terminating_signal()
    }

    /// Returns the exit code of the command.
    pub(super) fn exit_code(&self) -> i32 {
        self.status.exit_status().unwrap_or(1)
    }

    /// Ends this process as the command ended: by the same signal, or with the same exit code.
    pub(super) fn die_alike(self) -> ! {
        die_alike(self.status)
    }
}

fn die_alike(status: WaitStatus) -> ! {
    match status.terminating_signal() {
        Some(signal) => die_by(signal),
        None => std::process::exit(status.exit_status().unwrap_or(1)),
    }
}

fn die_by(signal: i32) -> ! {
    let _still_alive = emulate_default_handler(signal);
    std::process::exit(128 + signal)
}

/// Follows a command, started after [`Supervised::watch`], to its end.
///
/// # Errors
///
/// Fails with `NotSupervised` if the state of the command cannot be read.
pub(super) fn supervise(
    mut signals: Supervised,
    command: Pid,
    group: Group,
    watch: &mut dyn Watch,
) -> Result<Ended, ProcessError> {
    let mut was_told_to = false;
    let mut status = None;
    for Origin { signal, cause, .. } in signals.0.forever() {
        match signal {
            SIGCHLD => match wait(command).map_err(ProcessError::NotSupervised)? {
                None => {}
                Some(status) if status.stopped() => {
                    if group == Group::Its && was_too_quick(command, status) {
                        send(command, group, Signal::CONT);
                        continue;
                    }
                    if may_stop(group, status) {
                        watch.stops();
                        stop(group);
                        watch.continues();
                    }
                    send(command, group, Signal::CONT);
                }
                ended => {
                    status = ended;
                    break;
                }
            },
            SIGCONT => watch.continues(),
            SIGWINCH => {
                watch.resized();
                // The signal comes here only while the command is not in the foreground yet.
                if group == Group::Its {
                    send(command, group, Signal::WINCH);
                }
            }
            signal => {
                was_told_to |= ENDING.contains(&signal);
                let has_it = matches!(cause, Cause::Kernel) && group.also_got(signal);
                if let (false, Some(signal)) = (has_it, Signal::from_named_raw(signal)) {
                    let _gone = kill_process(command, signal);
                }
            }
        }
    }
    let no_signals = || ProcessError::NotSupervised(io::Error::other("no more signals"));
    Ok(Ended {
        status: status.ok_or_else(no_signals)?,
        was_told_to,
        signals,
    })
}

/// Returns whether the terminal stopped the command because it was not in the foreground yet. By now it
/// is.
fn was_too_quick(command: Pid, status: WaitStatus) -> bool {
    let by = status.stopping_signal();
    let by_terminal = by == Some(SIGTTIN) || by == Some(SIGTTOU);
    by_terminal && tcgetpgrp(io::stdout()).is_ok_and(|group| group == command)
}

/// Returns the new state of the command; `None` if nothing has changed.
fn wait(command: Pid) -> io::Result<Option<WaitStatus>> {
    loop {
        match waitpid(Some(command), WaitOptions::NOHANG | WaitOptions::UNTRACED) {
            Ok(status) => return Ok(status.map(|(_, status)| status)),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Stops this process. Returns once it is continued.
fn stop(group: Group) {
    let _refused = match group {
        Group::Foreground => kill_current_process_group(Signal::STOP),
        Group::Own | Group::Its => kill_process(getpid(), Signal::STOP),
    };
}

/// Returns whether this process is to stop with its command. A stop by the terminal is ignored where
/// no process could continue this one; the leader of a session is continued from outside.
fn may_stop(group: Group, status: WaitStatus) -> bool {
    match group {
        Group::Its => true,
        Group::Own => status.stopping_signal() == Some(SIGSTOP) || !is_orphaned(),
        Group::Foreground => !is_orphaned(),
    }
}

fn send(command: Pid, group: Group, signal: Signal) {
    let _gone = match group {
        Group::Its => kill_process_group(command, signal),
        Group::Own | Group::Foreground => kill_process(command, signal),
    };
}
