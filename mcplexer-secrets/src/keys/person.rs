//! Talking to the person who holds a key.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use age::secrecy::SecretString;

use crate::SecretValue;

/// Asks the person who holds a key: on a terminal, in a dialog, in a test.
pub trait Prompter: Send + Sync {
    /// Returns the passphrase that the person gives; `None` if there is none.
    fn passphrase(&self, request: &PassphraseRequest<'_>) -> Option<SecretValue>;

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
    /// What a plugin asks for, in its words.
    Plugin(&'a str),
}

/// Answers the questions of a plugin, as the age crate asks them.
#[derive(Clone)]
pub(super) struct Questions(pub(super) Option<Person>);

impl age::Callbacks for Questions {
    fn display_message(&self, message: &str) {
        if let Some(person) = &self.0 {
            person.tell(message);
        }
    }

    fn confirm(&self, _message: &str, _yes: &str, _no: Option<&str>) -> Option<bool> {
        None
    }

    fn request_public_string(&self, _description: &str) -> Option<String> {
        None
    }

    fn request_passphrase(&self, description: &str) -> Option<SecretString> {
        let request = PassphraseRequest {
            about: About::Plugin(description),
            retry: false,
        };
        let answer = self.0.as_ref()?.passphrase(&request)?;
        let text = str::from_utf8(answer.expose()).ok()?;
        Some(SecretString::from(text.to_owned()))
    }
}

impl fmt::Debug for Questions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Questions")
    }
}
