//! The tool servers in `config.yaml`: lists, adds and removes them. The rest of the file stays as it is.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use mcplexer_durable::{
    FileReplacement, PATIENCE, ReplaceError, create_parent, is_still_at, open_regular,
    read_at_most, wait_for_lock,
};
use mcplexer_files::config::{
    Config, EditError, MAX_CONFIG_LEN, Problem, Server, ServerName, with_server, without_server,
};
use mcplexer_secrets::Error as StoreError;
use serde::Serialize;

use crate::config::{self, ConfigFile, of_home};
use crate::home::Home;

mod import;
mod missing;
mod relative;

pub use import::{Imported, NotImported, Refusal, import};
pub(crate) use import::{name_of, of_entry};
pub use missing::{Missing, missing, missing_at_home, references};
pub(crate) use relative::Origin;
pub use relative::{relative_in, working_directory};

/// How often to make a change again if other programs change the file meanwhile.
const ATTEMPTS: usize = 20;

/// A failure to read or to change the servers.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be read, or has problems.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// A server cannot be in the file. The lines of the problems say nothing.
    #[error("server {server} has {} problems", .problems.len())]
    Refused {
        /// The server.
        server: ServerName,
        /// What is wrong with it; at least one.
        problems: Vec<Problem>,
    },
    /// The file has a server with this name.
    #[error("{} has a server {server} already", .file.display())]
    Exists {
        /// The file.
        file: PathBuf,
        /// The server.
        server: ServerName,
    },
    /// The file has no server with this name.
    #[error("{} has no server {server}", .file.display())]
    NotFound {
        /// The file.
        file: PathBuf,
        /// The server.
        server: ServerName,
        /// The servers that it has.
        others: Vec<ServerName>,
    },
    /// Clients of the file name the server.
    #[error("{}: clients name the server {server}", .file.display())]
    Named {
        /// The file.
        file: PathBuf,
        /// The server.
        server: ServerName,
        /// The clients; at least one.
        clients: Vec<ServerName>,
    },
    /// The file is written in an unusual way.
    #[error("{}: its notation is too unusual to be changed by a program", .file.display())]
    Unusual {
        /// The file.
        file: PathBuf,
        /// What to write into it, if something was to be added.
        entry: Option<String>,
    },
    /// Another program held the file, or others kept changing it.
    #[error("other programs keep {} busy", .file.display())]
    Busy {
        /// The file.
        file: PathBuf,
    },
    /// The file cannot be replaced.
    #[error(transparent)]
    Replace(#[from] ReplaceError),
    /// The directory cannot be created.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The servers of a file.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ServerList {
    /// The file.
    pub file: String,
    /// The servers, by name.
    pub servers: Vec<ServerRow>,
}

/// A server with its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ServerRow {
    /// The name.
    pub name: ServerName,
    /// The server, with the fields that it has in the file.
    #[serde(flatten)]
    pub server: Server,
}

/// What adding servers did.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct AddReport {
    /// The file.
    pub file: PathBuf,
    /// The servers that were added, in the order in which they were given.
    pub added: Vec<ServerName>,
    /// Those of them that replaced another one.
    pub replaced: Vec<ServerName>,
}

/// Lists the servers. A home without a file has none.
///
/// # Errors
/// [`Error::Config`].
pub fn list(home: &Home) -> Result<ServerList, Error> {
    let config = of_home(home)?.unwrap_or_default();
    let rows = config.servers.into_iter();
    Ok(ServerList {
        file: home.config().display().to_string(),
        servers: rows
            .map(|(name, server)| ServerRow { name, server })
            .collect(),
    })
}

/// Returns a server.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Config`].
pub fn show(home: &Home, name: &ServerName) -> Result<ServerRow, Error> {
    let list = list(home)?;
    match list.servers.iter().find(|row| row.name == *name) {
        Some(row) => Ok(row.clone()),
        None => Err(Error::NotFound {
            file: home.config(),
            server: name.clone(),
            others: list.servers.into_iter().map(|it| it.name).collect(),
        }),
    }
}

impl ServerRow {
    /// Returns the server as the file has it.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        let config = Config {
            servers: [(self.name.clone(), self.server.clone())].into(),
            ..Config::default()
        };
        config.to_string()
    }
}

/// Adds servers, all of them or none. A home without a file gets one.
///
/// # Errors
/// [`Error::Exists`] if the file has one of them, unless `replace` is set; [`Error::Refused`] if one cannot be in the
/// file; [`Error::Unusual`], [`Error::Busy`], [`Error::Replace`] and [`Error::Store`] if the file cannot be changed;
/// [`Error::Config`] if it has problems.
pub fn add(
    home: &Home,
    servers: &[(ServerName, Server)],
    replace: bool,
) -> Result<AddReport, Error> {
    let replaced = change(home, &|file| {
        let existing = of_text(home, file)?.servers;
        let names = servers.iter().map(|(name, _)| name);
        let mut replaced = names.filter(|name| existing.contains_key(name)).cloned();
        let replaced: Vec<_> = match (replace, replaced.next()) {
            (false, Some(server)) => {
                let file = home.config();
                return Err(Error::Exists { file, server });
            }
            (_, first) => first.into_iter().chain(replaced).collect(),
        };
        let mut text = file.to_owned();
        for (name, server) in servers {
            text = with_server(&text, name, server).map_err(|error| {
                let row = ServerRow {
                    name: name.clone(),
                    server: server.clone(),
                };
                explain(error, home, name, Some(row.to_yaml()))
            })?;
        }
        Ok((text, replaced))
    })?;
    Ok(AddReport {
        file: home.config(),
        added: servers.iter().map(|(name, _)| name.clone()).collect(),
        replaced,
    })
}

/// Removes a server. Returns the file.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Named`] if clients of the file name it; [`Error::Config`] if the file has problems;
/// [`Error::Unusual`], [`Error::Busy`] and [`Error::Replace`] if it cannot be changed.
pub fn remove(home: &Home, name: &ServerName) -> Result<PathBuf, Error> {
    change(home, &|file| {
        let text = without_server(file, name);
        let text = text.map_err(|error| match error {
            EditError::NotFound => Error::NotFound {
                file: home.config(),
                server: name.clone(),
                others: of_text(home, file)
                    .map(|it| it.servers.into_keys().collect())
                    .unwrap_or_default(),
            },
            error => explain(error, home, name, None),
        })?;
        Ok((text, ()))
    })?;
    Ok(home.config())
}

/// Why a server stays in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stayed {
    /// It is another one by now.
    Changed,
    /// A client of the file names it.
    Named,
}

/// Removes servers that are still the same, in one step. Returns those that stay.
pub(crate) fn remove_same(
    home: &Home,
    servers: &[(ServerName, Server)],
) -> Result<Vec<(ServerName, Stayed)>, Error> {
    match has_any(home, servers)? {
        true => change(home, &|file| without_same(home, file, servers)),
        false => Ok(Vec::new()),
    }
}

/// Finds out whether [`remove_same`] would fail, as far as that can be known before.
pub(crate) fn check_remove_same(
    home: &Home,
    servers: &[(ServerName, Server)],
) -> Result<(), Error> {
    let path = home.config();
    if !has_any(home, servers)? {
        return Ok(());
    }
    let file = open_regular(&path, OpenOptions::new().read(true));
    let file = file.map_err(|source| failed("read", &path, source))?;
    let text = file.as_ref().map(|file| read(file, &path)).transpose()?;
    without_same(home, text.as_deref().unwrap_or_default(), servers)?;
    FileReplacement::begin(&path)?;
    Ok(())
}

fn has_any(home: &Home, servers: &[(ServerName, Server)]) -> Result<bool, Error> {
    let existing = of_home(home)?.unwrap_or_default().servers;
    Ok(servers.iter().any(|(name, _)| existing.contains_key(name)))
}

/// Returns a text without the servers that are the same in it, and those that stay.
fn without_same(
    home: &Home,
    file: &str,
    servers: &[(ServerName, Server)],
) -> Result<(String, Vec<(ServerName, Stayed)>), Error> {
    let existing = of_text(home, file)?.servers;
    let (mut text, mut stay) = (file.to_owned(), Vec::new());
    for (name, server) in servers {
        match existing.get(name) {
            None => continue,
            Some(it) if it != server => {
                stay.push((name.clone(), Stayed::Changed));
                continue;
            }
            Some(_) => {}
        }
        match without_server(&text, name) {
            Ok(without) => text = without,
            Err(EditError::Named(_)) => stay.push((name.clone(), Stayed::Named)),
            Err(error) => return Err(explain(error, home, name, None)),
        }
    }
    Ok((text, stay))
}

fn explain(error: EditError, home: &Home, server: &ServerName, entry: Option<String>) -> Error {
    let (file, server) = (home.config(), server.clone());
    match error {
        EditError::Invalid(problems) => Error::Config(config::Error::Invalid {
            path: file,
            problems,
        }),
        EditError::Refused(problems) => Error::Refused { server, problems },
        EditError::Named(clients) => Error::Named {
            file,
            server,
            clients,
        },
        EditError::NotFound => Error::NotFound {
            file,
            server,
            others: Vec::new(),
        },
        _ => Error::Unusual { file, entry },
    }
}

/// Reads a text as the configuration of a home.
fn of_text(home: &Home, text: &str) -> Result<Config, Error> {
    let file = ConfigFile::new(&home.config(), text.as_bytes());
    Ok(file.unless_blank()?.unwrap_or_default())
}

/// Makes a new text of a file's text, and a result.
type Change<'a, T> = dyn Fn(&str) -> Result<(String, T), Error> + 'a;

/// Replaces the file by what `change` makes of it. If another program changes it meanwhile, that is done again.
fn change<T>(home: &Home, change: &Change<'_, T>) -> Result<T, Error> {
    let path = home.config();
    for _ in 0..ATTEMPTS {
        let file = open_regular(&path, OpenOptions::new().read(true));
        let file = file.map_err(|source| failed("read", &path, source))?;
        // Two changes at once would be one.
        if let Some(file) = &file {
            let locked = wait_for_lock(file, PATIENCE);
            let locked = locked.map_err(|source| failed("lock", &path, source))?;
            if locked.is_none() {
                break;
            }
            if !is_still_at(file, &path) {
                continue;
            }
        }
        let old = file.as_ref().map(|file| read(file, &path)).transpose()?;
        let (text, result) = change(old.as_deref().unwrap_or_default())?;
        create_parent(&path).map_err(|source| failed("create the directory of", &path, source))?;
        let mut replacement = FileReplacement::begin(&path)?;
        let written = match &old {
            Some(old) => replacement.write_over(old.as_bytes(), text.as_bytes()),
            None => replacement
                .write_all(text.as_bytes())
                .map_err(|source| ReplaceError::NotWritten {
                    path: path.clone(),
                    source,
                })
                .and_then(|()| replacement.finish_new()),
        };
        match written {
            Ok(()) => return Ok(result),
            Err(ReplaceError::Changed { .. }) => {}
            Err(ReplaceError::NotWritten { source, .. })
                if old.is_none() && source.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::Busy { file: path })
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> StoreError {
    StoreError::Io {
        action,
        path: path.to_owned(),
        source,
    }
}

fn read(file: &File, path: &Path) -> Result<String, Error> {
    let bytes = read_at_most(MAX_CONFIG_LEN, file);
    let bytes = bytes.map_err(|source| failed("read", path, source))?;
    let text = String::from_utf8(bytes.to_vec());
    text.map_err(|error| {
        // It is reported with its place.
        let invalid = ConfigFile::new(path, error.as_bytes()).into_config();
        invalid.map_or_else(Error::from, |_| Error::Unusual {
            file: path.to_owned(),
            entry: None,
        })
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use mcplexer_files::config::{Stdio, Transport};

    use super::*;
    use crate::open::tests::opened;

    fn server(program: &str) -> Server {
        Server::new(Transport::Stdio(Stdio::new(vec![program.to_owned()])))
    }

    fn name(text: &str) -> ServerName {
        text.parse().unwrap()
    }

    #[test]
    fn servers_are_added_all_or_none() {
        let directory = tempfile::tempdir().unwrap();
        let open = opened(&directory);
        let home = open.home();
        assert!(list(home).unwrap().servers.is_empty());
        let report = add(home, &[(name("a"), server("x"))], false).unwrap();
        assert_eq!((report.added, report.replaced), (vec![name("a")], vec![]));
        let text = fs::read_to_string(home.config()).unwrap();
        let both = [(name("b"), server("y")), (name("a"), server("z"))];
        let error = add(home, &both, false).unwrap_err();
        assert!(matches!(error, Error::Exists { .. }), "{error}");
        assert_eq!(fs::read_to_string(home.config()).unwrap(), text);
        let report = add(home, &both, true).unwrap();
        assert_eq!(report.replaced, [name("a")]);
        assert_eq!(show(home, &name("a")).unwrap().server, server("z"));
        assert_eq!(
            show(home, &name("b")).unwrap().to_yaml(),
            "servers:\n  b:\n    command: [\"y\"]\n"
        );
        remove(home, &name("a")).unwrap();
        assert!(matches!(
            remove(home, &name("a")),
            Err(Error::NotFound { .. })
        ));
    }

    #[test]
    fn a_change_is_made_to_what_another_program_has_written() {
        let directory = tempfile::tempdir().unwrap();
        let open = opened(&directory);
        let path = open.home().config();
        create_parent(&path).unwrap();
        fs::write(&path, "servers: {}\n").unwrap();
        let calls = std::cell::Cell::new(0);
        let made = change(open.home(), &|text| {
            calls.set(calls.get() + 1);
            if calls.get() == 1 {
                fs::write(&path, "servers: {} # theirs\n").unwrap();
            }
            Ok((format!("{text}# ours\n"), ()))
        });
        made.unwrap();
        assert_eq!(calls.get(), 2);
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            "servers: {} # theirs\n# ours\n"
        );
    }
}
