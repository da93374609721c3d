//! Opens a backup with the key in use, another key file, the recovery code, or a passphrase.

use std::path::Path;

use mcplexer_secrets::backup::{Backup, BackupKey};
use mcplexer_secrets::keys::{Ask, KeyError, KeyFileError, KeyProvider, RecoveryCode};
use mcplexer_secrets::{Error as StoreError, SecretValue};

use super::Error;
use crate::open::OpenHome;

/// How often a passphrase may be tried.
const ATTEMPTS: u32 = 3;

/// The keys to open a backup with.
#[derive(Debug)]
#[non_exhaustive]
pub enum BackupKeys<'a> {
    /// Those in use here.
    InUse,
    /// Those in this file.
    File(&'a Path),
    /// The recovery code of the store that it was created from.
    Code(RecoveryCode),
}

/// Opens a backup that was made for keys.
///
/// # Errors
/// - [`Error::NoKey`] if the key file does not exist.
/// - [`Error::WrongKey`] if the keys in use do not open it.
/// - [`Error::Store`] if it is not a backup, or damaged.
pub fn open(file: &Path, keys: &BackupKeys<'_>, open: &OpenHome) -> Result<Backup, Error> {
    let identities = match keys {
        BackupKeys::InUse => open.keys().identities(Ask::Allowed),
        BackupKeys::File(path) => open.keys_in(path).identities(Ask::Allowed),
        BackupKeys::Code(code) => {
            let identity = [code.identity()];
            return Ok(Backup::open(file, BackupKey::Identities(&identity))?);
        }
    };
    let identities = identities.map_err(|error| match error.reason() {
        Some(KeyFileError::Missing { .. }) => Error::NoKey(error.into()),
        _ => Error::Store(error.into()),
    })?;
    Backup::open(file, BackupKey::Identities(&identities)).map_err(|error| match error {
        StoreError::Key(KeyError::Wrong { .. }) => Error::WrongKey {
            file: file.to_owned(),
        },
        error => Error::Store(error),
    })
}

/// Opens a backup that was made for a passphrase. Calls `ask` until one is right, at most three
/// times; its argument says whether the one before was wrong.
///
/// # Errors
/// - [`KeyFileError::PassphraseNeeded`] if `ask` gives none.
/// - [`StoreError::BackupPassphraseWrong`] if none was right.
/// - Any other error if the file is not a backup, or damaged.
pub fn open_with_passphrase(
    file: &Path,
    ask: &dyn Fn(bool) -> Option<SecretValue>,
) -> Result<Backup, StoreError> {
    let path = || file.to_owned();
    for attempt in 0..ATTEMPTS {
        let Some(answer) = ask(attempt > 0) else {
            let needed = KeyFileError::PassphraseNeeded { path: path() };
            return Err(KeyError::from(needed).into());
        };
        match Backup::open(file, BackupKey::Passphrase(&answer)) {
            Err(StoreError::BackupPassphraseWrong { .. }) => {}
            result => return result,
        }
    }
    Err(StoreError::BackupPassphraseWrong { path: path() })
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use mcplexer_secrets::backup::BackupTo;
    use mcplexer_secrets::keys::FixedKeys;
    use mcplexer_secrets::{NewScope, PutMode, SecretStore, Store};

    use super::*;

    #[test]
    fn a_wrong_passphrase_may_be_corrected_twice() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("b.age");
        let text = |text: &str| SecretValue::new(text.into()).unwrap();
        let store = Store::in_memory(FixedKeys::generate()).unwrap();
        let (scope, name) = (NewScope::env("web".parse().unwrap()), "A".parse().unwrap());
        let mode = PutMode::Overwrite;
        store.put(&scope, &name, &text("v"), mode).unwrap();
        let right = text("right");
        let to = BackupTo::Passphrase(&right);
        store.backup(&file, to, false, &mut |_| {}).unwrap();

        let asked = RefCell::new(Vec::new());
        let ask = |answers: &[&str], retry| {
            let mut asked = asked.borrow_mut();
            asked.push(retry);
            answers.get(asked.len() - 1).map(|it| text(it))
        };
        open_with_passphrase(&file, &|retry| ask(&["wrong", "right"], retry)).unwrap();
        assert_eq!(asked.take(), [false, true]);
        let wrong = open_with_passphrase(&file, &|retry| ask(&["a", "b", "c", "right"], retry));
        assert!(matches!(
            wrong,
            Err(StoreError::BackupPassphraseWrong { .. })
        ));
        assert_eq!(asked.take().len(), 3);
        let none = open_with_passphrase(&file, &|retry| ask(&[], retry));
        let Err(StoreError::Key(error)) = none else {
            panic!("{none:?}");
        };
        let needed = error.reason();
        assert!(matches!(
            needed,
            Some(KeyFileError::PassphraseNeeded { .. })
        ));
    }
}
