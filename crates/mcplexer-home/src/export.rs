//! Writes the secrets of a scope as a file that other programs read.

use mcplexer_files::exchange::{self, Format, Reader, WriteError, Written};
use mcplexer_secrets::{Error as StoreError, Purpose, ScopeId, SecretName, SecretStore, Select};

use crate::open::OpenHome;

/// What to export.
#[derive(Debug, Clone)]
pub struct Export {
    /// The scope.
    pub scope: ScopeId,
    /// Only these secrets, if there are any here.
    pub only: Vec<SecretName>,
    /// The format of the file.
    pub format: Format,
    /// The only program that reads the file, if it is a `.env` file. Without one, all that do read it alike.
    pub reader: Option<Reader>,
}

/// A failure to export.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The scope has no secrets.
    #[error("scope {scope} has no secrets")]
    NoSecrets {
        /// The scope.
        scope: ScopeId,
    },
    /// The file cannot hold a name or a value.
    #[error(transparent)]
    Unwritable(#[from] WriteError),
    /// The store does not give out the secrets.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Export {
    /// Returns the file, which holds values and wipes itself.
    ///
    /// # Errors
    /// [`Error`] says what is missing, or which secret does not fit.
    pub fn run(&self, open: &OpenHome) -> Result<Written, Error> {
        let mut names = self.only.clone();
        names.sort();
        names.dedup();
        let select = match names.is_empty() {
            true => Select::All,
            false => Select::Only(&names),
        };
        let opened = open
            .store()
            .credentials(&self.scope, select, Purpose::Export)?;
        if opened.is_empty() {
            return Err(Error::NoSecrets {
                scope: self.scope.clone(),
            });
        }
        Ok(exchange::write(&opened, self.format, self.reader)?)
    }
}
