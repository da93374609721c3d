//! Starting a server, and greeting it in the language that it speaks.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use mcplexer_files::config::{self, Transport};
use tokio::select;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::{Server, blocking, lock};
use crate::child;
use crate::credentials::{Given, Used};
use crate::dialect::Dialect;
use crate::error::CallError;
use crate::events::Events;
use crate::http_back::{Back, Http};
use crate::instance::{Instance, LAST_WORDS, Parts};
use crate::link::Link;
use crate::scrub::Scrubber;

/// A call waits this long for a server that has just failed, and fails at once if it has to wait for longer.
const SHORT_WAIT: Duration = Duration::from_secs(5);

impl Server {
    pub(super) async fn start(
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
        let mut stops = self.stops.subscribe();
        let before = *stops.borrow();
        let started = match &self.definition.transport {
            Transport::Http(http) => self.connect(http, versions, dialect, &mut stops).await?,
            _ => {
                let server = Arc::clone(self);
                let given = blocking(move || {
                    server
                        .needs
                        .open(&server.context.home, server.name.as_str())
                });
                let given = given.await.map_err(|refused| self.refused(&refused))?;
                *lock(&self.refusal) = None;
                self.launch(given, Arc::clone(versions), dialect, &mut stops)
                    .await
            }
        };
        match &started {
            Ok(_) => lock(&self.health).works(),
            // It may work, if it is let.
            Err(_) if *self.stops.borrow() != before => {}
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
    pub(super) async fn launch(
        self: &Arc<Self>,
        given: Given,
        used: Arc<[Used]>,
        dialect: Option<&Dialect>,
        stops: &mut watch::Receiver<u64>,
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
        let (log, mark) = (Arc::clone(&self.log), self.log.mark());
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
            mark,
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
                reader.take(line, None).await;
            }
            reader.stop();
            reader.take_end();
        });
        let Err(problem) = self.greet_in_time(&instance, dialect, stops).await else {
            return Ok(instance);
        };
        // What it has said last may be on its way.
        let _still_open = timeout(LAST_WORDS, stderr).await;
        Err(format!("{problem}{}", self.log.as_end_of_error(mark)))
    }

    /// Begins a session over HTTP. Fails without a greeting if a credential cannot be opened.
    pub(super) async fn connect(
        self: &Arc<Self>,
        http: &config::Http,
        used: &Arc<[Used]>,
        dialect: Option<&Dialect>,
        stops: &mut watch::Receiver<u64>,
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
            mark: self.log.mark(),
            timeouts: self.definition.timeouts,
            limit: self.context.limits.message,
            used: Arc::clone(used),
            events: Weak::clone(&self.own) as Weak<dyn Events>,
        });
        self.context.started(&instance);
        let greeted = self.greet_in_time(&instance, dialect, stops).await;
        Ok(greeted.map(|()| instance))
    }

    /// Greets an instance; ends it if that fails, or if the server is stopped meanwhile.
    pub(super) async fn greet_in_time(
        &self,
        instance: &Arc<Instance>,
        dialect: Option<&Dialect>,
        stops: &mut watch::Receiver<u64>,
    ) -> Result<(), String> {
        let greeting = self.greet(instance, dialect);
        let after = self.definition.timeouts.start;
        let greeted = select! {
            greeted = timeout(after, greeting) => greeted,
            _ = stops.changed() => Ok(Err("stopped while it was starting".to_owned())),
        };
        let problem = match greeted {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(problem)) => problem,
            Err(_) => format!("no answer within {} s", after.as_secs_f32()),
        };
        instance.stop();
        Err(problem)
    }
}

/// A start that has begun.
pub(super) struct Starting<'a>(&'a AtomicUsize);

impl<'a> Starting<'a> {
    pub(super) fn of(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Starting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
