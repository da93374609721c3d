//! Where clients and servers meet: each message finds its way by what it asks for.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};

use mcplexer_files::config::{self, Config, ServerName};
use mcplexer_home::OpenHome;

use crate::calls::Calls;
use crate::context::{Context, Limits};
use crate::dialect::Dialects;
use crate::foreign::{secret_of_another, secret_of_any};
use crate::instance::Instance;
use crate::json::Value;
use crate::listen::Listeners;
use crate::lists::ListKind;
use crate::merged;
use crate::message::{self, Message};
use crate::options::Options;
use crate::parked::Parking;
use crate::server::{Server, lock};
use crate::session::{Endpoint, Peer, Route, Session};
use crate::status::{ClientStatus, ServerStatus};
use crate::tasks::Tasks;
use crate::token::Sealer;

/// All clients and servers.
#[derive(Debug)]
pub(crate) struct Hub {
    context: Arc<Context>,
    servers: Mutex<BTreeMap<ServerName, Arc<Server>>>,
    clients: Mutex<BTreeMap<ServerName, config::Client>>,
    sessions: Mutex<HashMap<u64, Weak<Session>>>,
    next_session: AtomicU64,
    /// Whether eager servers start when they are configured, and not with their first client.
    starts_eager: AtomicBool,
    sealer: Arc<Sealer>,
    pub(crate) parking: Parking,
    pub(crate) listeners: Listeners,
    pub(crate) tasks: Tasks,
    pub(crate) dialects: Dialects,
    pub(crate) merged: merged::Tables,
}

impl Hub {
    pub(crate) fn new(home: Arc<OpenHome>, config: &Config, options: &Options) -> Arc<Self> {
        let context = Arc::new(Context::new(home, options));
        let key = options.sealing_key.as_ref();
        let sealer = key.map_or_else(Sealer::random, |key| Sealer::new(key.expose()));
        let hub = Arc::new(Self {
            context: Arc::clone(&context),
            servers: Mutex::default(),
            clients: Mutex::default(),
            sessions: Mutex::default(),
            next_session: AtomicU64::new(1),
            starts_eager: AtomicBool::new(false),
            sealer: Arc::new(sealer),
            parking: Parking::default(),
            listeners: Listeners::default(),
            tasks: Tasks::default(),
            dialects: Dialects::default(),
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

    pub(crate) fn calls(&self) -> &Calls {
        &self.context.calls
    }

    /// Returns what runs, of all servers.
    pub(crate) fn running(&self) -> Vec<Arc<Instance>> {
        let servers = lock(&self.servers);
        servers.values().flat_map(|it| it.instances()).collect()
    }

    /// Returns the secret whose value is in what a client says of itself, unless it is one of the only server that it is
    /// connected to. Each server hears of its clients when it is greeted.
    pub(crate) async fn secret_in_greeting(&self, session: &Session, said: &str) -> Option<String> {
        let running = self.running();
        let own = match &session.endpoint {
            Endpoint::One(name) => running.iter().find(|it| it.server == *name),
            Endpoint::All => None,
        };
        match own {
            Some(own) => secret_of_another(&running, own, said).await,
            None => secret_of_any(&running, said).await,
        }
    }

    pub(crate) fn limits(&self) -> Limits {
        self.context.limits
    }

    /// Takes a configuration. Servers that are in it as they were go on.
    pub(crate) fn configure(&self, config: &Config) {
        *lock(&self.clients) = config.clients.clone();
        let mut servers = lock(&self.servers);
        let mut before = std::mem::take(&mut *servers);
        let mut has_changed = false;
        for (name, definition) in &config.servers {
            if definition.disabled {
                continue;
            }
            let server = match before.remove(name) {
                Some(same) if same.definition == *definition => same,
                other => {
                    has_changed = true;
                    before.extend(other.map(|it| (name.clone(), it)));
                    let (name, definition) = (name.clone(), definition.clone());
                    let server = Server::new(name, definition, Arc::clone(&self.context));
                    if self.starts_eager.load(Ordering::Relaxed) {
                        server.start_if_eager(None);
                    }
                    server
                }
            };
            servers.insert(name.clone(), server);
        }
        if servers.is_empty() {
            self.context.log.say(match config.servers.is_empty() {
                true => "no servers in config.yaml; mcplexer server add adds one",
                false => "all servers in config.yaml are disabled",
            });
        }
        drop(servers);
        has_changed |= !before.is_empty();
        before.values().for_each(|it| it.retire());
        self.merged.forget();
        if has_changed {
            ListKind::ALL
                .into_iter()
                .for_each(|kind| self.tell_all(kind));
        }
    }

    /// Starts eager servers: those that are configured now, and later ones when they are.
    pub(crate) fn start_eager(&self) {
        self.starts_eager.store(true, Ordering::Relaxed);
        let servers = lock(&self.servers);
        servers.values().for_each(|it| it.start_if_eager(None));
    }

    /// Starts eager servers for a client that has just said what it speaks.
    pub(crate) fn start_eager_for(&self, route: &Route) {
        for server in self.servers_for(&route.session.peer) {
            server.start_if_eager(Some(route));
        }
    }

    /// Returns a server, for the user's own commands. What a client asks for is found with [`Self::server_for`].
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

    /// Returns a server, if a client sees it: one that it does not see is like one that does not exist.
    pub(crate) fn server_for(&self, peer: &Peer, name: &ServerName) -> Option<Arc<Server>> {
        self.server(name).filter(|_| self.sees(peer, name))
    }

    /// Writes into the log that a client asks for a server which `config.yaml` keeps from it. The client is not told, so
    /// that it does not learn which servers there are.
    pub(crate) fn note_hidden(&self, peer: &Peer, is_meant: impl Fn(&ServerName) -> bool) {
        let servers: Vec<_> = lock(&self.servers).keys().cloned().collect();
        let hidden = servers
            .iter()
            .find(|it| is_meant(it) && !self.sees(peer, it));
        if let (Some(server), Some(client)) = (hidden, peer.name.as_deref()) {
            let text = format!(
                "refused to client {client}: clients in config.yaml does not list this server for it"
            );
            self.context.log.of_server(server, &text);
        }
    }

    /// Returns the server that a name is probably of: the one with the longest name, of those that the client sees. What is
    /// recorded of a name tells nobody which other servers there are.
    pub(crate) fn server_like(
        &self,
        peer: &Peer,
        is_meant: impl Fn(&ServerName) -> bool,
    ) -> Option<ServerName> {
        let servers: Vec<_> = lock(&self.servers).keys().cloned().collect();
        let meant = servers
            .into_iter()
            .filter(|it| is_meant(it) && self.sees(peer, it));
        meant.max_by_key(|it| it.as_str().len())
    }

    /// Whether a client may use a server with this name.
    fn sees(&self, peer: &Peer, name: &ServerName) -> bool {
        let clients = lock(&self.clients);
        let client = peer.name.as_deref().and_then(|it| it.parse().ok());
        let client = client.and_then(|it: ServerName| clients.get(&it));
        let only = client.and_then(|it| it.servers.as_ref());
        only.is_none_or(|only| only.contains(name))
    }

    /// Returns the instances that serve a session, of the servers that its client sees: a configuration may have taken one
    /// away since the session began.
    pub(crate) fn instances_for(&self, session: &Session) -> Vec<Arc<Instance>> {
        let mut instances = session.instances();
        instances.retain(|it| self.sees(&session.peer, &it.server));
        instances
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

    /// Whether a request is not answered.
    pub(crate) fn is_busy(&self) -> bool {
        self.sessions().iter().any(|it| it.is_busy())
    }

    /// Says what each server does.
    pub(crate) fn server_status(&self) -> Vec<ServerStatus> {
        lock(&self.servers).values().map(|it| it.status()).collect()
    }

    /// Says why the store is read from its copy, if it is.
    pub(crate) fn store_problem(&self) -> Option<String> {
        self.context.store_problem()
    }

    /// Says which clients are connected.
    pub(crate) fn client_status(&self) -> Vec<ClientStatus> {
        let mut clients: Vec<ClientStatus> = Vec::new();
        for session in self.sessions() {
            let client = ClientStatus {
                servers: self.client(&session.peer).servers,
                ..session.client_status()
            };
            let is_same = |it: &&mut ClientStatus| {
                let sessions = client.sessions;
                ClientStatus {
                    sessions,
                    ..(**it).clone()
                } == client
            };
            match clients.iter_mut().find(is_same) {
                Some(known) => known.sessions += 1,
                None => clients.push(client),
            }
        }
        clients.sort();
        clients
    }

    /// Ends every server; waits until they have ended.
    pub(crate) async fn stop(&self) {
        let servers: Vec<_> = std::mem::take(&mut *lock(&self.servers))
            .into_values()
            .collect();
        // Taken first: they are gone when nothing else knows them.
        let running = self.context.take_running();
        servers.iter().for_each(|it| it.retire());
        running.iter().for_each(|it| it.stop());
        for instance in running {
            instance.ended().await;
        }
    }

    /// Ends servers that have had nothing to do for long, and forgets sessions that are gone.
    pub(crate) fn stop_idle(&self) {
        lock(&self.sessions).retain(|_, session| session.strong_count() > 0);
        self.parking.sweep();
        lock(&self.servers).values().for_each(|it| it.stop_idle());
    }

    /// A list of a server is another one.
    pub(crate) fn changed(&self, server: &ServerName, kind: ListKind) {
        self.merged.forget();
        let is_concerned = |session: &Arc<Session>| {
            session.endpoint == Endpoint::All && self.sees(&session.peer, server)
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
        let mut sessions = from.sessions();
        sessions.retain(|it| self.sees(&it.peer, &server.name));
        let only_one =
            |session: &Arc<Session>| session.endpoint == Endpoint::One(server.name.clone());
        let sees = |route: &Route| self.sees(&route.session.peer, &server.name);
        let here = |route: &Route| only_one(&route.session) && sees(route);
        if method == "notifications/resources/updated" {
            let uri = message.param(&["uri"]).and_then(Value::as_str);
            let uri = uri.unwrap_or_default().into_owned();
            for session in sessions.iter().filter(|it| it.has_subscribed(&uri)) {
                let about = Some(format!("{method} {uri}"));
                session.outbox.notify(message.text().to_owned(), about);
            }
            let is_merged = |route: &Route| route.session.endpoint == Endpoint::All;
            let at = |route: &Route| here(route) || is_merged(route) && sees(route);
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
        } else if let Some(route) = from.route_for(within).filter(sees) {
            route.outbox.notify(message.into_text(), None);
        }
    }
}

fn tell(session: &Session, kind: ListKind) {
    if session.dialect().is_some() {
        let text = message::notification(kind.changed(), None);
        session.outbox.notify(text, Some(kind.changed().to_owned()));
    }
}
