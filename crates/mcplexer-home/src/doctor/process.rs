//! Whether this process could leave its memory behind.

use rustix::process::{Resource, getrlimit};

use super::{Report, Severity};

pub(super) fn examine(report: &mut Report) {
    if getrlimit(Resource::Core).current != Some(0) || is_dumpable() {
        report.add(
            Severity::Warning,
            "core-dumps",
            "the system does not let mcplexer disable its core dumps",
            "ulimit -c 0",
        );
    }
}

#[cfg(target_os = "linux")]
fn is_dumpable() -> bool {
    use rustix::process::{DumpableBehavior, dumpable_behavior};
    !matches!(dumpable_behavior(), Ok(DumpableBehavior::NotDumpable))
}

#[cfg(not(target_os = "linux"))]
fn is_dumpable() -> bool {
    false
}
