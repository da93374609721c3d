//! A running server: passes requests to it under ids of its own, and passes on what comes back.

mod asking;
mod incoming;
mod tools;

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use mcplexer_files::config::{ServerName, Timeouts};
use mcplexer_secrets::Timestamp;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, timeout};

use crate::credentials::Used;
use crate::dialect::Era;
use crate::error::CallError;
use crate::events::Events;
use crate::json::Value;
use crate::link::Link;
use crate::message::Message;
use crate::scrub::Scrubber;
use crate::session::{Route, Session};
use crate::status::{EraStatus, InstanceStatus, number};
use crate::stderr_log::{Mark, StderrLog};

/// The request that is answered when a subscription ends (MCP 2026-07-28, "Subscriptions").
pub(crate) const LISTEN: &str = "subscriptions/listen";

/// The member of `_meta` that says which subscription a notification belongs to.
pub(crate) const SUBSCRIPTION_ID: &str = "io.modelcontextprotocol/subscriptionId";

/// How long to wait for the end of a server that does not work any more, and for what it writes to standard error.
pub(crate) const LAST_WORDS: Duration = Duration::from_millis(500);

/// A running child, or a session with an HTTP server.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) server: ServerName,
    link: Link,
    scrubber: Arc<Scrubber>,
    log: Arc<StderrLog>,
    /// Where its lines begin in the log.
    mark: Mark,
    timeouts: Timeouts,
    limit: usize,
    /// The secrets that it got.
    pub(crate) used: Arc<[Used]>,
    events: Weak<dyn Events>,
    next_id: AtomicU64,
    /// When it started.
    since: Timestamp,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The requests that it has not answered yet, by the id that it knows.
    pending: HashMap<u64, Waiting>,
    /// The sessions that it serves.
    sessions: Vec<Weak<Session>>,
    /// Its answer to `initialize` or `server/discover`, as it wrote it.
    hello: Option<Arc<str>>,
    era: Era,
    last_used: Instant,
    is_gone: bool,
    has_said_nonsense: bool,
}

/// A request that is not answered yet.
#[derive(Debug)]
struct Waiting {
    of: Pending,
    answer: oneshot::Sender<Result<Answer, CallError>>,
    progressed: Arc<Notify>,
    /// It is the gateway that listens, for as long as the server runs.
    is_own_subscription: bool,
}

/// Whose request it is.
#[derive(Debug, Default)]
struct Pending {
    route: Option<Route>,
    /// The id that the client gave it, as it was written.
    client_id: Option<String>,
    /// The client's token for progress, as it was written.
    progress_token: Option<String>,
}

/// An answer of a server.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) message: Message,
    /// How many values of secrets were taken out.
    pub(crate) scrubbed: u64,
}

impl Answer {
    /// An answer of the gateway itself, which is a message.
    pub(crate) fn of_gateway(text: String) -> Self {
        let message = Message::parse(text).unwrap_or_else(|_| Message::empty());
        Self {
            message,
            scrubbed: 0,
        }
    }

    /// The same answer in other words.
    pub(crate) fn with_text(self, text: String) -> Self {
        Self {
            scrubbed: self.scrubbed,
            ..Self::of_gateway(text)
        }
    }
}

/// What an instance is made of.
pub(crate) struct Parts {
    pub(crate) server: ServerName,
    pub(crate) link: Link,
    pub(crate) scrubber: Arc<Scrubber>,
    pub(crate) log: Arc<StderrLog>,
    /// Where its lines begin in the log.
    pub(crate) mark: Mark,
    pub(crate) timeouts: Timeouts,
    pub(crate) limit: usize,
    pub(crate) used: Arc<[Used]>,
    pub(crate) events: Weak<dyn Events>,
}

impl Instance {
    pub(crate) fn new(parts: Parts) -> Arc<Self> {
        let instance = Arc::new(Self {
            server: parts.server,
            link: parts.link,
            scrubber: parts.scrubber,
            log: parts.log,
            mark: parts.mark,
            timeouts: parts.timeouts,
            limit: parts.limit,
            used: parts.used,
            events: parts.events,
            next_id: AtomicU64::new(1),
            since: Timestamp::now(),
            state: Mutex::new(State {
                pending: HashMap::new(),
                sessions: Vec::new(),
                hello: None,
                era: Era::Legacy,
                last_used: Instant::now(),
                is_gone: false,
                has_said_nonsense: false,
            }),
        });
        if let Link::Http(http) = &instance.link {
            http.attach(&instance);
        }
        instance
    }

    /// Returns what takes the values of its secrets out of texts.
    pub(crate) fn scrubber(&self) -> &Arc<Scrubber> {
        &self.scrubber
    }

    /// Adds a line to its log.
    pub(crate) fn log(&self, line: &str) {
        self.log.add(line, None);
    }

    /// Returns what it said when it was greeted.
    pub(crate) fn hello(&self) -> Option<Arc<str>> {
        self.state().hello.clone()
    }

    /// Remembers its answer to `initialize`, or to `server/discover`.
    pub(crate) fn greeted(&self, hello: &str, era: Era) {
        let mut state = self.state();
        state.hello = Some(hello.into());
        state.era = era;
        drop(state);
        if let Link::Http(http) = &self.link {
            let version = Value::new(hello).get("protocolVersion");
            let version = version.and_then(Value::as_str);
            http.speak(era, &version.unwrap_or_default());
        }
    }

    /// Returns whether it has a session.
    pub(crate) fn era(&self) -> Era {
        self.state().era
    }

    /// Begins to listen to what the server says without having been asked, where the transport needs that.
    pub(crate) fn listen(&self) {
        if let Link::Http(http) = &self.link {
            http.listen();
        }
    }

    /// Returns the secrets that it has now. They are opened again for each request where the transport allows it.
    pub(crate) fn used(&self) -> Arc<[Used]> {
        let newest = match &self.link {
            Link::Http(http) => http.used(),
            Link::Child(_) => None,
        };
        newest.unwrap_or_else(|| Arc::clone(&self.used))
    }

    /// Whether it has, or gets with the next request, these versions of its secrets.
    pub(crate) fn has(&self, versions: &Arc<[Used]>) -> bool {
        matches!(self.link, Link::Http(_)) || self.used == *versions
    }

    /// Says what it does.
    pub(crate) fn status(&self) -> InstanceStatus {
        InstanceStatus {
            pid: self.link.pid(),
            since: self.since,
            era: match self.era() {
                Era::Legacy => EraStatus::Legacy,
                Era::Modern => EraStatus::Modern,
            },
            clients: number(self.sessions().len()),
        }
    }

    /// Whether it takes no more requests.
    pub(crate) fn is_gone(&self) -> bool {
        self.state().is_gone
    }

    /// Returns how long it has had nothing to do; `None` while it has.
    pub(crate) fn idle(&self) -> Option<Duration> {
        let state = self.state();
        let is_idle = state.pending.values().all(|it| it.is_own_subscription);
        is_idle.then(|| state.last_used.elapsed())
    }

    /// Ends it. What it has not answered is lost.
    pub(crate) fn stop(&self) {
        self.link.stop();
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(&self) {
        self.link.ended().await;
    }

    /// Lets a session use it.
    pub(crate) fn join(self: &Arc<Self>, session: &Arc<Session>) {
        // A session has few instances, and an instance may have thousands of sessions.
        if !session.joined(self) {
            return;
        }
        let mut state = self.state();
        if state.sessions.len() == state.sessions.capacity() {
            state.sessions.retain(|it| it.strong_count() > 0);
        }
        state.sessions.push(Arc::downgrade(session));
    }

    /// Forgets a session that has ended.
    pub(crate) fn leave(&self, session: u64) {
        let mut state = self.state();
        let is_other = |it: &Weak<Session>| it.upgrade().is_some_and(|it| it.number != session);
        state.sessions.retain(is_other);
    }

    /// Finds out which client something belongs to: the one whose request it is within; or else the only one whose
    /// request is not answered; or else the only one.
    pub(crate) fn route_for(&self, within: Option<u64>) -> Option<Route> {
        let state = self.state();
        if let Some(pending) = within.and_then(|id| state.pending.get(&id)) {
            return pending.of.route.clone();
        }
        let mut routes = state.pending.values().filter_map(|it| it.of.route.as_ref());
        if let Some(first) = routes.next() {
            let is_same = |it: &Route| it.session.number == first.session.number;
            return routes.all(is_same).then(|| first.clone());
        }
        let mut sessions = state.sessions.iter().filter_map(Weak::upgrade);
        let session = sessions.next()?;
        sessions.next().is_none().then(|| Route {
            wants_log: true,
            ..Route::of(session)
        })
    }

    /// Returns the sessions that it serves.
    pub(crate) fn sessions(&self) -> Vec<Arc<Session>> {
        let state = self.state();
        state.sessions.iter().filter_map(Weak::upgrade).collect()
    }

    /// Takes it that the server has no part in the session any more. What it is doing it may still answer.
    pub(crate) fn take_no_more(&self) {
        self.state().is_gone = true;
    }

    /// Whether a request is not answered yet.
    pub(crate) fn awaits(&self, id: u64) -> bool {
        self.state().pending.contains_key(&id)
    }

    /// Takes it that a request is not going to be answered. Every error of a transport comes by here on its way to a
    /// client, to the log and to what is shown of a start that failed.
    pub(crate) fn fail(&self, id: u64, error: CallError) {
        let error = error.scrubbed(&self.scrubber);
        let pending = self.state().pending.remove(&id);
        match pending {
            Some(pending) => {
                let _nobody_waits = pending.answer.send(Err(error));
            }
            None => self.log.add(&format!("({error})"), None),
        }
    }

    /// Takes it that the server has ended: nothing is answered any more.
    pub(crate) fn take_end(&self) {
        let mut state = self.state();
        state.is_gone = true;
        // Each request that waits sees its channel close.
        state.pending.clear();
    }

    /// Returns how a child has ended by itself, for the end of an error. It has closed its output or its input, which it mostly does
    /// by ending.
    pub(crate) async fn end(&self) -> String {
        let Link::Child(running) = &self.link else {
            return String::new();
        };
        let _goes_on = timeout(LAST_WORDS, running.ended()).await;
        let status = running.status();
        status.map_or_else(String::new, |it| format!("; {it}"))
    }

    /// Returns what a child has written to standard error, for the end of an error.
    fn end_of_log(&self) -> String {
        match &self.link {
            Link::Child(_) => self.log.as_end_of_error(self.mark),
            Link::Http(_) => String::new(),
        }
    }

    async fn lost(&self) -> CallError {
        CallError::Lost {
            server: self.server.clone(),
            log: self.end().await + &self.end_of_log(),
        }
    }

    async fn unsent(&self) -> CallError {
        CallError::Unsent {
            server: self.server.clone(),
            log: self.end().await + &self.end_of_log(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns whether a JSON object has a member that is neither absent nor null.
pub(crate) fn has(object: &str, path: &[&str]) -> bool {
    Value::new(object)
        .at(path)
        .is_some_and(|value| !value.is_null())
}
