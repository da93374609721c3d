//! This program, started once more by `run --mask`: to lead the command's session, or to become the
//! command; or by `serve`, to become a tool server.
//!
//! Without `--mask` the command takes the place of mcplexer, so `kill -9` ends it. Masked, it is another
//! process, and must not outlive the one that was killed. The kernel kills a process together with its
//! parent if that process asks for it (PR_SET_PDEATHSIG), and the wish survives execve(2). So a helper
//! asks, and then becomes the command, as execvp(3) does: a file that the kernel cannot start is a
//! shell's script.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use rustix::process::{Pid, Signal, getpid, getppid};

use super::leader::lead;
use super::{ProcessError, replace_with};

/// What a helper does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Leads the session in which the command runs.
    Lead,
    /// Becomes the command.
    Become,
    /// Becomes a tool server. It is asked to end with its parent, not killed: it may have something to finish, and if
    /// it ignores that, the next gateway ends it.
    Serve,
}

impl Role {
    /// Returns the word that asks for this role.
    fn word(self) -> &'static str {
        match self {
            Self::Lead => "run-in-session",
            Self::Become => "run-with-parent",
            Self::Serve => "__child",
        }
    }

    /// Returns a command that starts this program, whose path is `own`, in this role: with the arguments
    /// and the environment of `command`. The helper dies when this process does.
    pub(super) fn helper(self, own: &Path, command: &Command) -> Command {
        let mut helper = Command::new(own);
        helper.arg(self.word()).arg(getpid().to_string()).arg("--");
        helper.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => helper.env(name, value),
                None => helper.env_remove(name),
            };
        }
        helper
    }
}

/// Returns how a gateway starts tool servers, so that they end with it.
#[cfg(feature = "serve")]
pub(crate) fn launcher(own: std::path::PathBuf) -> mcplexer_gateway::Launcher {
    mcplexer_gateway::Launcher::new(own, vec![Role::Serve.word().into()])
}

/// What this process was started as by another one of the same program.
#[derive(Debug)]
pub(crate) struct Helper {
    role: Role,
    parent: Option<Pid>,
    program: OsString,
    arguments: Vec<OsString>,
}

impl Helper {
    /// Returns the arguments if this process was started as a helper. Clap does not know of it, so no
    /// help, completion or manual page shows it.
    pub(crate) fn asked_for() -> Option<Self> {
        let mut words = std::env::args_os().skip(1);
        let first = words.next()?;
        let mut roles = [Role::Lead, Role::Become, Role::Serve].into_iter();
        let role = roles.find(|role| first == role.word())?;
        let parent = words.next()?.to_str()?.parse().ok();
        let is_asked_for = words.next()? == "--";
        Some(Self {
            role,
            parent: parent.and_then(Pid::from_raw),
            program: words.next().filter(|_| is_asked_for)?,
            arguments: words.collect(),
        })
    }

    /// Does what the helper was started for.
    ///
    /// # Errors
    ///
    /// * `NoParent` if the process that started this one has died.
    /// * `NoOwnPath` or `NotStarted` if the program cannot be started.
    /// * `NotSupervised` if the system refuses to end this process with its parent, or to watch the command.
    pub(crate) fn run(self) -> Result<(), ProcessError> {
        end_with_parent(match self.role {
            Role::Lead | Role::Become => Signal::KILL,
            Role::Serve => Signal::TERM,
        })?;
        // A parent that died before that is not noticed by the kernel.
        if getppid() != self.parent {
            return Err(ProcessError::NoParent);
        }
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        match self.role {
            Role::Lead => lead(&command),
            Role::Become => Err(replace_with(command)),
            Role::Serve => {
                close_inherited();
                Err(replace_with(command))
            }
        }
    }
}

/// Closes what the gateway has inherited itself, from a client that has left it open: only the standard streams are for a
/// tool server. Descriptors of the gateway's own are closed already.
fn close_inherited() {
    let Ok(entries) = std::fs::read_dir("/dev/fd") else {
        return;
    };
    let open: Vec<i32> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    for descriptor in open.into_iter().filter(|it| *it > 2) {
        // The one of the directory itself is closed by now.
        let _closed = nix::unistd::close(descriptor);
    }
}

#[cfg(target_os = "linux")]
fn end_with_parent(signal: Signal) -> Result<(), ProcessError> {
    use rustix::process::set_parent_process_death_signal;

    set_parent_process_death_signal(Some(signal))
        .map_err(|error| ProcessError::NotSupervised(error.into()))
}

/// Other systems have no such signal.
#[cfg(not(target_os = "linux"))]
fn end_with_parent(_: Signal) -> Result<(), ProcessError> {
    Ok(())
}
