//! A client's session, and where answers to it go.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use mcplexer_files::config::ServerName;
use tokio_util::sync::CancellationToken;

use crate::instance::Instance;
use crate::outbox::Outbox;

/// What a client is connected to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// All servers, with the server's name before each tool.
    All,
    /// One server, unchanged.
    One(ServerName),
}

/// Who a client is, for the audit log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Peer {
    /// The name under which it is configured, or which it was given.
    pub name: Option<String>,
    /// Its user, if it is known.
    pub uid: Option<u32>,
    /// Its process, if it is known.
    pub pid: Option<u32>,
}

impl Peer {
    /// A client of this name.
    #[must_use]
    pub fn named(name: Option<String>) -> Self {
        Self {
            name,
            ..Self::default()
        }
    }

    /// A client of this name in a process.
    #[must_use]
    pub fn process(name: Option<String>, uid: u32, pid: Option<u32>) -> Self {
        Self {
            name,
            uid: Some(uid),
            pid,
        }
    }
}

/// The protocol that a client speaks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Dialect {
    pub(crate) version: String,
    /// Its capabilities, as it wrote them.
    pub(crate) capabilities: String,
    /// Its name and version, as it wrote them.
    pub(crate) info: String,
}

/// A client's session: one connection over stdio, or one session over HTTP.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) number: u64,
    pub(crate) endpoint: Endpoint,
    pub(crate) peer: Peer,
    /// For messages that belong to no request.
    pub(crate) outbox: Arc<Outbox>,
    state: Mutex<State>,
    next_question: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    dialect: Option<Arc<Dialect>>,
    /// What servers have asked the client, by the id that it was asked with.
    questions: HashMap<u64, Question>,
    /// The requests that are not answered yet, by id.
    in_flight: HashMap<String, CancellationToken>,
    /// The instances that have served it.
    instances: Vec<Weak<Instance>>,
    /// The resources that it has subscribed to.
    subscriptions: HashSet<String>,
}

/// A request of a server to the client.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) from: Weak<Instance>,
    /// The id that the server gave it, as it was written.
    pub(crate) id: String,
    /// The token under which the server takes progress, as it was written.
    pub(crate) progress_token: Option<String>,
}

/// Where the answer to a request, and what belongs to it, goes.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    pub(crate) session: Arc<Session>,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) cancel: CancellationToken,
}

impl Session {
    pub(crate) fn new(number: u64, endpoint: Endpoint, peer: Peer) -> Arc<Self> {
        Arc::new(Self {
            number,
            endpoint,
            peer,
            outbox: Arc::default(),
            state: Mutex::default(),
            next_question: AtomicU64::new(1),
        })
    }

    /// Returns the protocol that the client speaks; `None` before it has said so.
    pub(crate) fn dialect(&self) -> Option<Arc<Dialect>> {
        self.state().dialect.clone()
    }

    pub(crate) fn set_dialect(&self, dialect: Dialect) {
        self.state().dialect = Some(Arc::new(dialect));
    }

    /// Begins a request. Returns what cancels it.
    pub(crate) fn begin(&self, id: &str) -> CancellationToken {
        let cancel = CancellationToken::new();
        self.state().in_flight.insert(id.to_owned(), cancel.clone());
        cancel
    }

    /// Ends a request.
    pub(crate) fn end(&self, id: &str) {
        self.state().in_flight.remove(id);
    }

    /// Cancels a request.
    pub(crate) fn cancel(&self, id: &str) {
        if let Some(cancel) = self.state().in_flight.remove(id) {
            cancel.cancel();
        }
    }

    /// Ends the session: its client is gone.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.in_flight.drain().for_each(|(_, it)| it.cancel());
        state.questions.clear();
        let instances = std::mem::take(&mut state.instances);
        drop(state);
        for instance in instances.iter().filter_map(Weak::upgrade) {
            instance.leave(self.number);
        }
        self.outbox.close();
    }

    /// Remembers that an instance serves this session.
    pub(crate) fn joined(&self, instance: &Arc<Instance>) {
        let mut state = self.state();
        state.instances.retain(|it| it.strong_count() > 0);
        state.instances.push(Arc::downgrade(instance));
    }

    /// Returns the instances that serve this session.
    pub(crate) fn instances(&self) -> Vec<Arc<Instance>> {
        let state = self.state();
        state.instances.iter().filter_map(Weak::upgrade).collect()
    }

    /// Keeps a question of a server. Returns the id to ask the client with.
    pub(crate) fn ask(&self, question: Question) -> u64 {
        let number = self.next_question.fetch_add(1, Ordering::Relaxed);
        self.state().questions.insert(number, question);
        number
    }

    /// Returns the question that the client answers.
    pub(crate) fn answered(&self, id: &str) -> Option<Question> {
        self.state().questions.remove(&id.parse().ok()?)
    }

    /// Returns the number of a question of a server, for its withdrawal.
    pub(crate) fn withdraw(&self, from: &Arc<Instance>, id: &str) -> Option<u64> {
        let mut state = self.state();
        let is_it =
            |question: &Question| question.id == id && question.from.as_ptr() == Arc::as_ptr(from);
        let (number, _) = state.questions.iter().find(|(_, it)| is_it(it))?;
        let number = *number;
        state.questions.remove(&number);
        Some(number)
    }

    /// Returns the server that takes the client's progress on a question, and the server's token for it.
    pub(crate) fn progress_on(&self, number: &str) -> Option<(Arc<Instance>, String)> {
        let state = self.state();
        let question = state.questions.get(&number.parse().ok()?)?;
        Some((question.from.upgrade()?, question.progress_token.clone()?))
    }

    /// Remembers whether the client wants to know of changes of a resource.
    pub(crate) fn subscribe(&self, uri: &str, wants: bool) {
        let mut state = self.state();
        match wants {
            true => state.subscriptions.insert(uri.to_owned()),
            false => state.subscriptions.remove(uri),
        };
    }

    /// Whether the client wants to know of changes of a resource.
    pub(crate) fn has_subscribed(&self, uri: &str) -> bool {
        self.state().subscriptions.contains(uri)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The revisions of the protocol with sessions that the gateway speaks, newest first.
pub(crate) const LEGACY: [&str; 3] = ["2025-11-25", "2025-06-18", "2025-03-26"];

impl Dialect {
    /// What the gateway says of itself to a server that no client waits for.
    pub(crate) fn own() -> Self {
        Self {
            version: LEGACY[0].to_owned(),
            capabilities: "{}".to_owned(),
            info: own_info(),
        }
    }
}

/// Returns the name and version of the gateway, as `clientInfo` and `serverInfo` have them.
pub(crate) fn own_info() -> String {
    format!(
        r#"{{"name":"mcplexer","version":"{}"}}"#,
        env!("CARGO_PKG_VERSION")
    )
}
