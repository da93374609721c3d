//! Tickets, with which a browser begins a session, and the tokens of sessions.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

/// How long a ticket is good for.
const TICKET_LIFE: Duration = Duration::from_secs(60);

/// How long a session lasts in which nothing is done.
pub(crate) const IDLE: Duration = Duration::from_secs(15 * 60);

/// The most tickets and sessions at a time. The oldest one goes first.
const MOST: usize = 64;

/// What is kept of a ticket or a token: nobody who reads the memory of this process can use it.
pub(crate) type Digest = [u8; 32];

/// The sessions of browsers.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// When each was made.
    tickets: HashMap<Digest, Instant>,
    /// When each was used last.
    tokens: HashMap<Digest, Instant>,
}

impl Sessions {
    /// Makes a ticket: with it, one session can begin, within a minute.
    pub(crate) fn ticket(&self) -> String {
        let ticket = random();
        add(&mut self.state().tickets, digest(&ticket));
        ticket
    }

    /// Begins a session; returns its token. `None` if the ticket is none, was used, or is too old.
    pub(crate) fn begin(&self, ticket: &str) -> Option<String> {
        let mut state = self.state();
        let made = state.tickets.remove(&digest(ticket))?;
        if made.elapsed() > TICKET_LIFE {
            return None;
        }
        let token = random();
        add(&mut state.tokens, digest(&token));
        Some(token)
    }

    /// Whether this is the token of a session, which goes on.
    pub(crate) fn goes_on(&self, token: &str) -> bool {
        let mut state = self.state();
        state.tokens.retain(|_, used| used.elapsed() <= IDLE);
        let used = state.tokens.get_mut(&digest(token));
        used.map(|it| *it = Instant::now()).is_some()
    }

    /// Whether this is the token of a session, without using it: a session ends behind a stream that nobody looks at.
    pub(crate) fn lasts(&self, token: &str) -> bool {
        let state = self.state();
        let used = state.tokens.get(&digest(token));
        used.is_some_and(|it| it.elapsed() <= IDLE)
    }

    /// Ends a session.
    pub(crate) fn end(&self, token: &str) {
        self.state().tokens.remove(&digest(token));
    }

    /// Ends all sessions, and forgets the tickets; returns how many sessions there were.
    pub(crate) fn end_all(&self) -> usize {
        let ended = std::mem::take(&mut *self.state());
        let lasting = ended.tokens.values().filter(|it| it.elapsed() <= IDLE);
        lasting.count()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn add(to: &mut HashMap<Digest, Instant>, digest: Digest) {
    if to.len() >= MOST
        && let Some(oldest) = to.iter().min_by_key(|(_, time)| **time)
    {
        let oldest = *oldest.0;
        to.remove(&oldest);
    }
    to.insert(digest, Instant::now());
}

/// Returns what is kept of a ticket or a token.
pub(crate) fn digest(text: &str) -> Digest {
    Sha256::digest(text).into()
}

/// Returns 256 random bits as text for a URL.
///
/// # Panics
/// If the system has no random numbers: a predictable token would let everybody in.
fn random() -> String {
    let mut bytes = [0; 32];
    #[expect(clippy::expect_used, reason = "there is no safe way to go on")]
    getrandom::fill(&mut bytes).expect("the system has random numbers");
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_ticket_begins_one_session_within_a_minute() {
        let sessions = Sessions::default();
        assert_eq!(sessions.begin("guessed"), None);
        let ticket = sessions.ticket();
        let token = sessions.begin(&ticket).unwrap();
        assert!(sessions.goes_on(&token));
        assert!(!sessions.goes_on(&ticket));
        assert_eq!(sessions.begin(&ticket), None, "used twice");
        assert_eq!(sessions.begin(&token), None);
        let late = sessions.ticket();
        tokio::time::advance(TICKET_LIFE + Duration::from_millis(1)).await;
        assert_eq!(sessions.begin(&late), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_lasts_while_it_is_used() {
        let sessions = Sessions::default();
        let begin = || sessions.begin(&sessions.ticket()).unwrap();
        let (used, idle) = (begin(), begin());
        for _ in 0..3 {
            tokio::time::advance(IDLE / 2).await;
            assert!(sessions.goes_on(&used));
        }
        assert!(!sessions.goes_on(&idle));
        sessions.end(&used);
        assert!(!sessions.goes_on(&used));
        // Only looked at, a session ends.
        let looked_at = begin();
        for _ in 0..2 {
            assert!(sessions.lasts(&looked_at));
            tokio::time::advance(IDLE / 2 + Duration::from_millis(1)).await;
        }
        assert!(!sessions.lasts(&looked_at) && !sessions.goes_on(&looked_at));
    }

    #[tokio::test(start_paused = true)]
    async fn all_of_them_end_at_once() {
        let sessions = Sessions::default();
        let ticket = sessions.ticket();
        let tokens: Vec<_> = (0..3)
            .map(|_| sessions.begin(&sessions.ticket()).unwrap())
            .collect();
        assert_eq!(sessions.end_all(), 3);
        assert!(tokens.iter().all(|it| !sessions.goes_on(it)));
        assert_eq!(sessions.begin(&ticket), None);
    }

    #[tokio::test(start_paused = true)]
    async fn they_are_limited_in_number() {
        let sessions = Sessions::default();
        let first = sessions.begin(&sessions.ticket()).unwrap();
        for _ in 0..MOST {
            tokio::time::advance(Duration::from_millis(1)).await;
            sessions.begin(&sessions.ticket()).unwrap();
        }
        assert!(!sessions.goes_on(&first));
    }
}
