//! Runs a program beside this process, in the foreground of the same terminal.

use std::process::Command;

use rustix::process::Pid;

use super::ProcessError;
use super::supervise::{Group, Supervised, supervise};
use super::terminal::Settings;

/// How a program that ran beside this process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// With this exit code.
    Exited(i32),
    /// By this signal.
    Killed(i32),
}

/// Signals go to the program from here on, and do not end this process.
pub(crate) struct Beside(Supervised);

impl Beside {
    /// Starts to watch for signals.
    ///
    /// # Errors
    ///
    /// Fails with `NotSupervised` if the system refuses.
    pub(crate) fn watch() -> Result<Self, ProcessError> {
        Supervised::watch().map(Self)
    }

    /// Runs the program to its end. If it fails, the terminal's settings are restored, which it may have changed.
    ///
    /// # Errors
    ///
    /// * `NotStarted` if it cannot be started.
    /// * `NotSupervised` if its state cannot be read.
    pub(crate) fn run(self, mut command: Command) -> Result<Outcome, ProcessError> {
        let settings = Settings::now();
        let child = command.spawn();
        let child = child.map_err(|source| ProcessError::NotStarted {
            program: command.get_program().to_owned(),
            source,
        })?;
        let ended = supervise(self.0, Pid::from_child(&child), Group::Own, &mut ())?;
        let outcome = match ended.terminating_signal() {
            Some(signal) => Outcome::Killed(signal),
            None => Outcome::Exited(ended.exit_code()),
        };
        if let (Some(settings), true) = (settings, outcome != Outcome::Exited(0)) {
            settings.restore();
        }
        Ok(outcome)
    }
}
