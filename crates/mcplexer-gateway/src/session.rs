//! A client's session, and where answers to it go.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use mcplexer_files::config::ServerName;
use mcplexer_secrets::audit::Actor;
use tokio::sync::{Semaphore, SemaphorePermit, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::backlog::Backlog;
use crate::calls;
use crate::dialect::{Dialect, Era};
use crate::instance::{Instance, LISTEN};
use crate::length::{is_long, search_len};
use crate::message::Message;
use crate::outbox::Outbox;
use crate::status::ClientStatus;

/// What a client is connected to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
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
    /// A client with this name.
    #[must_use]
    pub fn named(name: Option<String>) -> Self {
        Self {
            name,
            ..Self::default()
        }
    }

    /// A client with this name in a process.
    #[must_use]
    pub fn process(name: Option<String>, uid: u32, pid: Option<u32>) -> Self {
        Self {
            name,
            uid: Some(uid),
            pid,
        }
    }
}

/// A client's session: one connection over stdio, or one session over HTTP.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) number: u64,
    pub(crate) endpoint: Endpoint,
    pub(crate) peer: Peer,
    /// The client, as the audit log names it.
    pub(crate) actor: Arc<Actor>,
    /// For messages that belong to no request.
    pub(crate) outbox: Arc<Outbox>,
    state: Mutex<State>,
    next_question: AtomicU64,
    /// Its long requests on their way to servers, one after the other.
    line: Semaphore,
}

/// There are thousands of sessions that do nothing: what few of them have takes no room in the others.
#[derive(Debug, Default)]
struct State {
    dialect: Option<Arc<Dialect>>,
    /// The requests that are not answered yet, by id.
    in_flight: HashMap<String, InFlight>,
    /// The instances that have served it.
    instances: Vec<Weak<Instance>>,
    rare: Option<Box<Rare>>,
}

/// The bytes of long requests of a session that wait for their answers.
const BACKLOG: usize = 64 << 20;

/// What most sessions never have.
#[derive(Debug, Default)]
struct Rare {
    backlog: Option<Backlog>,
    /// What servers have asked the client, by the id that it was asked with.
    questions: HashMap<u64, Question>,
    /// The resources that it has subscribed to.
    subscriptions: HashMap<String, CancellationToken>,
    /// The log messages that the client wants, as it wrote it.
    log_level: Option<String>,
}

impl State {
    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }
}

/// A request that is not answered yet.
#[derive(Debug)]
struct InFlight {
    cancel: CancellationToken,
    /// Whether it is answered only when it is cancelled.
    is_endless: bool,
}

/// A request to the client, by whom it comes from.
#[derive(Debug)]
pub(crate) enum Question {
    /// A server asks.
    Server {
        from: Weak<Instance>,
        /// The id that the server gave it, as it was written.
        id: String,
        /// The token under which the server takes progress, as it was written.
        progress_token: Option<String>,
    },
    /// The gateway asks, for a server that cannot.
    Gateway(oneshot::Sender<Message>),
}

/// What a server asks a client that takes no requests: the request that it belongs to is parked.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) from: Weak<Instance>,
    /// The request, as the server wrote it.
    pub(crate) question: Message,
}

/// Where the answer to a request, and what belongs to it, goes.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    pub(crate) session: Arc<Session>,
    /// What the client speaks; `None` before it has said so.
    pub(crate) dialect: Option<Arc<Dialect>>,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) cancel: CancellationToken,
    /// Where questions go if the client takes no requests.
    pub(crate) parking: Option<mpsc::UnboundedSender<Asked>>,
    /// Whether the client wants what servers log.
    pub(crate) wants_log: bool,
}

impl Route {
    /// The way of what belongs to no request. It does not take what servers log.
    pub(crate) fn of(session: Arc<Session>) -> Self {
        Self {
            dialect: session.dialect(),
            outbox: Arc::clone(&session.outbox),
            session,
            cancel: CancellationToken::new(),
            parking: None,
            wants_log: false,
        }
    }

    pub(crate) fn is_modern(&self) -> bool {
        let dialect = self.dialect.as_ref();
        dialect.is_some_and(|it| it.era == Era::Modern)
    }
}

impl Session {
    pub(crate) fn new(number: u64, endpoint: Endpoint, peer: Peer) -> Arc<Self> {
        Arc::new(Self {
            number,
            endpoint,
            actor: calls::actor(&peer, number),
            peer,
            outbox: Arc::default(),
            state: Mutex::default(),
            next_question: AtomicU64::new(1),
            line: Semaphore::new(1),
        })
    }

    /// Returns how much of what it has asked for is not answered yet.
    pub(crate) fn backlog(&self) -> Backlog {
        let mut state = self.state();
        let backlog = &mut state.rare().backlog;
        backlog.get_or_insert_with(|| Backlog::new(BACKLOG)).clone()
    }

    /// Waits for the turn of a request whose server runs. What comes behind a long one waits until that is on
    /// its way or given up, so that both get there in the order in which the client wrote them; nothing else waits.
    pub(crate) async fn turn(&self, text: &str) -> Option<SemaphorePermit<'_>> {
        let is_free = self.line.available_permits() > 0;
        match is_free && !is_long(search_len(text)) {
            true => None,
            false => self.line.acquire().await.ok(),
        }
    }

    /// Returns the protocol that the client speaks; `None` before it has said so.
    pub(crate) fn dialect(&self) -> Option<Arc<Dialect>> {
        self.state().dialect.clone()
    }

    pub(crate) fn set_dialect(&self, dialect: Arc<Dialect>) {
        self.state().dialect = Some(dialect);
    }

    /// Whether the client may send several messages at once: only one revision allows it.
    pub(crate) fn takes_batches(&self) -> bool {
        let state = self.state();
        let dialect = state.dialect.as_ref();
        dialect.is_some_and(|it| it.version == "2025-03-26")
    }

    /// Begins a request, which `cancel` cancels. A subscription is one that never ends by itself.
    pub(crate) fn begin(&self, id: &str, method: &str, cancel: CancellationToken) {
        let is_endless = method == LISTEN;
        let request = InFlight { cancel, is_endless };
        self.state().in_flight.insert(id.to_owned(), request);
    }

    /// Ends a request.
    pub(crate) fn end(&self, id: &str) {
        let in_flight = &mut self.state().in_flight;
        in_flight.remove(id);
        if in_flight.is_empty() {
            in_flight.shrink_to_fit();
        }
    }

    /// Says whose session it is.
    pub(crate) fn client_status(&self) -> ClientStatus {
        ClientStatus {
            name: self.peer.name.clone(),
            server: match &self.endpoint {
                Endpoint::All => None,
                Endpoint::One(name) => Some(name.to_string()),
            },
            servers: None,
            pid: self.peer.pid,
            sessions: 1,
        }
    }

    /// Whether a request is not answered that is going to be.
    pub(crate) fn is_busy(&self) -> bool {
        let state = self.state();
        state.in_flight.values().any(|it| !it.is_endless)
    }

    /// Waits until every request is answered that is going to be.
    pub(crate) async fn answered_all(&self) {
        while self.is_busy() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Lets ids of questions begin with this number: the client has been asked those below.
    pub(crate) fn number_questions_from(&self, first: u64) {
        self.next_question.store(first.max(1), Ordering::Relaxed);
    }

    /// Cancels a request.
    pub(crate) fn cancel(&self, id: &str) {
        if let Some(request) = self.state().in_flight.remove(id) {
            request.cancel.cancel();
        }
    }

    /// Ends the session: its client is gone.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        let in_flight = state.in_flight.drain();
        in_flight.for_each(|(_, it)| it.cancel.cancel());
        if let Some(rare) = state.rare.take() {
            let subscriptions = rare.subscriptions.values();
            subscriptions.for_each(CancellationToken::cancel);
        }
        let instances = std::mem::take(&mut state.instances);
        drop(state);
        for instance in instances.iter().filter_map(Weak::upgrade) {
            instance.leave(self.number);
        }
        self.outbox.close();
    }

    /// Remembers that an instance serves this session. Returns whether it did not before.
    pub(crate) fn joined(&self, instance: &Arc<Instance>) -> bool {
        let mut state = self.state();
        let is_it = |it: &Weak<Instance>| it.as_ptr() == Arc::as_ptr(instance);
        if state.instances.iter().any(is_it) {
            return false;
        }
        state.instances.retain(|it| it.strong_count() > 0);
        // Most sessions have one.
        state.instances.reserve_exact(1);
        state.instances.push(Arc::downgrade(instance));
        true
    }

    /// Returns the instances that serve this session.
    pub(crate) fn instances(&self) -> Vec<Arc<Instance>> {
        let state = self.state();
        state.instances.iter().filter_map(Weak::upgrade).collect()
    }

    /// Keeps a question of a server. Returns the id to ask the client with.
    pub(crate) fn ask(&self, question: Question) -> u64 {
        let number = self.next_question.fetch_add(1, Ordering::Relaxed);
        self.state().rare().questions.insert(number, question);
        number
    }

    /// Returns the question that the client answers.
    pub(crate) fn answered(&self, id: &str) -> Option<Question> {
        let rare = &mut self.state().rare;
        rare.as_mut()?.questions.remove(&id.parse().ok()?)
    }

    /// Returns the number of a question of a server, for its withdrawal.
    pub(crate) fn withdraw(&self, asker: &Arc<Instance>, withdrawn: &str) -> Option<u64> {
        let mut state = self.state();
        let is_it = |question: &Question| match question {
            Question::Server { from, id, .. } => {
                id == withdrawn && from.as_ptr() == Arc::as_ptr(asker)
            }
            Question::Gateway(_) => false,
        };
        let questions = &mut state.rare.as_mut()?.questions;
        let (number, _) = questions.iter().find(|(_, it)| is_it(it))?;
        let number = *number;
        questions.remove(&number);
        Some(number)
    }

    /// Returns the server that takes the client's progress on a question, and the server's token for it.
    pub(crate) fn progress_on(&self, number: &str) -> Option<(Arc<Instance>, String)> {
        let state = self.state();
        let rare = state.rare.as_ref()?;
        match rare.questions.get(&number.parse().ok()?)? {
            Question::Server {
                from,
                progress_token,
                ..
            } => Some((from.upgrade()?, progress_token.clone()?)),
            Question::Gateway(_) => None,
        }
    }

    /// Remembers whether the client wants to know of changes of a resource.
    pub(crate) fn subscribe(&self, uri: &str, wants: bool) {
        match wants {
            true => drop(self.watch(uri)),
            false => {
                let rare = &mut self.state().rare;
                let ended = rare.as_mut().and_then(|it| it.subscriptions.remove(uri));
                if let Some(ended) = ended {
                    ended.cancel();
                }
            }
        }
    }

    /// Remembers that the client wants to know of changes of a resource. Returns what is cancelled when it does not any
    /// more.
    pub(crate) fn watch(&self, uri: &str) -> CancellationToken {
        let mut state = self.state();
        let subscriptions = &mut state.rare().subscriptions;
        subscriptions.entry(uri.to_owned()).or_default().clone()
    }

    /// Whether the client wants to know of changes of a resource.
    pub(crate) fn has_subscribed(&self, uri: &str) -> bool {
        let rare = &self.state().rare;
        rare.as_ref()
            .is_some_and(|it| it.subscriptions.contains_key(uri))
    }

    /// Remembers which log messages the client wants.
    pub(crate) fn set_log_level(&self, level: Option<String>) {
        self.state().rare().log_level = level;
    }

    /// Returns which log messages the client wants, as it wrote it.
    pub(crate) fn log_level(&self) -> Option<String> {
        self.state().rare.as_ref()?.log_level.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_that_does_nothing_is_small() {
        let session = Session::new(1, Endpoint::All, Peer::default());
        session.begin("1", "tools/call", CancellationToken::new());
        session.end("1");
        session.cancel("2");
        session.subscribe("a:b", false);
        assert!(session.answered("3").is_none() && session.log_level().is_none());
        let state = session.state();
        assert_eq!(
            (state.in_flight.capacity(), state.rare.is_some()),
            (0, false)
        );
        assert!(size_of::<Session>() <= 256, "{}", size_of::<Session>());
    }
}
