//! What a process that holds secrets should not allow.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The limit on the size of core dumps as it was before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CoreLimit(Rlimit);

/// Switches core dumps off and, on Linux, denies other processes of the same user to trace this
/// one or read its memory. A system that refuses leaves things as they were: the command works
/// there as well.
pub(crate) fn harden() -> CoreLimit {
    let before = getrlimit(Resource::Core);
    let none = Rlimit {
        current: Some(0),
        ..before
    };
    let _refused = setrlimit(Resource::Core, none);
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _refused = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
    CoreLimit(before)
}

impl CoreLimit {
    /// Puts the limit back, for a command that is about to be started. On Linux this process still
    /// dumps nothing.
    pub(crate) fn restore(self) {
        let _refused = setrlimit(Resource::Core, self.0);
    }
}
