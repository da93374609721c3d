//! Subscriptions of clients without a session that the gateway keeps itself: to changes of merged lists, and to what a
//! server with sessions says (MCP 2026-07-28, "Subscriptions").

use std::sync::{Arc, Mutex};

use crate::error::CallError;
use crate::foreign::secret_of_another;
use crate::hub::Hub;
use crate::instance::SUBSCRIPTION_ID;
use crate::json::string;
use crate::lists::ListKind;
use crate::message::{self, Message};
use crate::server::lock;
use crate::session::{Endpoint, Route};

/// The subscriptions.
#[derive(Debug, Default)]
pub(crate) struct Listeners(Mutex<Vec<Listener>>);

#[derive(Debug)]
struct Listener {
    route: Route,
    /// The id of the request, as the client wrote it.
    id: String,
    kinds: Vec<ListKind>,
    uris: Vec<String>,
}

impl Listeners {
    /// Tells those that listen at an endpoint that a list is another one.
    pub(crate) fn list_changed(&self, at: impl Fn(&Route) -> bool, kind: ListKind) {
        for listener in lock(&self.0).iter() {
            if listener.kinds.contains(&kind) && at(&listener.route) {
                listener.tell(kind.changed(), "");
            }
        }
    }

    /// Tells those that listen at an endpoint that a resource is another one.
    pub(crate) fn resource_changed(&self, at: impl Fn(&Route) -> bool, uri: &str) {
        for listener in lock(&self.0).iter() {
            if listener.uris.iter().any(|it| it == uri) && at(&listener.route) {
                let uri = format!(r#","uri":{}"#, string(uri));
                listener.tell("notifications/resources/updated", &uri);
            }
        }
    }
}

impl Listener {
    fn tell(&self, method: &str, more: &str) {
        let params = format!(r#"{{"_meta":{{"{SUBSCRIPTION_ID}":{}}}{more}}}"#, self.id);
        let text = message::notification(method, Some(&params));
        self.route
            .outbox
            .notify(text, Some(format!("{method}{more}")));
    }
}

/// Keeps a subscription until it is cancelled.
pub(crate) async fn listen(
    hub: &Arc<Hub>,
    route: &Route,
    message: &Message,
) -> Result<String, CallError> {
    let id = message.id().unwrap_or("null").to_owned();
    let wants = |name: &str| {
        let value = message.param(&["notifications", name]);
        value.is_some_and(|it| it.text() == "true")
    };
    let mut kinds = Vec::new();
    let mut agreed = Vec::new();
    for (name, of) in [
        ("toolsListChanged", &[ListKind::Tools][..]),
        ("promptsListChanged", &[ListKind::Prompts]),
        ("resourcesListChanged", &[ListKind::Resources]),
    ] {
        if wants(name) {
            kinds.extend_from_slice(of);
            agreed.push(format!(r#""{name}":true"#));
        }
    }
    let uris = message.param(&["notifications", "resourceSubscriptions"]);
    let uris = uris.and_then(|it| it.elements().ok()).unwrap_or_default();
    let uris: Vec<String> = uris
        .into_iter()
        .filter_map(|it| Some(it.as_str()?.into_owned()))
        .collect();
    if !uris.is_empty() {
        let list: Vec<String> = uris.iter().map(|it| string(it)).collect();
        agreed.push(format!(r#""resourceSubscriptions":[{}]"#, list.join(",")));
    }
    let params = format!(
        r#"{{"_meta":{{"{SUBSCRIPTION_ID}":{id}}},"notifications":{{{}}}}}"#,
        agreed.join(",")
    );
    let acknowledged = "notifications/subscriptions/acknowledged";
    route
        .outbox
        .push(message::notification(acknowledged, Some(&params)));
    lock(&hub.listeners.0).push(Listener {
        route: route.clone(),
        id: id.clone(),
        kinds,
        uris: uris.clone(),
    });
    for uri in &uris {
        subscribe(hub, route, uri).await;
    }
    route.cancel.cancelled().await;
    let is_it = |it: &Listener| it.id == id && it.route.session.number == route.session.number;
    lock(&hub.listeners.0).retain(|it| !is_it(it));
    Err(CallError::Cancelled)
}

/// Subscribes to a resource at the server that has it.
async fn subscribe(hub: &Arc<Hub>, route: &Route, uri: &str) {
    let owner = match &route.session.endpoint {
        Endpoint::One(name) => {
            let server = hub.server_for(&route.session.peer, name);
            server.map(|it| (it, uri.to_owned()))
        }
        Endpoint::All => crate::merged::owner(hub, route, uri).await.ok(),
    };
    if let Some((server, uri)) = owner
        && let Ok(served) = server.instance(route).await
    {
        if let Some(secret) = secret_of_another(&hub.running(), &served.instance, &uri).await {
            let what = "a subscription of the client was not passed on";
            let line = format!("({what}: it has the value of {secret} in it)");
            return served.instance.log(&line);
        }
        let params = format!(r#"{{"uri":{}}}"#, string(&uri));
        let _not_every_server_can = served.instance.ask("resources/subscribe", &params).await;
    }
}
