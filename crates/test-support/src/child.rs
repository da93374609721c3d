//! Child processes that do not outlive their test.

use std::fs;
use std::io;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::process::{Child, Command, Output};

use rustix::process::{Pid, Signal, kill_process};

/// How often to look for processes that were started while others were killed.
const ROUNDS: u32 = 10;

/// A child process. Kills it on drop if it still runs, so a test that fails leaves nothing behind.
#[derive(Debug)]
pub struct Running(Option<Child>);

impl Running {
    /// Starts a command.
    ///
    /// # Errors
    ///
    /// Fails if the program cannot be started.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        command.spawn().map(Self::from)
    }

    /// Waits for the child and collects what it wrote, as [`Child::wait_with_output`].
    ///
    /// # Errors
    ///
    /// Fails if the output cannot be read.
    pub fn wait_with_output(mut self) -> io::Result<Output> {
        let child = self.0.take();
        child.ok_or(io::ErrorKind::NotFound)?.wait_with_output()
    }
}

impl From<Child> for Running {
    fn from(child: Child) -> Self {
        Self(Some(child))
    }
}

/// The child is there until [`Running::wait_with_output`] takes it, along with `self`.
const TAKEN: &str = "the child is there as long as this is";

#[expect(
    clippy::expect_used,
    reason = "only `wait_with_output` and `drop` take the child"
)]
impl Deref for Running {
    type Target = Child;

    fn deref(&self) -> &Child {
        self.0.as_ref().expect(TAKEN)
    }
}

#[expect(
    clippy::expect_used,
    reason = "only `wait_with_output` and `drop` take the child"
)]
impl DerefMut for Running {
    fn deref_mut(&mut self) -> &mut Child {
        self.0.as_mut().expect(TAKEN)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take()
            && !matches!(child.try_wait(), Ok(Some(_)))
        {
            // A child that has just ended needs no kill.
            let _ended = child.kill();
            let _status = child.wait();
        }
    }
}

/// Kills every process that [`started_in`] finds.
///
/// Does nothing where there is no `/proc`.
pub fn kill_started_in(home: &Path) {
    for _ in 0..ROUNDS {
        let found = started_in(home);
        if found.is_empty() {
            return;
        }
        for process in found {
            // It may have ended meanwhile.
            let _ended = kill_process(process, Signal::KILL);
        }
    }
}

/// Returns every process whose variable `HOME` is this directory: what the commands of a test have started, in
/// whatever process group or session. Processes that hide their environment are left to [`Running`].
///
/// Returns none where there is no `/proc`.
#[must_use]
pub fn started_in(home: &Path) -> Vec<Pid> {
    let variable = [b"HOME=", home.as_os_str().as_encoded_bytes()].concat();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let found = entries.filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let environment = fs::read(entry.path().join("environ")).ok()?;
        let mut variables = environment.split(|&byte| byte == 0);
        variables.any(|it| it == variable).then_some(pid)
    });
    found.filter_map(Pid::from_raw).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::process::Stdio;

    use super::*;

    fn is_alive(pid: Pid) -> bool {
        rustix::process::test_kill_process(pid).is_ok()
    }

    #[test]
    fn a_child_ends_with_its_guard() {
        let child = Running::start(Command::new("/bin/sh").args(["-c", "read line"])).unwrap();
        let pid = Pid::from_child(&child);
        assert!(is_alive(pid));
        drop(child);
        assert!(!is_alive(pid));
    }

    #[test]
    fn what_a_child_has_started_is_found_by_its_home() {
        let home = std::env::temp_dir().join(format!("home-of-{}", std::process::id()));
        let mut command = Command::new("/bin/sh");
        command.args([
            "-c",
            "exec 3<&0; /bin/sh -c 'echo started; read line <&3; echo alive' & wait",
        ]);
        command
            .env("HOME", &home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = Running::start(&mut command).unwrap();
        let mut started = [0; 8];
        child
            .stdout
            .as_mut()
            .unwrap()
            .read_exact(&mut started)
            .unwrap();
        kill_started_in(&home);
        // Who still reads learns that nothing more comes, and would say so.
        drop(child.stdin.take());
        let mut rest = String::new();
        let mut stdout = child.stdout.take().unwrap();
        stdout.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "");
        assert_eq!(started_in(&home), []);
    }
}
