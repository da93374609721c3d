//! Backups: everything in a store, in one standard age file.
//!
//! The plaintext is JSON, as `docs/backup.md` describes it, so that a backup can be read without
//! this library: `age -d -i age.key backup.age`. It holds the values of all versions, names, times and
//! notes, and no key of the store.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use age::armor::ArmoredReader;
use age::{DecryptError, Decryptor, Encryptor};
use rustix::io::Errno;
use serde::Deserialize;

use self::json::{Format, optional_time_text, time_text};
pub(crate) use self::json::{JsonWriter, ScopeHead, VersionHead};
pub(crate) use self::maker::{Digesting, Maker, MakerLine, OwnerMac};
use crate::keys::{Identity, KeyError, Person, Recipient, begun, passphrase};
use crate::record::Digest;
use crate::{
    Error, InvalidValue, MAX_KEEP_VERSIONS, Note, RotateEvery, ScopeId, ScopeKind, SecretName,
    SecretValue, Timestamp, seal, stack,
};

mod json;
mod maker;

/// The version of the JSON that this library reads and writes.
pub const BACKUP_VERSION: u32 = 1;
/// Begins an armored age file.
const ARMOR: &[u8] = b"-----BEGIN AGE ENCRYPTED FILE-----";
/// The most bytes in which an armored file begins.
const MAX_BEFORE_ARMOR: u64 = 1 << 10;
/// More commits than any store has, and more versions than any secret: a backup must not use up the revisions of a
/// store that it is restored into, or the versions of its secrets.
const MAX_REVISION: u64 = 1 << 48;
/// More than the line about the maker of a backup can have: 64 owners, each with a key of 4096 bits.
const MAX_MAKER_LEN: u64 = 1 << 20;
/// The most bytes of a file in which the header of a backup ends: far more than the most recipients need.
const MAX_HEADER_LEN: u64 = 1 << 20;

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
    /// Of the JSON of all of the above.
    #[serde(skip)]
    pub(crate) digest: Digest,
    /// The line that follows it.
    #[serde(skip)]
    pub(crate) maker: Option<Maker>,
    /// The identity that opened it; `None` if a passphrase did.
    #[serde(skip)]
    pub(crate) opened_with: Option<Identity>,
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
    /// How many earlier versions of each secret it keeps.
    pub keep_versions: u8,
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
    /// Orders its versions in copies of one store.
    pub revision: u64,
    /// A note for people.
    #[serde(default)]
    pub note: Option<Note>,
    /// When its value expires.
    #[serde(default, with = "optional_time_text")]
    pub expires: Option<Timestamp>,
    /// The number of days after which to replace its value.
    #[serde(default, rename = "rotate_every_days")]
    pub rotate_every: Option<RotateEvery>,
    /// Its value.
    pub value: BackupValue,
    /// Its earlier versions, oldest first.
    #[serde(default)]
    pub earlier: Vec<BackupVersion>,
}

/// An earlier version of a secret in a backup.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupVersion {
    /// Its number.
    pub version: u64,
    /// When it was stored.
    #[serde(with = "time_text")]
    pub updated: Timestamp,
    /// Orders the versions in copies of one store.
    pub revision: u64,
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
                let forms = passphrase::forms(passphrase);
                if forms.is_empty() {
                    return Err(Error::InvalidValue(InvalidValue::NotText));
                }
                for form in forms {
                    let identity = seal::by_passphrase(form);
                    let read = stack::wiped_after(|| read_with(&mut file, path, &identity))?;
                    if let Some(backup) = read {
                        return Ok(backup);
                    }
                }
                Err(Error::BackupPassphraseWrong {
                    path: path.to_owned(),
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
                    if let Some(mut backup) = read {
                        backup.opened_with = Some(identity.clone());
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
            if scope.keep_versions > MAX_KEEP_VERSIONS {
                return Err(not("a scope keeps too many versions"));
            }
            for secret in &scope.secrets {
                let earlier = secret.earlier.iter().map(|earlier| earlier.version);
                let versions: Vec<_> = earlier.chain([secret.version]).collect();
                let revisions = secret.earlier.iter().map(|earlier| earlier.revision);
                if revisions
                    .chain([secret.revision])
                    .any(|it| it > MAX_REVISION)
                {
                    return Err(not("a revision is too high"));
                }
                if versions.first() == Some(&0) {
                    return Err(not("a version is 0"));
                }
                if versions.iter().any(|it| *it > MAX_REVISION) {
                    return Err(not("a version is too high"));
                }
                if !versions.is_sorted_by(|a, b| a < b) {
                    return Err(not("the versions of a secret are not in order"));
                }
                if secret.earlier.len() > usize::from(MAX_KEEP_VERSIONS) {
                    return Err(not("a secret has too many versions"));
                }
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
    let not_read = |source| Error::Io {
        action: "read",
        path: path.to_owned(),
        source,
    };
    let not_age = |_| Error::NotABackup {
        reason: "it is not an age file".to_owned(),
    };
    let start = start_of(file).map_err(not_read)?;
    // The age crate reads a header of any length into memory, so its end is looked for first.
    let beginning = ArmoredReader::new(Read::take(&*file, MAX_HEADER_LEN));
    Decryptor::new_buffered(beginning).map_err(not_age)?;
    file.seek(start).map_err(not_read)?;
    Decryptor::new_buffered(ArmoredReader::new(file)).map_err(not_age)
}

/// Goes to where an age file starts, and returns that: an armored one may have a mark or empty lines before it.
fn start_of(file: &mut File) -> io::Result<SeekFrom> {
    file.rewind()?;
    let mut beginning = Vec::new();
    Read::take(&*file, MAX_BEFORE_ARMOR).read_to_end(&mut beginning)?;
    let armored = begun(&beginning);
    let start = match armored.starts_with(ARMOR) {
        true => (beginning.len() - armored.len()) as u64,
        false => 0,
    };
    let start = SeekFrom::Start(start);
    file.seek(start)?;
    Ok(start)
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
    match decryptor(file, path)?.decrypt(std::iter::once(identity)) {
        Ok(opened) => Ok(Some(BufReader::new(opened))),
        Err(DecryptError::ExcessiveWork { required, .. }) => Err(Error::NotABackup {
            reason: format!(
                "it takes a scrypt work factor of {required}, and {} is the most that is tried",
                seal::MAX_WORK_FACTOR
            ),
        }),
        Err(_) => Ok(None),
    }
}

/// Reads the plaintext of a backup.
pub(crate) fn parse(reader: impl Read) -> Result<Backup, Error> {
    let mut reader = Digesting::new(reader);
    // It reads no byte after the last brace.
    let mut json = serde_json::Deserializer::from_reader(&mut reader);
    let mut backup = Backup::deserialize(&mut json).map_err(|it| not_json(&it))?;
    let (digest, mut rest) = reader.end();
    backup.digest = digest;
    let mut line = String::new();
    let read = rest.by_ref().take(MAX_MAKER_LEN).read_to_string(&mut line);
    read.map_err(damaged)?;
    if !line.trim().is_empty() {
        let MakerLine { maker } = serde_json::from_str(&line).map_err(|it| not_json(&it))?;
        backup.maker = Some(maker);
    }
    // Only at the end of the file is it known that no chunk is missing.
    io::copy(&mut rest, &mut io::sink()).map_err(damaged)?;
    backup.check()?;
    Ok(backup)
}

fn not_json(error: &serde_json::Error) -> Error {
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
}

fn damaged(_: io::Error) -> Error {
    Error::NotABackup {
        reason: "it is cut off or damaged".to_owned(),
    }
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
            let passphrase = passphrase::for_new(passphrase);
            let passphrase = passphrase.ok_or(Error::InvalidValue(InvalidValue::NotText))?;
            return Ok(Encryptor::with_user_passphrase(passphrase));
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
