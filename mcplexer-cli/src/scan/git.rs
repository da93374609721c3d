//! Runs git.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::process::without_own_variables;

/// The variables with which git tells a hook about its repository: git(1).
const OF_A_HOOK: [&str; 7] = [
    "GIT_DIR",
    "GIT_COMMON_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
];

/// Returns a git command without mcplexer's own variables (F19). It runs no program that a repository
/// names, and follows no replacement of objects.
pub(super) fn git() -> Command {
    let mut command = Command::new("git");
    command
        .args(["-c", "core.fsmonitor=false"])
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .stdin(Stdio::null());
    without_own_variables(&mut command);
    command
}

/// Lists the files below a directory of a work tree that git tracks, relative to the directory.
///
/// # Errors
///
/// Fails if git cannot be started, or fails itself.
pub(super) fn tracked(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut git = git();
    for name in OF_A_HOOK {
        git.env_remove(name);
    }
    let output = git
        .arg("-C")
        .arg(directory)
        .args(["ls-files", "-z", "--cached"])
        // Missing objects are not fetched.
        .env("GIT_NO_LAZY_FETCH", "1")
        .output()
        .map_err(|error| io::Error::new(error.kind(), format!("cannot start git: {error}")))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().next().unwrap_or("git failed");
        return Err(io::Error::other(said.to_owned()));
    }
    let paths = output.stdout.split(|&byte| byte == 0);
    let paths = paths.filter(|path| !path.is_empty());
    Ok(paths
        .map(|it| OsString::from_vec(it.to_vec()).into())
        .collect())
}
