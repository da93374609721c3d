//! Restrictions for a process that holds secrets.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The limit on the size of core dumps before [`harden`] changed it.
#[derive(Debug, Clone, Copy)]
pub struct CoreLimit(Rlimit);

/// Disables core dumps and, on Linux, prevents other processes of the same user from tracing this
/// one or reading its memory.
///
/// It changes the whole process, so only `main` should call it. A system that refuses is not an
/// error: the program works there too, and [`doctor`](crate::doctor) reports it.
pub fn harden() -> CoreLimit {
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
    /// Restores the limit for a command that is about to start. On Linux this process itself still
    /// writes no core dump.
    pub fn restore(self) {
        let _refused = setrlimit(Resource::Core, self.0);
    }
}
