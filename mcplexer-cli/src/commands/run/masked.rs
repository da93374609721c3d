//! `mcplexer run --mask`: the command runs behind a terminal of its own, or behind pipes, and what
//! it prints is masked on its way.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use mcplexer_secrets::Masker;
use rustix::process::Pid;

use super::not_started;
use super::relay::Relay;
use super::supervise::{Group, Supervised, supervise};
use super::terminal::Terminal;
use crate::failure::Failure;

/// What this process reads and writes, as it was started with.
struct Streams {
    stdout: File,
    stderr: File,
}

/// Runs the command to its end, and ends as it did.
pub(super) fn run(command: Command, masker: &Masker, own: &Path) -> Result<(), Failure> {
    if io::stdout().is_terminal() {
        in_terminal(&command, masker, own)
    } else {
        behind_pipes(command, masker)
    }
}

fn behind_pipes(mut command: Command, masker: &Masker) -> Result<(), Failure> {
    let program = command.get_program().to_owned();
    let signals = Supervised::watch()?;
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .map_err(|error| not_started(&program, &error))?;
    // The command's own, so that the pipes end when it closes them.
    drop(command);
    let streams = Streams::take()?;
    let mut relay = Relay::new().map_err(failed)?;
    if let Some(stdout) = child.stdout.take() {
        relay.start(OwnedFd::from(stdout), streams.stdout, masker);
    }
    if let Some(stderr) = child.stderr.take() {
        relay.start(OwnedFd::from(stderr), streams.stderr, masker);
    }
    let ended = supervise(signals, Pid::from_child(&child), Group::Own, &mut ());
    relay.finish();
    ended?.die_alike()
}

/// Runs the command in a session of its own, whose terminal is a pseudo-terminal. Its leader is
/// this program once more (see [`super::session`]), as only a process of the same session can stop
/// and continue the command as a shell does.
fn in_terminal(command: &Command, masker: &Masker, own: &Path) -> Result<(), Failure> {
    let signals = Supervised::watch()?;
    let terminal = Terminal::open().map_err(failed)?;
    let (pty, pts) =
        pty_process::blocking::open().map_err(|error| failed(io::Error::other(error)))?;
    terminal.copy_settings_to(&pts, &pty).map_err(failed)?;

    let mut leader = Command::new(own);
    leader.args(["run-in-session", "--"]);
    leader.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => leader.env(name, value),
            None => leader.env_remove(name),
        };
    }
    let mut leader = pty_process::blocking::Command::from(leader);
    if !io::stdin().is_terminal() {
        leader = leader.stdin(Stdio::inherit());
    }
    let stderr = if io::stderr().is_terminal() {
        None
    } else {
        leader = leader.stderr(Stdio::piped());
        Some(())
    };
    let mut child = leader
        .spawn(pts)
        .map_err(|error| failed(io::Error::other(error)))?;
    let streams = Streams::take()?;
    let mut relay = Relay::new().map_err(failed)?;
    let output = pty.as_fd().try_clone_to_owned().map_err(failed)?;
    relay.start(output, streams.stdout, masker);
    if let (Some(()), Some(stderr)) = (stderr, child.stderr.take()) {
        relay.start(OwnedFd::from(stderr), streams.stderr, masker);
    }
    let mut terminal = terminal.of(pty);
    terminal.take();
    let keys = terminal.keys().map_err(failed)?;
    // It ends with the process: nobody waits for a key.
    let _reads = thread::spawn(move || keys.pass_on());
    let ended = supervise(
        signals,
        Pid::from_child(&child),
        Group::Foreground,
        &mut terminal,
    );
    relay.finish();
    terminal.give_back();
    ended?.die_alike()
}

impl Streams {
    /// Takes over standard output and error, and lets go of standard input: so each is closed for
    /// whoever is at its other end as soon as the command closes it.
    fn take() -> Result<Self, Failure> {
        let take = || {
            let _flushed = io::stdout().flush();
            let stdout = io::stdout().as_fd().try_clone_to_owned()?;
            let stderr = io::stderr().as_fd().try_clone_to_owned()?;
            let nothing = File::options().read(true).write(true).open("/dev/null")?;
            rustix::stdio::dup2_stdin(&nothing)?;
            rustix::stdio::dup2_stdout(&nothing)?;
            rustix::stdio::dup2_stderr(&nothing)?;
            Ok(Self {
                stdout: stdout.into(),
                stderr: stderr.into(),
            })
        };
        take().map_err(failed)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "map_err gives it")]
fn failed(error: io::Error) -> Failure {
    Failure::new(format!("cannot mask what the command prints: {error}"))
}
