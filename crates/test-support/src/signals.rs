//! Default signal handling for the commands that tests start.

use std::fs;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Once};

use signal_hook::consts::{FORBIDDEN, SIGPIPE};

/// Makes the commands that this process starts begin with default signal handling.
///
/// `nohup`, a shell's `&` and some CI systems start their commands with SIGINT, SIGQUIT or SIGHUP ignored. An
/// ignored signal stays ignored in every program that is executed, while a handled one is reset to its default
/// (execve(2)). So this installs handlers that do nothing: this process goes on ignoring the signals, and its
/// children do not.
///
/// Does nothing where there is no `/proc`.
pub fn restore_signals() {
    static DONE: Once = Once::new();
    DONE.call_once(|| {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        for signal in ignored(&status) {
            // Fails for what cannot be handled, such as the two signals that a C library keeps for itself.
            let _refused = signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)));
        }
    });
}

/// The signals that a process ignores, from its `/proc/PID/status`. SIGPIPE is left out: Rust ignores it, and
/// resets it for each child.
fn ignored(status: &str) -> Vec<i32> {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|it| u64::from_str_radix(it.trim(), 16).ok());
    let is_ignored = |signal: &i32| mask.is_some_and(|it| it >> (signal - 1) & 1 == 1);
    let signals = (1..32).filter(|it| *it != SIGPIPE && !FORBIDDEN.contains(it));
    signals.filter(is_ignored).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_read_from_the_mask() {
        let status = "SigBlk:\t0000000000000002\nSigIgn:\t0000000000001003\nSigCgt:\t0\n";
        assert_eq!(ignored(status), [1, 2]);
        assert_eq!(ignored(""), []);
    }
}
