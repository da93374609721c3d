//! Prints what this run of `cargo test` has skipped, and why.
//!
//! It is no test: it comes after the tests of all other packages, and never fails.

use std::io::{self, Write};

fn main() -> io::Result<()> {
    // Runners that list tests first, such as nextest, find none here.
    if std::env::args().any(|it| it == "--list") {
        return Ok(());
    }
    let lines = test_support::was_skipped_here();
    let mut out = io::stdout().lock();
    match lines.len() {
        0 => writeln!(out, "\nno test was skipped")?,
        count => writeln!(
            out,
            "\n{count} tests were skipped, or a part of each (README, \"Tests\"):"
        )?,
    }
    for line in lines {
        writeln!(out, "  {}", line.trim_start_matches("skipped: "))?;
    }
    Ok(())
}
