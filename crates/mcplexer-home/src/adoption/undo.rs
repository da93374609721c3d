//! Puts a configuration back as it was before it was adopted.

use std::path::Path;

use mcplexer_clients::{HandOverError, InvalidConfig};
use mcplexer_durable::FileReplacement;
use mcplexer_files::config::{Server, ServerName};
use mcplexer_secrets::{Purpose, SecretValue};
use serde::Serialize;
use zeroize::Zeroizing;

use super::client_file::ClientFile;
use super::kept::{self, Kept};
use super::{Choice, Error};
use crate::credentials::Wanted;
use crate::home::Home;
use crate::open::OpenHome;
use crate::servers::{self, Stayed};

/// What undoing an adoption did.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct UndoReport {
    /// The file.
    pub file: String,
    /// The number of values that are in the file again.
    pub values: usize,
    /// Servers that start without mcplexer again.
    pub servers: Vec<String>,
    /// Servers that still start through `mcplexer run`, because it has options of its own there.
    pub kept: Vec<String>,
    /// Servers that were behind the gateway and are in the file again: those that are no longer in `config.yaml`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<ServerName>,
    /// Those of them that stay in `config.yaml` as well, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub in_config: Vec<KeptServer>,
    /// Whether the file was replaced.
    #[serde(skip)]
    pub changed: bool,
}

/// A server that stays in `config.yaml`.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct KeptServer {
    /// The server.
    pub name: ServerName,
    /// Why it stays.
    pub reason: &'static str,
}

/// Writes the values of the store back into a file, for the servers of the choice or for all.
///
/// # Errors
/// - [`Error::Credentials`] if the file refers to a secret that cannot be opened.
/// - [`Error::NotText`] if a value is not text.
/// - [`Error::Plan`] if a reference is damaged.
/// - [`Error::Together`] if some servers are chosen of a file whose servers are behind the gateway, and
///   [`Error::Disconnected`] if it no longer has what takes their place, and nowhere to put them.
/// - [`Error::Servers`] if they cannot be removed from `config.yaml`. [`Error::NotRemoved`] is the only one after which
///   the file is changed.
/// - Otherwise as [`plan`](super::plan). The file is unchanged then.
pub fn undo(path: &Path, choice: &Choice, open: &OpenHome) -> Result<UndoReport, Error> {
    let replacement = FileReplacement::begin(path)?;
    let kept = Kept::find(open.home(), path)?;
    let mut file = match (ClientFile::read(path), &kept) {
        (
            Err(Error::Invalid {
                source: InvalidConfig::NoServers { .. },
                ..
            }),
            Some(kept),
        ) => return Err(kept.disconnected()),
        (read, _) => read?,
    };
    if kept.is_some() && !choice.servers.is_empty() {
        return Err(Error::Together {
            file: path.to_owned(),
        });
    }
    let text = match &kept {
        None => None,
        Some(kept) => Some(taken_back(&file, kept)?),
    };
    if let Some(text) = &text {
        file.config = file.with_text(text)?;
    }
    file.check_names(choice)?;
    let references = file.config.references(&choice.servers);
    let references = references.map_err(|source| Error::Plan {
        file: path.to_owned(),
        source,
    })?;
    let mut wanted = Wanted::default();
    for (reference, at) in &references {
        wanted.referred(reference, format!("{}, {at}", path.display()));
    }
    let opened = wanted.open(open.store(), Purpose::Inject { program: None })?;
    for (reference, at) in &references {
        let value = opened.value(reference).map(SecretValue::expose);
        if value.is_none_or(|value| str::from_utf8(value).is_err()) {
            return Err(Error::NotText {
                file: path.to_owned(),
                at: *at,
                scope: reference.scope.clone(),
                name: reference.name.clone(),
            });
        }
    }
    let lookup = |reference: &_| opened.value(reference).map(SecretValue::expose);
    let undone = file.config.undo(&choice.servers, &lookup);
    let undone = undone?;
    // All that can be wrong with the other files is found out before this one is written.
    let leaving = match &kept {
        None => None,
        Some(kept) => Some(Leaving::of(path, kept, open.home())?),
    };
    let changed = undone.bytes() != file.bytes.as_slice();
    if changed {
        replacement.write_over(&file.bytes, undone.bytes())?;
    }
    let (removed, in_config) = match (kept, leaving) {
        (Some(kept), Some(leaving)) => {
            let left = leaving.leave(open.home());
            let left = left.map_err(|error| back(&file, undone.bytes(), error))?;
            kept.delete()?;
            left
        }
        _ => (Vec::new(), Vec::new()),
    };
    Ok(UndoReport {
        removed,
        in_config,
        file: path.display().to_string(),
        values: undone.values,
        servers: undone.servers,
        kept: undone.kept,
        changed,
    })
}

/// Returns the text of a file with its servers back.
fn taken_back(file: &ClientFile, kept: &Kept) -> Result<Zeroizing<Vec<u8>>, Error> {
    let read = |text: &[u8]| file.with_text(text);
    let text = kept.take_back(&file.bytes, &file.config, &read)?;
    text.map_err(|source| match source {
        HandOverError::Changed => kept.disconnected(),
        source => Error::HandOver {
            file: file.path.clone(),
            source,
        },
    })
}

/// Writes a file back as it was, after an error. Returns that error, or says that it could not be written.
fn back(file: &ClientFile, written: &[u8], error: Error) -> Error {
    let replaced = FileReplacement::begin(&file.path);
    let replaced = replaced.and_then(|it| it.write_over(written, &file.bytes));
    match replaced {
        Ok(()) => error,
        Err(_) => Error::NotRemoved {
            file: file.path.clone(),
            source: Box::new(error),
        },
    }
}

/// The servers of a file that leave `config.yaml`, and those that do not.
struct Leaving {
    same: Vec<(ServerName, Server)>,
    stay: Vec<KeptServer>,
}

impl Leaving {
    /// Finds them, and that `config.yaml` can be changed.
    fn of(file: &Path, kept: &Kept, home: &Home) -> Result<Self, Error> {
        let others = kept::of_others(home, file)?;
        let (mut same, mut stay) = (Vec::new(), Vec::new());
        for it in &kept.servers {
            let reason = match it.added {
                false => "it was there before",
                true if others.iter().any(|other| other.name == it.name) => {
                    "another client's file was adopted with it"
                }
                true => {
                    same.push((it.name.clone(), it.server.clone()));
                    continue;
                }
            };
            let name = it.name.clone();
            stay.push(KeptServer { name, reason });
        }
        servers::check_remove_same(home, &same)?;
        Ok(Self { same, stay })
    }

    /// Removes them. Returns those that are removed and those that stay.
    fn leave(mut self, home: &Home) -> Result<(Vec<ServerName>, Vec<KeptServer>), Error> {
        for (name, why) in servers::remove_same(home, &self.same)? {
            let reason = match why {
                Stayed::Changed => "it was changed since",
                Stayed::Named => "clients in the file name it",
            };
            self.same.retain(|(it, _)| *it != name);
            self.stay.push(KeptServer { name, reason });
        }
        let removed = self.same.into_iter().map(|(name, _)| name);
        Ok((removed.collect(), self.stay))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::adoption::adopt;
    use crate::open::tests::opened;

    #[test]
    fn undoing_gives_the_file_as_it_was_and_no_report_has_the_value() {
        const TOKEN: &str = "hunter2-hunter2-hunter2";
        let directory = tempfile::tempdir().unwrap();
        let home = opened(&directory);
        let path = directory.path().join("c.json");
        let text = format!(
            r#"{{"mcpServers": {{"a": {{"command": "b", "env": {{"PASSWORD": "{TOKEN}"}}}}}}}}"#
        );
        fs::write(&path, &text).unwrap();
        let adopted = adopt(&path, &Choice::default(), "mcplexer", &home).unwrap();
        assert_eq!((adopted.moved, adopted.left), (1, 0));
        assert_eq!(adopted.servers_moved(), 1);
        let json = serde_json::to_string(&adopted).unwrap();
        assert!(!json.contains(TOKEN), "{json}");
        assert!(!fs::read_to_string(&path).unwrap().contains(TOKEN));

        let undone = undo(&path, &Choice::default(), &home).unwrap();
        assert!(undone.changed && undone.values == 1);
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        assert!(!undo(&path, &Choice::default(), &home).unwrap().changed);
    }
}
