//! Starts children, all from one thread that lives as long as the gateway.
//!
//! The kernel ends a child together with the *thread* that has started it, if the child asks for that
//! (PR_SET_PDEATHSIG(2const)). Threads of the runtime come and go, so none of them may be that thread.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::sync::oneshot;

use crate::log::Log;
use crate::run_file::{RunFile, RunFiles};

/// A program that becomes another one, which then ends with the process that has started it.
///
/// It is started as `PROGRAM ARGUMENTS… PID -- COMMAND…`, with the environment that the command is to have. It asks the
/// kernel to be ended with its parent, checks that its parent is still the process `PID`, and executes the command.
#[derive(Debug, Clone)]
pub struct Launcher {
    program: PathBuf,
    arguments: Vec<OsString>,
}

impl Launcher {
    /// Uses a program, with arguments before those that every such program gets.
    #[must_use]
    pub fn new(program: PathBuf, arguments: Vec<OsString>) -> Self {
        Self { program, arguments }
    }
}

/// A child that leads a process group of its own.
#[derive(Debug)]
pub(crate) struct Spawned {
    pub(crate) child: Child,
    pub(crate) group: Pid,
    pub(crate) run_file: Option<RunFile>,
}

#[derive(Debug)]
struct Job {
    command: Command,
    done: oneshot::Sender<io::Result<Spawned>>,
}

/// The thread that starts children.
#[derive(Debug)]
pub(crate) struct Spawner {
    jobs: mpsc::Sender<Job>,
    launcher: Option<Launcher>,
}

impl Spawner {
    /// Starts the thread. At first, it ends what other gateways have left; no child starts before that is done, since
    /// what is left may hold what the child needs.
    pub(crate) fn new(
        launcher: Option<Launcher>,
        run_files: Option<RunFiles>,
        patience: Duration,
        log: Arc<Log>,
    ) -> Self {
        let (jobs, asked) = mpsc::channel();
        let started = thread::Builder::new()
            .name("spawner".to_owned())
            .stack_size(256 << 10)
            .spawn(move || {
                if let Some(run_files) = &run_files {
                    let count = run_files.sweep(patience);
                    if count > 0 {
                        log.say(&format!(
                            "ended what a gateway that was killed had left: {count}"
                        ));
                    }
                }
                serve(&asked, run_files.as_ref(), &log);
            });
        // Without the thread, every start fails and says so.
        drop(started);
        Self { jobs, launcher }
    }

    /// Returns a command that starts a program.
    pub(crate) fn command(&self, program: &OsStr, arguments: &[String]) -> Command {
        let Some(launcher) = &self.launcher else {
            let mut command = Command::new(program);
            command.args(arguments);
            return command;
        };
        let mut command = Command::new(&launcher.program);
        command
            .args(&launcher.arguments)
            .arg(std::process::id().to_string())
            .arg("--")
            .arg(program)
            .args(arguments);
        command
    }

    /// Starts a command, in a process group of its own.
    ///
    /// # Errors
    /// If it cannot be started.
    pub(crate) async fn spawn(&self, mut command: Command) -> io::Result<Spawned> {
        command.process_group(0);
        let (done, spawned) = oneshot::channel();
        let ended = || io::Error::other("the thread that starts servers has ended");
        self.jobs.send(Job { command, done }).map_err(|_| ended())?;
        spawned.await.map_err(|_| ended())?
    }
}

fn serve(jobs: &mpsc::Receiver<Job>, run_files: Option<&RunFiles>, log: &Log) {
    for Job { mut command, done } in jobs {
        let spawned = command.spawn().map(|child| {
            let group = Pid::from_child(&child);
            let run_file = run_files.and_then(|it| match it.add(group) {
                Ok(run_file) => run_file,
                Err(error) => {
                    log.say(&format!("the run file cannot be written: {error}"));
                    None
                }
            });
            Spawned {
                child,
                group,
                run_file,
            }
        });
        // It holds copies of values.
        drop(command);
        if let Err(Ok(unwanted)) = done.send(spawned) {
            unwanted.end();
        }
    }
}

impl Spawned {
    /// Ends a child that nobody waits for any more.
    fn end(mut self) {
        let _none_left = kill_process_group(self.group, Signal::KILL);
        let _status = self.child.wait();
        if let Some(run_file) = self.run_file {
            run_file.remove();
        }
    }
}
