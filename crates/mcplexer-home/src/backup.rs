//! Creates, verifies and restores backups.

use std::path::{Path, PathBuf};

use mcplexer_secrets::backup::{Backup, BackupTo};
use mcplexer_secrets::{BackupMaker, Error as StoreError, Progress, Timestamp};
use serde::Serialize;

use crate::open::OpenHome;
use crate::place::StorePlace;
use crate::text::as_text;

mod opening;
mod restore;

pub use opening::{BackupKeys, open, open_with_passphrase};
pub use restore::{Action, Restore, RestorePlan, RestoreReport, RestoredRow};

/// A backup to create.
#[derive(Debug)]
pub struct Create<'a> {
    /// The file.
    pub file: &'a Path,
    /// Who can open it.
    pub to: BackupTo<'a>,
    /// Replace a file that exists.
    pub overwrite: bool,
}

/// A backup that was created.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct CreateReport {
    /// The file.
    pub file: String,
    /// The number of scopes in it.
    pub scopes: u64,
    /// The number of secrets in it.
    pub secrets: u64,
    /// The labels of the store's keys that open it. Empty if it was made for somebody else.
    pub opened_by: Vec<String>,
}

/// What is in a backup that was read to its end.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct VerifyReport {
    /// The file.
    pub file: String,
    /// When the backup was created.
    #[serde(serialize_with = "as_text")]
    pub created: Timestamp,
    /// The id of the store that it was created from.
    pub store: String,
    /// The number of scopes in it.
    pub scopes: u64,
    /// The number of secrets in it.
    pub secrets: u64,
    /// Who made it.
    pub maker: Maker,
}

/// Who made a backup, as far as the keys at hand can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Maker {
    /// The store of this home.
    ThisStore,
    /// An owner of this store, who may be a former one.
    Earlier,
    /// Another store of the user.
    OwnStore,
    /// Somebody who knows the passphrase that opens it.
    Passphrase,
    /// Anybody who knows a recipient.
    Unknown,
}

/// A failure to open or to restore a backup.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no key file to try.
    #[error(transparent)]
    NoKey(StoreError),
    /// None of the keys opens the backup.
    #[error("none of your keys opens {}", .file.display())]
    WrongKey {
        /// The file.
        file: PathBuf,
    },
    /// The store has secrets, and the request does not say what happens to them.
    #[error("{store} has secrets already")]
    StoreNotEmpty {
        /// The store.
        store: StorePlace,
    },
    /// Nobody at hand can tell who made the backup, and the request does not allow that.
    #[error("nothing shows that a store of yours made this backup")]
    UnknownMaker,
    /// A former owner of the store may have made the backup, and the request does not allow that.
    #[error("an owner of this store made this backup, and it may be a former one")]
    EarlierMaker,
    /// The file cannot be read, or the store does not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Create<'_> {
    /// Writes every secret of the store to a new file.
    ///
    /// # Errors
    /// - [`StoreError::NoStore`] if there is nothing to back up.
    /// - [`StoreError::FileExists`] unless `overwrite` is set.
    pub fn run(
        &self,
        open: &OpenHome,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<CreateReport, StoreError> {
        let report = open
            .store()
            .backup(self.file, self.to, self.overwrite, progress)?;
        Ok(CreateReport {
            file: self.file.display().to_string(),
            scopes: report.scopes,
            secrets: report.secrets,
            opened_by: report.opened_by,
        })
    }
}

impl Maker {
    /// Finds out who made a backup.
    ///
    /// # Errors
    /// [`StoreError::Seal`] if there is not enough memory.
    pub fn of(backup: &Backup, open: &OpenHome) -> Result<Self, StoreError> {
        Ok(match open.store().maker_of(backup)? {
            BackupMaker::ThisStore => Self::ThisStore,
            BackupMaker::Earlier => Self::Earlier,
            BackupMaker::OwnStore => Self::OwnStore,
            BackupMaker::Passphrase => Self::Passphrase,
            _ => Self::Unknown,
        })
    }
}

/// Returns what is in an opened backup, and who made it.
///
/// # Errors
/// [`StoreError::Seal`] if there is not enough memory.
pub fn verify(file: &Path, backup: &Backup, open: &OpenHome) -> Result<VerifyReport, StoreError> {
    Ok(VerifyReport {
        file: file.display().to_string(),
        created: backup.created,
        store: backup.store.clone(),
        scopes: backup.scopes.len() as u64,
        secrets: backup.secrets(),
        maker: Maker::of(backup, open)?,
    })
}
