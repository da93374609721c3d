//! Changes a value in the user's editor.

use std::io::ErrorKind;
use std::path::Path;

use mcplexer_home::config::ScopeToMake;
use mcplexer_secrets::{
    Error as StoreError, MAX_VALUE_LEN, PutMode, ScopeId, SecretEdit, SecretName, SecretValue,
};
use zeroize::Zeroizing;

use crate::agent;
use crate::cli::{Edit, Global};
use crate::commands::secret::put::tell_stored;
use crate::editor::Editor;
use crate::exit_code;
use crate::failure::{Failure, repeated};
use crate::process::{Beside, Outcome};
use crate::scratch::{NoScratch, Scratch, Swap};
use crate::session::Session;
use crate::text::shown;

pub(super) fn run(edit: &Edit, global: Global) -> Result<(), Failure> {
    let (scope, key) = (&edit.scope, &edit.key);
    if global.no_input {
        return Err(of_no_editor(
            scope,
            key,
            "--no-input forbids opening an editor",
        ));
    }
    let instead = format!("mcplexer secret put {scope} {key} stores a value without showing one");
    agent::guard(edit.reveal, &instead)?;
    let editor = Editor::find().ok_or_else(|| {
        of_no_editor(scope, key, "neither VISUAL nor EDITOR names an editor")
            .with_hint("or name one: EDITOR=vim")
    })?;
    let session = Session::open(global)?;
    let new = ScopeToMake::find(scope, &session).map_err(|error| session.explain(error))?;
    let old = read(scope, key, &session)?;
    let (old, mode) = match &old {
        Some((version, value)) => (value.expose(), PutMode::Replace { version: *version }),
        None => (&[][..], PutMode::Create),
    };
    let edited =
        edited(old, key, &editor, &session).map_err(|error| error.explained(scope, key))?;
    let edited = without_added_newline(old, edited);
    if *edited == *old && !old.is_empty() {
        session.tell(&format!("{scope}/{key} is unchanged; nothing was stored"));
        return Ok(());
    }
    if edited.is_empty() {
        let hint = match mode {
            PutMode::Create => "save a value in the editor".to_owned(),
            _ => format!("mcplexer secret delete {scope} {key} deletes the secret"),
        };
        return Err(Failure::new("the file is empty; nothing was stored")
            .with_hint(hint)
            .with_code(exit_code::DECLINED));
    }
    let value = SecretValue::copy_of(&edited).map_err(StoreError::from)?;
    let unsaid = SecretEdit::default();
    let stored = session
        .store()
        .put_with(&new.scope, key, &value, mode, &unsaid);
    let stored = stored.map_err(|error| {
        let failure = session.explain(error);
        match failure.store_error() {
            Some(StoreError::VersionMismatch { .. } | StoreError::SecretExists { .. }) => failure
                .with_hint("it was replaced or deleted while you edited it; nothing was stored")
                .with_hint(format!(
                    "mcplexer secret edit {scope} {key} opens what is there now"
                )),
            _ => failure,
        }
    })?;
    tell_stored(&new, key, &stored, &session);
    Ok(())
}

/// Returns the version and the value; `None` if there is no such secret yet.
fn read(
    scope: &ScopeId,
    key: &SecretName,
    session: &Session,
) -> Result<Option<(u64, SecretValue)>, Failure> {
    let read = session.store().get_all(scope, std::slice::from_ref(key));
    match read {
        Ok(read) => Ok(read.into_iter().next().map(|(info, it)| (info.version, it))),
        Err(StoreError::SecretNotFound { .. } | StoreError::ScopeNotFound { .. }) => Ok(None),
        Err(error) => Err(session.explain(error)),
    }
}

/// Why the editor gave no value.
enum NotEdited {
    NoScratch(NoScratch),
    Failed(Failure),
}

impl<T: Into<Failure>> From<T> for NotEdited {
    fn from(error: T) -> Self {
        Self::Failed(error.into())
    }
}

impl NotEdited {
    fn explained(self, scope: &ScopeId, key: &SecretName) -> Failure {
        match self {
            Self::Failed(failure) => failure,
            Self::NoScratch(NoScratch::NoMemory) => of_no_editor(
                scope,
                key,
                "there is no file system in memory to edit the value on: neither XDG_RUNTIME_DIR nor /dev/shm is one",
            ),
            Self::NoScratch(NoScratch::Io { place, source }) => Failure::new(format!(
                "cannot create a directory in {}: {source}",
                shown(&place)
            ))
            .with_hint(other_way(scope, key)),
        }
    }
}

/// Opens the editor on a file in memory that holds `old`, and returns what the file holds then.
fn edited(
    old: &[u8],
    key: &SecretName,
    editor: &Editor,
    session: &Session,
) -> Result<Zeroizing<Vec<u8>>, NotEdited> {
    // From here on no signal ends this process and leaves the file.
    let beside = Beside::watch()?;
    let scratch = Scratch::create().map_err(NotEdited::NoScratch)?;
    if scratch.swap == Swap::ToDisk {
        session.warn(&format!(
            "the system may swap the value to a disk while you edit it, since {} is in memory that is swapped",
            shown(scratch.path())
        ));
    }
    let warn_of = |left: &Path| {
        session.warn(&format!(
            "{} cannot be erased, and may hold a copy of the value: remove it",
            shown(left)
        ));
    };
    scratch.left.iter().for_each(|left| warn_of(left));
    if let Some(warning) = editor.warning() {
        session.warn(&warning);
    }
    let edited = edited_in(&scratch, old, key, editor, beside);
    if let Err(left) = scratch.erase() {
        warn_of(&left);
    }
    Ok(edited?)
}

/// Opens the editor on a file in this directory.
fn edited_in(
    scratch: &Scratch,
    old: &[u8],
    key: &SecretName,
    editor: &Editor,
    beside: Beside,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let name = key.as_str();
    let file = scratch.write(name, old).map_err(|error| {
        Failure::new(format!("cannot write a file in memory: {error}"))
            .with_hint("free some of it, and run it again")
    })?;
    let outcome = beside.run(editor.command(&file, scratch.path()))?;
    let ended = match outcome {
        Outcome::Exited(0) => None,
        Outcome::Exited(code) => Some(format!("ended with exit code {code}")),
        Outcome::Killed(signal) => Some(format!("was ended by signal {signal}")),
    };
    if let Some(how) = ended {
        return Err(
            Failure::new(format!("the editor {how}; nothing was stored"))
                .with_hint("VISUAL or EDITOR names the editor: EDITOR=vim"),
        );
    }
    // Room for a line end, and for one more byte that shows that the value is too long.
    scratch.read(name, MAX_VALUE_LEN + 2).map_err(|error| {
        let message = match error.kind() {
            ErrorKind::NotFound => "the editor has removed the file".to_owned(),
            ErrorKind::FileTooLarge => "the file is larger than a value may be, 1 MiB".to_owned(),
            _ => format!("cannot read the file back: {error}"),
        };
        Failure::new(format!("{message}; nothing was stored"))
            .with_hint("run it again, and save the file under its own name")
    })
}

/// Removes a line end that editors add to a text without one at its end: a line feed, or both characters of Windows if
/// the other lines end with them.
fn without_added_newline(old: &[u8], mut edited: Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>> {
    if old.ends_with(b"\n") || !edited.ends_with(b"\n") {
        return edited;
    }
    edited.pop();
    let is_of_windows = old.windows(2).any(|it| it == b"\r\n") && !old.ends_with(b"\r");
    if is_of_windows && edited.ends_with(b"\r") {
        edited.pop();
    }
    edited
}

fn of_no_editor(scope: &ScopeId, key: &SecretName, message: &str) -> Failure {
    Failure::new(message)
        .with_hint(other_way(scope, key))
        .with_code(exit_code::USAGE)
}

fn other_way(scope: &ScopeId, key: &SecretName) -> String {
    let (scope, key) = (
        repeated(scope.as_str(), "SCOPE"),
        repeated(key.as_str(), "KEY"),
    );
    format!("mcplexer secret put {scope} {key} takes a new value from a prompt or standard input")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_line_end_that_was_added_is_removed() {
        for (old, edited, stored) in [
            ("a", "a\n", "a"),
            ("a", "b\n\n", "b\n"),
            ("a", "b", "b"),
            ("a\n", "b\n", "b\n"),
            ("a\n", "b", "b"),
            ("", "\n", ""),
            ("a\r\nb", "a\r\nb\r\n", "a\r\nb"),
            ("a\r\nb", "a\r\nb\n", "a\r\nb"),
            ("a\r\nb", "c\r\nd\r\n\r\n", "c\r\nd\r\n"),
            ("a\r\nb\r\n", "c\r\n", "c\r\n"),
            ("a\r\nb\r", "a\r\nb\r\n", "a\r\nb\r"),
            ("a\r", "a\r\n", "a\r"),
        ] {
            let edited = Zeroizing::new(edited.as_bytes().to_vec());
            let left = without_added_newline(old.as_bytes(), edited);
            assert_eq!(*left, stored.as_bytes());
        }
    }
}
