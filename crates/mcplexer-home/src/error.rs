//! Errors of opening a home.

use std::path::PathBuf;

use mcplexer_secrets::{Error as StoreError, ErrorKind};

use crate::exposed::Exposed;

/// A failure to open a home.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The environment is not usable.
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    /// Other users could change these files or directories, at least one.
    #[error("{}", .0.first().map(ToString::to_string).unwrap_or_default())]
    Exposed(Vec<Exposed>),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An unusable environment variable. Never carries its value if that may be an identity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvironmentError {
    /// Neither `MCPLEXER_HOME` nor `HOME` is set.
    #[error("HOME is not set, so there is no directory for the store")]
    NoHome,
    /// A variable names a path that depends on the working directory, or the home of a user by name.
    #[error("{variable} names {}, which is not a whole path", .path.display())]
    Relative {
        /// The variable.
        variable: &'static str,
        /// The path.
        path: PathBuf,
    },
    /// The home directory of the user does not exist.
    #[error("the home directory {} does not exist", .home.display())]
    NoUserHome {
        /// The directory.
        home: PathBuf,
    },
    /// Both variables that give a key are set.
    #[error("MCPLEXER_AGE_KEY and MCPLEXER_AGE_IDENTITY are both set")]
    TwoKeys,
    /// A variable that names a path holds an identity.
    #[error("{variable} holds an identity where a path belongs")]
    IdentityAsPath {
        /// The variable.
        variable: &'static str,
    },
    /// `MCPLEXER_STORE` is not the URL of a store.
    #[error("MCPLEXER_STORE is not the URL of a store: postgres://… or etcd://…")]
    StoreUrl,
    /// `MCPLEXER_STORE` has a password in it.
    #[error("MCPLEXER_STORE has a password in it")]
    StorePassword,
    /// `MCPLEXER_STORE` has an option twice, or one whose name, or the schema, is percent-encoded.
    #[error("MCPLEXER_STORE has an option twice, or one that is percent-encoded without need")]
    StoreOptions,
    /// `MCPLEXER_STORE_CACHE` is neither `off` nor an age.
    #[error(
        "MCPLEXER_STORE_CACHE is neither off nor an age in minutes, hours, days or weeks, such as 30m, 12h, 7d or 2w"
    )]
    StoreCache,
    /// The directory of the audit log does not exist.
    #[error(
        "MCPLEXER_AUDIT names {log}, but the directory {directory} does not exist",
        log = .log.display(),
        directory = .directory.display()
    )]
    NoAuditDirectory {
        /// The log.
        log: PathBuf,
        /// Its directory.
        directory: PathBuf,
    },
    /// The log or the key file is another file of this home as well.
    #[error("the {itself} {path} is the same file as the {what}", path = .path.display())]
    NotItsOwn {
        /// The variable that names another.
        variable: &'static str,
        /// What the file is to be.
        itself: &'static str,
        /// The file.
        path: PathBuf,
        /// What else it is.
        what: &'static str,
    },
    /// The audit log was asked for and is not kept in a file.
    #[error("MCPLEXER_AUDIT does not name a file, so there is no log to read")]
    NoAuditFile,
}

impl Error {
    /// Returns the reaction that this failure calls for.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Environment(_) => ErrorKind::Invalid,
            Self::Exposed(_) => ErrorKind::Key,
            Self::Store(error) => error.kind(),
        }
    }
}
