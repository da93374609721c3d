//! Talks to the person who holds a key.

use std::path::Path;
use std::sync::Arc;

use crate::SecretValue;

/// Asks the person who holds a key: on a terminal, in a dialog, in a test.
pub trait Prompter: Send + Sync {
    /// Asks for a passphrase and returns it; `None` if the person gives none.
    fn passphrase(&self, request: &PassphraseRequest<'_>) -> Option<SecretValue>;

    /// Hears that the answers were checked, whether one was right or not: no other question follows them.
    fn answered(&self) {}

    /// Shows a message of a plugin, such as "touch the key".
    fn tell(&self, message: &str);
}

impl<F> Prompter for F
where
    F: Fn(&PassphraseRequest<'_>) -> Option<SecretValue> + Send + Sync,
{
    fn passphrase(&self, request: &PassphraseRequest<'_>) -> Option<SecretValue> {
        self(request)
    }

    fn tell(&self, _message: &str) {}
}

/// Lets a person know, once dropped, that the answers were checked.
pub(crate) struct Asking<'a>(pub(crate) &'a dyn Prompter);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.answered();
    }
}

/// A person to ask.
pub(crate) type Person = Arc<dyn Prompter>;

/// What a passphrase is needed for.
#[derive(Debug)]
#[non_exhaustive]
pub struct PassphraseRequest<'a> {
    /// What it opens.
    pub about: About<'a>,
    /// Whether an earlier answer was wrong.
    pub retry: bool,
}

/// What a passphrase opens.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum About<'a> {
    /// The key file at this path.
    KeyFile(&'a Path),
    /// The store, through a slot with this label.
    Slot(&'a str),
    /// What a plugin asks for, in its own words.
    Plugin(&'a str),
}
