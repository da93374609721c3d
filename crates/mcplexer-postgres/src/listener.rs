//! The revision, and whether the server has said since that it has changed.
//!
//! What a notification says is not looked at: anyone who may log in to the database can send one. It is a reason to
//! ask, and no answer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio_postgres::Row;

use crate::cause::Cause;
use crate::link::{Answer, Link};
use crate::pool::Pool;
use crate::sql::Sql;

/// How long nothing is asked while nothing is heard: a connection that is cut off, and not closed, is as quiet.
const SILENCE: Duration = Duration::from_secs(30);
/// How long a server keeps what it has to say to a program that does not listen any more.
const ABANDONED: &str = "SET tcp_user_timeout = 60000";

/// What is known of the revision.
#[derive(Debug, Default)]
pub(crate) struct Listener {
    state: Mutex<State>,
    /// Whether this program has changed the store since.
    has_changed: AtomicBool,
}

#[derive(Debug, Default)]
enum State {
    /// Nobody has asked yet.
    #[default]
    New,
    Listening(Box<Listening>),
    /// There is no connection, until then.
    Deaf(Instant),
    /// The server does not know `LISTEN`.
    Impossible,
}

/// A connection that listens.
#[derive(Debug)]
struct Listening {
    link: Link,
    known: Known,
}

/// The revision at some time; `None` if there was no store.
#[derive(Debug, Clone, Copy)]
struct Known {
    revision: Option<i64>,
    at: Instant,
}

impl Listener {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note that this program has changed the store, which it may not have heard yet.
    pub(crate) fn change(&self) {
        self.has_changed.store(true, Ordering::Release);
    }

    /// Returns the revision, and asks the server only if need be.
    pub(crate) fn revision(&self, pool: &Pool, sql: &Sql) -> Result<Option<i64>, Cause> {
        let mut state = self.state();
        let has_changed = self.has_changed.swap(false, Ordering::Acquire);
        if let State::Listening(listening) = &mut *state {
            match listening.revision(sql, has_changed) {
                Ok(revision) => return Ok(revision),
                // It may be the connection alone.
                Err(_) => *state = State::New,
            }
        }
        let may_listen = match *state {
            State::New | State::Listening(_) => true,
            State::Deaf(until) => Instant::now() >= until,
            State::Impossible => false,
        };
        if !may_listen {
            drop(state);
            return ask(pool, sql);
        }
        match Listening::begin(pool, sql) {
            Ok(Some(listening)) => {
                let revision = listening.known.revision;
                *state = State::Listening(Box::new(listening));
                Ok(revision)
            }
            Ok(None) => {
                *state = State::Impossible;
                drop(state);
                ask(pool, sql)
            }
            Err(_) => {
                *state = State::Deaf(Instant::now() + SILENCE);
                drop(state);
                ask(pool, sql)
            }
        }
    }
}

impl Listening {
    /// Begins to listen; `None` if the server does not know that.
    fn begin(pool: &Pool, sql: &Sql) -> Result<Option<Self>, Cause> {
        let mut link = pool.connect()?;
        if !link.can_notify() {
            pool.keep(link);
            return Ok(None);
        }
        let _unawaited = link.command(ABANDONED);
        let listens = link.command(sql.listen());
        // What is committed after this is heard.
        let answer = link.query(sql.revision(), Vec::new());
        match link.wait(listens) {
            Err(cause) if cause.is_certain() => return Ok(None),
            listens => listens?,
        }
        let known = Known::of(&mut link, answer)?;
        Ok(Some(Self { link, known }))
    }

    /// Returns the revision that is known, or asks if it may be another one by now.
    fn revision(&mut self, sql: &Sql, has_changed: bool) -> Result<Option<i64>, Cause> {
        self.link.look();
        if !self.link.is_alive() {
            return Err(Cause::Closed);
        }
        let heard = self.link.take_heard();
        if heard || has_changed || self.known.is_old(Instant::now()) {
            let answer = self.link.query(sql.revision(), Vec::new());
            self.known = Known::of(&mut self.link, answer)?;
        }
        Ok(self.known.revision)
    }
}

impl Known {
    /// Whether it may be old although nothing was heard since.
    fn is_old(self, now: Instant) -> bool {
        self.revision.is_none() || now.saturating_duration_since(self.at) >= SILENCE
    }

    fn of(link: &mut Link, answer: Answer<Vec<Row>>) -> Result<Self, Cause> {
        Ok(Self {
            revision: revision_of(link, answer)?,
            at: Instant::now(),
        })
    }
}

/// Asks for the revision.
fn ask(pool: &Pool, sql: &Sql) -> Result<Option<i64>, Cause> {
    let _turn = pool.reader()?;
    pool.begin(|mut link| {
        let answer = link.query(sql.revision(), Vec::new());
        let revision = revision_of(&mut link, answer);
        pool.keep(link);
        revision
    })
}

/// Waits for the revision; `None` if there is no store.
fn revision_of(link: &mut Link, answer: Answer<Vec<Row>>) -> Result<Option<i64>, Cause> {
    let rows = match link.wait(answer) {
        Err(cause) if cause.is_missing() => return Ok(None),
        rows => rows?,
    };
    let revision = rows.first().map(|row| row.try_get(0)).transpose()?;
    Ok(revision)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_old_after_a_silence_and_if_there_was_no_store() {
        let at = Instant::now();
        let known = |revision| Known { revision, at };
        let is_old = |known: Known, seconds| known.is_old(at + Duration::from_secs(seconds));
        assert!(!is_old(known(Some(7)), 0) && !is_old(known(Some(7)), 29));
        assert!(is_old(known(Some(7)), 30));
        assert!(is_old(known(None), 0));
    }
}
