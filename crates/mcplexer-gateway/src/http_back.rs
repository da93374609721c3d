//! A session with an HTTP server: Streamable HTTP, or else HTTP+SSE of 2024-11-05.
//!
//! Each message is a POST. A request waits for its answer, which is a JSON body or is among the events of the
//! response; if the client does not want it any more, the response is dropped. Messages that belong to no request come
//! on the response to a GET, if the server offers that.

mod answer;
mod back;
mod connector;
mod fields;
mod listen;
mod problem;
mod sse;
mod stream;
mod target;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Method, Uri};
use mcplexer_files::config::Timeouts;
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

pub(crate) use back::Back;
pub(crate) use connector::Tls;

use crate::credentials::Used;
use crate::dialect::Era;
use crate::error::CallError;
use crate::instance::Instance;
use crate::json::Value;
use crate::message::Message;
use crate::mirror::{Mirrored, modern_headers};
use back::{Answered, Outgoing};

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const LAST_EVENT: HeaderName = HeaderName::from_static("last-event-id");

const EVENT_STREAM: &str = "text/event-stream";
const EITHER: &str = "application/json, text/event-stream";

/// How long the end of a session may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// A session with an HTTP server.
#[derive(Debug)]
pub(crate) struct Http(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    back: Arc<Back>,
    timeouts: Timeouts,
    instance: OnceLock<Weak<Instance>>,
    state: Mutex<State>,
    stop: CancellationToken,
    ended: watch::Sender<bool>,
}

#[derive(Default)]
struct State {
    protocol: Protocol,
    /// What the server calls the session.
    session: Option<HeaderValue>,
    version: Option<HeaderValue>,
    /// The parameters that a modern server wants to see in header fields, by tool; or why the tool must not be used.
    tools: HashMap<String, Result<Vec<Mirrored>, String>>,
}

/// Shows no session id, which can be in a URL: who has it can take the session over.
impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// How messages go to the server.
#[derive(Clone, Default, PartialEq, Eq)]
enum Protocol {
    /// It has answered nothing yet.
    #[default]
    Unknown,
    /// Streamable HTTP of the revisions with sessions.
    Legacy,
    /// HTTP+SSE of 2024-11-05: messages go to this URL, and answers come as events.
    Events(Uri),
    /// Streamable HTTP without sessions, since 2026-07-28.
    Modern,
}

impl Http {
    /// Prepares a session. Nothing is sent yet.
    pub(crate) fn new(back: Arc<Back>, timeouts: Timeouts) -> Self {
        Self(Arc::new(Shared {
            back,
            timeouts,
            instance: OnceLock::new(),
            state: Mutex::default(),
            stop: CancellationToken::new(),
            ended: watch::Sender::new(false),
        }))
    }

    /// Says who takes the messages of the server.
    pub(crate) fn attach(&self, instance: &Arc<Instance>) {
        let _only_once = self.0.instance.set(Arc::downgrade(instance));
    }

    /// Takes what protocol was agreed on. To a modern server each message says in header fields what it is.
    pub(crate) fn speak(&self, era: Era, version: &str) {
        let mut state = self.0.state();
        match era {
            Era::Legacy => state.version = HeaderValue::from_str(version).ok(),
            Era::Modern => state.protocol = Protocol::Modern,
        }
    }

    /// Whether each message says in header fields what it is.
    pub(crate) fn is_modern(&self) -> bool {
        self.0.state().protocol == Protocol::Modern
    }

    /// Takes tools of a server, by name and as it wrote them; `are_all` says whether it has no others. Returns those that
    /// turn out now to be ones that must not be used, each with the reason.
    pub(crate) fn learn_tools<'a>(
        &self,
        tools: impl IntoIterator<Item = (&'a str, &'a str)>,
        are_all: bool,
    ) -> Vec<(String, String)> {
        let mut state = self.0.state();
        if state.protocol != Protocol::Modern {
            return Vec::new();
        }
        let mut learnt: HashMap<&str, Result<Vec<Mirrored>, String>> = HashMap::new();
        for (name, tool) in tools {
            // Of several tools of one name, nobody knows which one a call reaches.
            let known = learnt.entry(name).or_insert_with(|| Ok(Vec::new()));
            if known.is_ok() {
                *known = Mirrored::of(tool);
            }
        }
        let is_new = |name: &str, problem: &String| {
            let before = state.tools.get(name).and_then(|it| it.as_ref().err());
            before != Some(problem)
        };
        let invalid = learnt.iter().filter_map(|(name, tool)| {
            let problem = tool.as_ref().err().filter(|it| is_new(name, it))?;
            Some(((*name).to_owned(), problem.clone()))
        });
        let mut invalid: Vec<_> = invalid.collect();
        invalid.sort();
        if are_all {
            state.tools.clear();
        }
        for (name, tool) in learnt {
            match tool {
                Ok(mirrored) if mirrored.is_empty() => drop(state.tools.remove(name)),
                tool => drop(state.tools.insert(name.to_owned(), tool)),
            }
        }
        invalid
    }

    /// Returns why a tool must not be used, if that is so.
    pub(crate) fn unusable_tool(&self, name: &str) -> Option<String> {
        let state = self.0.state();
        state.tools.get(name)?.as_ref().err().cloned()
    }

    /// Returns the secrets that the last request had.
    pub(crate) fn used(&self) -> Option<Arc<[Used]>> {
        self.0.back.fields.last().map(|it| Arc::clone(&it.used))
    }

    /// Sends a message. Returns when it was taken, or answered.
    ///
    /// # Errors
    /// If the session has ended.
    pub(crate) async fn send(
        &self,
        id: u64,
        text: String,
        begun: Option<oneshot::Sender<()>>,
    ) -> Result<(), ()> {
        if let Some(begun) = begun {
            let _nobody_waits = begun.send(());
        }
        self.0.send(id, text).await
    }

    /// Sends a message that nobody waits for.
    pub(crate) fn send_later(&self, text: String) {
        let shared = Arc::clone(&self.0);
        spawn(async move {
            let after = shared.timeouts.call;
            let _late = timeout(after, shared.send(0, text)).await;
        });
    }

    /// Cancels a request whose response was dropped; `text` is the notification that says so to a legacy server.
    pub(crate) fn cancel(&self, text: String) {
        let has_session = matches!(
            self.0.state().protocol,
            Protocol::Legacy | Protocol::Events(_)
        );
        if has_session && !self.0.stop.is_cancelled() {
            self.send_later(text);
        }
    }

    /// Begins to listen to what belongs to no request.
    pub(crate) fn listen(&self) {
        if self.0.state().protocol == Protocol::Legacy {
            spawn(listen::listen(Arc::clone(&self.0)));
        }
    }

    /// Ends the session.
    pub(crate) fn stop(&self) {
        if self.0.stop.is_cancelled() {
            return;
        }
        self.0.stop.cancel();
        if let Some(instance) = self.0.instance() {
            instance.take_end();
        }
        let shared = Arc::clone(&self.0);
        spawn(async move {
            let _late = timeout(PATIENCE, shared.delete()).await;
            shared.ended.send_replace(true);
        });
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(&self) {
        let mut ended = self.0.ended.subscribe();
        let _gone = ended.wait_for(|ended| *ended).await;
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn instance(&self) -> Option<Arc<Instance>> {
        self.instance.get()?.upgrade()
    }

    async fn send(self: &Arc<Self>, id: u64, text: String) -> Result<(), ()> {
        let instance = self.instance().ok_or(())?;
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(()),
            done = self.exchange(&instance, id, text.into()) => {
                if let Err(error) = done {
                    instance.fail(id, error);
                }
                Ok(())
            }
        }
    }

    /// Posts a message.
    async fn post(&self, text: &Bytes) -> Result<Answered, CallError> {
        let protocol = self.state().protocol.clone();
        let fields = match protocol {
            Protocol::Legacy | Protocol::Events(_) => self.state().fields(),
            // Of a message that is not modern, nothing is mirrored.
            Protocol::Modern | Protocol::Unknown => {
                let message = Message::parse(String::from_utf8_lossy(text).into_owned());
                let mirror = |it: Message| self.state().mirror(&it);
                message.map(mirror).unwrap_or_default()
            }
        };
        let uri = match protocol {
            Protocol::Events(uri) => uri,
            _ => self.back.target.uri.clone(),
        };
        let outgoing = Outgoing {
            method: Method::POST,
            uri,
            accept: EITHER,
            fields,
            body: Some(text.clone()),
        };
        self.back.request(outgoing).await
    }

    /// Opens a stream of events; one that was cut goes on after its last event.
    async fn get(&self, after: Option<&str>) -> Result<Answered, CallError> {
        let mut fields = self.state().fields();
        let after = after.and_then(|it| HeaderValue::from_str(it).ok());
        fields.extend(after.map(|it| (LAST_EVENT, it)));
        let outgoing = Outgoing {
            method: Method::GET,
            uri: self.back.target.uri.clone(),
            accept: EVENT_STREAM,
            fields,
            body: None,
        };
        self.back.request(outgoing).await
    }

    /// Ends the session at the server.
    async fn delete(&self) {
        let fields = {
            let state = self.state();
            if state.session.is_none() {
                return;
            }
            state.fields()
        };
        let outgoing = Outgoing {
            method: Method::DELETE,
            uri: self.back.target.uri.clone(),
            accept: EITHER,
            fields,
            body: None,
        };
        // A server need not allow it.
        let _refused = self.back.request(outgoing).await;
    }

    /// Takes it that the server does not know the session any more. What it is doing it may still answer.
    fn lose(&self, instance: &Instance) {
        self.state().session = None;
        instance.take_no_more();
    }
}

impl State {
    /// Returns the fields that each request of the session has.
    fn fields(&self) -> Vec<(HeaderName, HeaderValue)> {
        let session = self.session.iter().map(|it| (SESSION, it.clone()));
        let version = self.version.iter().map(|it| (VERSION, it.clone()));
        session.chain(version).collect()
    }

    /// Returns the fields that a message to a modern server has.
    fn mirror(&self, message: &Message) -> Vec<(HeaderName, HeaderValue)> {
        let mut fields = modern_headers(message);
        let tool = message.param(&["name"]).and_then(Value::as_str);
        let mirrored = tool.and_then(|it| self.tools.get(it.as_ref())?.as_ref().ok());
        let mirrored = mirrored.into_iter().flatten();
        fields.extend(mirrored.filter_map(|it| it.field(message)));
        fields
    }
}

impl Drop for Http {
    fn drop(&mut self) {
        // Nothing goes on for a session that nobody has, here or at the server.
        self.stop();
    }
}

/// Does something in the background. A request may be dropped with the runtime itself, where nothing more is done.
fn spawn(work: impl Future<Output = ()> + Send + 'static) {
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(work);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_modern_request_is_mirrored_and_has_no_session() {
        let tool = r#"{"name":"sql","inputSchema":{"properties":{"region":{"type":"string","x-mcp-header":"Region"}}}}"#;
        let state = State {
            protocol: Protocol::Modern,
            session: Some(HeaderValue::from_static("session")),
            version: Some(HeaderValue::from_static("2025-11-25")),
            tools: HashMap::from([("sql".to_owned(), Mirrored::of(tool))]),
        };
        let call = r#"{"id":1,"method":"tools/call","params":{"name":"sql","arguments":{"region":"us-west1"},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#;
        let fields = state.mirror(&Message::parse(call.to_owned()).unwrap());
        let shown = |(name, value): &(HeaderName, HeaderValue)| {
            format!("{name}: {}", value.to_str().unwrap())
        };
        assert_eq!(
            fields.iter().map(shown).collect::<Vec<_>>(),
            [
                "mcp-protocol-version: 2026-07-28",
                "mcp-method: tools/call",
                "mcp-name: sql",
                "mcp-param-region: us-west1"
            ]
        );
        assert!(!format!("{state:?}").contains("session"));
    }
}
