//! Questions about the whole store: whether a commit was applied, and whether everything can be read.

use mcplexer_secrets::backend::CommitId;

use crate::backend::PostgresBackend;
use crate::cause::Cause;
use crate::link::Link;
use crate::param::Param;
use crate::reads::Head;
use crate::sql::{BEGIN_TO_READ, BEGIN_TO_WRITE, Sql};

/// How long a session that has lost its client may go on before it is ended.
const GRACE: &str = "SET lock_timeout = 2000";

/// The name of a commit: the number under which it is entered, and the process of the server that works on it.
pub(crate) struct CommitName {
    pub(crate) id: [u8; 16],
    pub(crate) process: i64,
}

impl CommitName {
    pub(crate) fn to_id(&self) -> CommitId {
        CommitId::new([self.id.as_slice(), &self.process.to_be_bytes()].concat())
    }

    fn of(commit: &CommitId) -> Option<Self> {
        let (id, process) = commit.as_bytes().split_first_chunk()?;
        Some(Self {
            id: *id,
            process: i64::from_be_bytes(process.try_into().ok()?),
        })
    }
}

/// Whether a commit was applied. Once this has answered, it cannot be applied any more:
///
/// * the session that had it has lost the lock of the writers, so it has come to an end; and
/// * even if a server knows no such lock, the revision on which the commit builds has been changed.
pub(crate) fn was_applied(backend: &PostgresBackend, commit: &CommitId) -> Result<bool, Cause> {
    let name = CommitName::of(commit).ok_or(Cause::Tables("this commit is unknown here"))?;
    let sql = backend.sql();
    let _turn = backend.pool().reader()?;
    backend.pool().begin(|mut link| {
        take_turn(&mut link, sql, &name)?;
        let begun = link.command(BEGIN_TO_WRITE);
        let fenced = link.command(sql.fence());
        let found = link.query(sql.was_committed(), vec![Param::bytes(name.id.to_vec())]);
        let committed = link.command("COMMIT");
        let _unawaited = link.command(sql.roll_back_and_unlock());
        link.wait(begun)?;
        let found = link.wait(fenced).and_then(|()| link.wait(found));
        let committed = link.wait(committed);
        backend.pool().keep(link);
        match found {
            // It would have been the first.
            Err(cause) if cause.is_missing() => Ok(false),
            found => {
                let found = found?;
                committed?;
                let row = found
                    .first()
                    .ok_or(Cause::Tables("a question has no answer"))?;
                Ok(row.try_get(0)?)
            }
        }
    })
}

/// Takes the lock of the writers, from the session of the commit if need be.
fn take_turn(link: &mut Link, sql: &Sql, name: &CommitName) -> Result<(), Cause> {
    let hurry = link.command(GRACE);
    let locked = link.command(sql.lock());
    let patient = link.command("RESET lock_timeout");
    link.wait(hurry)?;
    let locked = link.wait(locked);
    link.wait(patient)?;
    match locked {
        Err(cause) if cause.is_lock_timeout() => {
            // A session may be ended by who has logged in as the same user, whatever role it has taken.
            let itself = link.command("SET ROLE NONE");
            let ended = link.query(sql.end_holder(), vec![Param::big(name.process)]);
            let role = link.command("RESET ROLE");
            let locked = link.command(sql.lock());
            let _own = link.wait(itself);
            // One that may not be ended ends by itself, or the lock is not released in time.
            let _ended = link.wait(ended);
            link.wait(role)?;
            link.wait(locked)
        }
        locked => locked,
    }
}

/// Reads the head, and every byte of the records.
pub(crate) fn read_all(backend: &PostgresBackend) -> Result<(), Cause> {
    let sql = backend.sql();
    let _turn = backend.pool().reader()?;
    backend.pool().begin(|mut link| {
        let begun = link.command(BEGIN_TO_READ);
        let head = link.query(sql.head(), Vec::new());
        link.wait(begun)?;
        let head = match link.wait(head) {
            Err(cause) if cause.is_missing() => return Ok(()),
            head => Head::of(&head?)?,
        };
        let counted = link.query(sql.read_all(head.records), Vec::new());
        let _unawaited = link.command("ROLLBACK");
        link.wait(counted)?;
        backend.pool().keep(link);
        Ok(())
    })
}
