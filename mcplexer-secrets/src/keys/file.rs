use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use age::armor::ArmoredReader;
use age::secrecy::SecretString;
use tempfile::NamedTempFile;
use zeroize::Zeroizing;

use super::identity::{SshKey, is_ssh_key};
use super::person::Person;
use super::{
    About, Ask, Identity, InvalidKeyText, KeyError, KeyProvider, PassphraseRequest, Prompter,
    key_text,
};
use crate::SecretValue;
use crate::patience::{PATIENCE, wait_for_lock};
use crate::private::{self, Exposure};

/// No key file is larger.
const MAX_FILE_LEN: u64 = 1 << 20;
/// How often a wrong passphrase may be corrected.
const ATTEMPTS: u32 = 3;
const BINARY_AGE: &[u8] = b"age-encryption.org/";
const ARMORED_AGE: &[u8] = b"-----BEGIN AGE ENCRYPTED FILE-----";

/// Identities in a key file.
///
/// The file is one of
/// * an age key file, which holds one identity or several, also of plugins;
/// * one that is encrypted with a passphrase, as `age -p` does it (binary or armored);
/// * an SSH private key, `ssh-ed25519` or `ssh-rsa`, with a passphrase or without.
///
/// It must belong to the user and be closed to everybody else. For a new store it is made if it
/// does not exist, with mode 0600 in a directory of mode 0700; it is never overwritten.
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

/// What becomes of the text of a key file.
struct Edit {
    /// Now.
    new: Zeroizing<String>,
    /// At the next edit, if nothing comes between.
    next: Option<Zeroizing<String>>,
}

/// A text that is written already, and gets its name with the next edit.
struct Prepared {
    file: NamedTempFile,
    text: Zeroizing<String>,
    /// The text it is to follow.
    before: Zeroizing<String>,
}

impl Prepared {
    /// Whether nobody has removed it as something that a crash had left.
    fn is_there(&self) -> bool {
        private::is_still_at(self.file.as_file(), self.file.path())
    }
}

/// How an age file is written.
#[derive(Clone, Copy)]
enum Encoding {
    Binary,
    Armored,
}

/// What is in a key file.
enum Content {
    /// Lines of identities.
    Plain(Zeroizing<Vec<u8>>),
    /// The same, from an encrypted file.
    Decrypted(Zeroizing<Vec<u8>>, Encoding),
    /// An SSH private key.
    Ssh(Box<Identity>),
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
        let file = private::open_regular(&self.path, OpenOptions::new().read(true))
            .map_err(unreadable)?
            .ok_or_else(|| KeyError::Missing { path: path() })?;
        match private::exposure(&file).map_err(unreadable)? {
            Exposure::None => {}
            Exposure::Mode(mode) => return Err(KeyError::Exposed { path: path(), mode }),
            Exposure::Owner(owner) => {
                return Err(KeyError::ForeignOwner {
                    path: path(),
                    owner,
                });
            }
        }
        let len = file.metadata().map_err(unreadable)?.len();
        if len > MAX_FILE_LEN {
            return Err(unreadable(ErrorKind::FileTooLarge.into()));
        }
        // The buffer never grows, so it leaves no copies.
        let len = usize::try_from(len).unwrap_or_default();
        let mut bytes = Zeroizing::new(vec![0; len]);
        (&file).read_exact(&mut bytes).map_err(unreadable)?;
        Ok(bytes)
    }

    fn content(&self, ask: Ask) -> Result<Content, KeyError> {
        let bytes = self.read()?;
        let armored = bytes.trim_ascii_start().starts_with(ARMORED_AGE);
        if armored || bytes.starts_with(BINARY_AGE) {
            let text = self.decrypt(&bytes, ask)?;
            let encoding = match armored {
                true => Encoding::Armored,
                false => Encoding::Binary,
            };
            return Ok(Content::Decrypted(text, encoding));
        }
        if !is_ssh_key(&bytes) {
            return Ok(Content::Plain(bytes));
        }
        match SshKey::parse(&bytes).map_err(|reason| self.invalid(reason))? {
            SshKey::Open(identity) => Ok(Content::Ssh(Box::new(identity))),
            SshKey::Encrypted(key, recipient) => {
                let opened = self.ask_until_right(ask, |passphrase| {
                    Ok(key.decrypt(passphrase).ok().map(age::ssh::Identity::from))
                })?;
                Ok(Content::Ssh(Box::new(SshKey::opened(opened, &recipient))))
            }
        }
    }

    fn invalid(&self, reason: InvalidKeyText) -> KeyError {
        KeyError::Invalid {
            origin: self.path.display().to_string(),
            reason,
        }
    }

    fn text<'a>(&self, bytes: &'a [u8]) -> Result<&'a str, KeyError> {
        str::from_utf8(bytes).map_err(|_| self.invalid(InvalidKeyText::NotText))
    }

    fn parse(&self, bytes: &[u8]) -> Result<Vec<Identity>, KeyError> {
        Identity::parse_all_with(self.text(bytes)?, self.person.as_ref())
            .map_err(|reason| self.invalid(reason))
    }

    /// Opens a key file made by `age -p`.
    fn decrypt(&self, bytes: &[u8], ask: Ask) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let damaged = || KeyError::NotByPassphrase {
            path: self.path.clone(),
        };
        let decryptor = || age::Decryptor::new_buffered(ArmoredReader::new(bytes));
        if !decryptor().is_ok_and(|decryptor| decryptor.is_scrypt()) {
            return Err(damaged());
        }
        self.ask_until_right(ask, |passphrase| {
            let identity = age::scrypt::Identity::new(passphrase);
            let decryptor = decryptor().map_err(|_| damaged())?;
            match decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity)) {
                Ok(mut reader) => {
                    // Never more than went in, so the buffer never grows.
                    let mut text = Zeroizing::new(Vec::with_capacity(bytes.len()));
                    reader.read_to_end(&mut text).map_err(|_| damaged())?;
                    Ok(Some(text))
                }
                Err(age::DecryptError::DecryptionFailed | age::DecryptError::NoMatchingKeys) => {
                    Ok(None)
                }
                Err(_) => Err(damaged()),
            }
        })
    }

    /// Tries the passphrase that was right before, then asks for one, until `open` opens.
    fn ask_until_right<T>(
        &self,
        ask: Ask,
        open: impl Fn(SecretString) -> Result<Option<T>, KeyError>,
    ) -> Result<T, KeyError> {
        let path = || self.path.clone();
        let mut known = self.known_passphrase();
        if let Some(passphrase) = known.as_ref().and_then(secret_string)
            && let Some(opened) = open(passphrase)?
        {
            return Ok(opened);
        }
        *known = None;
        let person = match (&self.person, ask) {
            (Some(person), Ask::Allowed) => person,
            _ => return Err(KeyError::PassphraseNeeded { path: path() }),
        };
        for attempt in 0..ATTEMPTS {
            let request = PassphraseRequest {
                about: About::KeyFile(&self.path),
                retry: attempt > 0,
            };
            let answer = person
                .passphrase(&request)
                .ok_or_else(|| KeyError::PassphraseNeeded { path: path() })?;
            if let Some(passphrase) = secret_string(&answer)
                && let Some(opened) = open(passphrase)?
            {
                *known = Some(answer);
                return Ok(opened);
            }
        }
        Err(KeyError::PassphraseWrong { path: path() })
    }

    fn known_passphrase(&self) -> MutexGuard<'_, Option<SecretValue>> {
        self.passphrase
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a new identity, unless somebody else was faster: whoever comes second uses the
    /// first one's.
    fn create(&self, text: &str) -> io::Result<()> {
        private::create_parent(&self.path)?;
        let mut file = private::temporary_beside(&self.path)?;
        file.write_all(text.as_bytes())?;
        private::sync(file.as_file())?;
        match private::persist_new(file, &self.path) {
            Ok(()) => self.created.store(true, Ordering::Relaxed),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        private::sync_parent(&self.path)
    }

    /// Puts what `change` makes of the text in the place of the file, encrypted as it was; a file
    /// of which nothing is left goes. The next
    /// text is written as well, so that later no full disk can keep it from taking that place.
    fn edit(
        &self,
        failed: impl Fn(io::Error) -> KeyError,
        change: impl FnOnce(&str) -> Result<Edit, KeyError>,
    ) -> Result<(), KeyError> {
        // A link goes on pointing to the key.
        let path = self.path.canonicalize().map_err(&failed)?;
        let directory = File::open(private::directory_of(&path)).map_err(&failed)?;
        wait_for_lock(&directory, PATIENCE)
            .and_then(|locked| locked.ok_or_else(|| ErrorKind::WouldBlock.into()))
            .map_err(&failed)?;
        let (text, encoding) = match self.content(Ask::Allowed)? {
            Content::Plain(text) => (text, None),
            Content::Decrypted(text, encoding) => (text, Some(encoding)),
            Content::Ssh(identity) => {
                return Err(KeyError::NotReplaceable {
                    origin: identity.name(),
                });
            }
        };
        let text = self.text(&text)?;
        let Edit { new, next } = change(text)?;
        let write = || -> io::Result<()> {
            let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
            let ready = prepared
                .take()
                .filter(|ready| *ready.before == text && *ready.text == *new && ready.is_there());
            if ready.is_none() {
                private::remove_temporaries_beside(&path)?;
            }
            if let Some(next) = next {
                *prepared = Some(Prepared {
                    file: self.write_beside(&path, &next, encoding)?,
                    before: Zeroizing::new(new.to_string()),
                    text: next,
                });
            }
            if *new == text {
                return Ok(());
            }
            if new.is_empty() {
                fs::remove_file(&path)?;
                self.created.store(false, Ordering::Relaxed);
                return private::sync_parent(&path);
            }
            let file = match ready {
                Some(ready) => ready.file,
                None => self.write_beside(&path, &new, encoding)?,
            };
            private::persist(file, &path)?;
            private::sync_parent(&path)
        };
        write().map_err(failed)
    }

    /// Writes a text beside the file, encrypted with the passphrase that has opened it, if one has.
    fn write_beside(
        &self,
        path: &Path,
        text: &str,
        encoding: Option<Encoding>,
    ) -> io::Result<NamedTempFile> {
        let mut file = private::temporary_beside(path)?;
        match encoding {
            None => file.write_all(text.as_bytes())?,
            Some(encoding) => {
                let passphrase = self.known_passphrase().as_ref().and_then(secret_string);
                let passphrase = passphrase.ok_or(ErrorKind::InvalidInput)?;
                let encryptor = age::Encryptor::with_user_passphrase(passphrase);
                let format = match encoding {
                    Encoding::Binary => age::armor::Format::Binary,
                    Encoding::Armored => age::armor::Format::AsciiArmor,
                };
                let armored = age::armor::ArmoredWriter::wrap_output(file.as_file_mut(), format)?;
                let mut writer = encryptor.wrap_output(armored)?;
                writer.write_all(text.as_bytes())?;
                writer.finish()?.finish()?;
            }
        }
        private::sync(file.as_file())?;
        Ok(file)
    }
}

fn secret_string(passphrase: &SecretValue) -> Option<SecretString> {
    let text = str::from_utf8(passphrase.expose()).ok()?;
    Some(SecretString::from(text.to_owned()))
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
        if matches!(self.read(), Err(KeyError::Missing { .. })) {
            let text = key_text::block(&identity, Some(old));
            self.create(&text).map_err(not_created)?;
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
