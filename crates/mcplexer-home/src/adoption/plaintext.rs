//! Which files of clients have credentials in them.

use std::path::{Path, PathBuf};

use mcplexer_clients::{Directories, standard_places};

use super::{Choice, look, plan, plan_for_gateway};
use crate::open::OpenHome;

/// A client's file that has credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plaintext {
    /// The client's name.
    pub client: &'static str,
    /// The file.
    pub file: PathBuf,
    /// How many credentials it has.
    pub credentials: usize,
    /// Whether `adopt --write` would move some of them.
    pub is_adoptable: bool,
    /// Otherwise, the option with which it would: `--gateway`.
    pub option: Option<&'static str>,
}

/// An option of `adopt` that moves more credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Further {
    /// The option: `--gateway`.
    pub option: &'static str,
    /// How many more it moves.
    pub more: usize,
}

/// Returns the options with which `adopt` moves more than `moved` credentials of a file. None if it cannot be read, or if
/// the choice has them already.
#[must_use]
pub fn further(
    path: &Path,
    choice: &Choice,
    program: &str,
    open: &OpenHome,
    moved: usize,
) -> Vec<Further> {
    let allowing = Choice {
        allow_arguments: true,
        ..choice.clone()
    };
    let plans = [
        ("--gateway", plan_for_gateway(path, choice, program, open)),
        ("--allow-arguments", plan(path, &allowing, program, open)),
    ];
    let more = plans.into_iter().filter_map(|(option, plan)| {
        let more = plan.ok()?.moved.checked_sub(moved).filter(|it| *it > 0)?;
        Some(Further { option, more })
    });
    more.collect()
}

/// Returns the files with credentials in the usual places. A file that cannot be read is left out.
#[must_use]
pub fn plaintext(directories: &Directories, program: &str, open: &OpenHome) -> Vec<Plaintext> {
    let places = standard_places(directories);
    let looked = look(&places, &Choice::default(), program, open);
    let with_servers = looked.files.into_iter().map(|it| {
        let stays = it.moved == 0 && it.left > 0;
        let ways = match stays {
            true => further(&it.file, &Choice::default(), program, open, 0),
            false => Vec::new(),
        };
        Plaintext {
            client: it.client.unwrap_or_default(),
            credentials: it.moved + it.left,
            is_adoptable: it.moved > 0,
            option: ways.first().map(|it| it.option),
            file: it.file,
        }
    });
    let others = looked.without_servers.into_iter().map(|it| Plaintext {
        client: it.client,
        credentials: it.lines.len(),
        is_adoptable: false,
        option: None,
        file: it.file,
    });
    let all = with_servers.chain(others);
    all.filter(|it| it.credentials > 0).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::directories;
    use super::*;
    use crate::open::tests::opened;

    #[test]
    fn a_file_with_credentials_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().to_owned();
        let open = opened(&directory);
        let mut directories = directories(|name| (name == "HOME").then(|| path.clone().into()));
        directories.project = None;
        assert_eq!(plaintext(&directories, "mcplexer", &open), []);
        let cursor = path.join(".cursor");
        fs::create_dir(&cursor).unwrap();
        let file = cursor.join("mcp.json");
        let server =
            r#"{"command": "x", "env": {"TOKEN": "ghp_0123456789abcdefghijABCDEFGHIJ012345"}}"#;
        fs::write(&file, format!("{{\"mcpServers\": {{\"a\": {server}}}}}")).unwrap();
        let found = plaintext(&directories, "mcplexer", &open);
        let [one] = found.as_slice() else {
            panic!("{found:?}");
        };
        assert_eq!(
            (&one.file, one.credentials, one.is_adoptable),
            (&file, 1, true)
        );
    }
}
