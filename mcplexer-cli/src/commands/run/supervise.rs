//! Standing in for a command: its signals, its stops and its end are this process's.

use std::io;
use std::thread;

use nix::sys::signal::SigSet;
use nix::unistd::{getpgid, getpgrp, getppid, getsid, tcgetpgrp};
use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitOptions, WaitStatus, getpid, kill_current_process_group, kill_process,
    kill_process_group, waitpid,
};
use signal_hook::consts::{
    SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGSTOP, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU,
    SIGUSR1, SIGUSR2, SIGWINCH,
};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::origin::{Origin, WithOrigin};
use signal_hook::low_level::emulate_default_handler;
use signal_hook::low_level::siginfo::Cause;

use super::relay::Relay;
use crate::failure::Failure;

/// Signals that are the command's to have.
const PASSED_ON: [i32; 7] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR1, SIGUSR2];
/// Those of them that tell it to end.
const ENDING: [i32; 4] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];

/// How the command is related to this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    /// It is of the same process group: what the terminal sends, both get. If it stops, only this
    /// process stops with it.
    Own,
    /// It leads a group of its own on the same terminal, and is in the foreground there.
    Its,
    /// It is in a session of its own, and this process is in the foreground for it: all of this
    /// group stops with it.
    Foreground,
}

impl Group {
    /// Whether a signal that the terminal has sent to this process was sent to the command as well.
    fn has_got(self, signal: i32) -> bool {
        match self {
            Self::Own => true,
            // A key's signal comes here only while the command is not in the foreground yet. A
            // terminal that goes away tells its session's leader and the foreground.
            Self::Its => signal == SIGHUP,
            Self::Foreground => false,
        }
    }
}

/// What else is to be done on signals.
pub(super) trait Watch {
    /// The command has stopped, and so will this process.
    fn stops(&mut self) {}
    /// This process goes on.
    fn goes_on(&mut self) {}
    /// The window has another size.
    fn is_resized(&mut self) {}
}

impl Watch for () {}

/// Signals that are watched for, from before the command is started.
pub(super) struct Supervised(SignalsInfo<WithOrigin>);

impl Supervised {
    pub(super) fn watch() -> Result<Self, Failure> {
        // Whoever has started this process may have blocked some. The command starts without any
        // blocked in any case: `std::process` sees to that.
        SigSet::all()
            .thread_unblock()
            .map_err(|error| failed(error.into()))?;
        let ignored = ignored_signals();
        // What was ignored when this process was started, as by nohup, stays ignored for the command.
        let passed_on = PASSED_ON.iter().filter(|&&signal| !is_in(signal, ignored));
        let signals = [SIGCHLD, SIGCONT, SIGWINCH].iter().chain(passed_on);
        SignalsInfo::new(signals).map(Self).map_err(failed)
    }
}

/// How a command ended.
pub(super) struct Ended {
    status: WaitStatus,
    /// Whether a signal told it to.
    was_told_to: bool,
    signals: Supervised,
}

impl Ended {
    /// Passes on what the command has left, then ends as it did. A signal that comes meanwhile ends
    /// this process. Before the end `last` is done.
    pub(super) fn finish(self, relays: Vec<Relay>, last: impl Fn() + Clone + Send + 'static) -> ! {
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
        for relay in relays {
            relay.finish(self.was_told_to);
        }
        last();
        die_alike(self.status)
    }

    /// Ends this process in the same way: by the same signal, or with the same exit code.
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

/// Waits for the end of a command that was started after [`Supervised::watch`].
pub(super) fn supervise(
    mut signals: Supervised,
    command: Pid,
    group: Group,
    watch: &mut dyn Watch,
) -> Result<Ended, Failure> {
    let mut was_told_to = false;
    let mut status = None;
    for Origin { signal, cause, .. } in signals.0.forever() {
        match signal {
            SIGCHLD => match wait(command).map_err(failed)? {
                None => {}
                Some(status) if status.stopped() => {
                    if group == Group::Its && was_too_quick(command, status) {
                        send(command, group, Signal::CONT);
                        continue;
                    }
                    if may_stop(group, status) {
                        watch.stops();
                        stop(group);
                        watch.goes_on();
                    }
                    send(command, group, Signal::CONT);
                }
                ended => {
                    status = ended;
                    break;
                }
            },
            SIGCONT => watch.goes_on(),
            SIGWINCH => {
                watch.is_resized();
                // This process hears of it only while the command is not in the foreground yet.
                if group == Group::Its {
                    send(command, group, Signal::WINCH);
                }
            }
            signal => {
                was_told_to |= ENDING.contains(&signal);
                let has_it = matches!(cause, Cause::Kernel) && group.has_got(signal);
                if let (false, Some(signal)) = (has_it, Signal::from_named_raw(signal)) {
                    let _gone = kill_process(command, signal);
                }
            }
        }
    }
    Ok(Ended {
        status: status.ok_or_else(|| failed(io::Error::other("no more signals")))?,
        was_told_to,
        signals,
    })
}

/// Whether a command was stopped for using the terminal before it was put into the foreground, where
/// it is by now.
fn was_too_quick(command: Pid, status: WaitStatus) -> bool {
    let by = status.stopping_signal();
    let by_terminal = by == Some(SIGTTIN) || by == Some(SIGTTOU);
    by_terminal && tcgetpgrp(io::stdout()).is_ok_and(|it| it.as_raw() == command.as_raw_pid())
}

/// What has become of the command, if anything.
fn wait(command: Pid) -> io::Result<Option<WaitStatus>> {
    loop {
        match waitpid(Some(command), WaitOptions::NOHANG | WaitOptions::UNTRACED) {
            Ok(status) => return Ok(status.map(|(_, status)| status)),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Stops this process; returns when it is continued.
fn stop(group: Group) {
    let _refused = match group {
        Group::Foreground => kill_current_process_group(Signal::STOP),
        Group::Own | Group::Its => kill_process(getpid(), Signal::STOP),
    };
}

/// Whether this process is to stop, as its command did. By the terminal none is stopped where nobody
/// could continue it; what leads a session has the process outside to do so.
fn may_stop(group: Group, status: WaitStatus) -> bool {
    match group {
        Group::Its => true,
        Group::Own => status.stopping_signal() == Some(SIGSTOP) || !is_orphaned(),
        Group::Foreground => !is_orphaned(),
    }
}

/// Whether this process's group is one that nobody of its session looks after (POSIX.1-2024, 3.251,
/// "orphaned process group"), as that of a program at the other end of `ssh -t`. A session or a group
/// whose leader is outside of a container has the number 0 in it (pid_namespaces(7)), and so has the
/// parent of the first process there.
fn is_orphaned() -> bool {
    let (session, group) = (getsid(None), getpgrp());
    let mut parent = Some(getppid()).filter(|it| it.as_raw() != 0);
    while let Some(process) = parent {
        if getsid(Some(process)) != session {
            return true;
        }
        if getpgid(Some(process)).is_ok_and(|it| it != group) {
            return false;
        }
        parent = parent_of(process);
    }
    true
}

/// Linux tells. Elsewhere none is known.
fn parent_of(process: nix::unistd::Pid) -> Option<nix::unistd::Pid> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
    let parent = parent.trim().parse().ok().filter(|&it| it != 0)?;
    Some(nix::unistd::Pid::from_raw(parent))
}

fn send(command: Pid, group: Group, signal: Signal) {
    let _gone = match group {
        Group::Its => kill_process_group(command, signal),
        Group::Own | Group::Foreground => kill_process(command, signal),
    };
}

/// The signals that this process ignores, as a mask: Linux tells. Elsewhere none is known.
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}

fn is_in(signal: i32, mask: u64) -> bool {
    u32::try_from(signal - 1).is_ok_and(|bit| mask >> bit & 1 == 1)
}

#[expect(clippy::needless_pass_by_value, reason = "map_err gives it")]
fn failed(error: io::Error) -> Failure {
    Failure::new(format!("cannot watch over the command: {error}"))
}
