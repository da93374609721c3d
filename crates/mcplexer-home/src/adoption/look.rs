//! Looks where clients keep their configuration.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use mcplexer_clients::StandardPlace;
use mcplexer_files::position::Position;
use serde::Serialize;

use super::client_file::ClientFile;
use super::report::{FileReport, path_text};
use super::{Choice, Error};
use crate::open::OpenHome;

/// What was found in the usual places.
#[derive(Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Looked {
    /// The configuration files with servers, and what adopting each would do.
    pub files: Vec<FileReport>,
    /// The files that have credentials, but no servers.
    pub without_servers: Vec<WithoutServers>,
    /// The places that were looked at, by client.
    pub places: BTreeMap<&'static str, Vec<String>>,
    /// Why the others could not be used.
    #[serde(skip)]
    pub failures: Vec<Error>,
}

/// A file without servers that has credentials.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct WithoutServers {
    /// The file.
    #[serde(serialize_with = "path_text")]
    pub file: PathBuf,
    /// The client that it belongs to.
    pub client: &'static str,
    /// The line of each credential.
    pub lines: Vec<usize>,
}

impl Looked {
    /// Returns in how many places it looked.
    #[must_use]
    pub fn count(&self) -> usize {
        self.places.values().map(Vec::len).sum()
    }
}

/// Plans for each file in these places. A file that cannot be used does not stop the others.
#[must_use]
pub fn look(places: &[StandardPlace], choice: &Choice, program: &str, open: &OpenHome) -> Looked {
    let mut looked = Looked {
        places: by_client(places),
        ..Looked::default()
    };
    let mut seen = HashSet::new();
    for place in places {
        for file in files(&place.path) {
            // The working directory may be the home directory.
            let path = file.canonicalize();
            if path.is_ok_and(|path| seen.insert(path)) {
                looked.take(place.client, &file, choice, program, open);
            }
        }
    }
    looked
}

/// Returns where the clients keep their configuration. A `*` in a place stands for any name.
#[must_use]
pub fn by_client(places: &[StandardPlace]) -> BTreeMap<&'static str, Vec<String>> {
    let mut clients: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for place in places {
        let of_client = clients.entry(place.client).or_default();
        of_client.push(place.path.display().to_string());
    }
    clients
}

impl Looked {
    fn take(
        &mut self,
        client: &'static str,
        path: &Path,
        choice: &Choice,
        program: &str,
        open: &OpenHome,
    ) {
        let read = ClientFile::read_if_config(path);
        let planned = read.and_then(|file| match file {
            Err(credentials) => Ok(Err(credentials)),
            Ok(file) => file
                .plan(choice, &[], program, open)
                .map(|plan| Ok((file, plan))),
        });
        match planned {
            Ok(Err(credentials)) if credentials.is_empty() => {}
            Ok(Err(credentials)) => self.without_servers.push(WithoutServers {
                file: path.to_owned(),
                client,
                lines: credentials.iter().map(|at: &Position| at.line).collect(),
            }),
            Ok(Ok((file, plan))) => self.files.push(FileReport {
                client: Some(client),
                ..file.report(&plan)
            }),
            Err(error) => self.failures.push(error),
        }
    }
}

/// Returns the files of a place, in which a `*` stands for any name. The path itself, without one.
fn files(place: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for component in place.components() {
        let component = Path::new(&component);
        let pattern = component.to_str().and_then(|it| it.split_once('*'));
        found = found
            .into_iter()
            .flat_map(|directory| match pattern {
                None => vec![directory.join(component)],
                Some((start, end)) => matches(&directory, start, end),
            })
            .collect();
    }
    found
}

/// Returns what a directory has whose name begins and ends so, sorted.
fn matches(directory: &Path, start: &str, end: &str) -> Vec<PathBuf> {
    let directory = match directory.as_os_str().is_empty() {
        true => Path::new("."),
        false => directory,
    };
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().as_encoded_bytes();
            name.len() >= start.len() + end.len()
                && name.starts_with(start.as_bytes())
                && name.ends_with(end.as_bytes())
        })
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_name() {
        let directory = tempfile::tempdir().unwrap();
        for profile in ["b", "a"] {
            let path = directory.path().join("profiles").join(profile);
            fs::create_dir_all(&path).unwrap();
            fs::write(path.join("mcp.json"), "").unwrap();
            fs::write(path.join("x.yaml"), "").unwrap();
        }
        let found = |place: &str| -> Vec<String> {
            let files = files(&directory.path().join(place)).into_iter();
            let relative = files.map(|it| it.strip_prefix(directory.path()).unwrap().to_owned());
            relative.map(|it| it.display().to_string()).collect()
        };
        assert_eq!(
            found("profiles/*/mcp.json"),
            ["profiles/a/mcp.json", "profiles/b/mcp.json"]
        );
        assert_eq!(found("profiles/a/*.yaml"), ["profiles/a/x.yaml"]);
        assert_eq!(found("none/*.yaml"), [""; 0]);
        assert_eq!(found("none/mcp.json"), ["none/mcp.json"]);
    }
}
