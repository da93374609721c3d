//! Tickets, with which a browser begins a session, and the tokens of sessions.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;
use zeroize::Zeroizing;

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
    tokens: HashMap<Digest, Lasting>,
}

/// A session that goes on.
struct Lasting {
    /// When it was used last.
    used: Instant,
    key: Zeroizing<String>,
}

impl Lasting {
    fn is_over(&self) -> bool {
        self.used.elapsed() > IDLE
    }
}

impl fmt::Debug for Lasting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lasting").finish_non_exhaustive()
    }
}

/// What a session begins with.
pub(crate) struct Begun {
    /// With this, the browser proves who it is.
    pub(crate) token: String,
    /// With this, the browser says which session it means, to anybody.
    pub(crate) id: String,
    /// With this, the gateway proves who it is.
    pub(crate) key: Zeroizing<String>,
}

impl Sessions {
    /// Makes a ticket: with it, one session can begin, within a minute.
    pub(crate) fn ticket(&self) -> String {
        let ticket = random();
        let mut state = self.state();
        make_room(&mut state.tickets, |it| *it);
        state.tickets.insert(digest(&ticket), Instant::now());
        ticket
    }

    /// Begins a session. `None` if the ticket is unknown, used, or expired.
    pub(crate) fn begin(&self, ticket: &str) -> Option<Begun> {
        let mut state = self.state();
        let made = state.tickets.remove(&digest(ticket))?;
        if made.elapsed() > TICKET_LIFE {
            return None;
        }
        let (token, key) = (random(), Zeroizing::new(random()));
        let lasting = Lasting {
            used: Instant::now(),
            key: key.clone(),
        };
        make_room(&mut state.tokens, |it| it.used);
        let digest = digest(&token);
        state.tokens.insert(digest, lasting);
        let id = BASE64_URL_SAFE_NO_PAD.encode(digest);
        Some(Begun { token, id, key })
    }

    /// Returns HMAC-SHA-256 (RFC 2104) of this with the key of a session, which nobody else has; `None` if there is no such
    /// session.
    pub(crate) fn proof(&self, id: &str, nonce: &[u8]) -> Option<String> {
        let digest: Digest = BASE64_URL_SAFE_NO_PAD.decode(id).ok()?.try_into().ok()?;
        let state = self.state();
        let lasting = state.tokens.get(&digest).filter(|it| !it.is_over())?;
        let key = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.decode(lasting.key.as_bytes()).ok()?);
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
        mac.update(nonce);
        Some(BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }

    /// Whether this is the token of a session, which goes on.
    pub(crate) fn goes_on(&self, token: &str) -> bool {
        let mut state = self.state();
        state.tokens.retain(|_, it| !it.is_over());
        let lasting = state.tokens.get_mut(&digest(token));
        lasting.map(|it| it.used = Instant::now()).is_some()
    }

    /// Whether this is the token of a session, without using it: a session ends behind a stream that nobody looks at.
    pub(crate) fn lasts(&self, token: &str) -> bool {
        let state = self.state();
        let lasting = state.tokens.get(&digest(token));
        lasting.is_some_and(|it| !it.is_over())
    }

    /// Ends a session.
    pub(crate) fn end(&self, token: &str) {
        self.state().tokens.remove(&digest(token));
    }

    /// Ends all sessions, and forgets the tickets; returns how many sessions there were.
    pub(crate) fn end_all(&self) -> usize {
        let ended = std::mem::take(&mut *self.state());
        let lasting = ended.tokens.values().filter(|it| !it.is_over());
        lasting.count()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes room for one more.
fn make_room<T>(among: &mut HashMap<Digest, T>, time: impl Fn(&T) -> Instant) {
    if among.len() >= MOST
        && let Some(oldest) = among.iter().min_by_key(|(_, it)| time(it))
    {
        let oldest = *oldest.0;
        among.remove(&oldest);
    }
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
        let begin = |ticket: &str| sessions.begin(ticket).map(|it| it.token);
        assert_eq!(begin("guessed"), None);
        let ticket = sessions.ticket();
        let token = begin(&ticket).unwrap();
        assert!(sessions.goes_on(&token));
        assert!(!sessions.goes_on(&ticket));
        assert_eq!(begin(&ticket), None, "used twice");
        assert_eq!(begin(&token), None);
        let late = sessions.ticket();
        tokio::time::advance(TICKET_LIFE + Duration::from_millis(1)).await;
        assert_eq!(begin(&late), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_has_a_key_that_proves_who_answers() {
        let sessions = Sessions::default();
        let begin = || sessions.begin(&sessions.ticket()).unwrap();
        let (one, other) = (begin(), begin());
        let expected = |begun: &Begun, nonce: &[u8]| {
            let key = BASE64_URL_SAFE_NO_PAD.decode(begun.key.as_bytes()).unwrap();
            assert_eq!(key.len(), 32);
            let mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
            BASE64_URL_SAFE_NO_PAD.encode(mac.chain_update(nonce).finalize().into_bytes())
        };
        let proof = sessions.proof(&one.id, b"nonce").unwrap();
        assert_eq!(proof, expected(&one, b"nonce"));
        assert_ne!(proof, expected(&other, b"nonce"));
        assert_ne!(proof, expected(&one, b"other"));
        for id in ["guessed", "", &one.token, &one.id[..42]] {
            assert_eq!(sessions.proof(id, b"nonce"), None, "{id}");
        }
        assert!(!sessions.goes_on(&one.id), "it is no token");
        let shown = format!("{sessions:?}");
        assert!(!shown.contains(one.key.as_str()), "{shown}");
        sessions.end(&one.token);
        assert_eq!(sessions.proof(&one.id, b"nonce"), None);
        tokio::time::advance(IDLE + Duration::from_millis(1)).await;
        assert_eq!(sessions.proof(&other.id, b"nonce"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_lasts_while_it_is_used() {
        let sessions = Sessions::default();
        let begin = || sessions.begin(&sessions.ticket()).unwrap().token;
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
            .map(|_| sessions.begin(&sessions.ticket()).unwrap().token)
            .collect();
        assert_eq!(sessions.end_all(), 3);
        assert!(tokens.iter().all(|it| !sessions.goes_on(it)));
        assert!(sessions.begin(&ticket).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn they_are_limited_in_number() {
        let sessions = Sessions::default();
        let first = sessions.begin(&sessions.ticket()).unwrap().token;
        for _ in 0..MOST {
            tokio::time::advance(Duration::from_millis(1)).await;
            sessions.begin(&sessions.ticket()).unwrap();
        }
        assert!(!sessions.goes_on(&first));
    }
}
