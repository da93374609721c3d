//! What clients send: each message finds its way by what it asks for.

use std::sync::Arc;

use tokio::task::yield_now;
use tokio_util::sync::CancellationToken;

use crate::bridge;
use crate::dialect::{Era, as_discovered, legacy_dialect, modern_dialect, wants_log};
use crate::error::{CallError, FOREIGN};
use crate::foreign::secret_of_another;
use crate::forward::{forward, refuse};
use crate::hub::Hub;
use crate::instance::Instance;
use crate::json::{self, Splices, Value};
use crate::length::is_long;
use crate::listen;
use crate::lists::ListKind;
use crate::merged;
use crate::message::{self, Kind, Message, NoMessage, Sent};
use crate::outbox::Outbox;
use crate::parked::as_modern_text;
use crate::session::{Endpoint, Question, Route, Session};

/// JSON-RPC 2.0, section 5.1: what was sent is not JSON.
const NOT_JSON: i64 = -32700;
/// It is not a request.
const NOT_RPC: i64 = -32600;
/// There is no such method.
pub(crate) const NO_METHOD: i64 = -32601;
/// The parameters are invalid; also for a tool, a prompt or a resource that nobody has.
pub(crate) const INVALID_PARAMS: i64 = -32602;

impl Hub {
    /// Takes a text from a client; what it asks for goes to the session's outbox. Returns as soon as the next one can be taken.
    pub(crate) async fn receive(self: &Arc<Self>, session: &Arc<Session>, text: String) {
        let outbox = &session.outbox;
        match Sent::read(text, session.takes_batches()).await {
            Ok(Sent::One(message)) => {
                let cancel = CancellationToken::new();
                self.take(session, outbox, message, cancel).await;
            }
            Ok(Sent::Several(messages)) => {
                for message in messages {
                    let cancel = CancellationToken::new();
                    self.take(session, outbox, message, cancel).await;
                    yield_now().await;
                }
            }
            Err(why) => {
                let (code, what) = match why {
                    NoMessage::NotJson => (NOT_JSON, "the message is not JSON"),
                    NoMessage::NotRpc => (NOT_RPC, "the message is not JSON-RPC 2.0"),
                    NoMessage::Batch => (
                        NOT_RPC,
                        "this revision has no batches: send one message at a time",
                    ),
                    NoMessage::Many => (NOT_RPC, &*message::too_many()),
                };
                outbox.push(message::error("null", code, what));
            }
        }
    }

    /// Takes a message from a client; what it asks for goes to `outbox`. If that is not the one of the session, it is closed
    /// behind the answer. Returns as soon as the next one can be taken: only if too much is not answered yet, it waits for answers.
    pub(crate) async fn take(
        self: &Arc<Self>,
        session: &Arc<Session>,
        outbox: &Arc<Outbox>,
        message: Message,
        cancel: CancellationToken,
    ) {
        match message.kind().clone() {
            Kind::Request(method) => {
                let place = match message.text().len() {
                    bytes if is_long(bytes) => session.backlog().place(bytes).await,
                    _ => None,
                };
                let id = message.id().unwrap_or("null").to_owned();
                let key = key_of(Value::new(&id));
                let said = message.text();
                if method == "initialize"
                    && let Some(secret) = self.secret_in_greeting(session, said).await
                {
                    let text =
                        format!("the session was not begun: it has the value of {secret} in it");
                    let refusal = message::error(&id, FOREIGN, &text);
                    return finish(session, outbox, Some(refusal));
                }
                session.begin(&key, &method, cancel.clone());
                if method == "initialize" {
                    session.set_dialect(self.dialects.shared(legacy_dialect(&message)));
                }
                let route = route_of(session, outbox, &message, cancel);
                let hub = Arc::clone(self);
                tokio::spawn(async move {
                    let answer = hub.answer(&route, &method, &message).await;
                    match answer {
                        Ok(answer) => finish(&route.session, &route.outbox, Some(answer)),
                        // Nobody waits for the answer to a cancelled request.
                        Err(CallError::Cancelled) => finish(&route.session, &route.outbox, None),
                        Err(error) => {
                            finish(&route.session, &route.outbox, Some(error.answer(&id)));
                        }
                    }
                    drop((message, place));
                    // Behind the answer: a session that ends waits for what has not ended.
                    route.session.end(&key);
                });
            }
            Kind::Notification(method) => {
                self.take_notification(session, &method, message).await;
            }
            Kind::Response => match message.id().and_then(|id| session.answered(id)) {
                Some(Question::Server { from, id, .. }) => {
                    let sees =
                        |it: &Arc<Instance>| self.server_for(&session.peer, &it.server).is_some();
                    if let Some(instance) = from.upgrade().filter(sees) {
                        let text = self.allowed(&instance, &message, &id).await;
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

    /// Returns the answer of a client to a question of a server as the server gets it. One with a value of another server is
    /// withheld, which no error can tell the client: it is in the log.
    async fn allowed(&self, instance: &Instance, answer: &Message, id: &str) -> String {
        let Some(secret) = secret_of_another(&self.running(), instance, answer.text()).await else {
            return answer.with_id(id);
        };
        let line = format!(
            "(an answer of the client was not passed on: it has the value of {secret} in it)"
        );
        instance.log(&line);
        let text =
            "the answer was not passed on: it has a secret in it that this server is not given";
        message::error(id, FOREIGN, text)
    }

    async fn take_notification(&self, session: &Arc<Session>, method: &str, message: Message) {
        let mut to = self.instances_for(session);
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
                to.retain(|it| Arc::ptr_eq(it, &from));
            }
            _ => {}
        }
        let text = text.unwrap_or_else(|| message.into_text());
        let running = self.running();
        for instance in to {
            if let Some(secret) = secret_of_another(&running, &instance, &text).await {
                // No error can tell the client.
                let what = "a notification of the client was not passed on";
                instance.log(&format!("({what}: it has the value of {secret} in it)"));
                continue;
            }
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
                ("subscriptions/listen", true) => {
                    Box::pin(listen::listen(self, route, message)).await?
                }
                _ => Box::pin(merged::answer(self, route, method, message)).await?,
            };
            return Ok(match route.is_modern() {
                true => as_modern_text(answer),
                false => answer,
            });
        };
        let Some(server) = self.server_for(&route.session.peer, name) else {
            self.note_hidden(&route.session.peer, |it| it == name);
            let none = Splices::default();
            let refused = refuse(self, None, route, method, message, &none);
            Box::pin(refused).await?;
            return Ok(message::no_server(id, name));
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
            let instance = server.instance(route).await?.instance;
            let said = message.text();
            if let Some(secret) = secret_of_another(&self.running(), &instance, said).await {
                let server = instance.server.clone();
                return Err(CallError::Foreign { server, secret });
            }
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
                    return Box::pin(listen::listen(self, route, message)).await;
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
            if method == "resources/unsubscribe" && is_still_wanted(route, &uri) {
                return Ok(message::result(id, "{}"));
            }
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
            Endpoint::One(server) => {
                let server = self.server_for(&session.peer, server)?;
                (server, name.into_owned())
            }
            Endpoint::All => {
                let named = merged::named(self, &route, ListKind::Tools, &name).await;
                named.ok()?
            }
        };
        let tools = server.list(ListKind::Tools, &route).await.ok()?;
        let tool = tools.iter().find(|it| it.key == name)?;
        tool.text
            .contains("x-mcp-header")
            .then(|| tool.text.clone())
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

/// Whether another client of the same instance wants to know of changes of a resource.
pub(crate) fn is_still_wanted(route: &Route, uri: &str) -> bool {
    let instances = route.session.instances();
    let sessions = instances.iter().flat_map(|it| it.sessions());
    let mut others = sessions.filter(|it| it.number != route.session.number);
    others.any(|it| it.has_subscribed(uri))
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

fn finish(session: &Arc<Session>, outbox: &Arc<Outbox>, answer: Option<String>) {
    match (Arc::ptr_eq(outbox, &session.outbox), answer) {
        (true, Some(answer)) => outbox.push(answer),
        (true, None) => {}
        // It is there for this request.
        (false, answer) => outbox.answer(answer),
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use mcplexer_files::config::Config;
    use mcplexer_home::{Home, OpenHome};
    use mcplexer_secrets::keys::PassphraseRequest;

    use super::*;
    use crate::options::Options;
    use crate::session::Peer;

    #[tokio::test]
    async fn a_long_request_waits_while_too_much_is_not_answered() {
        let directory = tempfile::tempdir().unwrap();
        let nobody = |_: &PassphraseRequest<'_>| None;
        let home = OpenHome::open(Home::at(directory.path().join("home")), nobody).unwrap();
        let hub = Hub::new(Arc::new(home), &Config::default(), &Options::default());
        let session = hub.open(Endpoint::All, Peer::default());
        let take = |padding: usize| {
            let params = format!(r#"{{"x":"{}"}}"#, "y".repeat(padding));
            let message = Message::parse(message::request("1", "ping", &params)).unwrap();
            hub.take(&session, &session.outbox, message, CancellationToken::new())
        };
        let backlog = session.backlog().place(usize::MAX).await;
        take(10).await;
        let mut long = pin!(take(100_000));
        let mut context = Context::from_waker(Waker::noop());
        assert!(long.as_mut().poll(&mut context).is_pending());
        assert!(session.outbox.next().await.is_some());
        drop(backlog);
        long.await;
        assert!(session.outbox.next().await.is_some());
        session.answered_all().await;
        assert!(session.backlog().place(usize::MAX).await.is_some());
    }

    /// It is moved and wiped with each call.
    #[test]
    fn the_work_of_a_call_is_small() {
        let directory = tempfile::tempdir().unwrap();
        let nobody = |_: &PassphraseRequest<'_>| None;
        let home = OpenHome::open(Home::at(directory.path().join("home")), nobody).unwrap();
        let hub = Hub::new(Arc::new(home), &Config::default(), &Options::default());
        let session = hub.open(Endpoint::All, Peer::default());
        let message = Message::parse(message::request("1", "tools/call", "{}")).unwrap();
        let route = route_of(
            &session,
            &session.outbox,
            &message,
            CancellationToken::new(),
        );
        let size = size_of_val(&hub.answer(&route, "tools/call", &message));
        assert!(size < 4096, "{size} bytes");
    }
}
