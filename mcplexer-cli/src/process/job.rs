//! Sessions, process groups, and who is in the foreground of a terminal.
//!
//! In a container, the session and the group may be led from outside. Their ids are 0 then
//! (pid_namespaces(7)), as is the parent of the container's first process. Only nix's `Pid` may be 0.

use std::fs;
use std::os::fd::AsFd;

use nix::unistd::{Pid, getpgid, getpgrp, getppid, getsid, tcgetpgrp};

/// Returns whether this process's group is in the foreground of the terminal.
pub(crate) fn is_in_foreground(terminal: impl AsFd) -> bool {
    tcgetpgrp(terminal).is_ok_and(|group| group == getpgrp())
}

/// Returns whether no other process of the session could continue this process's group if it stopped
/// (POSIX.1-2024, 3.251, "orphaned process group"). A program at the other end of `ssh -t` is in one.
pub(crate) fn is_orphaned() -> bool {
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

/// Returns the parent of a process, if /proc has it (Linux).
fn parent_of(process: Pid) -> Option<Pid> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
    let parent = parent.trim().parse().ok().filter(|&it| it != 0)?;
    Some(Pid::from_raw(parent))
}
