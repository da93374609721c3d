use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use mcplexer_durable::{Exposure, Temporary};
use zeroize::Zeroizing;

use self::content::Content;
use self::replace::{Edit, Prepared};
use super::identity::is_public_key;
use super::{
    Ask, Identity, InvalidKeyText, KeyError, KeyProvider, PassphraseRequest, Person, Prompter,
    key_text,
};
use crate::SecretValue;

mod content;
mod replace;

/// No key file is larger.
const MAX_FILE_LEN: u64 = 1 << 20;

/// Identities in a key file.
///
/// The file is one of
/// * an age key file, which holds one identity or several, also of plugins;
/// * one that is encrypted with a passphrase, as `age -p` does it (binary or armored);
/// * an SSH private key, `ssh-ed25519` or `ssh-rsa`, with a passphrase or without.
///
/// It must belong to the user and be closed to everybody else. For a new store it is made if it
/// does not exist, with mode 0600 in a directory of mode 0700; a rotation puts another file in its
/// place, in one step.
pub struct FileKeys {
    path: PathBuf,
    person: Option<Person>,
    /// The passphrase that opened the file, so that nobody is asked twice: not when the key is
    /// replaced, and not when somebody else has done so.
    passphrase: Mutex<Option<SecretValue>>,
    created: AtomicBool,
    /// What the file becomes at the end of a replacement that has begun.
    prepared: Mutex<Option<Prepared>>,
}

impl FileKeys {
    /// The identities in the file at `path`.
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

    /// Asks `person` when the file turns out to be encrypted with a passphrase, or a plugin wants
    /// to know something. A wrong passphrase is asked for again, three times in all.
    #[must_use]
    pub fn with_prompter(mut self, person: impl Prompter + 'static) -> Self {
        self.person = Some(Arc::new(person));
        self
    }

    /// Where the key file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether this provider has made the key file.
    #[must_use]
    pub fn created(&self) -> bool {
        self.created.load(Ordering::Relaxed)
    }

    /// The bytes of the file, once it is certain that they are the user's alone.
    fn read(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let path = || self.path.clone();
        let unreadable = |source| KeyError::Unreadable {
            path: path(),
            source,
        };
        let file = mcplexer_durable::open_regular(&self.path, OpenOptions::new().read(true))
            .map_err(unreadable)?
            .ok_or_else(|| KeyError::Missing { path: path() })?;
        let exposure = mcplexer_durable::exposure(&file).map_err(unreadable)?;
        let len = file.metadata().map_err(unreadable)?.len();
        if len > MAX_FILE_LEN {
            return Err(unreadable(ErrorKind::FileTooLarge.into()));
        }
        // The buffer never grows, so it leaves no copies.
        let len = usize::try_from(len).unwrap_or_default();
        let mut bytes = Zeroizing::new(vec![0; len]);
        (&file).read_exact(&mut bytes).map_err(unreadable)?;
        if is_public_key(&bytes) {
            // That others may read it is not what is wrong with it.
            return Err(self.invalid(InvalidKeyText::Public));
        }
        match exposure {
            Exposure::None => Ok(bytes),
            Exposure::Mode(mode) => Err(KeyError::Exposed { path: path(), mode }),
            Exposure::Owner(owner) => Err(KeyError::ForeignOwner {
                path: path(),
                owner,
            }),
        }
    }

    /// Writes a new identity, unless somebody else was faster: whoever comes second uses the
    /// first one's.
    fn create(&self, text: &str) -> io::Result<()> {
        mcplexer_durable::create_parent(&self.path)?;
        let mut file = Temporary::beside(&self.path)?;
        file.write_all(text.as_bytes())?;
        file.sync()?;
        match file.persist_new(&self.path) {
            Ok(()) => self.created.store(true, Ordering::Relaxed),
            // Somebody else was faster, and may have removed the temporary file as well.
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
        match self.content(ask)? {
            Content::Plain(text) | Content::Decrypted(text, _) => self.parse(&text),
            Content::Ssh(identity) => Ok(vec![*identity]),
        }
    }

    fn identities_for_new_store(&self) -> Result<Vec<Identity>, KeyError> {
        match self.identities(Ask::Allowed) {
            Err(KeyError::Missing { path }) => {
                let text = key_text::block(&Identity::generate(), None);
                self.create(&text)
                    .map_err(|source| KeyError::NotCreated { path, source })?;
                self.identities(Ask::Allowed)
            }
            result => result,
        }
    }

    fn begin_replacement(&self, old: &str) -> Result<Identity, KeyError> {
        let not_created = |source| KeyError::NotCreated {
            path: self.path.clone(),
            source,
        };
        let mut identity = Identity::generate();
        match self.read() {
            Ok(_) => {}
            Err(KeyError::Missing { .. }) => {
                let text = key_text::block(&identity, Some(old));
                self.create(&text).map_err(not_created)?;
            }
            Err(error) => return Err(error),
        }
        self.edit(not_created, |text| {
            let new = match key_text::replacement_of(text, old) {
                Some(begun) => {
                    identity = begun;
                    Zeroizing::new(text.to_owned())
                }
                // The store has moved to `old` already, if that took the place of another one.
                None => {
                    let text = key_text::without_replaced_by(text, old);
                    key_text::with(&text, &identity, old)
                }
            };
            let next = Some(key_text::without(&new, old));
            Ok(Edit { new, next })
        })?;
        Ok(identity)
    }

    fn end_replacement(&self, gone: &str) -> Result<(), KeyError> {
        let not_dropped = |source| KeyError::NotDropped {
            path: self.path.clone(),
            source,
        };
        self.edit(not_dropped, |text| {
            let new = key_text::without(text, gone);
            Ok(Edit { new, next: None })
        })
    }

    fn unfinished(&self, ask: Ask) -> Result<Vec<(String, String)>, KeyError> {
        match self.content(ask)? {
            Content::Plain(text) | Content::Decrypted(text, _) => {
                let found = key_text::replacements(self.text(&text)?).into_iter();
                Ok(found.map(|(new, old)| (new.name(), old)).collect())
            }
            Content::Ssh(_) => Ok(Vec::new()),
        }
    }

    fn passphrase(&self, request: &PassphraseRequest<'_>) -> Option<SecretValue> {
        self.person.as_ref()?.passphrase(request)
    }

    fn person(&self) -> Option<Person> {
        self.person.clone()
    }
}
