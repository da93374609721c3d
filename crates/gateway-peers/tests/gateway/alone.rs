//! Tests that look at their own process.

use std::process::Command;

const ALONE: &str = "MCPLEXER_TEST_ALONE";

/// Whether this process runs one test and nothing else. If it does not, another one is started that does, and the
/// test is over: it has passed there.
pub(crate) fn is_alone(test: &str) -> bool {
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--include-ignored", "--nocapture"])
        .env(ALONE, "1")
        .output()
        .unwrap();
    let (said, errors) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}{errors}"
    );
    eprint!("{errors}");
    false
}
