//! Puts a configuration back as it was before it was adopted.

use std::path::Path;

use mcplexer_durable::FileReplacement;
use mcplexer_secrets::{Purpose, SecretValue};
use serde::Serialize;

use super::client_file::ClientFile;
use super::{Choice, Error};
use crate::credentials::Wanted;
use crate::open::OpenHome;

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
    /// Whether the file was replaced.
    #[serde(skip)]
    pub changed: bool,
}

/// Writes the values of the store back into a file, for the servers of the choice or for all.
///
/// # Errors
/// - [`Error::Credentials`] if the file refers to a secret that cannot be opened.
/// - [`Error::NotText`] if a value is not text.
/// - [`Error::Plan`] if a reference is damaged.
/// - Otherwise as [`plan`](super::plan). The file is unchanged then.
pub fn undo(path: &Path, choice: &Choice, open: &OpenHome) -> Result<UndoReport, Error> {
    let replacement = FileReplacement::begin(path)?;
    let file = ClientFile::read(path)?;
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
    let changed = undone.bytes() != file.bytes.as_slice();
    if changed {
        replacement.write_over(&file.bytes, undone.bytes())?;
    }
    Ok(UndoReport {
        file: path.display().to_string(),
        values: undone.values,
        servers: undone.servers,
        kept: undone.kept,
        changed,
    })
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
