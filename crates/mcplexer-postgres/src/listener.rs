//! The revision, as the server tells it of its own accord.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio_postgres::Row;

use crate::cause::Cause;
use crate::link::{Answer, Link};
use crate::pool::Pool;
use crate::sql::Sql;

/// How long nothing is asked while nothing is heard: a connection that is cut off, and not closed, is as quiet.
const SILENCE: Duration = Duration::from_secs(10);
/// How long a server keeps what it has to say to a program that does not listen any more.
const ABANDONED: &str = "SET tcp_user_timeout = 60000";

/// What is known of the revision.
#[derive(Debug, Default)]
pub(crate) struct Listener {
    state: Mutex<State>,
    /// Whether this program has changed the store since, so that what was heard is old.
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

    /// Takes note that this program has changed the store: it is not to be answered with what was heard before.
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

    /// Returns the revision that was heard last, or asks if that may be old.
    fn revision(&mut self, sql: &Sql, has_changed: bool) -> Result<Option<i64>, Cause> {
        self.link.look();
        if !self.link.is_alive() {
            return Err(Cause::Closed);
        }
        let (known, is_old) = self.known.hear(self.link.take_heard(), Instant::now());
        self.known = known;
        if is_old || has_changed {
            let answer = self.link.query(sql.revision(), Vec::new());
            self.known = Known::of(&mut self.link, answer)?;
        }
        Ok(self.known.revision)
    }
}

impl Known {
    /// What is known once this was heard, and whether that may be old.
    fn hear(self, heard: Option<i64>, now: Instant) -> (Self, bool) {
        if heard.is_none() {
            let silence = now.saturating_duration_since(self.at);
            return (self, self.revision.is_none() || silence >= SILENCE);
        }
        let known = Self {
            revision: heard,
            at: now,
        };
        // It may have been on its way while the server was asked, or be that of a new store.
        (known, known.revision < self.revision)
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
    fn what_was_heard_is_asked_for_after_a_silence_and_if_it_goes_back() {
        let begin = Instant::now();
        let at = |revision, seconds| Known {
            revision,
            at: begin + Duration::from_secs(seconds),
        };
        let hear = |known: Known, heard, seconds| {
            let (known, is_old) = known.hear(heard, begin + Duration::from_secs(seconds));
            (known.revision, is_old)
        };
        assert_eq!(hear(at(Some(7), 0), None, 9), (Some(7), false));
        assert_eq!(hear(at(Some(7), 0), None, 10), (Some(7), true));
        assert_eq!(hear(at(Some(7), 5), None, 10), (Some(7), false));
        assert_eq!(hear(at(Some(7), 0), Some(8), 20), (Some(8), false));
        assert_eq!(hear(at(Some(7), 0), Some(7), 20), (Some(7), false));
        assert_eq!(hear(at(Some(7), 0), Some(6), 1), (Some(6), true));
        assert_eq!(hear(at(None, 0), None, 1), (None, true), "no store yet");
        assert_eq!(hear(at(None, 0), Some(1), 1), (Some(1), false));
    }
}
