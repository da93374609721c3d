//! Backups: everything in a store, in one standard age file.
//!
//! The plaintext is JSON, as `docs/backup.md` describes it, so that a backup can be read without
//! this library: `age -d -i age.key backup.age`. It holds values, names, versions and times, and
//! no key of the store.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

use age::armor::ArmoredReader;
use age::secrecy::SecretString;
use age::{DecryptError, Decryptor, Encryptor};
use rustix::io::Errno;
use serde::Deserialize;

use self::json::{Format, time_text};
pub(crate) use self::json::{JsonWriter, ScopeHead, SecretHead};
use crate::keys::{Identity, KeyError, Person, Recipient};
use crate::{Error, ScopeId, ScopeKind, SecretName, SecretValue, Timestamp, seal, stack};

mod json;

/// The version of the JSON that this library reads and writes.
pub const BACKUP_VERSION: u32 = 1;

/// Who can open a backup.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum BackupTo<'a> {
    /// The store's keys, its recovery code included.
    StoreKeys,
    /// The identities of these recipients.
    Recipients(&'a [Recipient]),
    /// This passphrase, which must be text.
    Passphrase(&'a SecretValue),
}

/// The key with which to open a backup.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum BackupKey<'a> {
    /// One of these.
    Identities(&'a [Identity]),
    /// This passphrase.
    Passphrase(&'a SecretValue),
}

/// A backup that was read to its end. Its values are wiped when dropped.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backup {
    #[serde(rename = "format")]
    _format: Format,
    version: u32,
    /// When the backup was created.
    #[serde(with = "time_text")]
    pub created: Timestamp,
    /// The id of the store that was backed up.
    pub store: String,
    /// The scopes, sorted by id.
    pub scopes: Vec<BackupScope>,
}

/// A scope in a backup.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupScope {
    /// Its id.
    pub id: ScopeId,
    /// How its secrets reach a tool server.
    pub kind: ScopeKind,
    /// Its name for people, if it has one.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Names of variables and fields that carry a credential although their names do not suggest
    /// it.
    #[serde(default)]
    pub redaction_hints: Vec<SecretName>,
    /// When it was created.
    #[serde(with = "time_text")]
    pub created: Timestamp,
    /// Its secrets, sorted by name.
    pub secrets: Vec<BackupSecret>,
}

/// A secret in a backup.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupSecret {
    /// Its name.
    pub name: SecretName,
    /// Its version.
    pub version: u64,
    /// When it was first stored.
    #[serde(with = "time_text")]
    pub created: Timestamp,
    /// When this version was stored.
    #[serde(with = "time_text")]
    pub updated: Timestamp,
    /// Its value.
    pub value: BackupValue,
}

/// The value of a secret in a backup.
#[derive(Debug)]
pub struct BackupValue(pub SecretValue);

impl Backup {
    /// Reads the backup in the file at `path`, binary or armored, to its end.
    ///
    /// # Errors
    /// * [`Error::NotABackup`] if the file is not a backup, or is damaged.
    /// * [`Error::BackupPassphraseWrong`] if the passphrase does not open it.
    /// * [`Error::Key`] if no identity opens it.
    /// * [`Error::Io`] if the file cannot be read.
    pub fn open(path: &Path, key: BackupKey<'_>) -> Result<Self, Error> {
        let mut file = open_file(path)?;
        match key {
            BackupKey::Passphrase(passphrase) => {
                let identity = seal::by_passphrase(passphrase_text(passphrase)?);
                stack::wiped_after(|| read_with(&mut file, path, &identity))?.ok_or_else(|| {
                    let path = path.to_owned();
                    Error::BackupPassphraseWrong { path }
                })
            }
            BackupKey::Identities(identities) => {
                for identity in identities {
                    let mut unreadable = None;
                    let read =
                        identity.decrypt_with(|age| match read_with(&mut file, path, age) {
                            Ok(Some(backup)) => Ok(backup),
                            Ok(None) => Err(DecryptError::NoMatchingKeys),
                            Err(error) => {
                                unreadable = Some(error);
                                Err(DecryptError::NoMatchingKeys)
                            }
                        })?;
                    if let Some(error) = unreadable {
                        return Err(error);
                    }
                    if let Some(backup) = read {
                        return Ok(backup);
                    }
                }
                let recipients = identities.iter().map(Identity::name).collect();
                Err(KeyError::Wrong { recipients }.into())
            }
        }
    }

    /// Returns whether the backup at `path` opens with a passphrase rather than with an identity.
    ///
    /// # Errors
    /// [`Error::NotABackup`] if it is not an age file.
    pub fn takes_passphrase(path: &Path) -> Result<bool, Error> {
        Ok(decryptor(&mut open_file(path)?, path)?.is_scrypt())
    }

    /// Returns how many secrets it holds.
    #[must_use]
    pub fn secrets(&self) -> u64 {
        self.scopes.iter().map(|it| it.secrets.len() as u64).sum()
    }

    fn check(&self) -> Result<(), Error> {
        let not = |reason: &str| Error::NotABackup {
            reason: reason.to_owned(),
        };
        if self.version != BACKUP_VERSION {
            return Err(Error::NotABackup {
                reason: format!("it is of version {}, not {BACKUP_VERSION}", self.version),
            });
        }
        if !self.scopes.is_sorted_by(|a, b| a.id < b.id) {
            return Err(not("its scopes are not in order, or one is there twice"));
        }
        for scope in &self.scopes {
            if !scope.secrets.is_sorted_by(|a, b| a.name < b.name) {
                return Err(not("its secrets are not in order, or one is there twice"));
            }
            if scope.secrets.iter().any(|secret| secret.version == 0) {
                return Err(not("a version is 0"));
            }
            for secret in &scope.secrets {
                scope.kind.check(&secret.name)?;
            }
        }
        Ok(())
    }
}

fn open_file(path: &Path) -> Result<File, Error> {
    let not_read = |source| Error::Io {
        action: "read",
        path: path.to_owned(),
        source,
    };
    let file =
        mcplexer_durable::open_regular(path, OpenOptions::new().read(true)).map_err(not_read)?;
    file.ok_or_else(|| not_read(Errno::NOENT.into()))
}

fn decryptor<'a>(
    file: &'a mut File,
    path: &Path,
) -> Result<Decryptor<ArmoredReader<BufReader<&'a mut File>>>, Error> {
    file.rewind().map_err(|source| Error::Io {
        action: "read",
        path: path.to_owned(),
        source,
    })?;
    let reader = ArmoredReader::new(file);
    Decryptor::new_buffered(reader).map_err(|_| Error::NotABackup {
        reason: "it is not an age file".to_owned(),
    })
}

/// Reads a backup; `None` if this identity does not open it.
fn read_with(
    file: &mut File,
    path: &Path,
    identity: &dyn age::Identity,
) -> Result<Option<Backup>, Error> {
    let plaintext = plaintext(file, path, identity)?;
    plaintext.map(parse).transpose()
}

/// Returns the backup's plaintext, not read yet; `None` if this identity does not open it.
pub(crate) fn plaintext<'a>(
    file: &'a mut File,
    path: &Path,
    identity: &dyn age::Identity,
) -> Result<Option<impl Read + use<'a>>, Error> {
    let opened = decryptor(file, path)?.decrypt(std::iter::once(identity));
    Ok(opened.ok().map(BufReader::new))
}

/// Reads the plaintext of a backup.
pub(crate) fn parse(mut reader: impl Read) -> Result<Backup, Error> {
    let backup: Backup = serde_json::from_reader(&mut reader).map_err(|error| {
        let reason = match error.classify() {
            serde_json::error::Category::Io | serde_json::error::Category::Eof => {
                "it is cut off or damaged".to_owned()
            }
            _ => format!(
                "it does not hold what a backup does (line {})",
                error.line()
            ),
        };
        Error::NotABackup { reason }
    })?;
    // Only at the end of the file is it known that no chunk is missing.
    let damaged = |_| Error::NotABackup {
        reason: "it is cut off or damaged".to_owned(),
    };
    io::copy(&mut reader, &mut io::sink()).map_err(damaged)?;
    backup.check()?;
    Ok(backup)
}

fn passphrase_text(passphrase: &SecretValue) -> Result<SecretString, Error> {
    let text = str::from_utf8(passphrase.expose())
        .map_err(|_| Error::InvalidValue(crate::InvalidValue::NotText))?;
    Ok(SecretString::from(text.to_owned()))
}

/// Returns an age encryptor for those who are to open the backup; `keys` are the store's
/// recipients.
pub(crate) fn encryptor(
    to: BackupTo<'_>,
    keys: &[Recipient],
    person: Option<&Person>,
) -> Result<Encryptor, Error> {
    let recipients = match to {
        BackupTo::Passphrase(passphrase) => {
            return Ok(Encryptor::with_user_passphrase(passphrase_text(
                passphrase,
            )?));
        }
        BackupTo::StoreKeys => keys,
        BackupTo::Recipients(recipients) => recipients,
    };
    let boxed = recipients.iter().map(|it| it.to_age(person.cloned()));
    let boxed = boxed.collect::<Result<Vec<_>, _>>()?;
    Encryptor::with_recipients(boxed.iter().map(|it| &**it)).map_err(|error| {
        match recipients.first() {
            Some(recipient) => recipient.not_encrypted(&error).into(),
            None => Error::NoBackupRecipient,
        }
    })
}
