//! The sessions of HTTP clients. Their ids hold what has to be known of them, sealed, so that a session outlives the process.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper::header::HeaderValue;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::dialect::{Dialect, Era};
use crate::hub::Hub;
use crate::server::lock;
use crate::session::{Endpoint, Peer, Session};
use crate::token::Sealer;

/// After this time without a request, a session takes no more memory.
const IDLE: Duration = Duration::from_secs(30 * 60);

/// The most sessions in memory. The one that was used the longest ago gives way.
const MOST: usize = 1000;

/// The most ids of ended sessions that are remembered.
const MOST_ENDED: usize = 10_000;

/// What an id of a session is sealed for.
const PURPOSE: &str = "mcplexer session 1";

/// The sessions.
#[derive(Debug)]
pub(crate) struct Sessions {
    sealer: Arc<Sealer>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    known: HashMap<Short, Known>,
    /// Those that clients have ended.
    ended: HashSet<Short>,
}

/// A digest of an id, which is long.
type Short = [u8; 16];

#[derive(Debug)]
struct Known {
    session: Arc<Session>,
    used: Instant,
}

/// What an id says.
#[derive(Serialize, Deserialize)]
struct Claim {
    /// The server; absent for all.
    server: Option<String>,
    client: Option<String>,
    version: String,
    capabilities: String,
    info: String,
    /// Two sessions of a client never have the same id.
    nonce: u64,
}

impl Sessions {
    pub(crate) fn new(hub: &Hub) -> Self {
        Self {
            sealer: hub.sealer(),
            state: Mutex::default(),
        }
    }

    /// Gives a session an id, once its client has said what it is.
    pub(crate) fn add(&self, hub: &Hub, session: &Arc<Session>) -> Option<HeaderValue> {
        let dialect = session.dialect()?;
        let mut nonce = [0; 8];
        getrandom::fill(&mut nonce).ok()?;
        let claim = Claim {
            server: match &session.endpoint {
                Endpoint::All => None,
                Endpoint::One(name) => Some(name.to_string()),
            },
            client: session.peer.name.clone(),
            version: dialect.version.clone(),
            capabilities: dialect.capabilities.clone(),
            info: dialect.info.clone(),
            nonce: u64::from_ne_bytes(nonce),
        };
        let id = self.sealer.seal(PURPOSE, &claim)?;
        let value = HeaderValue::from_str(&id).ok()?;
        self.keep(hub, short(&id), session);
        Some(value)
    }

    /// Returns the session of an id: the one in memory, or a new one that goes on where the old one was.
    pub(crate) fn get(
        &self,
        hub: &Hub,
        id: &HeaderValue,
        endpoint: &Endpoint,
        peer: &Peer,
    ) -> Option<Arc<Session>> {
        let id = id.to_str().ok()?;
        let short = short(id);
        let is_its =
            |session: &Session| session.endpoint == *endpoint && session.peer.name == peer.name;
        {
            let mut state = lock(&self.state);
            if let Some(known) = state.known.get_mut(&short) {
                known.used = Instant::now();
                return is_its(&known.session).then(|| Arc::clone(&known.session));
            }
            if state.ended.contains(&short) {
                return None;
            }
        }
        let claim: Claim = self.sealer.open(PURPOSE, id)?;
        let server = match endpoint {
            Endpoint::All => None,
            Endpoint::One(name) => Some(name.as_str()),
        };
        if claim.server.as_deref() != server || claim.client != peer.name {
            return None;
        }
        let session = hub.open(endpoint.clone(), peer.clone());
        session.set_dialect(hub.dialects.shared(Dialect {
            era: Era::Legacy,
            version: claim.version,
            capabilities: claim.capabilities,
            info: claim.info,
        }));
        self.keep(hub, short, &session);
        Some(session)
    }

    fn keep(&self, hub: &Hub, id: Short, session: &Arc<Session>) {
        let known = Known {
            session: Arc::clone(session),
            used: Instant::now(),
        };
        let mut state = lock(&self.state);
        state.known.insert(id, known);
        let is_crowded = state.known.len() > MOST + MOST / 10;
        drop(state);
        if is_crowded {
            self.sweep(hub);
        }
    }

    /// Ends a session for good; returns whether there was one.
    pub(crate) fn remove(
        &self,
        hub: &Hub,
        id: &HeaderValue,
        endpoint: &Endpoint,
        peer: &Peer,
    ) -> bool {
        let Some(session) = self.get(hub, id, endpoint, peer) else {
            return false;
        };
        if let Ok(id) = id.to_str() {
            let short = short(id);
            let mut state = lock(&self.state);
            state.known.remove(&short);
            if state.ended.len() < MOST_ENDED {
                state.ended.insert(short);
            }
        }
        hub.close(&session);
        true
    }

    /// Takes sessions out of memory that were not used for long, or are too many. Their ids stay valid.
    pub(crate) fn sweep(&self, hub: &Hub) {
        let mut state = lock(&self.state);
        let mut used: Vec<Instant> = state.known.values().map(|it| it.used).collect();
        used.sort_unstable();
        let surplus = used.len().saturating_sub(MOST);
        let newest_surplus = surplus.checked_sub(1).and_then(|at| used.get(at)).copied();
        let now = Instant::now();
        let is_old = |known: &Known| {
            now.duration_since(known.used) > IDLE
                || newest_surplus.is_some_and(|it| known.used <= it)
        };
        let gone: Vec<_> = state.known.extract_if(|_, known| is_old(known)).collect();
        drop(state);
        gone.iter().for_each(|(_, known)| hub.close(&known.session));
    }
}

/// Returns the beginning of the SHA-256 of an id: nobody can make another id that has the same.
fn short(id: &str) -> Short {
    let digest: [u8; 32] = Sha256::digest(id).into();
    let mut short = Short::default();
    short.copy_from_slice(digest.split_at(size_of::<Short>()).0);
    short
}
