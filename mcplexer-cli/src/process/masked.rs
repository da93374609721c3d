//! Runs a command whose output is masked: behind a terminal of its own, or behind pipes.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;

use mcplexer_mask::Masker;
use mcplexer_secrets::wipe_stack;
use rustix::fs::fstat;
use rustix::process::Pid;

use super::ProcessError;
use super::helper::Role;
use super::relay::{Relay, Stream, Turn};
use super::supervise::{Group, Supervised, Watch, supervise};
use super::terminal::Terminal;
use mcplexer_home::harden;

/// Runs the command to its end, masks what it prints, and ends as it did. `own` is the path of this
/// program.
///
/// The process exits from within, where nothing is dropped. So whatever has values (`Command`, `Masker`)
/// is dropped as soon as it has done its part, and the stack is wiped before other threads start.
///
/// # Errors
///
/// * `NotStarted` if the program cannot be started.
/// * `NoOwnPath` if the command needs a session of its own, and `own` is an error.
/// * `NotSupervised` or `NotMasked` if the system refuses what is needed to follow it.
pub(crate) fn run_masked(
    command: Command,
    masker: Masker,
    own: io::Result<PathBuf>,
) -> Result<(), ProcessError> {
    if io::stdout().is_terminal() {
        in_terminal(command, masker, &own.map_err(ProcessError::NoOwnPath)?)
    } else {
        behind_pipes(command, masker, own.ok().as_deref())
    }
}

/// Without the path of this program, as without /proc, the command is started directly, and lives on if
/// this process is killed.
fn behind_pipes(
    mut command: Command,
    masker: Masker,
    own: Option<&Path>,
) -> Result<(), ProcessError> {
    let program = command.get_program().to_owned();
    let signals = Supervised::watch()?;
    if let Some(own) = own {
        command = Role::Become.helper(own, &command);
    }
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .map_err(|source| ProcessError::NotStarted { program, source })?;
    // The command has inherited the original limit on core dumps.
    harden();
    // It holds the command's ends of the pipes open.
    drop(command);
    wipe_stack();
    let Streams { stdout, stderr } = Streams::take()?;
    let mut relays = Vec::new();
    let turn = match lead_to_same_place(&stdout, &stderr) {
        true => Turn::Shared(Arc::default()),
        false => Turn::Alone,
    };
    if let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) {
        let other = turn.clone();
        relays.push(start_relay(
            Stream::Output,
            out.into(),
            stdout,
            turn,
            &masker,
        )?);
        relays.push(start_relay(
            Stream::Error,
            err.into(),
            stderr,
            other,
            &masker,
        )?);
    }
    drop(masker);
    let mut pipes = Pipes(relays);
    let ended = supervise(signals, Pid::from_child(&child), Group::Own, &mut pipes)?;
    ended.finish(pipes.0, || ())
}

/// Runs the command in a session of its own on a pseudo-terminal. The session's leader is this program
/// (see [`super::leader`]): only a process of the same session can stop and continue the command as a
/// shell does.
fn in_terminal(command: Command, masker: Masker, own: &Path) -> Result<(), ProcessError> {
    let signals = Supervised::watch()?;
    let leader = Role::Lead.helper(own, &command);
    drop(command);
    let mut leader = pty_process::blocking::Command::from(leader);
    if !io::stdin().is_terminal() {
        leader = leader.stdin(Stdio::inherit());
    }
    if !io::stderr().is_terminal() {
        leader = leader.stderr(Stdio::piped());
    }
    let (terminal, pts) = Terminal::open().map_err(ProcessError::NotMasked)?;
    let mut child = leader.spawn(pts).map_err(|error| {
        terminal.give_back();
        ProcessError::NotMasked(io::Error::other(error))
    })?;
    harden();
    wipe_stack();
    let streams = Streams::take()?;
    let output = terminal.output().map_err(ProcessError::NotMasked)?;
    let output = start_relay(Stream::Output, output, streams.stdout, Turn::Alone, &masker)?;
    let mut relays = vec![output];
    if let Some(stderr) = child.stderr.take() {
        relays.push(start_relay(
            Stream::Error,
            stderr.into(),
            streams.stderr,
            Turn::Alone,
            &masker,
        )?);
    }
    drop(masker);
    let keys = Arc::clone(&terminal);
    // The thread waits for a key, and the process ends without waiting for the thread.
    let _keys = thread::spawn(move || keys.pass_keys_on());
    let mut screen = Screen { terminal, relays };
    let ended = supervise(
        signals,
        Pid::from_child(&child),
        Group::Foreground,
        &mut screen,
    )?;
    let terminal = screen.terminal;
    ended.finish(screen.relays, move || terminal.give_back())
}

/// Returns whether two streams lead to the same file, pipe, socket or device.
fn lead_to_same_place(one: impl AsFd, other: impl AsFd) -> bool {
    match (fstat(one), fstat(other)) {
        (Ok(one), Ok(other)) => (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino),
        _ => false,
    }
}

fn start_relay(
    stream: Stream,
    source: OwnedFd,
    sink: File,
    turn: Turn,
    masker: &Masker,
) -> Result<Relay, ProcessError> {
    Relay::start(stream, source, sink, turn, masker).map_err(ProcessError::NotMasked)
}

/// What happens when a command behind pipes stops.
struct Pipes(Vec<Relay>);

impl Watch for Pipes {
    fn stops(&mut self) {
        self.0.iter_mut().for_each(Relay::settle);
    }
}

/// What happens when a command behind a pseudo-terminal stops and continues.
struct Screen {
    terminal: Arc<Terminal>,
    relays: Vec<Relay>,
}

impl Watch for Screen {
    fn stops(&mut self) {
        // Its last output may reset the terminal for the shell.
        self.relays.iter_mut().for_each(Relay::settle);
        self.terminal.give_back();
    }

    fn continues(&mut self) {
        self.terminal.take();
        self.terminal.resize();
    }

    fn resized(&mut self) {
        self.terminal.resize();
    }
}

/// Standard output and standard error, as this process was started with them.
struct Streams {
    stdout: File,
    stderr: File,
}

impl Streams {
    /// Moves standard output and error to the relays, and replaces all three standard streams with
    /// /dev/null: the process at the other end of each sees it close as soon as the command closes it.
    ///
    /// Standard error stays if it is a terminal, for the message of a panic: a terminal has no reader that
    /// waits for its end.
    fn take() -> Result<Self, ProcessError> {
        let take = || {
            let _flushed = io::stdout().flush();
            let stdout = io::stdout().as_fd().try_clone_to_owned()?;
            let stderr = io::stderr().as_fd().try_clone_to_owned()?;
            let nothing = File::options().read(true).write(true).open("/dev/null")?;
            rustix::stdio::dup2_stdin(&nothing)?;
            rustix::stdio::dup2_stdout(&nothing)?;
            if !io::stderr().is_terminal() {
                rustix::stdio::dup2_stderr(&nothing)?;
            }
            Ok(Self {
                stdout: stdout.into(),
                stderr: stderr.into(),
            })
        };
        take().map_err(ProcessError::NotMasked)
    }
}
