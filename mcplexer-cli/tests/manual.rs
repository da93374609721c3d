//! The sessions of the README and of `tests/cmd/` print what they say, each in a home of its own.
//!
//! `tests/cmd/` is a manual, a page for each command. `TRYCMD=overwrite cargo test -p mcplexer-cli --test manual`
//! writes what the commands print now; what differs from run to run is then to be replaced by `[..]`.

#![cfg(test)]

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use test_support::STANDARD_PATH;

#[test]
fn the_sessions_give_what_they_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![root.join("../README.md")];
    for entry in root.join("tests/cmd").read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|it| it == "trycmd") {
            files.push(path);
        }
    }
    files.sort();
    for file in files {
        let mode = Permissions::from_mode(0o700);
        let home = tempfile::Builder::new()
            .permissions(mode)
            .tempdir()
            .unwrap();
        let cases = trycmd::TestCases::new();
        cases.env("HOME", home.path().to_str().unwrap());
        cases.env("PATH", STANDARD_PATH).case(&file);
        // The person running the tests may have their own store; an empty variable counts as unset.
        for variable in ["HOME", "AGE_KEY", "AGE_IDENTITY", "AUDIT"] {
            cases.env(format!("MCPLEXER_{variable}"), "");
        }
        // A coding agent may also run the tests, and would not be shown any value.
        let table = include_str!("../../docs/use.md").lines();
        for row in table.filter_map(|line| line.strip_suffix("` |")) {
            let (_, sign) = row.split_once("| `").unwrap();
            cases.env(sign.split('=').next().unwrap(), "");
        }
        cases.run();
    }
}
