//! What git says about a file.

use std::path::Path;
use std::process::{Command, Stdio};

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

/// Returns the work tree that a path is in.
pub(crate) fn tree_of(path: &Path) -> Option<&Path> {
    path.ancestors().skip(1).find(|it| it.join(".git").exists())
}

/// Returns whether git tracks a file; false without git.
pub(crate) fn tracks(path: &Path) -> bool {
    let Ok(path) = path.canonicalize() else {
        return false;
    };
    tree_of(&path).is_some_and(|tree| is_tracked(tree, &path))
}

/// Returns whether git tracks a path in a work tree.
pub(crate) fn is_tracked(tree: &Path, path: &Path) -> bool {
    // `[` and `*` in its name are no pattern.
    let arguments = ["--literal-pathspecs", "ls-files", "--error-unmatch", "--"];
    succeeds(tree, &arguments, path)
}

/// Returns whether a command of git succeeds for a path.
pub(crate) fn succeeds(tree: &Path, arguments: &[&str], path: &Path) -> bool {
    let mut command = Command::new("git");
    // No program that the repository names is run.
    command.args(["-c", "core.fsmonitor=false"]);
    command.arg("-C").arg(tree).args(arguments).arg(path);
    for name in OF_A_HOOK {
        command.env_remove(name);
    }
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"MCPLEXER_") {
            command.env_remove(name);
        }
    }
    let silent = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    silent.status().is_ok_and(|status| status.success())
}
