//! What a process that holds secrets should not allow.

use rustix::process::{Resource, Rlimit, setrlimit};

/// Switches core dumps off and, on Linux, denies other processes of the same user to trace this
/// one or read its memory. A system that refuses leaves things as they were: the command works
/// there as well.
pub(crate) fn harden() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _refused = setrlimit(Resource::Core, none);
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _refused = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}
