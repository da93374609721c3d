//! Builds programs of other packages when a test first needs them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::home::{BINARY, Home};

/// Builds the binaries of this workspace, and returns the directory of this one. A user who did not compile the
/// tests, and so may not be able to build, uses the existing binary.
///
/// All are built together: alone, a package would need dependencies with other features than the tests have,
/// which takes a minute to compile.
pub(crate) fn built(binary: &str) -> PathBuf {
    let target = Path::new(BINARY).ancestors().nth(2).unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["build", "--quiet", "--workspace", "--bins", "--target-dir"])
        .arg(target)
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    // Cargo describes this package to its tests. A dependency that looks at such variables while it is built would be built
    // anew, here and again in the next build.
    for (name, _) in std::env::vars() {
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(name);
        }
    }
    let status = cargo.status();
    let directory = target.join("debug");
    let is_built = status.is_ok_and(|it| it.success());
    assert!(is_built || directory.join(binary).exists(), "no {binary}");
    directory
}

/// Returns the command in this home, set to kill itself after a number of file operations.
pub(crate) fn crashing(home: &Home, operations: u32) -> Command {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    let name = "mcplexer-crashing";
    let directory = DIRECTORY.get_or_init(|| built(name));
    let mut command = home.command_of(&directory.join(name));
    command.env("MCPLEXER_CRASH_AT", operations.to_string());
    command
}
