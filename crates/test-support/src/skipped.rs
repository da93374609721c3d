//! Tests that lack a tool or a privilege: what they lack is reported, never passed over in silence.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Names, separated by commas, of what must be there: a test that lacks one fails.
const REQUIRED: &str = "MCPLEXER_TEST_REQUIRED";

/// Where every Unix has `sh`, `env`, `cat` and the like, whatever PATH says.
pub const STANDARD_PATH: &str = "/usr/bin:/bin";

/// Finds a program in PATH.
#[must_use]
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let places = std::env::split_paths(&path).map(|it| it.join(program));
    // A link or a script may be there and not start.
    let starts = |it: &PathBuf| rustix::fs::access(it, rustix::fs::Access::EXEC_OK).is_ok();
    places.filter(|it| it.is_file()).find(starts)
}

/// Finds a program in PATH that the running test needs; without one, reports the test as skipped.
///
/// # Panics
///
/// If the program is required.
#[must_use]
pub fn tool(program: &str) -> Option<PathBuf> {
    let found = find(program);
    if found.is_none() {
        skip(program, &format!("no {program} in PATH"));
    }
    found
}

/// Whether all of these programs are in PATH; reports the first that is missing.
///
/// # Panics
///
/// If a missing program is required.
#[must_use]
pub fn tools(programs: &[&str]) -> bool {
    programs.iter().all(|it| tool(it).is_some())
}

/// Reports that the running test, or a part of it, is skipped: `need` names what it lacks, `why` says it in full.
///
/// # Panics
///
/// If `MCPLEXER_TEST_REQUIRED` lists the need.
#[expect(clippy::panic, reason = "a test that must not be skipped fails")]
pub fn skip(need: &str, why: &str) {
    let required = std::env::var(REQUIRED).unwrap_or_default();
    if required.split(',').any(|it| it == need) {
        panic!("{REQUIRED} lists {need}, and the test lacks it: {why}");
    }
    let thread = std::thread::current();
    let test = thread.name().filter(|it| *it != "main");
    let line = format!("skipped: {}: {why}\n", test.unwrap_or("a test"));
    // The harness captures what the print macros print, and not what is written to the stream itself.
    let _unseen = io::stderr().write_all(line.as_bytes());
    // The summary is a second copy: where it cannot be kept, the line above has said it.
    let _unkept = keep(&line);
}

fn keep(line: &str) -> io::Result<()> {
    let file = kept().ok_or(io::ErrorKind::NotFound)?;
    fs::create_dir_all(file.parent().unwrap_or(Path::new("")))?;
    let mut file = OpenOptions::new().create(true).append(true).open(file)?;
    file.write_all(line.as_bytes())
}

/// The file with what is skipped in one run of cargo, which is the parent of every test process. It lies in the
/// target directory.
fn kept() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let parent = rustix::process::getppid()?.as_raw_nonzero();
    // A process id returns one day; with the time at which the process was started it does not.
    let stat = fs::read_to_string(format!("/proc/{parent}/stat")).unwrap_or_default();
    let (_, fields) = stat.rsplit_once(')').unwrap_or_default();
    let started = fields.split_whitespace().nth(19).unwrap_or("0");
    let directory = program.ancestors().nth(2)?.join("skipped");
    Some(directory.join(format!("{parent}-{started}")))
}

/// Takes the lines about what was skipped in this run of cargo so far, sorted, each once.
#[must_use]
pub fn was_skipped_here() -> Vec<String> {
    let Some(file) = kept() else {
        return Vec::new();
    };
    let text = fs::read_to_string(&file).unwrap_or_default();
    // Missing if nothing was skipped.
    let _missing = fs::remove_file(file);
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines.dedup();
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_in_path() {
        assert_eq!(find("no-such-program"), None);
        assert_eq!(find(""), None);
        assert!(find("cargo").is_none_or(|it| it.ends_with("cargo")));
    }
}
