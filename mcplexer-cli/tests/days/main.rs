//! Two days with the commands, played in a real terminal in each shell: docs/first-day.md and docs/working-day.md say what is
//! typed and what is seen.
//!
//! `SNAPSHOTS=overwrite cargo test -p mcplexer-cli --test days` writes what is seen now.

#![cfg(test)]

mod document;
mod shell;
mod terminal;

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::{Path, PathBuf};

use snapbox::{Data, assert_data_eq};
use test_support::{STANDARD_PATH, skip, tools};

use shell::{SHELLS, Shell};
use terminal::Terminal;

/// Names the Debian package that the first day begins with; `.ci/deb` makes it.
const PACKAGE: &str = "MCPLEXER_TEST_PACKAGE";

#[test]
fn a_first_day_goes_as_it_is_written() {
    let Some(package) = std::env::var_os(PACKAGE).map(PathBuf::from) else {
        return skip("package", &format!("no {PACKAGE}"));
    };
    each_shell("first-day", |shell, home| {
        fs::copy(&package, home.join("mcplexer.deb")).unwrap();
        Terminal::in_clean_root(shell, home)
    });
}

#[test]
fn a_working_day_goes_as_it_is_written() {
    each_shell("working-day", |shell, home| {
        let programs = home.with_extension("bin");
        fs::create_dir(&programs).unwrap();
        symlink(env!("CARGO_BIN_EXE_mcplexer"), programs.join("mcplexer")).unwrap();
        let path = format!("{}:{STANDARD_PATH}", programs.display());
        Some(Terminal::start(shell, home, home, &path, &[]))
    });
}

/// Plays a day in each shell. What is seen must be the same in all of them.
fn each_shell(day: &str, begin: impl Fn(&Shell, &Path) -> Option<Terminal>) {
    if !tools(&["tmux", "bash", "zsh", "fish"]) {
        return;
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../docs/{day}.md"));
    for shell in &SHELLS {
        let work = tempfile::tempdir().unwrap();
        let home = work.path().join("ada");
        DirBuilder::new().mode(0o700).create(&home).unwrap();
        let Some(mut terminal) = begin(shell, &home) else {
            return;
        };
        let text = fs::read_to_string(&file).unwrap();
        let seen = document::play(&text, &mut terminal);
        assert_data_eq!(seen, Data::read_from(&file, None).raw());
    }
}
