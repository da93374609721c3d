//! A disk of a test's own, in a mount namespace of its own.

use std::path::PathBuf;
use std::process::Command;

/// Set in the process that runs on the disk: where that is.
const MOUNT: &str = "MCPLEXER_TEST_SMALL_DISK";
/// Set where a disk must be there, so that a test cannot be skipped unseen.
const REQUIRED: &str = "MCPLEXER_TEST_TMPFS";

/// Where the disk is, if this process runs on one.
pub(crate) fn mounted() -> Option<PathBuf> {
    std::env::var_os(MOUNT).map(PathBuf::from)
}

/// Runs an ignored test on a tmpfs with these options. It is skipped where none can be mounted.
pub(crate) fn run_on(options: &str, test: &str) {
    let mount = tempfile::tempdir().unwrap();
    let script = format!("mount -t tmpfs -o {options} tmpfs \"$0\" || exit 99; exec \"$@\"");
    let is_root = rustix::process::geteuid().is_root();
    let namespace: &[&str] = match is_root {
        true => &["--mount"],
        false => &["--mount", "--user", "--map-root-user"],
    };
    let output = Command::new("unshare")
        .args(namespace)
        .args(["/bin/sh", "-c", &script])
        .arg(mount.path())
        .arg(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", test, "--nocapture"])
        .env(MOUNT, mount.path())
        .env("TMPDIR", mount.path())
        .output();
    let unmounted = match &output {
        Ok(output) => {
            let refused = String::from_utf8_lossy(&output.stderr).starts_with("unshare: ");
            output.status.code() == Some(99) || refused
        }
        Err(_) => true,
    };
    if unmounted {
        assert!(std::env::var_os(REQUIRED).is_none(), "no tmpfs: {output:?}");
        eprintln!("skipped: no tmpfs can be mounted here");
        return;
    }
    let output = output.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let warned = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{warned}");
    assert!(said.contains("1 passed"), "{said}");
    println!("{said}");
}
