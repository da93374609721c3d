//! Backups: everything in a store, in one standard age file.
//!
//! The plaintext is JSON, as `docs/backup.md` describes it, so that a backup can be read without
//! this library: `age -d -i age.key backup.age`. It holds values, names, versions and times, and
//! no key of the store.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Seek, Write};
use std::path::Path;

use age::armor::ArmoredReader;
use age::secrecy::SecretString;
use age::{DecryptError, Decryptor, Encryptor};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::{Zeroize, Zeroizing};

use crate::keys::{Identity, KeyError, Person, Recipient};
use crate::{Error, ScopeId, ScopeKind, SecretName, SecretValue, Timestamp, private};

const FORMAT: &str = "mcplexer-backup";
/// The version of the JSON that this library writes and reads.
pub const BACKUP_VERSION: u32 = 1;

/// Who can open a backup.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum BackupTo<'a> {
    /// Whose keys open the store, and whoever has its recovery code.
    StoreKeys,
    /// Whoever has the identity of one of these.
    Recipients(&'a [Recipient]),
    /// Whoever knows this passphrase, which must be text.
    Passphrase(&'a SecretValue),
}

/// What opens a backup.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum BackupKey<'a> {
    /// One of these.
    Identities(&'a [Identity]),
    /// This passphrase.
    Passphrase(&'a SecretValue),
}

/// A backup that was read, wholly. Its values wipe themselves when dropped.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backup {
    #[serde(rename = "format")]
    _format: Format,
    version: u32,
    /// When it was made.
    #[serde(with = "time_text")]
    pub created: Timestamp,
    /// The id of the store it was made from.
    pub store: String,
    /// The scopes, in order.
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
    /// A name for people, if it has one.
    #[serde(default)]
    pub display_name: Option<String>,
    /// When it was made.
    #[serde(with = "time_text")]
    pub created: Timestamp,
    /// Its secrets, in order.
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

/// The one word that tells a backup from other JSON.
#[derive(Debug)]
struct Format;

impl<'de> Deserialize<'de> for Format {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text == FORMAT {
            true => Ok(Self),
            false => Err(serde::de::Error::custom("its format is another")),
        }
    }
}

/// Text as it is, other bytes in base64.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum ValueText {
    Text(String),
    Base64(String),
}

impl<'de> Deserialize<'de> for BackupValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = match ValueText::deserialize(deserializer)? {
            ValueText::Text(text) => Ok(text.into_bytes()),
            ValueText::Base64(mut text) => {
                let bytes = BASE64_STANDARD.decode(&text);
                text.zeroize();
                bytes
            }
        };
        // No error repeats the value.
        let value = bytes.ok().and_then(|bytes| SecretValue::new(bytes).ok());
        let invalid =
            || serde::de::Error::custom("a value is not 1 byte to 1 MiB of text or base64");
        value.map(Self).ok_or_else(invalid)
    }
}

/// Times as RFC 3339.
mod time_text {
    use super::{Deserialize, Deserializer, Serializer, Timestamp};

    pub(super) fn serialize<S: Serializer>(time: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(time)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Backup {
    /// Reads the backup in the file at `path`, binary or armored, to its end.
    ///
    /// # Errors
    /// [`Error::NotABackup`] if it is none, or damaged; [`Error::Key`] if the key does not open it.
    pub fn open(path: &Path, key: BackupKey<'_>) -> Result<Self, Error> {
        let mut file = open_file(path)?;
        match key {
            BackupKey::Passphrase(passphrase) => {
                let identity = age::scrypt::Identity::new(passphrase_text(passphrase)?);
                let wrong = || KeyError::PassphraseWrong {
                    path: path.to_owned(),
                };
                read_with(&mut file, path, &identity)?.ok_or_else(|| wrong().into())
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

    /// Whether a passphrase opens the backup at `path`, not an identity.
    ///
    /// # Errors
    /// [`Error::NotABackup`] if it is no age file.
    pub fn takes_passphrase(path: &Path) -> Result<bool, Error> {
        Ok(decryptor(&mut open_file(path)?, path)?.is_scrypt())
    }

    /// How many secrets it holds.
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
    let file = private::open_regular(path, OpenOptions::new().read(true)).map_err(not_read)?;
    file.ok_or_else(|| not_read(io::ErrorKind::NotFound.into()))
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
    let decryptor = decryptor(file, path)?;
    let Ok(reader) = decryptor.decrypt(std::iter::once(identity)) else {
        return Ok(None);
    };
    let mut reader = BufReader::new(reader);
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
    // The last chunk is known to be the last only once the end was read.
    let damaged = |_| Error::NotABackup {
        reason: "it is cut off or damaged".to_owned(),
    };
    io::copy(&mut reader, &mut io::sink()).map_err(damaged)?;
    backup.check()?;
    Ok(Some(backup))
}

fn passphrase_text(passphrase: &SecretValue) -> Result<SecretString, Error> {
    let text = str::from_utf8(passphrase.expose())
        .map_err(|_| Error::InvalidValue(crate::InvalidValue::NotText))?;
    Ok(SecretString::from(text.to_owned()))
}

/// An age encryptor for whoever is to open a backup; `keys` are the store's recipients.
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

/// Writes the JSON of a backup, piece by piece, so that only one value is at hand at a time.
pub(crate) struct JsonWriter<W: Write> {
    to: W,
    scopes: u64,
    secrets: u64,
}

#[derive(Serialize)]
struct SecretRow<'a> {
    name: &'a SecretName,
    version: u64,
    #[serde(with = "time_text")]
    created: Timestamp,
    #[serde(with = "time_text")]
    updated: Timestamp,
    value: ValueRow<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum ValueRow<'a> {
    Text(&'a str),
    Base64(&'a str),
}

/// A secret without its value.
pub(crate) struct SecretHead<'a> {
    pub(crate) name: &'a SecretName,
    pub(crate) version: u64,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
}

/// A scope without its secrets.
pub(crate) struct ScopeHead<'a> {
    pub(crate) id: &'a ScopeId,
    pub(crate) kind: ScopeKind,
    pub(crate) display_name: Option<&'a str>,
    pub(crate) created: Timestamp,
}

impl<W: Write> JsonWriter<W> {
    pub(crate) fn begin(mut to: W, store: &dyn fmt::Display) -> io::Result<Self> {
        let created = Timestamp::now();
        write!(
            to,
            "{{\"format\":\"{FORMAT}\",\"version\":{BACKUP_VERSION},\"created\":\"{created}\",\"store\":\"{store}\",\"scopes\":["
        )?;
        Ok(Self {
            to,
            scopes: 0,
            secrets: 0,
        })
    }

    pub(crate) fn scope(&mut self, scope: &ScopeHead<'_>) -> io::Result<()> {
        let end = if self.scopes > 0 { "\n]}," } else { "" };
        let name = serde_json::to_string(&scope.display_name)?;
        write!(
            self.to,
            "{end}\n{{\"id\":\"{}\",\"kind\":\"{}\",\"display_name\":{name},\"created\":\"{}\",\"secrets\":[",
            scope.id, scope.kind, scope.created
        )?;
        self.scopes += 1;
        self.secrets = 0;
        Ok(())
    }

    pub(crate) fn secret(&mut self, head: &SecretHead<'_>, value: &[u8]) -> io::Result<()> {
        let encoded;
        let value = match str::from_utf8(value) {
            Ok(text) => ValueRow::Text(text),
            Err(_) => {
                encoded = Zeroizing::new(BASE64_STANDARD.encode(value));
                ValueRow::Base64(&encoded)
            }
        };
        let comma = if self.secrets > 0 { ",\n" } else { "\n" };
        self.to.write_all(comma.as_bytes())?;
        self.secrets += 1;
        let row = SecretRow {
            name: head.name,
            version: head.version,
            created: head.created,
            updated: head.updated,
            value,
        };
        Ok(serde_json::to_writer(&mut self.to, &row)?)
    }

    pub(crate) fn end(mut self) -> io::Result<W> {
        let end = if self.scopes > 0 { "\n]}" } else { "" };
        writeln!(self.to, "{end}\n]}}")?;
        Ok(self.to)
    }
}
