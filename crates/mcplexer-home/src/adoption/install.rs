//! Adds the server that connects to the gateway to a client's own file, and removes it.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use mcplexer_clients::{
    ClientConfig, Directories, Install, InstallError, InstallPlace, Syntax, Uninstall,
    install_place, installable,
};
use mcplexer_durable::{FileReplacement, ReplaceError, create_parent, sync_parent};
use mcplexer_secrets::Error as StoreError;
use serde::Serialize;
use zeroize::Zeroizing;

use super::client_file::read;
use super::kept::Kept;
use super::{Error, report};
use crate::home::Home;

/// A client's file, and what adding or removing did or would do.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct InstallReport {
    /// The client, as `mcplexer connect --client` says it.
    pub client: &'static str,
    /// The client's name.
    pub name: &'static str,
    /// The file.
    #[serde(serialize_with = "report::path_text")]
    pub file: PathBuf,
    /// What happens to the file.
    pub change: Change,
    /// Whether that was done.
    pub written: bool,
    /// What is added, or has to be added by hand.
    pub text: String,
}

/// What happens to a client's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Change {
    /// It is created.
    Create,
    /// It gets the server.
    Add,
    /// It loses the server.
    Remove,
    /// It is deleted, since it was created for the server.
    Delete,
    /// Nothing.
    None,
    /// The server has to be added by hand.
    Hand,
}

/// Adds the server to the file of a client; only says what would change unless `write` is set.
///
/// # Errors
/// [`Error::UnknownClient`]; [`Error::Install`] if the file cannot be changed; others if it cannot be read or written.
pub fn install(
    id: &str,
    program: &str,
    directories: &Directories,
    write: bool,
) -> Result<InstallReport, Error> {
    let (place, file) = find(id, directories)?;
    let report = |change, written| InstallReport {
        client: place.id,
        name: place.client,
        file: file.clone(),
        change,
        written,
        text: match change {
            Change::Hand => place.snippet(program),
            _ => place.entry(program),
        },
    };
    let old = read_if_any(&file)?;
    let connects = |text: &[u8]| {
        let config = ClientConfig::parse(text, Syntax::of(&file));
        config.is_ok_and(|it| it.connects(place.id))
    };
    if old.as_ref().is_some_and(|it| connects(it)) {
        return Ok(report(Change::None, false));
    }
    let made = place.install(old.as_ref().map(|it| it.as_slice()), program);
    let text = match made {
        Ok(Install::Write(text)) => text,
        Err(InstallError::ByHand) => return Ok(report(Change::Hand, false)),
        Err(source) => return Err(refused(&file, source)),
        Ok(_) => return Ok(report(Change::None, false)),
    };
    let change = match old {
        Some(_) => Change::Add,
        None => Change::Create,
    };
    if write {
        match &old {
            Some(old) => FileReplacement::begin(&file)?.write_over(old, &text)?,
            None => create(&file, &text)?,
        }
    }
    Ok(report(change, write))
}

/// Returns what [`install`] would do for each client, by the client's name. A client whose file cannot be changed is one
/// whose file is changed by hand.
#[must_use]
pub fn installs(program: &str, directories: &Directories) -> Vec<InstallReport> {
    let of = |id| {
        install(id, program, directories, false).or_else(|_| {
            let (place, file) = find(id, directories)?;
            Ok::<_, Error>(InstallReport {
                client: place.id,
                name: place.client,
                file,
                change: Change::Hand,
                written: false,
                text: place.snippet(program),
            })
        })
    };
    installable().filter_map(|id| of(id).ok()).collect()
}

/// Removes the server from the file of a client, and nothing else.
///
/// # Errors
/// As [`install`]. [`Error::HandedOver`] if `adopt` has put the server into the file.
pub fn uninstall(id: &str, directories: &Directories, home: &Home) -> Result<InstallReport, Error> {
    let (place, file) = find(id, directories)?;
    let report = |change, written| InstallReport {
        client: place.id,
        name: place.client,
        file: file.clone(),
        change,
        written,
        text: String::new(),
    };
    if place.is_by_hand() {
        return Ok(report(Change::Hand, false));
    }
    let Some(old) = read_if_any(&file)? else {
        return Ok(report(Change::None, false));
    };
    let removed = match place.uninstall(&old) {
        Ok(removed) => removed,
        Err(source) => return Err(refused(&file, source)),
    };
    if removed != Uninstall::Absent && Kept::find(home, &file)?.is_some() {
        return Err(Error::HandedOver { file });
    }
    match removed {
        Uninstall::Write(text) => {
            FileReplacement::begin(&file)?.write_over(&old, &text)?;
            Ok(report(Change::Remove, true))
        }
        Uninstall::Delete => {
            let deleted = fs::remove_file(&file).and_then(|()| sync_parent(&file));
            deleted.map_err(|source| StoreError::Io {
                action: "delete",
                path: file.clone(),
                source,
            })?;
            Ok(report(Change::Delete, true))
        }
        _ => Ok(report(Change::None, false)),
    }
}

fn find(id: &str, directories: &Directories) -> Result<(&'static InstallPlace, PathBuf), Error> {
    let unknown = || Error::UnknownClient {
        client: id.to_owned(),
    };
    let place = install_place(id).ok_or_else(unknown)?;
    let file = place.path(directories).ok_or_else(unknown)?;
    Ok((place, file))
}

fn read_if_any(file: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    match read(file) {
        Err(Error::Store(StoreError::Io { source, .. }))
            if source.kind() == ErrorKind::NotFound =>
        {
            Ok(None)
        }
        read => read.map(Some),
    }
}

fn refused(file: &Path, source: InstallError) -> Error {
    Error::Install {
        file: file.to_owned(),
        source,
    }
}

/// Creates a file, unless the client does so at this moment.
fn create(file: &Path, text: &[u8]) -> Result<(), Error> {
    create_parent(file).map_err(|source| StoreError::Io {
        action: "create the directory of",
        path: file.to_owned(),
        source,
    })?;
    let mut replacement = FileReplacement::begin(file)?;
    let written = replacement.write_all(text);
    written.map_err(|source| ReplaceError::NotWritten {
        path: file.to_owned(),
        source,
    })?;
    Ok(replacement.finish_new()?)
}

#[cfg(test)]
mod tests {
    use super::super::directories;
    use super::*;

    #[test]
    fn each_client_says_what_it_takes() {
        let home = tempfile::tempdir().unwrap();
        let cursor = home.path().join(".cursor");
        fs::create_dir(&cursor).unwrap();
        fs::write(cursor.join("mcp.json"), "{\"mcpServers\": []}").unwrap();
        let directories = directories(|name| (name == "HOME").then(|| home.path().into()));
        let all = installs("mcplexer", &directories);
        let ids: Vec<_> = all.iter().map(|it| it.client).collect();
        assert_eq!(ids, installable().collect::<Vec<_>>());
        for report in &all {
            let is_unusual = report.client == "cursor";
            assert!(!is_unusual || report.change == Change::Hand);
            assert!(
                !report.written && report.text.contains("connect"),
                "{report:?}"
            );
        }
        assert!(all.iter().any(|it| it.change == Change::Create));
    }
}
