//! A configured server: starts what runs it, and knows what it offers.

mod early;
mod greeting;
mod offering;
mod room;
mod starting;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use mcplexer_files::config::{self, ServerName, Transport};
use tokio::sync::{Mutex as AsyncMutex, OnceCell, watch};
use tokio::time::{Instant, sleep};

use crate::context::Context;
use crate::credentials::{Needs, Refused, Used};
use crate::dialect::{Dialect, Era};
use crate::error::CallError;
use crate::events::Events;
use crate::health::Health;
use crate::http_back::Back;
use crate::instance::Instance;
use crate::lists::ListKind;
use crate::message::Message;
use crate::offers::Offers;
use crate::session::Route;
use crate::stamp::Stamp;
use crate::status::{ServerStatus, State, number};
use crate::stderr_log::StderrLog;

use offering::Listing;

/// How long a request may take to reach an instance that was started for it.
const LAST_USE: Duration = Duration::from_secs(1);

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
    /// How often it was stopped while it was starting.
    stops: watch::Sender<u64>,
    /// Whether it is not configured any more.
    is_retired: AtomicBool,
    pub(crate) log: Arc<StderrLog>,
    offers: Offers,
    listing: Mutex<Listing>,
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
            stops: watch::Sender::new(0),
            is_retired: AtomicBool::new(false),
            log,
            listing: Mutex::default(),
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

    /// Ends what is starting, which a person no longer waits for. Calls that wait for it fail.
    pub(crate) fn stop_starting(&self) {
        self.stops.send_modify(|stops| *stops += 1);
    }

    /// Ends everything that runs. The next call starts it.
    pub(crate) fn stop(&self) {
        lock(&self.slots).retain(|_, slot| {
            if let Some(instance) = lock(&slot.current).take() {
                instance.stop();
            }
            // What a request is starting will be in it.
            Arc::strong_count(slot) > 1
        });
    }

    /// Ends everything that runs, for good: it is not configured any more. What is starting ends once it has answered.
    pub(crate) fn retire(&self) {
        self.is_retired.store(true, Ordering::SeqCst);
        self.stop();
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

    /// Ends everything that runs, and forgets that it has failed. Returns how many instances ran.
    pub(crate) fn restart(&self) -> usize {
        let running = self.instances().len();
        self.stop();
        self.forget_failures();
        running
    }

    /// Forgets that it has failed, so that the next attempt to start it does not wait.
    fn forget_failures(&self) {
        lock(&self.health).works();
        lock(&self.listing).wait_again();
        *lock(&self.refusal) = None;
    }

    /// Returns an instance for a session; starts it if none runs. If a secret was replaced, the one that has the old
    /// value answers what it was asked, and ends.
    pub(crate) async fn instance(self: &Arc<Self>, route: &Route) -> Result<Served, CallError> {
        let versions = self.versions().await?;
        let (slot, seat) = self.slot(route)?;
        let instance = match slot.fresh(&versions) {
            Some(instance) => instance,
            None => {
                let dialect = route.dialect.clone();
                self.started(&slot, versions, dialect).await?
            }
        };
        instance.join(&route.session);
        Ok(Served { instance, seat })
    }

    /// Starts an instance in a place, unless another request does. The start goes on when nobody waits for it any more: what
    /// it has started must be known.
    async fn started(
        self: &Arc<Self>,
        slot: &Arc<Slot>,
        versions: Arc<[Used]>,
        dialect: Option<Arc<Dialect>>,
    ) -> Result<Arc<Instance>, CallError> {
        let (server, slot) = (Arc::clone(self), Arc::clone(slot));
        let asked = Instant::now();
        let starting = tokio::spawn(async move {
            let _starting = slot.starting.lock().await;
            if let Some(instance) = slot.fresh(&versions) {
                return Ok(instance);
            }
            let started = server.start(asked, &versions, dialect.as_deref()).await?;
            slot.put(&started);
            if server.is_retired.load(Ordering::SeqCst) {
                // Nobody looks for it here any more.
                tokio::spawn(end_idle(Arc::clone(&started), LAST_USE));
            }
            Ok(started)
        });
        match starting.await {
            Ok(started) => started,
            Err(error) => Err(self.not_started(error.to_string())),
        }
    }

    /// Returns the place of the instance that serves a request.
    fn slot(&self, route: &Route) -> Result<(Arc<Slot>, Option<Seat>), CallError> {
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
        let is_apart = self.offers.is_apart();
        if !is_apart || !route.is_modern() {
            class.alone = is_apart.then_some(Alone::Session(route.session.number));
            room::make_room(&mut slots, &class).map_err(|it| self.crowded(it))?;
            return Ok((Arc::clone(slots.entry(class).or_default()), None));
        }
        let mut number = 0;
        loop {
            class.alone = Some(Alone::Seat(number));
            room::make_room(&mut slots, &class).map_err(|it| self.crowded(it))?;
            let slot = slots.entry(class.clone()).or_default();
            if !slot.is_taken.swap(true, Ordering::AcqRel) {
                return Ok((Arc::clone(slot), Some(Seat(Arc::clone(slot)))));
            }
            number += 1;
        }
    }

    /// Returns the versions of the secrets that it gets now.
    async fn versions(self: &Arc<Self>) -> Result<Arc<[Used]>, CallError> {
        let stamp = self.context.stamp().await;
        if let Some((seen, versions)) = &*lock(&self.versions)
            && seen.is_same(&stamp)
        {
            return Ok(Arc::clone(versions));
        }
        let versions = match self.back.get() {
            // They are opened now, so that what is recorded of the call is what its request has.
            Some(back) => back.fields.open().await.map(|it| Arc::clone(&it.used)),
            None => {
                let server = Arc::clone(self);
                blocking(move || server.needs.versions(server.context.home.store())).await
            }
        };
        let versions = versions.map_err(|refused| self.refused(&refused))?;
        self.context.tell_copied();
        let stamp = self.context.stamp_of_read(stamp);
        let before = lock(&self.versions).replace((stamp, Arc::clone(&versions)));
        if before.is_some_and(|(_, before)| before != versions) {
            // What failed with another secret need not fail with this one.
            lock(&self.health).works();
            lock(&self.listing).wait_again();
        }
        Ok(versions)
    }

    fn is_http(&self) -> bool {
        matches!(self.definition.transport, Transport::Http(_))
    }

    fn refused(&self, refused: &Refused) -> CallError {
        let problem = refused.to_string();
        let before = lock(&self.refusal).replace(problem.clone());
        // Once: each call finds it again.
        if before.as_ref() != Some(&problem) {
            let line = format!("was not started: {problem}");
            self.context.log.of_server(&self.name, &line);
        }
        CallError::NoCredential {
            server: self.name.clone(),
            problem,
        }
    }

    fn crowded(&self, count: usize) -> CallError {
        let what = "instances of it work for clients that differ";
        self.not_started(format!("{count} {what}; try again when they have answered"))
    }

    fn not_started(&self, problem: String) -> CallError {
        CallError::NotStarted {
            server: self.name.clone(),
            problem,
        }
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
    end_idle(old, Duration::ZERO).await;
}

/// Ends an instance once it has had nothing to do for so long.
async fn end_idle(instance: Arc<Instance>, long: Duration) {
    while instance.idle().is_none_or(|idle| idle < long) {
        sleep(Duration::from_millis(100)).await;
    }
    instance.stop();
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
