//! `mcplexer run --mask`: the command runs behind a terminal of its own, or behind pipes, and what
//! it prints is masked on its way.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;

use mcplexer_home::harden;
use mcplexer_mask::Masker;
use mcplexer_secrets::wipe_stack;
use rustix::process::Pid;

use super::not_started;
use super::relay::Relay;
use super::supervise::{Group, Supervised, Watch, supervise};
use super::terminal::Terminal;
use crate::failure::Failure;

/// What this process reads and writes, as it was started with.
struct Streams {
    stdout: File,
    stderr: File,
}

/// Runs the command to its end, and ends as it did. That is an exit from within, at which nothing is
/// dropped: so each thing that has values goes as soon as it has done its part, and from the registers
/// before other threads inherit them.
pub(super) fn run(
    command: Command,
    masker: Masker,
    own: io::Result<PathBuf>,
) -> Result<(), Failure> {
    if io::stdout().is_terminal() {
        let cannot = |error| Failure::new(format!("cannot find this program: {error}"));
        in_terminal(command, masker, &own.map_err(cannot)?)
    } else {
        behind_pipes(command, masker)
    }
}

fn behind_pipes(mut command: Command, masker: Masker) -> Result<(), Failure> {
    let program = command.get_program().to_owned();
    let signals = Supervised::watch()?;
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .map_err(|error| not_started(&program, &error))?;
    // The command has inherited the limit on core dumps as it was.
    harden();
    // The command's own, so that the pipes end when it closes them.
    drop(command);
    wipe_stack();
    let streams = Streams::take()?;
    let mut relays = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        relays.push(Relay::start(stdout.into(), streams.stdout, &masker).map_err(failed)?);
    }
    if let Some(stderr) = child.stderr.take() {
        relays.push(Relay::start(stderr.into(), streams.stderr, &masker).map_err(failed)?);
    }
    drop(masker);
    let mut pipes = Pipes(relays);
    let ended = supervise(signals, Pid::from_child(&child), Group::Own, &mut pipes)?;
    ended.finish(pipes.0, || ())
}

/// Runs the command in a session of its own, whose terminal is a pseudo-terminal. Its leader is
/// this program once more (see [`super::session`]), as only a process of the same session can stop
/// and continue the command as a shell does.
fn in_terminal(command: Command, masker: Masker, own: &Path) -> Result<(), Failure> {
    let signals = Supervised::watch()?;
    let mut leader = Command::new(own);
    leader.args(["run-in-session", "--"]);
    leader.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => leader.env(name, value),
            None => leader.env_remove(name),
        };
    }
    drop(command);
    let mut leader = pty_process::blocking::Command::from(leader);
    if !io::stdin().is_terminal() {
        leader = leader.stdin(Stdio::inherit());
    }
    if !io::stderr().is_terminal() {
        leader = leader.stderr(Stdio::piped());
    }
    let (terminal, pts) = Terminal::open().map_err(failed)?;
    let mut child = leader.spawn(pts).map_err(|error| {
        terminal.give_back();
        failed(io::Error::other(error))
    })?;
    harden();
    wipe_stack();
    let streams = Streams::take()?;
    let output = terminal.output().map_err(failed)?;
    let mut relays = vec![Relay::start(output, streams.stdout, &masker).map_err(failed)?];
    if let Some(stderr) = child.stderr.take() {
        relays.push(Relay::start(stderr.into(), streams.stderr, &masker).map_err(failed)?);
    }
    drop(masker);
    let keys = Arc::clone(&terminal);
    // It ends with the process, which does not wait for a key.
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

/// What is to be done when a command behind pipes stops.
struct Pipes(Vec<Relay>);

impl Watch for Pipes {
    fn stops(&mut self) {
        self.0.iter_mut().for_each(Relay::settle);
    }
}

/// What is to be done when a command behind a pseudo-terminal stops and goes on.
struct Screen {
    terminal: Arc<Terminal>,
    relays: Vec<Relay>,
}

impl Watch for Screen {
    fn stops(&mut self) {
        // What it has printed may be what makes the terminal fit for the shell.
        self.relays.iter_mut().for_each(Relay::settle);
        self.terminal.give_back();
    }

    fn goes_on(&mut self) {
        self.terminal.take();
        self.terminal.resize();
    }

    fn is_resized(&mut self) {
        self.terminal.resize();
    }
}

impl Streams {
    /// Takes over standard output and error, and lets go of standard input: so each is closed for
    /// whoever is at its other end as soon as the command closes it. Nobody waits for the end of a
    /// terminal: standard error stays there, for what a panic says.
    fn take() -> Result<Self, Failure> {
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
        take().map_err(failed)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "map_err gives it")]
fn failed(error: io::Error) -> Failure {
    Failure::new(format!("cannot mask what the command prints: {error}"))
}
