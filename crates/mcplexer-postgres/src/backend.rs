//! The database as a [`Backend`].

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use mcplexer_secrets::StoreOptions;
use mcplexer_secrets::backend::{
    Backend, BackendError, CommitId, Replacement, Snapshot, Transaction,
};

use crate::address::Address;
use crate::cause::Cause;
use crate::check;
use crate::listener::Listener;
use crate::place::Place;
use crate::pool::Pool;
use crate::reads::Head;
use crate::snapshot::PostgresSnapshot;
use crate::sql::{BEGIN_TO_READ, Sql};
use crate::transaction::PostgresTransaction;

/// How much longer than that an answer may take.
const WORK: Duration = Duration::from_secs(30);
/// How long a session may stay in a transaction without a word, such as that of a program that was stopped.
const LONGEST_SILENCE: Duration = Duration::from_secs(300);

/// How many snapshots begin with a transaction after one was overtaken.
const CAREFUL: u32 = 64;

/// Stands for a table of records that is not known yet.
const UNKNOWN: i64 = 0;

/// A [`Backend`] on PostgreSQL, or on a database that speaks its protocol and is as strict.
pub struct PostgresBackend {
    pool: Pool,
    sql: Sql,
    place: Place,
    /// The table that had the records when they were last read or written.
    records: AtomicI64,
    /// How many snapshots are to begin with a transaction.
    careful: AtomicU32,
    listener: Listener,
}

impl fmt::Debug for PostgresBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresBackend({})", self.place.address)
    }
}

impl PostgresBackend {
    /// Uses the database at this address. Reads the files that the address names, and does not connect yet.
    ///
    /// # Errors
    /// [`BackendError`] if one of the files cannot be used.
    pub fn new(address: Address) -> Result<Self, BackendError> {
        Self::with_options(address, &StoreOptions::default())
    }

    /// Uses the database at this address, with other options: how long to wait for other writers before failing with
    /// [`Busy`](mcplexer_secrets::backend::BackendErrorKind::Busy).
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_options(
        mut address: Address,
        options: &StoreOptions,
    ) -> Result<Self, BackendError> {
        let patience = options.patience();
        let place = address.place();
        let prepared = address.read_password().and_then(|()| address.tls());
        let tls = prepared.map_err(|cause| cause.at(&place, "use"))?;
        let millis = |duration: Duration| duration.as_millis().max(1);
        // The server notices itself when a client is gone, and lets the next writer in.
        address.set_options(&format!(
            "-c lock_timeout={} -c idle_in_transaction_session_timeout={} -c tcp_keepalives_idle=30 \
             -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3",
            millis(patience),
            millis(LONGEST_SILENCE),
        ));
        let sql = Sql::new(address.schema());
        Ok(Self {
            pool: Pool::new(address, tls, patience + WORK),
            sql,
            place,
            records: AtomicI64::new(UNKNOWN),
            careful: AtomicU32::new(0),
            listener: Listener::default(),
        })
    }

    /// Returns how often this has waited for an answer of the server, but for those while it logged in: what an
    /// operation costs over a network.
    #[must_use]
    pub fn round_trips(&self) -> u64 {
        self.pool.round_trips()
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    pub(crate) fn sql(&self) -> &Sql {
        &self.sql
    }

    /// The table that had the records last; `None` if no store was seen.
    pub(crate) fn records(&self) -> Option<i64> {
        let records = self.records.load(Ordering::Relaxed);
        (records != UNKNOWN).then_some(records)
    }

    pub(crate) fn remember(&self, records: i64) {
        self.records.store(records, Ordering::Relaxed);
    }

    pub(crate) fn forget(&self) {
        self.remember(UNKNOWN);
    }

    /// Takes note that a commit came between two reads of one state: others will, for a while.
    pub(crate) fn be_careful(&self) {
        self.careful.store(CAREFUL, Ordering::Relaxed);
    }

    /// Whether the next snapshot is to begin with a transaction.
    fn is_careful(&self) -> bool {
        let (set, get) = (Ordering::Relaxed, Ordering::Relaxed);
        let taken = self
            .careful
            .fetch_update(set, get, |left| left.checked_sub(1));
        taken.is_ok()
    }

    pub(crate) fn failure(&self, verb: &str, cause: Cause) -> BackendError {
        cause.at(&self.place, verb)
    }

    /// Begins a snapshot to find out whether there is a store.
    fn begin_read(&self) -> Result<Option<PostgresSnapshot<'_>>, Cause> {
        let turn = self.pool.reader()?;
        let begun = self.pool.begin(|mut link| {
            let begun = link.command(BEGIN_TO_READ);
            let head = link.query(self.sql.head(), Vec::new());
            link.wait(begun)?;
            match link.wait(head) {
                Ok(rows) => {
                    let state = Head::of(&rows)?.state();
                    self.remember(state.records);
                    Ok(Some((link, state)))
                }
                Err(cause) if cause.is_missing() => {
                    let _unawaited = link.command("ROLLBACK");
                    self.pool.keep(link);
                    Ok(None)
                }
                Err(cause) => Err(cause),
            }
        })?;
        Ok(begun.map(|(link, state)| PostgresSnapshot::begun(self, turn, link, state)))
    }

    /// Takes note of a commit of this program.
    pub(crate) fn has_committed(&self, records: i64) {
        self.remember(records);
        self.listener.change();
    }

    fn read_revision(&self) -> Result<Option<u64>, Cause> {
        let revision = self.listener.revision(&self.pool, &self.sql)?;
        let revision = revision.map(u64::try_from).transpose();
        revision.map_err(|_| Cause::Tables("the revision is negative"))
    }
}

impl Backend for PostgresBackend {
    fn read(&self) -> Result<Option<Box<dyn Snapshot + '_>>, BackendError> {
        let snapshot = match self.records() {
            Some(_) => Some(PostgresSnapshot::later(self, self.is_careful())),
            None => self
                .begin_read()
                .map_err(|cause| self.failure("read", cause))?,
        };
        Ok(snapshot.map(|it| Box::new(it) as _))
    }

    fn write(&self) -> Result<Box<dyn Transaction + '_>, BackendError> {
        let begun = PostgresTransaction::begin(self);
        let begun = begun.map_err(|cause| self.failure("write", cause))?;
        Ok(Box::new(begun))
    }

    fn replace(&self) -> Result<Replacement<'_>, BackendError> {
        let begun = PostgresTransaction::begin_replacement(self);
        let new = begun.map_err(|cause| self.failure("replace", cause))?;
        let old = (!new.is_first()).then(|| Box::new(PostgresSnapshot::later(self, true)) as _);
        Ok(Replacement {
            old,
            new: Box::new(new),
        })
    }

    fn settle(&self, commit: &CommitId) -> Result<bool, BackendError> {
        let settled = check::was_applied(self, commit);
        self.listener.change();
        settled.map_err(|cause| self.failure("settle a change of", cause))
    }

    /// The first call begins to listen. Later ones ask the server after they have heard of a commit, after a commit of
    /// this program, and if nothing was heard for 30 seconds.
    fn revision(&self) -> Result<Option<u64>, BackendError> {
        self.read_revision()
            .map_err(|cause| self.failure("read", cause))
    }

    /// Reads every byte of the records.
    fn check(&self) -> Result<(), BackendError> {
        check::read_all(self).map_err(|cause| self.failure("check", cause))
    }
}
