use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use mcplexer_durable::{Exposure, Temporary};
use zeroize::Zeroizing;

use self::content::Content;
use self::replace::{Edit, Prepared};
use super::form::{BYTE_ORDER_MARK, is_public_key};
use super::{
    Ask, Identity, InvalidKeyText, KeyError, KeyProvider, KeyWriter, Person, Prompter, Recipient,
    Unfinished, key_text,
};
use crate::SecretValue;

mod content;
mod error;
mod replace;

pub use error::KeyFileError;

/// The maximum size of a key file.
const MAX_FILE_LEN: usize = 1 << 20;

/// Keeps identities in a key file.
///
/// The file is one of
/// * an age key file, which holds one identity or several, including those of plugins;
/// * such a file encrypted with a passphrase, as by `age -p` (binary or armored);
/// * an SSH private key, `ssh-ed25519` or `ssh-rsa`, with or without a passphrase.
///
/// It must belong to the user, and nobody else may have access. For a new store, it is created if
/// it does not exist, with mode 0600 in a directory of mode 0700. A rotation replaces it in one
/// step.
pub struct FileKeys {
    path: PathBuf,
    person: Option<Person>,
    /// The passphrase that opened the file, so that nobody has to enter it again when the key is
    /// replaced, here or by another process.
    passphrase: Mutex<Option<SecretValue>>,
    created: AtomicBool,
    /// The next content of the file, once a replacement that has begun ends.
    prepared: Mutex<Option<Prepared>>,
}

impl FileKeys {
    /// Uses the identities in the file at `path`.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            person: None,
            passphrase: Mutex::new(None),
            created: AtomicBool::new(false),
            prepared: Mutex::new(None),
        }
    }

    /// Asks `person` if the file is encrypted with a passphrase, or if a plugin has a question.
    /// After a wrong passphrase it asks again, up to three times in all.
    #[must_use]
    pub fn with_prompter(mut self, person: impl Prompter + 'static) -> Self {
        self.person = Some(Arc::new(person));
        self
    }

    /// Returns the path of the key file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns whether this provider has created the key file.
    #[must_use]
    pub fn created(&self) -> bool {
        self.created.load(Ordering::Relaxed)
    }

    /// Reads the file. Fails if it is not the user's, or if others have access.
    fn read(&self) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
        let path = || self.path.clone();
        let unreadable = |source| KeyFileError::Unreadable {
            path: path(),
            source,
        };
        let file = mcplexer_durable::open_regular(&self.path, OpenOptions::new().read(true))
            .map_err(unreadable)?
            .ok_or_else(|| KeyFileError::Missing { path: path() })?;
        let exposure = mcplexer_durable::exposure(&file).map_err(unreadable)?;
        let len = file.metadata().map_err(unreadable)?.len();
        if len > MAX_FILE_LEN as u64 {
            return Err(unreadable(mcplexer_durable::too_large(MAX_FILE_LEN)));
        }
        // The buffer never grows, so it leaves no copies.
        let len = usize::try_from(len).unwrap_or_default();
        let mut bytes = Zeroizing::new(vec![0; len]);
        (&file).read_exact(&mut bytes).map_err(unreadable)?;
        if bytes.starts_with(BYTE_ORDER_MARK) {
            // A replacement would put a new identity before it.
            bytes.drain(..BYTE_ORDER_MARK.len());
        }
        if is_public_key(&bytes) {
            // The mode of a public key does not matter.
            return Err(self.invalid(InvalidKeyText::Public));
        }
        match exposure {
            Exposure::None => Ok(bytes),
            Exposure::Mode(mode) => Err(KeyFileError::Exposed { path: path(), mode }),
            Exposure::Owner(owner) => Err(KeyFileError::ForeignOwner {
                path: path(),
                owner,
            }),
        }
    }

    fn read_identities(&self, ask: Ask) -> Result<Vec<Identity>, KeyFileError> {
        match self.content(ask)? {
            Content::Plain(text) | Content::Decrypted(text, _) => self.parse(&text),
            Content::Ssh(identity) => Ok(vec![*identity]),
        }
    }

    /// Writes a new identity, unless another process did so first; then that identity is used.
    fn create(&self, text: &str) -> io::Result<()> {
        mcplexer_durable::create_parent(&self.path)?;
        let mut file = Temporary::beside(&self.path)?;
        file.write_all(text.as_bytes())?;
        file.sync()?;
        match file.persist_new(&self.path) {
            Ok(()) => self.created.store(true, Ordering::Relaxed),
            // Another process was first, and may have removed the temporary file as well.
            Err(_) if self.path.exists() => {}
            Err(error) => return Err(error),
        }
        mcplexer_durable::sync_parent(&self.path)
    }
}

impl fmt::Debug for FileKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileKeys({})", self.path.display())
    }
}

impl KeyProvider for FileKeys {
    fn identities(&self, ask: Ask) -> Result<Vec<Identity>, KeyError> {
        Ok(self.read_identities(ask)?)
    }

    fn writer(&self) -> Option<&dyn KeyWriter> {
        Some(self)
    }

    fn prompter(&self) -> Option<Arc<dyn Prompter>> {
        self.person.clone()
    }
}

impl KeyWriter for FileKeys {
    fn identities_for_new_store(&self) -> Result<Vec<Identity>, KeyError> {
        match self.read_identities(Ask::Allowed) {
            Err(KeyFileError::Missing { path }) => {
                let text = key_text::block(&Identity::generate(), None);
                self.create(&text)
                    .map_err(|source| KeyFileError::NotCreated { path, source })?;
                self.identities(Ask::Allowed)
            }
            result => Ok(result?),
        }
    }

    fn begin_replacement(&self, old: &Recipient) -> Result<Identity, KeyError> {
        let old = old.to_string();
        let not_created = |source| KeyFileError::NotCreated {
            path: self.path.clone(),
            source,
        };
        let mut identity = Identity::generate();
        match self.read() {
            Ok(_) => {}
            Err(KeyFileError::Missing { .. }) => {
                let text = key_text::block(&identity, Some(&old));
                self.create(&text).map_err(not_created)?;
            }
            Err(error) => return Err(error.into()),
        }
        self.edit(not_created, |text| {
            let new = match key_text::replacement_of(text, &old) {
                Some(begun) => {
                    identity = begun;
                    Zeroizing::new(text.to_owned())
                }
                // If `old` had replaced another identity, the store has moved to `old` already.
                None => {
                    let text = key_text::without_replaced_by(text, &old);
                    key_text::with(&text, &identity, &old)
                }
            };
            let next = Some(key_text::without(&new, &old));
            Edit { new, next }
        })?;
        Ok(identity)
    }

    fn end_replacement(&self, gone: &Recipient) -> Result<(), KeyError> {
        let not_dropped = |source| KeyFileError::NotDropped {
            path: self.path.clone(),
            source,
        };
        let gone = gone.to_string();
        self.edit(not_dropped, |text| {
            let new = key_text::without(text, &gone);
            Edit { new, next: None }
        })
    }

    fn unfinished(&self, ask: Ask) -> Result<Vec<Unfinished>, KeyError> {
        match self.content(ask)? {
            Content::Plain(text) | Content::Decrypted(text, _) => {
                let found = key_text::replacements(self.text(&text)?).into_iter();
                // A comment that names no recipient was not written by this library.
                let unfinished = found.filter_map(|(new, old)| {
                    let (new, old) = (new.recipient()?, old.parse().ok()?);
                    Some(Unfinished { new, old })
                });
                Ok(unfinished.collect())
            }
            Content::Ssh(_) => Ok(Vec::new()),
        }
    }
}
