use std::fmt;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use age::armor::ArmoredReader;
use age::secrecy::SecretString;
use zeroize::Zeroizing;

use super::{Ask, Identity, InvalidKeyText, KeyError, KeyProvider};
use crate::private::{self, Exposure};
use crate::{SecretValue, Timestamp};

/// No key file is larger.
const MAX_FILE_LEN: u64 = 1 << 20;
/// How often a wrong passphrase may be corrected.
const ATTEMPTS: u32 = 3;
const BINARY_AGE: &[u8] = b"age-encryption.org/";
const ARMORED_AGE: &[u8] = b"-----BEGIN AGE ENCRYPTED FILE-----";

type AskPassphrase = Box<dyn Fn(&PassphraseRequest<'_>) -> Option<SecretValue> + Send + Sync>;

/// Identities in an age key file.
///
/// The file holds one identity or several, and may itself be encrypted with a passphrase, as
/// `age -p` does it (binary or armored). It must belong to the user and be closed to everybody
/// else. For a new store it is made if it does not exist, with mode 0600 in a directory of mode
/// 0700; it is never overwritten.
pub struct FileKeys {
    path: PathBuf,
    ask: Option<AskPassphrase>,
    created: AtomicBool,
}

/// What a passphrase is wanted for.
#[derive(Debug)]
#[non_exhaustive]
pub struct PassphraseRequest<'a> {
    /// The key file.
    pub path: &'a Path,
    /// Whether an earlier answer was wrong.
    pub retry: bool,
}

impl FileKeys {
    /// The identities in the file at `path`.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            ask: None,
            created: AtomicBool::new(false),
        }
    }

    /// Asks `ask` when the file turns out to be encrypted with a passphrase; `None` gives up. A
    /// wrong passphrase is asked for again, three times in all.
    #[must_use]
    pub fn with_passphrase(
        mut self,
        ask: impl Fn(&PassphraseRequest<'_>) -> Option<SecretValue> + Send + Sync + 'static,
    ) -> Self {
        self.ask = Some(Box::new(ask));
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

    fn parse(&self, bytes: &[u8]) -> Result<Vec<Identity>, KeyError> {
        str::from_utf8(bytes)
            .map_err(|_| InvalidKeyText::NotText)
            .and_then(Identity::parse_all)
            .map_err(|reason| KeyError::Invalid {
                origin: self.path.display().to_string(),
                reason,
            })
    }

    /// Opens a key file made by `age -p`.
    fn decrypt(&self, bytes: &[u8], ask: Ask) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let path = || self.path.clone();
        let needed = || KeyError::PassphraseNeeded { path: path() };
        let damaged = || KeyError::NotByPassphrase { path: path() };
        let passphrase = match (&self.ask, ask) {
            (Some(passphrase), Ask::Allowed) => passphrase,
            _ => return Err(needed()),
        };
        for attempt in 0..ATTEMPTS {
            let decryptor =
                age::Decryptor::new_buffered(ArmoredReader::new(bytes)).map_err(|_| damaged())?;
            if !decryptor.is_scrypt() {
                return Err(damaged());
            }
            let request = PassphraseRequest {
                path: &self.path,
                retry: attempt > 0,
            };
            let answer = passphrase(&request).ok_or_else(needed)?;
            let Ok(answer) = str::from_utf8(answer.expose()) else {
                continue;
            };
            let identity = age::scrypt::Identity::new(SecretString::from(answer.to_owned()));
            match decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity)) {
                Ok(mut reader) => {
                    // Never more than went in, so the buffer never grows.
                    let mut text = Zeroizing::new(Vec::with_capacity(bytes.len()));
                    reader.read_to_end(&mut text).map_err(|_| damaged())?;
                    return Ok(text);
                }
                Err(age::DecryptError::DecryptionFailed | age::DecryptError::NoMatchingKeys) => {}
                Err(_) => return Err(damaged()),
            }
        }
        Err(KeyError::PassphraseWrong { path: path() })
    }

    /// Writes a new identity, unless somebody else was faster: whoever comes second uses the
    /// first one's.
    fn create(&self) -> std::io::Result<()> {
        let identity = Identity::generate();
        private::create_parent(&self.path)?;
        let mut file = private::temporary_beside(&self.path)?;
        let text = Zeroizing::new(format!(
            "# mcplexer key, made {}\n# public key: {}\n{}\n",
            Timestamp::now(),
            identity.recipient(),
            *identity.to_text()
        ));
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        match file.persist_noclobber(&self.path) {
            Ok(_) => self.created.store(true, Ordering::Relaxed),
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error.error),
        }
        private::sync_parent(&self.path)
    }
}

impl fmt::Debug for FileKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileKeys({})", self.path.display())
    }
}

impl KeyProvider for FileKeys {
    fn identities(&self, ask: Ask) -> Result<Vec<Identity>, KeyError> {
        let bytes = self.read()?;
        if bytes.starts_with(BINARY_AGE) || bytes.trim_ascii_start().starts_with(ARMORED_AGE) {
            self.parse(&self.decrypt(&bytes, ask)?)
        } else {
            self.parse(&bytes)
        }
    }

    fn identities_for_new_store(&self) -> Result<Vec<Identity>, KeyError> {
        match self.identities(Ask::Allowed) {
            Err(KeyError::Missing { path }) => {
                self.create()
                    .map_err(|source| KeyError::NotCreated { path, source })?;
                self.identities(Ask::Allowed)
            }
            result => result,
        }
    }
}
