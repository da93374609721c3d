//! One connection, driven by the thread that uses it.
//!
//! Several statements are sent before the first answer is awaited. The server takes them in order, and each one ends
//! on its own: one that fails does not keep those behind it from running, except that a transaction that has failed
//! refuses all but its end.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_postgres::{AsyncMessage, Client, Connection, Row};

use crate::address::Address;
use crate::cause::Cause;
use crate::param::Param;
use crate::prepared::{Prepared, Use};
use crate::tls::Tls;

/// A connection of a driver: everything that is sent and received passes through it.
type Driver = Pin<Box<dyn Future<Output = Result<(), tokio_postgres::Error>> + Send>>;
type Answering<T> = Pin<Box<dyn Future<Output = Result<T, tokio_postgres::Error>> + Send>>;

/// Every statement finds records by their keys, however many there are. So the server need not plan it again for each
/// use, and need not guess from what it knows about a table that was empty a moment ago.
///
/// What is switched off counts as very expensive where there is nothing else, and would be compiled.
const SETTINGS: [&str; 5] = [
    "SET jit = off",
    "SET plan_cache_mode = force_generic_plan",
    "SET enable_seqscan = off",
    "SET enable_hashjoin = off",
    "SET enable_mergejoin = off",
];

/// The answer to a statement that was sent.
#[must_use]
pub(crate) enum Answer<T> {
    Here(Result<T, tokio_postgres::Error>),
    Awaited(Answering<T>),
}

impl<T> Answer<T> {
    /// Queues the statement: the driver does so when it is asked for the answer for the first time.
    fn of(mut answering: Answering<T>) -> Self {
        match answering
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(answer) => Self::Here(answer),
            Poll::Pending => Self::Awaited(answering),
        }
    }
}

/// A connection to the server.
pub(crate) struct Link {
    /// `None` only while this is dropped.
    runtime: Option<Runtime>,
    client: Arc<Client>,
    /// `None` once the connection has ended.
    driver: Option<Driver>,
    /// How long an answer may take.
    patience: Duration,
    /// The process of the server behind this connection.
    process: i64,
    /// Whether the server knows `NOTIFY`.
    can_notify: bool,
    /// Whether the server has notified this connection since.
    heard: Arc<AtomicBool>,
    /// How often an answer was waited for, by all connections.
    round_trips: Arc<AtomicU64>,
    /// Whether something was sent since.
    has_sent: Cell<bool>,
    prepared: RefCell<Prepared>,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({})", self.process)
    }
}

impl Link {
    /// Connects to the first of the servers that accepts writes.
    pub(crate) fn connect(
        address: &Address,
        tls: &Tls,
        patience: Duration,
        round_trips: Arc<AtomicU64>,
    ) -> Result<Self, Cause> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let config = address.config();
        let heard = Arc::new(AtomicBool::new(false));
        let hears = Arc::clone(&heard);
        let connected = runtime.block_on(async {
            timeout(patience, async {
                match tls {
                    Tls::None => {
                        let (client, driver) = config.connect(tokio_postgres::NoTls).await?;
                        Ok((client, can_notify(&driver), driver_of(driver, hears)))
                    }
                    Tls::Verified(connector) => {
                        let (client, driver) = config.connect((**connector).clone()).await?;
                        Ok((client, can_notify(&driver), driver_of(driver, hears)))
                    }
                }
            })
            .await
        });
        let (client, can_notify, driver) = match connected {
            Ok(connected) => connected.map_err(|it: tokio_postgres::Error| Cause::from(it))?,
            Err(_) => return Err(Cause::Silent),
        };
        let link = Self {
            runtime: Some(runtime),
            client: Arc::new(client),
            driver: Some(driver),
            patience,
            process: 0,
            can_notify,
            heard,
            round_trips,
            has_sent: Cell::new(false),
            prepared: RefCell::default(),
        };
        for setting in SETTINGS {
            // A server that does not know it may plan as it likes.
            let _unawaited = link.command(setting);
        }
        Ok(link)
    }

    /// Sends statements without parameters.
    pub(crate) fn command(&self, sql: impl Into<String>) -> Answer<()> {
        self.has_sent.set(true);
        let (client, sql) = (Arc::clone(&self.client), sql.into());
        Answer::of(Box::pin(async move { client.batch_execute(&sql).await }))
    }

    /// Sends a statement with parameters.
    pub(crate) fn query(&self, sql: impl Into<String>, params: Vec<Param>) -> Answer<Vec<Row>> {
        self.has_sent.set(true);
        let (client, sql) = (Arc::clone(&self.client), sql.into());
        let mut prepared = self.prepared.borrow_mut();
        let usage = prepared.count(&sql);
        if let Use::Prepared(statement) = usage {
            return Answer::of(Box::pin(async move {
                let params: Vec<_> = params.iter().map(Param::value).collect();
                client.query(&statement, &params).await
            }));
        }
        let of: Vec<_> = params.iter().map(Param::of).collect();
        let text = sql.clone();
        let answer = Answer::of(Box::pin(async move {
            let params: Vec<_> = params.iter().map(|it| (it.value(), it.of())).collect();
            client.query_typed(&text, &params).await
        }));
        if matches!(usage, Use::Second) {
            let (client, text) = (Arc::clone(&self.client), sql.clone());
            let preparing = async move { client.prepare_typed(&text, &of).await };
            if let Answer::Awaited(preparing) = Answer::of(Box::pin(preparing)) {
                prepared.prepare(sql, preparing);
            }
        }
        answer
    }

    /// Waits for an answer.
    pub(crate) fn wait<T>(&mut self, answer: Answer<T>) -> Result<T, Cause> {
        let mut answering = match answer {
            Answer::Here(answer) => return Ok(answer?),
            Answer::Awaited(answering) => answering,
        };
        let Some(runtime) = &self.runtime else {
            return Err(Cause::Closed);
        };
        if self.has_sent.replace(false) {
            self.round_trips.fetch_add(1, Ordering::Relaxed);
        }
        let (driver, prepared) = (&mut self.driver, self.prepared.get_mut());
        let waited = runtime.block_on(async {
            let answer = poll_fn(|context| {
                let ended = drive(driver, context);
                prepared.poll(context);
                match answering.as_mut().poll(context) {
                    Poll::Ready(answer) => Poll::Ready(answer.map_err(Cause::from)),
                    Poll::Pending if ended => Poll::Ready(Err(Cause::Closed)),
                    Poll::Pending => Poll::Pending,
                }
            });
            timeout(self.patience, answer).await
        });
        waited.unwrap_or_else(|_| {
            // What comes later would be taken for the answer to something else.
            self.driver = None;
            Err(Cause::Silent)
        })
    }

    /// Sends what was queued, without waiting for the answers.
    pub(crate) fn flush(&mut self) {
        if self.has_sent.replace(false) {
            self.look();
        }
    }

    /// Sends and receives what can be sent and received now.
    pub(crate) fn look(&mut self) {
        if let Some(runtime) = &self.runtime {
            let driver = &mut self.driver;
            runtime.block_on(async {
                // The runtime looks meanwhile whether something has arrived, such as the end of the connection.
                tokio::task::yield_now().await;
                poll_fn(|context| Poll::Ready(drive(driver, context))).await
            });
        }
    }

    /// Whether it is of use still, as far as is known without looking.
    pub(crate) fn is_alive(&self) -> bool {
        self.driver.is_some() && !self.client.is_closed()
    }

    /// Whether the server knows `NOTIFY`.
    pub(crate) fn can_notify(&self) -> bool {
        self.can_notify
    }

    /// Whether the server has notified this connection since this was called last.
    pub(crate) fn take_heard(&self) -> bool {
        self.heard.swap(false, Ordering::Relaxed)
    }

    /// The process of the server behind this connection.
    pub(crate) fn process(&self) -> i64 {
        self.process
    }

    /// Remembers the process of the server behind this connection.
    pub(crate) fn set_process(&mut self, process: i64) {
        self.process = process;
    }
}

/// Whether the server knows `NOTIFY`. CockroachDB and YugabyteDB say who they are.
fn can_notify<S, T>(connection: &Connection<S, T>) -> bool
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    let version = connection.parameter("server_version");
    connection.parameter("crdb_version").is_none()
        && !version.is_some_and(|version| version.contains("-YB-"))
}

/// Drives a connection, and remembers whether the server has notified it.
fn driver_of<S, T>(mut connection: Connection<S, T>, hears: Arc<AtomicBool>) -> Driver
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    Box::pin(poll_fn(move |context| {
        loop {
            match ready!(connection.poll_message(context)) {
                Some(Ok(AsyncMessage::Notification(_))) => hears.store(true, Ordering::Relaxed),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Err(error)),
                None => return Poll::Ready(Ok(())),
            }
        }
    }))
}

/// Sends and receives what can be sent and received now. Returns whether the connection has ended.
fn drive(driver: &mut Option<Driver>, context: &mut Context<'_>) -> bool {
    if let Some(running) = driver
        && running.as_mut().poll(context).is_ready()
    {
        *driver = None;
    }
    driver.is_none()
}

impl Drop for Link {
    fn drop(&mut self) {
        self.driver = None;
        if let Some(runtime) = self.runtime.take() {
            // Dropping it would wait for a name that is being looked up, which some callers may not.
            runtime.shutdown_background();
        }
    }
}
