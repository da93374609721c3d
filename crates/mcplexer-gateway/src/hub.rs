//! Where clients and servers meet: each message finds its way by what it asks for.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};

use mcplexer_files::config::{self, Config, ServerName};
use mcplexer_home::OpenHome;
use tokio_util::sync::CancellationToken;

use crate::bridge;
use crate::context::{Context, Limits};
use crate::dialect::{Era, as_discovered, legacy_dialect, modern_dialect, wants_log};
use crate::error::CallError;
use crate::forward::forward;
use crate::instance::Instance;
use crate::json::{self, Splices, Value};
use crate::listen::{self, Listeners};
use crate::lists::ListKind;
use crate::merged;
use crate::message::{self, Kind, Message, NoMessage};
use crate::outbox::Outbox;
use crate::parked::{Parking, as_modern_text};
use crate::server::{Server, lock};
use crate::session::{Endpoint, Peer, Question, Route, Session};
use crate::token::Sealer;

/// JSON-RPC 2.0, section 5.1: what was sent is not JSON.
const NOT_JSON: i64 = -32700;
/// It is not a request.
const NOT_RPC: i64 = -32600;
/// There is no such method.
pub(crate) const NO_METHOD: i64 = -32601;
/// The parameters are invalid; also for a tool, a prompt or a resource that nobody has.
pub(crate) const INVALID_PARAMS: i64 = -32602;

/// All clients and servers.
#[derive(Debug)]
pub(crate) struct Hub {
    context: Arc<Context>,
    servers: Mutex<BTreeMap<ServerName, Arc<Server>>>,
    clients: Mutex<BTreeMap<ServerName, config::Client>>,
    sessions: Mutex<HashMap<u64, Weak<Session>>>,
    next_session: AtomicU64,
    sealer: Arc<Sealer>,
    pub(crate) parking: Parking,
    pub(crate) listeners: Listeners,
    pub(crate) merged: merged::Tables,
}

impl Hub {
    pub(crate) fn new(home: Arc<OpenHome>, config: &Config, limits: Limits) -> Arc<Self> {
        let context = Arc::new(Context::new(home, limits));
        let hub = Arc::new(Self {
            context: Arc::clone(&context),
            servers: Mutex::default(),
            clients: Mutex::default(),
            sessions: Mutex::default(),
            next_session: AtomicU64::new(1),
            sealer: Arc::new(Sealer::random()),
            parking: Parking::default(),
            listeners: Listeners::default(),
            merged: merged::Tables::default(),
        });
        context.set_hub(Arc::downgrade(&hub));
        hub.configure(config);
        hub
    }

    /// Returns what seals texts that clients keep.
    pub(crate) fn sealer(&self) -> Arc<Sealer> {
        Arc::clone(&self.sealer)
    }

    pub(crate) fn limits(&self) -> Limits {
        self.context.limits
    }

    /// Takes a configuration. Servers that are in it as they were go on.
    pub(crate) fn configure(&self, config: &Config) {
        *lock(&self.clients) = config.clients.clone();
        let mut servers = lock(&self.servers);
        let mut before = std::mem::take(&mut *servers);
        for (name, definition) in &config.servers {
            if definition.disabled {
                continue;
            }
            let server = match before.remove(name) {
                Some(same) if same.definition == *definition => same,
                other => {
                    before.extend(other.map(|it| (name.clone(), it)));
                    let (name, definition) = (name.clone(), definition.clone());
                    Server::new(name, definition, Arc::clone(&self.context))
                }
            };
            servers.insert(name.clone(), server);
        }
        drop(servers);
        let has_changed = !before.is_empty();
        before.values().for_each(|it| it.stop());
        self.merged.forget();
        if has_changed {
            ListKind::ALL
                .into_iter()
                .for_each(|kind| self.tell_all(kind));
        }
    }

    /// Returns a server.
    pub(crate) fn server(&self, name: &ServerName) -> Option<Arc<Server>> {
        lock(&self.servers).get(name).cloned()
    }

    /// Returns every server that a client sees, in the order of their names.
    pub(crate) fn servers_for(&self, peer: &Peer) -> Vec<Arc<Server>> {
        let client = self.client(peer);
        let servers = lock(&self.servers);
        let sees = |name: &ServerName| {
            let only = client.servers.as_ref();
            only.is_none_or(|only| only.contains(name))
        };
        let seen = servers.iter().filter(|(name, _)| sees(name));
        seen.map(|(_, server)| Arc::clone(server)).collect()
    }

    /// Returns what is configured for a client.
    pub(crate) fn client(&self, peer: &Peer) -> config::Client {
        let clients = lock(&self.clients);
        let name = peer
            .name
            .as_deref()
            .and_then(|it| it.parse::<ServerName>().ok());
        let client = name.and_then(|name| clients.get(&name));
        client.cloned().unwrap_or_default()
    }

    /// Begins a session.
    pub(crate) fn open(&self, endpoint: Endpoint, peer: Peer) -> Arc<Session> {
        let number = self.next_session.fetch_add(1, Ordering::Relaxed);
        let session = Session::new(number, endpoint, peer);
        lock(&self.sessions).insert(number, Arc::downgrade(&session));
        session
    }

    /// Ends a session.
    pub(crate) fn close(&self, session: &Session) {
        lock(&self.sessions).remove(&session.number);
        session.close();
    }

    fn sessions(&self) -> Vec<Arc<Session>> {
        let sessions = lock(&self.sessions);
        sessions.values().filter_map(Weak::upgrade).collect()
    }

    /// Ends every server; waits until they have ended.
    pub(crate) async fn stop(&self) {
        let servers: Vec<_> = std::mem::take(&mut *lock(&self.servers))
            .into_values()
            .collect();
        let instances: Vec<_> = servers.iter().flat_map(|it| it.instances()).collect();
        servers.iter().for_each(|it| it.stop());
        for instance in instances {
            instance.ended().await;
        }
    }

    /// Ends servers that have had nothing to do for long, and forgets sessions that are gone.
    pub(crate) fn stop_idle(&self) {
        lock(&self.sessions).retain(|_, session| session.strong_count() > 0);
        self.parking.sweep();
        lock(&self.servers).values().for_each(|it| it.stop_idle());
    }

    /// Takes a text from a client. Returns at once; what it asks for goes to the session's outbox.
    pub(crate) fn receive(self: &Arc<Self>, session: &Arc<Session>, text: String) {
        let outbox = &session.outbox;
        match Message::parse(text) {
            Ok(message) => {
                let cancel = CancellationToken::new();
                self.take(session, outbox, message, cancel);
            }
            Err(why) => {
                let (code, what) = match why {
                    NoMessage::NotJson => (NOT_JSON, "the message is not JSON"),
                    NoMessage::NotRpc => (NOT_RPC, "the message is not JSON-RPC 2.0"),
                    NoMessage::Batch => (
                        NOT_RPC,
                        "batches are not supported: send one message at a time",
                    ),
                };
                outbox.push(message::error("null", code, what));
            }
        }
    }

    /// Takes a message from a client. Returns at once; what it asks for goes to `outbox`. If that is not the one of the
    /// session, it is closed behind the answer.
    pub(crate) fn take(
        self: &Arc<Self>,
        session: &Arc<Session>,
        outbox: &Arc<Outbox>,
        message: Message,
        cancel: CancellationToken,
    ) {
        match message.kind().clone() {
            Kind::Request(method) => {
                let id = message.id().unwrap_or("null").to_owned();
                let key = key_of(Value::new(&id));
                session.begin(&key, cancel.clone());
                if method == "initialize" {
                    session.set_dialect(legacy_dialect(&message));
                }
                let route = route_of(session, outbox, &message, cancel);
                let hub = Arc::clone(self);
                tokio::spawn(async move {
                    let answer = hub.answer(&route, &method, &message).await;
                    route.session.end(&key);
                    match answer {
                        Ok(answer) => finish(&route.session, &route.outbox, answer),
                        // Nobody waits for the answer to a cancelled request.
                        Err(CallError::Cancelled) => leave(&route.session, &route.outbox),
                        Err(error) => finish(&route.session, &route.outbox, error.answer(&id)),
                    }
                });
            }
            Kind::Notification(method) => self.take_notification(session, &method, message),
            Kind::Response => match message.id().and_then(|id| session.answered(id)) {
                Some(Question::Server { from, id, .. }) => {
                    let text = message.with_id(&id);
                    if let Some(instance) = from.upgrade() {
                        tokio::spawn(async move { instance.pass(text).await });
                    }
                }
                Some(Question::Gateway(answer)) => {
                    let _nobody_waits = answer.send(message);
                }
                None => {}
            },
        }
    }

    fn take_notification(&self, session: &Arc<Session>, method: &str, message: Message) {
        let mut to = session.instances();
        let mut text = None;
        match method {
            // Each server was told when it was greeted.
            "notifications/initialized" => return,
            "notifications/cancelled" => {
                if let Some(id) = message.param(&["requestId"]) {
                    session.cancel(&key_of(id));
                }
                return;
            }
            "notifications/progress" => {
                let token = message.param(&["progressToken"]);
                let Some((token, (from, servers))) =
                    token.and_then(|it| Some((it, session.progress_on(it.text())?)))
                else {
                    return;
                };
                let mut splices = Splices::default();
                splices.replace(token, servers);
                text = Some(splices.apply(message.text()));
                to = vec![from];
            }
            _ => {}
        }
        let text = text.unwrap_or_else(|| message.into_text());
        for instance in to {
            let text = text.clone();
            tokio::spawn(async move { instance.pass(text).await });
        }
    }

    /// Answers a request.
    async fn answer(
        self: &Arc<Self>,
        route: &Route,
        method: &str,
        message: &Message,
    ) -> Result<String, CallError> {
        let id = message.id().unwrap_or("null");
        match (method, route.is_modern()) {
            ("ping", false) => return Ok(message::result(id, "{}")),
            (
                "initialize"
                | "ping"
                | "logging/setLevel"
                | "resources/subscribe"
                | "resources/unsubscribe",
                true,
            ) => {
                let text = format!("the revision that this request is of has no method {method}");
                return Ok(message::error(id, NO_METHOD, &text));
            }
            _ => {}
        }
        let Endpoint::One(name) = &route.session.endpoint else {
            let answer = match (method, route.is_modern()) {
                ("subscriptions/listen", true) => listen::listen(self, route, message).await?,
                _ => merged::answer(self, route, method, message).await?,
            };
            return Ok(match route.is_modern() {
                true => as_modern_text(answer),
                false => answer,
            });
        };
        let Some(server) = self.server(name) else {
            let text = format!("there is no server {name}; mcplexer server list shows them");
            return Ok(message::error(id, INVALID_PARAMS, &text));
        };
        let greeting = matches!(
            method,
            "initialize"
                | "server/discover"
                | "logging/setLevel"
                | "subscriptions/listen"
                | "resources/subscribe"
                | "resources/unsubscribe"
        );
        if greeting {
            let instance = server.instance(route).await?;
            let hello = instance.hello().unwrap_or_else(|| "{}".into());
            match (method, instance.era()) {
                ("initialize", Era::Legacy) => return Ok(message::result(id, &hello)),
                ("initialize", Era::Modern) => {
                    let version = route.dialect.as_ref().map_or("", |it| it.version.as_str());
                    return Ok(message::result(id, &bridge::as_hello(&hello, version)));
                }
                ("server/discover", Era::Legacy) => {
                    return Ok(message::result(id, &as_discovered(&hello)));
                }
                ("subscriptions/listen", Era::Legacy) => {
                    return listen::listen(self, route, message).await;
                }
                (_, Era::Modern) => {
                    if let Some(answer) = bridge::own_answer(&instance, route, method, message) {
                        return Ok(answer);
                    }
                }
                _ => {}
            }
        }
        if let Some(uri) = message.param(&["uri"]).and_then(Value::as_str) {
            note_subscription(route, method, &uri);
        }
        let answer = forward(self, &server, route, method, message, Splices::default).await?;
        Ok(answer.message.with_id(id))
    }

    /// Returns how a server describes the tool that is called, if it is one whose arguments are repeated elsewhere.
    pub(crate) async fn tool(
        self: &Arc<Self>,
        session: &Arc<Session>,
        message: &Message,
    ) -> Option<String> {
        if *message.kind() != Kind::Request("tools/call".to_owned()) {
            return None;
        }
        let name = message.param(&["name"])?.as_str()?;
        let route = route_of(session, &session.outbox, message, CancellationToken::new());
        let (server, name) = match &session.endpoint {
            Endpoint::One(server) => (self.server(server)?, name.into_owned()),
            Endpoint::All => merged::named(self, &route, ListKind::Tools, &name).await?,
        };
        let tools = server.list(ListKind::Tools, &route).await.ok()?;
        let tool = tools.iter().find(|it| it.key == name)?;
        tool.text
            .contains("x-mcp-header")
            .then(|| tool.text.clone())
    }

    /// A list of a server is another one.
    pub(crate) fn changed(&self, server: &ServerName, kind: ListKind) {
        self.merged.forget();
        let is_concerned = |session: &Arc<Session>| {
            session.endpoint == Endpoint::All
                && self
                    .client(&session.peer)
                    .servers
                    .is_none_or(|it| it.contains(server))
        };
        for session in self.sessions().into_iter().filter(is_concerned) {
            tell(&session, kind);
        }
        let at = |route: &Route| is_concerned(&route.session);
        self.listeners.list_changed(at, kind);
    }

    fn tell_all(&self, kind: ListKind) {
        let is_merged = |session: &Arc<Session>| session.endpoint == Endpoint::All;
        let sessions = self.sessions().into_iter().filter(is_merged);
        sessions.for_each(|session| tell(&session, kind));
        self.listeners
            .list_changed(|route| is_merged(&route.session), kind);
    }

    /// A server says something to its clients.
    pub(crate) fn notified(
        &self,
        server: &Arc<Server>,
        from: &Arc<Instance>,
        method: &str,
        message: Message,
        within: Option<u64>,
    ) {
        let sessions = from.sessions();
        let only_one =
            |session: &Arc<Session>| session.endpoint == Endpoint::One(server.name.clone());
        let here = |route: &Route| only_one(&route.session);
        if method == "notifications/resources/updated" {
            let uri = message.param(&["uri"]).and_then(Value::as_str);
            let uri = uri.unwrap_or_default().into_owned();
            for session in sessions.iter().filter(|it| it.has_subscribed(&uri)) {
                let about = Some(format!("{method} {uri}"));
                session.outbox.notify(message.text().to_owned(), about);
            }
            let at = |route: &Route| here(route) || route.session.endpoint == Endpoint::All;
            self.listeners.resource_changed(at, &uri);
        } else if !ListKind::of_changed(method).is_empty() {
            // Clients of all servers hear of it when the merged list is another one.
            for session in sessions.iter().filter(|it| only_one(it)) {
                let about = Some(method.to_owned());
                session.outbox.notify(message.text().to_owned(), about);
            }
            for kind in ListKind::of_changed(method) {
                self.listeners.list_changed(here, *kind);
            }
        } else if let Some(route) = from.route_for(within) {
            route.outbox.notify(message.into_text(), None);
        }
    }
}

/// Remembers that a client wants to know of changes of a resource, or does not any more.
pub(crate) fn note_subscription(route: &Route, method: &str, uri: &str) {
    match method {
        "resources/subscribe" => route.session.subscribe(uri, true),
        "resources/unsubscribe" => route.session.subscribe(uri, false),
        _ => {}
    }
}

fn tell(session: &Session, kind: ListKind) {
    if session.dialect().is_some() {
        let text = message::notification(kind.changed(), None);
        session.outbox.notify(text, Some(kind.changed().to_owned()));
    }
}

/// Returns where what comes of a request goes.
fn route_of(
    session: &Arc<Session>,
    outbox: &Arc<Outbox>,
    message: &Message,
    cancel: CancellationToken,
) -> Route {
    let modern = modern_dialect(message).map(Arc::new);
    Route {
        session: Arc::clone(session),
        dialect: modern.or_else(|| session.dialect()),
        outbox: Arc::clone(outbox),
        cancel,
        parking: None,
        wants_log: wants_log(message),
    }
}

/// Returns an id so that each way of writing it is the same.
fn key_of(id: Value<'_>) -> String {
    match id.as_str() {
        Some(text) => json::string(&text),
        None => id.text().to_owned(),
    }
}

fn finish(session: &Arc<Session>, outbox: &Arc<Outbox>, answer: String) {
    match Arc::ptr_eq(outbox, &session.outbox) {
        true => outbox.push(answer),
        false => outbox.finish(answer),
    }
}

/// Closes an outbox that is there for one request.
fn leave(session: &Arc<Session>, outbox: &Arc<Outbox>) {
    if !Arc::ptr_eq(outbox, &session.outbox) {
        outbox.close();
    }
}
