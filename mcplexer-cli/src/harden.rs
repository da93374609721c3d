//! Protects the memory of a process that holds secrets.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The limit on the size of core dumps before [`harden`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct CoreLimit(Rlimit);

/// Disables core dumps and, on Linux, keeps other processes of the same user from tracing this one or
/// reading its memory. The command also works on a system that refuses.
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
    /// Restores the limit for a command that is about to start. On Linux this process still dumps
    /// nothing.
    pub(crate) fn restore(self) {
        let _refused = setrlimit(Resource::Core, self.0);
    }
}
