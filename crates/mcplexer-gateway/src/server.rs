//! A configured server: starts what runs it, and knows what it offers.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use mcplexer_files::config::{self, ServerName, Transport};
use tokio::sync::{Mutex as AsyncMutex, OnceCell};
use tokio::time::{Instant, sleep, timeout};

use crate::bridge;
use crate::child;
use crate::context::Context;
use crate::credentials::{Given, Needs, Refused, Used};
use crate::dialect::{Dialect, Era, LEGACY};
use crate::error::CallError;
use crate::events::Events;
use crate::health::Health;
use crate::http_back::{Back, Http};
use crate::instance::{Instance, Parts, has};
use crate::link::Link;
use crate::lists::{Item, Items, ListKind, page};
use crate::message::{self, Message};
use crate::offers::Offers;
use crate::scrub::Scrubber;
use crate::session::Route;
use crate::stamp::Stamp;
use crate::status::{ServerStatus, State, number};
use crate::stderr_log::StderrLog;

/// The most pages of one list that are read, so that a server cannot go on for ever.
const MAX_PAGES: usize = 1000;

/// A call waits this long for a server that has just failed, and fails at once if it has to wait for longer.
const SHORT_WAIT: Duration = Duration::from_secs(5);

/// How long a server may be silent about what it is, before it is taken for one with sessions.
const PROBE: Duration = Duration::from_secs(5);

/// How long to wait for what a server that does not work writes to standard error.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A configured server.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) name: ServerName,
    pub(crate) definition: config::Server,
    needs: Needs,
    context: Arc<Context>,
    own: Weak<Self>,
    slots: Mutex<HashMap<Class, Arc<Slot>>>,
    versions: Mutex<Option<(Stamp, Arc<[Used]>)>>,
    health: Mutex<Health>,
    /// The way to it, if it is an HTTP server.
    back: OnceCell<Arc<Back>>,
    /// Why it did not get its credentials, if that was the last thing that happened.
    refusal: Mutex<Option<String>>,
    starting: AtomicUsize,
    pub(crate) log: Arc<StderrLog>,
    offers: Offers,
}

/// What instances differ in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Class {
    era: Era,
    version: String,
    capabilities: String,
    /// Whom it serves alone, for a server that asks its clients for something.
    alone: Option<Alone>,
}

/// Whom an instance serves alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Alone {
    /// A session.
    Session(u64),
    /// One request at a time, of clients without a session.
    Seat(usize),
}

/// An instance that serves a request.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) instance: Arc<Instance>,
    /// Keeps other requests away until it is dropped.
    pub(crate) seat: Option<Seat>,
}

/// The right to ask an instance alone.
#[derive(Debug)]
pub(crate) struct Seat(Arc<Slot>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.is_taken.store(false, Ordering::Release);
    }
}

/// The instance of a class.
#[derive(Debug, Default)]
struct Slot {
    current: Mutex<Option<Arc<Instance>>>,
    /// Held while one is started.
    starting: AsyncMutex<()>,
    is_taken: AtomicBool,
}

impl Server {
    pub(crate) fn new(
        name: ServerName,
        definition: config::Server,
        context: Arc<Context>,
    ) -> Arc<Self> {
        let log = Arc::new(StderrLog::new(name.clone(), Arc::clone(&context.log)));
        Arc::new_cyclic(|own| Self {
            needs: Needs::of(&definition),
            offers: Offers::load(&context.cache(), &name, &definition),
            name,
            definition,
            context,
            own: own.clone(),
            slots: Mutex::default(),
            versions: Mutex::default(),
            health: Mutex::default(),
            back: OnceCell::new(),
            refusal: Mutex::default(),
            starting: AtomicUsize::new(0),
            log,
        })
    }

    /// Returns what it said when it was greeted last, if it was.
    pub(crate) fn hello(&self) -> Option<Arc<str>> {
        self.offers.hello()
    }

    /// Returns the instances that run.
    pub(crate) fn instances(&self) -> Vec<Arc<Instance>> {
        let slots = lock(&self.slots);
        let current = slots.values().filter_map(|it| lock(&it.current).clone());
        current.filter(|it| !it.is_gone()).collect()
    }

    /// Ends everything that runs.
    pub(crate) fn stop(&self) {
        for (_, slot) in lock(&self.slots).drain() {
            if let Some(instance) = lock(&slot.current).take() {
                instance.stop();
            }
        }
    }

    /// Ends what has had nothing to do for long.
    pub(crate) fn stop_idle(&self) {
        let Some(idle_stop) = self.definition.idle_stop else {
            return;
        };
        lock(&self.slots).retain(|_, slot| {
            let mut current = lock(&slot.current);
            let is_idle = |it: &Arc<Instance>| it.idle().is_some_and(|idle| idle >= idle_stop);
            if let Some(idle) = current.take_if(|it| it.is_gone() || is_idle(it)) {
                tokio::spawn(drain(idle));
            }
            // A request that is starting an instance holds it as well.
            current.is_some() || Arc::strong_count(slot) > 1
        });
    }

    /// Says what it does.
    pub(crate) fn status(&self) -> ServerStatus {
        let instances: Vec<_> = self.instances().iter().map(|it| it.status()).collect();
        let refusal = lock(&self.refusal).clone();
        let problem = refusal.or_else(|| lock(&self.health).problem().map(str::to_owned));
        let state = match (instances.is_empty(), &problem) {
            _ if self.starting.load(Ordering::Relaxed) > 0 => State::Starting,
            (true, Some(_)) => State::Failing,
            (true, None) => State::Stopped,
            (false, _) => State::Running,
        };
        let tools = self.offers.list(ListKind::Tools);
        let tools = tools.map(|it| number(it.len()));
        ServerStatus {
            name: self.name.clone(),
            state,
            reason: problem.filter(|_| state == State::Failing),
            instances,
            tools,
        }
    }

    /// Ends everything that runs, and forgets that it has failed.
    pub(crate) fn restart(&self) {
        self.stop();
        lock(&self.health).works();
        *lock(&self.refusal) = None;
    }

    /// Returns an instance for a session; starts it if none runs. If a secret was replaced, the one that has the old
    /// value answers what it was asked, and ends.
    pub(crate) async fn instance(self: &Arc<Self>, route: &Route) -> Result<Served, CallError> {
        let versions = self.versions().await?;
        let (slot, seat) = self.slot(route);
        let asked = Instant::now();
        let instance = match slot.fresh(&versions) {
            Some(instance) => instance,
            None => {
                let _starting = slot.starting.lock().await;
                match slot.fresh(&versions) {
                    Some(instance) => instance,
                    None => {
                        let dialect = route.dialect.as_deref();
                        let started = self.start(asked, &versions, dialect).await?;
                        slot.put(&started);
                        started
                    }
                }
            }
        };
        instance.join(&route.session);
        Ok(Served { instance, seat })
    }

    /// Returns the place of the instance that serves a request.
    fn slot(&self, route: &Route) -> (Arc<Slot>, Option<Seat>) {
        let own;
        let dialect = match &route.dialect {
            Some(dialect) => &**dialect,
            None => {
                own = Dialect::own();
                &own
            }
        };
        let mut class = Class {
            era: dialect.era,
            version: dialect.version.clone(),
            capabilities: dialect.capabilities.clone(),
            alone: None,
        };
        let mut slots = lock(&self.slots);
        if !self.offers.is_apart() {
            return (Arc::clone(slots.entry(class).or_default()), None);
        }
        if !route.is_modern() {
            class.alone = Some(Alone::Session(route.session.number));
            return (Arc::clone(slots.entry(class).or_default()), None);
        }
        let mut number = 0;
        loop {
            class.alone = Some(Alone::Seat(number));
            let slot = slots.entry(class.clone()).or_default();
            if !slot.is_taken.swap(true, Ordering::AcqRel) {
                return (Arc::clone(slot), Some(Seat(Arc::clone(slot))));
            }
            number += 1;
        }
    }

    /// Returns the versions of the secrets that it gets now.
    async fn versions(self: &Arc<Self>) -> Result<Arc<[Used]>, CallError> {
        let stamp = Stamp::of(&self.context.home.home().store());
        if let Some((seen, versions)) = &*lock(&self.versions)
            && seen.is_same(&stamp)
        {
            return Ok(Arc::clone(versions));
        }
        let server = Arc::clone(self);
        let versions = blocking(move || server.needs.versions(server.context.home.store())).await;
        let versions = versions.map_err(|refused| self.refused(&refused))?;
        let before = lock(&self.versions).replace((stamp, Arc::clone(&versions)));
        if before.is_some_and(|(_, before)| before != versions) {
            // What failed with another secret need not fail with this one.
            lock(&self.health).works();
        }
        Ok(versions)
    }

    fn is_http(&self) -> bool {
        matches!(self.definition.transport, Transport::Http(_))
    }

    fn refused(&self, refused: &Refused) -> CallError {
        *lock(&self.refusal) = Some(refused.to_string());
        CallError::NoCredential {
            server: self.name.clone(),
            problem: refused.to_string(),
        }
    }

    fn not_started(&self, problem: String) -> CallError {
        CallError::NotStarted {
            server: self.name.clone(),
            problem,
        }
    }

    async fn start(
        self: &Arc<Self>,
        asked: Instant,
        versions: &Arc<[Used]>,
        dialect: Option<&Dialect>,
    ) -> Result<Arc<Instance>, CallError> {
        if let Some(problem) = lock(&self.health).failed_since(asked) {
            return Err(self.not_started(problem.to_owned()));
        }
        let wait = {
            let health = lock(&self.health);
            health.wait().map(|(wait, why)| (wait, why.to_owned()))
        };
        match wait {
            Some((wait, why)) if wait > SHORT_WAIT => {
                let seconds = wait.as_secs();
                return Err(self.not_started(format!("{why} (next attempt in {seconds} s)")));
            }
            Some((wait, _)) => sleep(wait).await,
            None => {}
        }
        let _permit = self.context.starts.acquire().await;
        let _starting = Starting::of(&self.starting);
        let started = match &self.definition.transport {
            Transport::Http(http) => self.connect(http, versions, dialect).await?,
            _ => {
                let server = Arc::clone(self);
                let given = blocking(move || {
                    server
                        .needs
                        .open(&server.context.home, server.name.as_str())
                });
                let given = given.await.map_err(|refused| self.refused(&refused))?;
                *lock(&self.refusal) = None;
                self.launch(given, Arc::clone(versions), dialect).await
            }
        };
        match &started {
            Ok(_) => lock(&self.health).works(),
            Err(problem) => {
                self.context
                    .log
                    .of_server(&self.name, &format!("cannot be started: {problem}"));
                lock(&self.health).failed(problem);
            }
        }
        if let Ok(instance) = &started {
            // What was only read from a file may be something else by now.
            let stale = self.offers.take_stale();
            if !stale.is_empty() {
                self.refresh(stale, instance);
            }
        }
        started.map_err(|problem| self.not_started(problem))
    }

    /// Starts the server and greets it.
    async fn launch(
        self: &Arc<Self>,
        given: Given,
        used: Arc<[Used]>,
        dialect: Option<&Dialect>,
    ) -> Result<Arc<Instance>, String> {
        let limit = self.context.limits.message;
        let scrubber = Arc::new(Scrubber::new(given.masker.for_another_stream()));
        let Transport::Stdio(stdio) = &self.definition.transport else {
            return Err("this kind of server is not supported".to_owned());
        };
        let path = match stdio.path {
            config::SearchPath::Login => self.context.login_path().await,
            _ => None,
        };
        let log = Arc::clone(&self.log);
        let program = stdio.command.first().map_or("", String::as_str);
        let (context, masks) = (&self.context, Arc::clone(&scrubber));
        let started = child::start(context, stdio, &given, path, masks, log).await;
        let started = started.map_err(|error| format!("{program}: {error}"))?;
        drop(given);
        let instance = Instance::new(Parts {
            server: self.name.clone(),
            link: Link::Child(started.running),
            scrubber,
            log: Arc::clone(&self.log),
            timeouts: self.definition.timeouts,
            limit,
            used,
            events: Weak::clone(&self.own) as Weak<dyn Events>,
        });
        self.context.started(&instance);
        let reader = Arc::clone(&instance);
        let (mut messages, stderr) = (started.messages, started.stderr);
        tokio::spawn(async move {
            while let Ok(Some(line)) = messages.next().await {
                reader.take(line, None);
            }
            reader.stop();
            reader.take_end();
        });
        let Err(problem) = self.greet_in_time(&instance, dialect).await else {
            return Ok(instance);
        };
        // What it has said last may be on its way.
        let _still_open = timeout(LAST_WORDS, stderr).await;
        Err(format!("{problem}{}", self.log.as_end_of_error()))
    }

    /// Begins a session over HTTP. Fails without a greeting if a credential cannot be opened.
    async fn connect(
        self: &Arc<Self>,
        http: &config::Http,
        used: &Arc<[Used]>,
        dialect: Option<&Dialect>,
    ) -> Result<Result<Arc<Instance>, String>, CallError> {
        let new = || async {
            let (name, needs) = (self.name.clone(), self.needs.clone());
            let timeouts = self.definition.timeouts;
            let back = Back::new(name, http, needs, timeouts, &self.context).await;
            back.map(Arc::new)
        };
        let back = match self.back.get_or_try_init(new).await {
            Ok(back) => Arc::clone(back),
            Err(problem) => return Ok(Err(problem)),
        };
        let opened = back.fields.open().await;
        opened.map_err(|refused| self.refused(&refused))?;
        let instance = Instance::new(Parts {
            server: self.name.clone(),
            scrubber: Arc::clone(&back.fields.scrubber),
            link: Link::Http(Http::new(back, self.definition.timeouts)),
            log: Arc::clone(&self.log),
            timeouts: self.definition.timeouts,
            limit: self.context.limits.message,
            used: Arc::clone(used),
            events: Weak::clone(&self.own) as Weak<dyn Events>,
        });
        self.context.started(&instance);
        let greeted = self.greet_in_time(&instance, dialect).await;
        Ok(greeted.map(|()| instance))
    }

    /// Greets an instance; ends it if that fails.
    async fn greet_in_time(
        &self,
        instance: &Arc<Instance>,
        dialect: Option<&Dialect>,
    ) -> Result<(), String> {
        let greeting = self.greet(instance, dialect);
        let after = self.definition.timeouts.start;
        let problem = match timeout(after, greeting).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(problem)) => problem,
            Err(_) => format!("no answer within {} s", after.as_secs_f32()),
        };
        instance.stop();
        Err(problem)
    }

    /// Greets a server as its client would, or else in the other way.
    async fn greet(
        &self,
        instance: &Arc<Instance>,
        dialect: Option<&Dialect>,
    ) -> Result<(), String> {
        let dialect = dialect.cloned().unwrap_or_else(Dialect::own);
        let eras = match dialect.era {
            Era::Legacy => [Era::Legacy, Era::Modern],
            Era::Modern => [Era::Modern, Era::Legacy],
        };
        let mut problem = None;
        for era in eras {
            match self.greet_in(instance, &dialect, era).await {
                Ok(hello) => {
                    instance.greeted(&hello, era);
                    self.offers.set_hello(&hello);
                    if era == Era::Modern && self.is_http() {
                        // Some of the arguments of its tools are wanted in header fields.
                        let _unknown = self.fetch(ListKind::Tools, instance).await;
                    }
                    if era == Era::Modern {
                        let instance = Arc::clone(instance);
                        tokio::spawn(async move { bridge::listen(&instance, &dialect, &[]).await });
                    }
                    return Ok(());
                }
                Err(refused) => problem = problem.or(Some(refused)),
            }
        }
        Err(problem.unwrap_or_default())
    }

    /// Greets a server; returns what it says of itself.
    async fn greet_in(
        &self,
        instance: &Arc<Instance>,
        dialect: &Dialect,
        era: Era,
    ) -> Result<String, String> {
        let failed = |error: CallError| match error {
            CallError::Lost { log, .. } if self.is_http() => format!("it did not answer{log}"),
            CallError::Lost { .. } | CallError::Unsent { .. } => "it ended at once".to_owned(),
            CallError::Unreached { problem, .. }
            | CallError::Denied { problem, .. }
            | CallError::Failed { problem, .. } => problem,
            error => error.to_string(),
        };
        if era == Era::Modern {
            let asked = timeout(PROBE, bridge::discover(instance, dialect)).await;
            let discovered = asked.ok().transpose().map_err(failed)?.flatten();
            return discovered.ok_or_else(|| "it does not know server/discover".to_owned());
        }
        let version = match dialect.era {
            Era::Legacy => &dialect.version,
            Era::Modern => LEGACY[0],
        };
        let params = format!(
            r#"{{"protocolVersion":{},"capabilities":{},"clientInfo":{}}}"#,
            crate::json::string(version),
            dialect.capabilities,
            dialect.info
        );
        let answer = instance.ask("initialize", &params).await.map_err(failed)?;
        let Some(hello) = answer.message.result() else {
            let error = answer.message.error().unwrap_or_default();
            return Err(format!("it answers initialize with an error: {error}"));
        };
        instance.greeted(hello, era);
        let initialized = message::notification("notifications/initialized", None);
        instance.pass(initialized).await;
        instance.listen();
        Ok(hello.to_owned())
    }

    /// Returns what it offers, as far as that is known without asking.
    pub(crate) fn listed(&self, kind: ListKind) -> Option<Items> {
        self.offers.list(kind)
    }

    /// Returns what it offers. The first time it is asked; a server that does not run is started.
    pub(crate) async fn list(
        self: &Arc<Self>,
        kind: ListKind,
        route: &Route,
    ) -> Result<Items, CallError> {
        if let Some(items) = self.listed(kind) {
            return Ok(items);
        }
        let served = self.instance(route).await?;
        let items = self.fetch(kind, &served.instance).await?;
        self.offers.set_list(kind, &items);
        self.context.listed();
        self.save();
        Ok(items)
    }

    async fn fetch(&self, kind: ListKind, instance: &Arc<Instance>) -> Result<Items, CallError> {
        let mut items: Vec<Item> = Vec::new();
        let hello = instance.hello().unwrap_or_default();
        if !has(&hello, &["capabilities", kind.capability()]) {
            return Ok(items.into());
        }
        let meta = match instance.era() {
            Era::Legacy => String::new(),
            Era::Modern => format!(r#""_meta":{{{}}}"#, bridge::meta_of(&Dialect::own(), None)),
        };
        let mut params = format!("{{{meta}}}");
        for _ in 0..MAX_PAGES {
            let answer = instance.ask(kind.method(), &params).await?;
            let Some(result) = answer.message.result() else {
                // A server may have resources and no templates.
                break;
            };
            match page(kind, result, &mut items) {
                Some(cursor) if meta.is_empty() => params = format!(r#"{{"cursor":{cursor}}}"#),
                Some(cursor) => params = format!(r#"{{"cursor":{cursor},{meta}}}"#),
                None => break,
            }
        }
        if kind == ListKind::Tools {
            instance.learn_tools(&mut items);
        }
        Ok(items.into())
    }

    /// Writes down what it offers.
    fn save(self: &Arc<Self>) {
        let server = Arc::clone(self);
        tokio::task::spawn_blocking(move || server.offers.save());
    }

    /// Asks again what it offers, and tells clients if that is something else.
    fn refresh(self: &Arc<Self>, kinds: Vec<ListKind>, from: &Arc<Instance>) {
        let (server, from) = (Arc::clone(self), Arc::clone(from));
        tokio::spawn(async move {
            for kind in kinds {
                let Ok(items) = server.fetch(kind, &from).await else {
                    return;
                };
                let is_other = server.offers.set_list(kind, &items);
                server.context.listed();
                if is_other {
                    server.context.changed(&server.name, kind);
                }
            }
            server.save();
        });
    }
}

/// A start that has begun.
struct Starting<'a>(&'a AtomicUsize);

impl<'a> Starting<'a> {
    fn of(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Starting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Events for Server {
    fn notified(&self, from: &Arc<Instance>, method: &str, message: Message, within: Option<u64>) {
        let Some(server) = self.own.upgrade() else {
            return;
        };
        let kinds = ListKind::of_changed(method);
        if !kinds.is_empty() {
            server.refresh(kinds.to_vec(), from);
        }
        self.context
            .notified(&server, from, method, message, within);
    }

    fn is_ambiguous(&self, _from: &Arc<Instance>) {
        self.offers.set_apart();
        if let Some(server) = self.own.upgrade() {
            server.save();
        }
    }
}

impl Slot {
    /// Returns the instance, if it runs and has these versions of the secrets.
    fn fresh(&self, versions: &Arc<[Used]>) -> Option<Arc<Instance>> {
        let current = lock(&self.current);
        let instance = current.as_ref()?;
        (instance.has(versions) && !instance.is_gone()).then(|| Arc::clone(instance))
    }

    /// Puts a new instance in the place of the old one, which ends when it has answered everything.
    fn put(&self, instance: &Arc<Instance>) {
        let old = lock(&self.current).replace(Arc::clone(instance));
        if let Some(old) = old {
            tokio::spawn(drain(old));
        }
    }
}

/// Ends an instance that gets no more requests, once it has answered those that it has.
async fn drain(old: Arc<Instance>) {
    while old.idle().is_none() {
        sleep(Duration::from_millis(100)).await;
    }
    old.stop();
}

/// Runs something that may wait for a disk.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refused> + Send + 'static,
) -> Result<T, Refused> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(Refused::Unopened {
            problem: format!("the store cannot be read: {error}"),
            hint: String::new(),
        }),
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
