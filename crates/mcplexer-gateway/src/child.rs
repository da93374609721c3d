//! A server that runs as a child process.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use mcplexer_files::config;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::BufReader;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use crate::credentials::{Given, os_string};
use crate::frame::{Line, Lines, write_line};
use crate::scrub::Scrubber;
use crate::stderr_log::StderrLog;

/// How long a child has to end by itself, after its standard input was closed, and again after it was asked to.
const PATIENCE: Duration = Duration::from_secs(3);

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
    to: mpsc::Sender<Outgoing>,
    ended: watch::Receiver<bool>,
    stop: watch::Sender<bool>,
}

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
}

impl Running {
    /// Passes a message on. Waits while the child does not read. `begun` is told when it begins to be written.
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
        let _gone = ended.wait_for(|ended| *ended).await;
    }
}

/// Starts a server. It gets its own process group, an environment without anything of this process but what every
/// program needs, and its credentials.
///
/// # Errors
/// If the program cannot be started.
pub(crate) fn start(
    stdio: &config::Stdio,
    given: &Given,
    search_path: Option<OsString>,
    scrubber: Arc<Scrubber>,
    log: Arc<StderrLog>,
    limit: usize,
) -> io::Result<Started> {
    let Some((program, arguments)) = stdio.command.split_first() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "no command"));
    };
    let mut command = Command::new(program);
    command.args(arguments).env_clear();
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
        .stderr(Stdio::piped())
        .process_group(0);
    let mut child = command.spawn()?;
    // The command holds copies of the values.
    drop(command);
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
        return Err(io::Error::other("the pipes are missing"));
    };
    let (to, outgoing) = mpsc::channel(64);
    let (stop, stopped) = watch::channel(false);
    let (has_ended, ended) = watch::channel(false);
    tokio::spawn(drain(
        Lines::new(BufReader::new(stderr), 64 << 10),
        log,
        scrubber,
    ));
    tokio::spawn(keep(child, write(stdin, outgoing, stopped), has_ended));
    Ok(Started {
        running: Running { to, ended, stop },
        messages: Lines::new(BufReader::with_capacity(64 << 10, stdout), limit),
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
async fn keep(mut child: Child, writing: impl Future<Output = ()>, ended: watch::Sender<bool>) {
    let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    let exited = {
        tokio::pin!(writing);
        tokio::select! {
            status = child.wait() => Some(status),
            () = &mut writing => None,
        }
    };
    if exited.is_none() {
        end(&mut child, group).await;
    }
    // What it has started goes with it.
    if let Some(group) = group {
        let _none_left = kill_process_group(group, Signal::KILL);
    }
    ended.send_replace(true);
}

async fn end(child: &mut Child, group: Option<Pid>) -> Option<ExitStatus> {
    for signal in [None, Some(Signal::TERM), Some(Signal::KILL)] {
        if let (Some(signal), Some(group)) = (signal, group) {
            let _none_left = kill_process_group(group, signal);
        }
        if let Ok(status) = timeout(PATIENCE, child.wait()).await {
            return status.ok();
        }
    }
    None
}

/// Reads what a server writes to standard error, always, so that it never waits.
async fn drain(
    mut lines: Lines<impl tokio::io::AsyncBufRead + Unpin>,
    log: Arc<StderrLog>,
    scrubber: Arc<Scrubber>,
) {
    loop {
        match lines.next().await {
            Ok(Some(Line::Text(line))) => log.add(&line, Some(&scrubber)),
            Ok(Some(Line::TooLong { head, .. })) => log.add(&head, Some(&scrubber)),
            Ok(Some(Line::NotText)) => log.add("(a line that is not UTF-8)", None),
            Ok(None) | Err(_) => return,
        }
    }
}

/// Returns the directory that a server starts in: the one of its configuration, or else the user's home.
fn working_directory(configured: Option<&Path>) -> PathBuf {
    let home = std::env::home_dir().unwrap_or_else(|| PathBuf::from("/"));
    match configured {
        Some(path) => match path.strip_prefix("~") {
            Ok(rest) => home.join(rest),
            Err(_) => path.to_owned(),
        },
        None => home,
    }
}
