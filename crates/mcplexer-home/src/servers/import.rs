//! Servers of an AI client's file, for `config.yaml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mcplexer_clients::{Entry, Place, Reach};
use mcplexer_files::config::{Config, Http, Problem, Server, ServerName, Stdio, Transport, parse};

use super::relative::Origin;
use crate::adoption::{self, ClientFile};

/// A server of a client's file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imported {
    /// Its name in `config.yaml`.
    pub name: ServerName,
    /// Its name in the client's file.
    pub from: String,
    /// The server.
    pub server: Server,
    /// What the client's file says of it besides, and is left out: `envFile`, `timeout`.
    pub left_out: Vec<String>,
}

/// Why servers cannot be imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotImported {
    /// The file cannot be read, or is not the configuration of a client.
    #[error(transparent)]
    File(#[from] adoption::Error),
    /// The file has no server with this name, or no server at all.
    #[error("no server {}in {}", .name.as_ref().map(|name| format!("{name} ")).unwrap_or_default(), .file.display())]
    NotFound {
        /// The file.
        file: PathBuf,
        /// The name.
        name: Option<String>,
    },
    /// Servers cannot be in `config.yaml`.
    #[error("{} has servers that cannot be imported", .file.display())]
    Refused {
        /// The file.
        file: PathBuf,
        /// The servers, by their names in that file, and why not; at least one.
        servers: Vec<(String, Refusal)>,
    },
}

/// Why a server cannot be in `config.yaml`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// It is reached in a way that mcplexer does not know: its command is a line for a shell, or it has none.
    Start,
    /// The client replaces variables of its own in these places.
    Variables(Vec<Place>),
    /// This word of its command is a relative path, and the gateway starts servers in another directory than the client.
    Relative(String),
    /// No name can be made of its name.
    Name,
    /// Another server of the file has this name.
    Twice(ServerName),
    /// It has these problems, such as a credential. Their lines say nothing.
    Problems(Vec<Problem>),
}

/// Reads the servers of a client's file; with a name, only the one with that name or of `PROJECT/NAME`. Changes nothing.
///
/// # Errors
/// [`NotImported`]. Every server that cannot be imported is named.
pub fn import(file: &Path, only: Option<&str>) -> Result<Vec<Imported>, NotImported> {
    let client = ClientFile::read(file)?;
    let entries = client.config.entries();
    let is_meant = |entry: &&Entry<'_>| only.is_none_or(|name| entry.server.is_named(name));
    // The gateway is not one of its own servers.
    let meant = entries.iter().filter(|entry| !entry.is_gateway());
    let meant = meant.filter(is_meant);
    let imported = of_entries(file, meant)?;
    match imported.is_empty() {
        true => Err(NotImported::NotFound {
            file: file.to_owned(),
            name: only.map(str::to_owned),
        }),
        false => Ok(imported),
    }
}

/// Returns the servers of a client's entries.
fn of_entries<'e>(
    file: &Path,
    entries: impl Iterator<Item = &'e Entry<'e>>,
) -> Result<Vec<Imported>, NotImported> {
    let mut imported: BTreeMap<ServerName, Imported> = BTreeMap::new();
    let mut refused = Vec::new();
    let origin = Origin::of(file);
    for entry in entries {
        let server = of_entry(entry, &origin).and_then(|it| match imported.get(&it.name) {
            // A file of several projects often repeats a server.
            Some(other) if other.server != it.server => Err(Refusal::Twice(it.name)),
            _ => Ok(it),
        });
        match server {
            Ok(server) => drop(imported.insert(server.name.clone(), server)),
            Err(refusal) => {
                let name = entry.server.path();
                refused.push((name.unwrap_or_else(|| entry.server.name.clone()), refusal));
            }
        }
    }
    match refused.is_empty() {
        true => Ok(imported.into_values().collect()),
        false => Err(NotImported::Refused {
            file: file.to_owned(),
            servers: refused,
        }),
    }
}

/// Returns the server of a client's entry in a file.
pub(crate) fn of_entry(entry: &Entry<'_>, origin: &Origin) -> Result<Imported, Refusal> {
    let name = name_of(&entry.server.name).ok_or(Refusal::Name)?;
    let transport = match &entry.reach {
        Reach::Command { line, env } => {
            let mut directory = entry.directory().map(PathBuf::from);
            if directory.is_none() {
                let project = entry.server.project.as_deref().map(Path::new);
                let needed = origin.directory_for(line, project);
                directory = needed.map_err(|word| Refusal::Relative(word.to_owned()))?;
            }
            Transport::Stdio(Stdio {
                env: env.iter().cloned().collect(),
                directory,
                ..Stdio::new(line.clone())
            })
        }
        Reach::Url { url, headers } => Transport::Http(Http {
            headers: headers.iter().cloned().collect(),
            ..Http::new(url.clone())
        }),
        _ => return Err(Refusal::Start),
    };
    let mut server = Server::new(transport);
    server.disabled = entry.is_disabled();
    let alone = Config {
        servers: [(name.clone(), server.clone())].into(),
        ..Config::default()
    };
    if let Err(problems) = parse(alone.to_string().as_bytes()) {
        return Err(Refusal::Problems(problems));
    }
    if !entry.variables.is_empty() {
        return Err(Refusal::Variables(entry.variables.clone()));
    }
    Ok(Imported {
        name,
        from: entry.server.name.clone(),
        server,
        left_out: entry.others().to_vec(),
    })
}

/// Makes a name for `config.yaml` of a name in a client's file: `My Server` becomes `my-server`.
pub(crate) fn name_of(name: &str) -> Option<ServerName> {
    let lower = name.trim().to_lowercase();
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    let allowed = lower.replace(|c| !is_allowed(c), "-");
    let mut name = allowed.trim_matches(['-', '_']).to_owned();
    while name.contains("__") {
        name = name.replace("__", "_");
    }
    name.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn names_are_made_of_names() {
        for (name, made) in [
            ("github", Some("github")),
            ("My Server", Some("my-server")),
            ("@acme/mcp__x", Some("acme-mcp_x")),
            ("Ünïcode 2", Some("n-code-2")),
            ("日本", None),
            ("a-name-of-more-than-thirty-two-characters", None),
        ] {
            let expected = made.map(|made| made.parse().unwrap());
            assert_eq!(name_of(name), expected, "{name}");
        }
    }

    /// A client starts a project's servers in the project.
    #[test]
    fn a_relative_path_needs_a_directory() {
        let server =
            |line: &str, more: &str| format!(r#"{{"mcpServers": {{"a": {{{line}{more}}}}}}}"#);
        for (line, word) in [
            (r#""command": "./run.sh""#, "./run.sh"),
            (r#""command": "bin/run""#, "bin/run"),
            (
                r#""command": "python3", "args": ["../srv.py"]"#,
                "../srv.py",
            ),
            (r#""command": "npx", "args": ["-y", "fs", "."]"#, "."),
            (
                r#""command": "x", "args": ["--root=./data"]"#,
                "--root=./data",
            ),
        ] {
            match imported(&server(line, ""), None) {
                Err(NotImported::Refused { servers, .. }) => {
                    assert_eq!(servers[0].1, Refusal::Relative(word.to_owned()), "{line}");
                }
                other => panic!("{line}: {other:?}"),
            }
            let all = imported(&server(line, r#", "cwd": "/srv""#), None).unwrap();
            assert_eq!(all.len(), 1, "{line}");
            let text = server(line, "");
            let text = format!(r#"{{"projects": {{"/w/p": {text}}}}}"#);
            let all = imported(&text, None).unwrap();
            match &all[0].server.transport {
                Transport::Stdio(stdio) => assert_eq!(stdio.directory, Some("/w/p".into())),
                other => panic!("{other:?}"),
            }
        }
        for line in [
            r#""command": "/bin/run""#,
            r#""command": "npx", "args": ["-y", "@acme/fs", "/srv", "a/b", "x=1"]"#,
        ] {
            assert!(imported(&server(line, ""), None).is_ok(), "{line}");
        }
    }

    fn imported(text: &str, only: Option<&str>) -> Result<Vec<Imported>, NotImported> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("c.json");
        fs::write(&file, text).unwrap();
        import(&file, only)
    }

    #[test]
    fn the_projects_of_a_file_may_share_a_server() {
        let file = r#"{"projects": {
            "/a": {"mcpServers": {"x": {"command": "x"}, "y": {"command": "y"}}},
            "/b": {"mcpServers": {"x": {"command": "x"}, "y": {"command": "z"}}}
        }}"#;
        let Err(NotImported::Refused { servers, .. }) = imported(file, None) else {
            panic!("y is two servers")
        };
        assert_eq!(
            servers,
            [("/b/y".to_owned(), Refusal::Twice("y".parse().unwrap()))]
        );
        assert_eq!(imported(file, Some("x")).unwrap().len(), 1);
        assert_eq!(imported(file, Some("/b/y")).unwrap().len(), 1);
        assert!(matches!(
            imported(file, Some("z")),
            Err(NotImported::NotFound { .. })
        ));
        let gateway = r#"{"mcpServers": {"mcplexer": {"command": "mcplexer", "args": ["connect", "--client", "c"]}}}"#;
        assert!(matches!(
            imported(gateway, None),
            Err(NotImported::NotFound { .. })
        ));
    }
}
