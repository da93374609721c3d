//! What tells a process from another one that gets its number later.
//!
//! It is read from `/proc`. Without `/proc`, as on macOS, nothing is known of any process.

use std::fs;
use std::os::unix::fs::MetadataExt;

use rustix::process::{getpid, getuid};

/// What `/proc/PID/stat` says of a process (proc_pid_stat(5)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process {
    /// Whether it has ended, and its parent has not looked yet.
    pub(crate) has_ended: bool,
    pub(crate) group: i32,
    pub(crate) session: i32,
    /// When it started, in ticks since the system did.
    pub(crate) start: u64,
}

impl Process {
    /// Looks at a process.
    pub(crate) fn of(pid: i32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// Looks at this process.
    pub(crate) fn own() -> Option<Self> {
        Self::of(getpid().as_raw_nonzero().get())
    }

    fn parse(stat: &str) -> Option<Self> {
        // The name of the program is in parentheses, and may have some in it.
        let (_, fields) = stat.rsplit_once(')')?;
        let mut fields = fields.split_ascii_whitespace();
        let state = fields.next()?;
        let group = fields.nth(1)?.parse().ok()?;
        let session = fields.next()?.parse().ok()?;
        let start = fields.nth(15)?.parse().ok()?;
        Some(Self {
            has_ended: matches!(state, "Z" | "X"),
            group,
            session,
            start,
        })
    }

    /// Returns the processes of this user that run.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        entries.filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let is_own = entry.metadata().ok()?.uid() == getuid().as_raw();
            Self::of(pid).filter(|it| is_own && !it.has_ended)
        })
    }
}

/// Returns where numbers of processes mean the same: until the system starts again, among the processes that see each
/// other.
pub(crate) fn numbering() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim_end(), namespace.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_is_skipped() {
        let stat = "42 (a) b (c) S 1 40 39 34816 42 4194304 1 2 3 4 5 6 7 8 20 0 1 0 987 1 2\n";
        let process = Process {
            has_ended: false,
            group: 40,
            session: 39,
            start: 987,
        };
        assert_eq!(Process::parse(stat), Some(process));
        for odd in ["", "42 (a)", "42 (a) S 1", "42 (a) S 1 x y z"] {
            assert_eq!(Process::parse(odd), None, "{odd}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_runs() {
        let own = Process::own().unwrap();
        assert!(Process::all().any(|it| it == own));
        assert_eq!(Process::of(i32::MAX), None);
        assert!(numbering().is_some());
    }
}
