//! Asking git.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::output::sanitized;

/// What a hook of git has of the repository that it runs for: git(1).
const OF_A_HOOK: [&str; 7] = [
    "GIT_DIR",
    "GIT_COMMON_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
];

/// Git, without what is mcplexer's own (F19). Nothing that a repository names is run or stands for
/// what is really there.
pub(super) fn git() -> Command {
    let mut command = Command::new("git");
    command
        .args(["-c", "core.fsmonitor=false"])
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"MCPLEXER_") {
            command.env_remove(name);
        }
    }
    command
}

/// The files below a directory of a work tree that git tracks, as paths from there.
pub(super) fn tracked(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut git = git();
    for name in OF_A_HOOK {
        git.env_remove(name);
    }
    let output = git
        .arg("-C")
        .arg(directory)
        .args(["ls-files", "-z", "--cached"])
        // What is not here is fetched from nowhere.
        .env("GIT_NO_LAZY_FETCH", "1")
        .output()
        .map_err(|error| io::Error::new(error.kind(), format!("cannot start git: {error}")))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().next().unwrap_or("git has failed");
        return Err(io::Error::other(sanitized(said)));
    }
    let paths = output.stdout.split(|&byte| byte == 0);
    let paths = paths.filter(|path| !path.is_empty());
    Ok(paths
        .map(|it| OsString::from_vec(it.to_vec()).into())
        .collect())
}
