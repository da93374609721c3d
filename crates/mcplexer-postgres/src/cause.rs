//! What went wrong on the server or on the way there.

use std::error::Error as _;
use std::io;

use mcplexer_secrets::backend::{BackendError, BackendErrorKind};
use tokio_postgres::error::{DbError, Severity, SqlState};

use crate::place::Place;

/// Why a statement failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Cause {
    /// The server said so.
    #[error("the server says: {}", .0.message())]
    Said(Box<DbError>),
    /// The driver said so.
    #[error(transparent)]
    Driver(tokio_postgres::Error),
    /// The connection ended while an answer was awaited.
    #[error("the connection was closed")]
    Closed,
    /// No answer came in time.
    #[error("no answer came in time")]
    Silent,
    /// The table of records was dropped while a change was made.
    #[error("the whole state was replaced meanwhile")]
    Replaced,
    /// Another commit came between two reads of one state.
    #[error("the store was changed meanwhile")]
    Overtaken,
    /// Too many others of this process were busy.
    #[error("too many operations of this program wait for the server")]
    Crowded,
    /// The operating system refused what a connection needs.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The tables are not what they should be.
    #[error("{0}")]
    Tables(&'static str),
    /// The server asks for a password, and nothing has one.
    #[error("the server asks for a password, and none is set")]
    NoPassword,
    /// The password cannot be read.
    #[error(transparent)]
    Password(#[from] crate::password::PasswordError),
    /// What TLS is to use cannot be used.
    #[error(transparent)]
    Tls(#[from] crate::tls::TlsError),
}

impl From<tokio_postgres::Error> for Cause {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(said) => Self::Said(Box::new(said.clone())),
            None if lacks_password(&error) => Self::NoPassword,
            None => Self::Driver(error),
        }
    }
}

/// Whether the server has asked for a password in vain, which the driver says in words alone.
fn lacks_password(error: &tokio_postgres::Error) -> bool {
    let cause = error.source().map(ToString::to_string);
    cause.as_deref() == Some("password missing")
}

impl Cause {
    fn state(&self) -> Option<&SqlState> {
        match self {
            Self::Said(error) => Some(error.code()),
            _ => None,
        }
    }

    fn has(&self, states: &[SqlState]) -> bool {
        self.state().is_some_and(|state| states.contains(state))
    }

    /// Whether another change was faster.
    pub(crate) fn is_conflict(&self) -> bool {
        self.has(&[
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
        ])
    }

    /// Whether another program has created the same thing meanwhile.
    pub(crate) fn is_duplicate(&self) -> bool {
        self.has(&[
            SqlState::UNIQUE_VIOLATION,
            SqlState::DUPLICATE_TABLE,
            SqlState::DUPLICATE_SCHEMA,
            SqlState::DUPLICATE_OBJECT,
        ])
    }

    /// Whether a table, or the schema with the tables, does not exist.
    pub(crate) fn is_missing(&self) -> bool {
        self.has(&[SqlState::UNDEFINED_TABLE, SqlState::INVALID_SCHEMA_NAME])
    }

    /// Whether a lock was not released in time.
    pub(crate) fn is_lock_timeout(&self) -> bool {
        self.has(&[SqlState::LOCK_NOT_AVAILABLE])
    }

    /// Whether the connection is of no use any more.
    pub(crate) fn is_gone(&self) -> bool {
        !self.is_certain() && self.kind() == BackendErrorKind::Unreachable
    }

    /// Whether the server itself says that the statement failed, and goes on to answer.
    pub(crate) fn is_certain(&self) -> bool {
        match self {
            Self::Said(error) => error.parsed_severity() == Some(Severity::Error),
            _ => false,
        }
    }

    pub(crate) fn kind(&self) -> BackendErrorKind {
        match self {
            Self::Closed | Self::Silent => BackendErrorKind::Unreachable,
            Self::Crowded | Self::Replaced | Self::Overtaken => BackendErrorKind::Busy,
            Self::Tables(_) => BackendErrorKind::Corrupt,
            Self::Tls(_) | Self::Password(_) => BackendErrorKind::Invalid,
            Self::NoPassword => BackendErrorKind::Denied,
            Self::Io(error) => of_io(error),
            Self::Said(error) => of_state(error.code()),
            Self::Driver(error) if error.is_closed() => BackendErrorKind::Unreachable,
            Self::Driver(error) => match error.source() {
                // A time-out of the driver.
                None => BackendErrorKind::Unreachable,
                Some(source) => source.downcast_ref().map_or(BackendErrorKind::Other, of_io),
            },
        }
    }

    /// Says what failed, and where.
    pub(crate) fn at(self, place: &Place, verb: &str) -> BackendError {
        let address = &place.address;
        let kind = self.kind();
        let message = match kind {
            BackendErrorKind::Busy => {
                format!("cannot {verb} the store on {address}: others are at work on it")
            }
            BackendErrorKind::Unreachable => {
                format!("cannot {verb} the store on {address}: the server cannot be reached")
            }
            _ => format!("cannot {verb} the store on {address}"),
        };
        let advice = match (kind, &self) {
            (BackendErrorKind::Denied | BackendErrorKind::Other, Self::Said(said)) => {
                place.advice(said)
            }
            (BackendErrorKind::Other, _) => Some(
                "check the address; sslrootcert=FILE names the certificates to trust, instead of those of the system"
                    .to_owned(),
            ),
            _ => None,
        };
        let error = BackendError::new(kind, message).with_source(self);
        match advice {
            Some(advice) => error.with_advice(advice),
            None => error,
        }
    }
}

/// A certificate that does not convince is not a server that may answer later.
fn of_io(error: &io::Error) -> BackendErrorKind {
    match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => BackendErrorKind::Other,
        _ => BackendErrorKind::Unreachable,
    }
}

/// Classes and codes are in appendix A of PostgreSQL's manual.
fn of_state(state: &SqlState) -> BackendErrorKind {
    let busy = [
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
    ];
    let code = state.code();
    if busy.contains(state) {
        BackendErrorKind::Busy
    } else if code.starts_with("08")
        || code.starts_with("57P")
        || [
            SqlState::TOO_MANY_CONNECTIONS,
            // The server has become a standby.
            SqlState::READ_ONLY_SQL_TRANSACTION,
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        ]
        .contains(state)
    {
        BackendErrorKind::Unreachable
    } else if code.starts_with("28")
        || [
            SqlState::INVALID_CATALOG_NAME,
            SqlState::INSUFFICIENT_PRIVILEGE,
        ]
        .contains(state)
    {
        BackendErrorKind::Denied
    } else if [SqlState::DATA_CORRUPTED, SqlState::INDEX_CORRUPTED].contains(state) {
        BackendErrorKind::Corrupt
    } else {
        BackendErrorKind::Other
    }
}
