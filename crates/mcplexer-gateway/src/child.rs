//! A server that runs as a child process.

use std::ffi::OsString;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use mcplexer_files::config;
use mcplexer_home::servers::working_directory;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::io::BufReader;
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::context::Context;
use crate::credentials::{Given, os_string};
use crate::frame::{Lines, write_line};
use crate::launcher::Spawned;
use crate::scrub::Scrubber;
use crate::stderr_log::{self, StderrLog};

/// The variables that a child inherits: what the SDKs of the protocol pass on to a server, and those for the language,
/// the time zone, temporary files and the session's directory.
const INHERITED: [&str; 10] = [
    "HOME",
    "LANG",
    "LOGNAME",
    "PATH",
    "SHELL",
    "TERM",
    "TMPDIR",
    "TZ",
    "USER",
    "XDG_RUNTIME_DIR",
];

/// A child, and the way to its standard input.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) pid: u32,
    to: mpsc::Sender<Outgoing>,
    ended: watch::Receiver<Option<End>>,
    stop: watch::Sender<bool>,
}

/// How a child has ended: its status, unless the gateway has ended it by a signal.
#[derive(Debug, Clone, Copy)]
struct End(Option<ExitStatus>);

/// A message on its way to a child.
#[derive(Debug)]
struct Outgoing {
    text: String,
    /// Told when it begins to be written.
    begun: Option<tokio::sync::oneshot::Sender<()>>,
}

/// A child that was started, and where its messages come from.
pub(crate) struct Started {
    pub(crate) running: Running,
    pub(crate) messages: Lines<BufReader<ChildStdout>>,
    /// Ends when it has closed its standard error.
    pub(crate) stderr: JoinHandle<()>,
}

impl Running {
    /// Passes a message on. Waits while the child does not read. `begun` is called when it begins to be written.
    ///
    /// # Errors
    /// If the child has ended.
    pub(crate) async fn send(
        &self,
        text: String,
        begun: Option<tokio::sync::oneshot::Sender<()>>,
    ) -> Result<(), ()> {
        let outgoing = Outgoing { text, begun };
        self.to.send(outgoing).await.map_err(drop)
    }

    /// Passes a message on, unless so many wait that this one would have to.
    pub(crate) fn try_send(&self, text: String) {
        let outgoing = Outgoing { text, begun: None };
        let _full_or_ended = self.to.try_send(outgoing);
    }

    /// Begins to end it.
    pub(crate) fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(&self) {
        let mut ended = self.ended.clone();
        let _gone = ended.wait_for(Option::is_some).await;
    }

    /// Returns how it has ended, in words: `exit status 3`, `signal 11 (SIGSEGV)`. `None` while it runs, and if the gateway has
    /// ended it by a signal.
    pub(crate) fn status(&self) -> Option<String> {
        let End(status) = (*self.ended.borrow())?;
        Some(status?.to_string().replacen(": ", " ", 1))
    }
}

/// Starts a server. It gets its own process group, an environment without anything of this process but what every
/// program needs, and its credentials.
///
/// # Errors
/// If the program cannot be started.
pub(crate) async fn start(
    context: &Context,
    stdio: &config::Stdio,
    given: &Given,
    search_path: Option<OsString>,
    scrubber: Arc<Scrubber>,
    log: Arc<StderrLog>,
) -> io::Result<Started> {
    let Some((program, arguments)) = stdio.command.split_first() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "no command"));
    };
    let mut command = context.spawner.command(program.as_ref(), arguments);
    command.env_clear();
    for (name, value) in std::env::vars_os() {
        let is_locale = name.to_str().is_some_and(|it| it.starts_with("LC_"));
        if is_locale || INHERITED.iter().any(|it| name == *it) {
            command.env(name, value);
        }
    }
    if let Some(path) = search_path {
        command.env("PATH", path);
    }
    for (name, value) in &given.fields {
        command.env(name, os_string(value));
    }
    command.current_dir(working_directory(stdio.directory.as_deref()));
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut spawned = context.spawner.spawn(command).await?;
    let child = &mut spawned.child;
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
        return Err(io::Error::other("the pipes are missing"));
    };
    let stdin = ChildStdin::from_std(stdin)?;
    let stdout = ChildStdout::from_std(stdout)?;
    let stderr = ChildStderr::from_std(stderr)?;
    let (to, outgoing) = mpsc::channel(64);
    let (stop, stopped) = watch::channel(false);
    let (has_ended, ended) = watch::channel(None);
    let stderr = tokio::spawn(stderr_log::drain(
        Lines::new(BufReader::new(stderr), 64 << 10),
        log,
        scrubber,
    ));
    let pid = spawned.child.id();
    let writing = write(stdin, outgoing, stopped);
    tokio::spawn(keep(spawned, writing, context.patience, has_ended));
    Ok(Started {
        running: Running {
            pid,
            to,
            ended,
            stop,
        },
        messages: Lines::new(
            BufReader::with_capacity(64 << 10, stdout),
            context.limits.message,
        ),
        stderr,
    })
}

/// Writes messages until there are no more, or until the child is to end; closes its standard input then.
async fn write(
    mut stdin: ChildStdin,
    mut outgoing: mpsc::Receiver<Outgoing>,
    mut stopped: watch::Receiver<bool>,
) {
    let writing = async {
        while let Some(message) = outgoing.recv().await {
            if let Some(begun) = message.begun {
                let _nobody_waits = begun.send(());
            }
            if write_line(&mut stdin, message.text).await.is_err() {
                // It has closed its standard input. What it still says is read.
                break;
            }
        }
    };
    tokio::select! {
        () = writing => {}
        _ = stopped.wait_for(|stop| *stop) => {}
    }
}

/// Waits for a child, and ends it once its standard input is closed.
async fn keep(
    mut spawned: Spawned,
    writing: impl Future<Output = ()>,
    patience: Duration,
    ended: watch::Sender<Option<End>>,
) {
    let group = spawned.group;
    let exited = exited(group);
    tokio::pin!(exited);
    let mut has_exited = {
        tokio::pin!(writing);
        tokio::select! {
            () = &mut exited => true,
            () = &mut writing => false,
        }
    };
    let mut is_signalled = false;
    for signal in [None, Some(Signal::TERM), Some(Signal::KILL)] {
        if has_exited {
            break;
        }
        if let Some(signal) = signal {
            let _none_left = kill_process_group(group, signal);
            is_signalled = true;
        }
        has_exited = timeout(patience, &mut exited).await.is_ok();
    }
    // What it has started goes with it. The child's number is its own until somebody asks how it has ended, so no other
    // group has it.
    let _none_left = kill_process_group(group, Signal::KILL);
    let mut status = None;
    if has_exited {
        let its = spawned.child.wait();
        status = its.ok().filter(|_| !is_signalled);
        if let Some(run_file) = spawned.run_file {
            run_file.remove();
        }
    }
    ended.send_replace(Some(End(status)));
}

/// Waits until a child has ended, and leaves its number to it.
async fn exited(child: Pid) {
    let mut changes = signal(SignalKind::child());
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    loop {
        match waitid(WaitId::Pid(child), options) {
            Ok(None) | Err(Errno::INTR) => {}
            Ok(Some(_)) | Err(_) => return,
        }
        match &mut changes {
            Ok(changes) => drop(changes.recv().await),
            Err(_) => sleep(Duration::from_millis(100)).await,
        }
    }
}
