//! What to do about a failure of the store.

use std::error::Error;

use mcplexer_secrets::keys::{KeyError, KeyErrorKind, KeyFileError};
use mcplexer_secrets::{Error as StoreError, ErrorKind};

/// Returns what failed, and what caused it.
pub(crate) fn title(error: &StoreError) -> String {
    let mut title = error.to_string();
    // What the database says of its pages helps nobody.
    if matches!(error, StoreError::Backend(_)) {
        return title;
    }
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        if !title.contains(&said) {
            title = format!("{title}: {said}");
        }
        source = cause.source();
    }
    title
}

/// Returns what to do about it.
pub(crate) fn of(error: &StoreError) -> Vec<String> {
    let hint = match error {
        StoreError::Locked { reason, .. } | StoreError::Key(reason) => return of_key(reason),
        StoreError::NoStore => "the first secret creates it".to_owned(),
        StoreError::SecretExists { .. } => "open its own page to replace its value".to_owned(),
        StoreError::VersionMismatch { .. }
        | StoreError::ScopeChanged { .. }
        | StoreError::SecretsChanged { .. } => {
            "nothing was changed; load the page again to see what is there now".to_owned()
        }
        StoreError::Conflicts { .. } => {
            "nothing was imported; on_conflict overwrite replaces them, skip keeps them".to_owned()
        }
        StoreError::NotAccepted { .. } => {
            "if you expected that, mcplexer key accept accepts the store".to_owned()
        }
        _ => match error.kind() {
            ErrorKind::Tampered => "mcplexer doctor says what is damaged".to_owned(),
            ErrorKind::Busy => "another program uses the store; try again".to_owned(),
            ErrorKind::OutcomeUnknown => "load the page again to see what is there now".to_owned(),
            _ => return Vec::new(),
        },
    };
    vec![hint]
}

fn of_key(reason: &KeyError) -> Vec<String> {
    if let Some(KeyFileError::PassphraseNeeded { .. }) = reason.reason() {
        return vec![
            "mcplexer serve --stop ends this gateway; mcplexer serve --http in a terminal starts one that asks for the passphrase once"
                .to_owned(),
        ];
    }
    let mut hints = Vec::new();
    if let Some(KeyFileError::Exposed { path, .. }) = reason.reason() {
        hints.push(format!("chmod 600 {}", path.display()));
    }
    if reason.kind() == KeyErrorKind::Absent {
        hints.push("put the key back; no new key is created while this store exists".to_owned());
        hints.push("or, with the recovery code: mcplexer key recover".to_owned());
    }
    hints.push("mcplexer doctor says what is wrong with the key".to_owned());
    hints
}
