//! The connection to the cluster: one node at a time, the next one if it does not answer.

use std::future::Future;
use std::time::Duration;

use etcd_client::{Client, ConnectOptions, GetOptions, GetResponse, KvClient, Txn, TxnResponse};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout};

use crate::failure::Failure;
use crate::layout::Span;

/// How long one node may take to answer. After a leader was lost, a cluster needs one to two seconds to elect another.
const ANSWER: Duration = Duration::from_secs(3);
/// How long a whole cluster may give no answer.
const ABSENCE: Duration = Duration::from_secs(12);
const CONNECT: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(50);
/// A page of records can be much longer than the 4 MiB that are usual.
const LARGEST_ANSWER: usize = 1 << 30;

/// How long to go on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Until(Instant);

impl Until {
    pub(crate) fn patience(patience: Duration) -> Self {
        Self(Instant::now() + patience)
    }

    pub(crate) fn is_over(self) -> bool {
        Instant::now() >= self.0
    }

    pub(crate) fn instant(self) -> Instant {
        self.0
    }
}

/// A connection that is made when it is needed, and again with the next node.
pub(crate) struct Link {
    endpoints: Vec<String>,
    options: ConnectOptions,
    current: Mutex<Current>,
}

struct Current {
    /// Counts the connections.
    number: u64,
    endpoint: usize,
    client: Option<Client>,
}

impl Link {
    /// Prepares to connect to one of these, at first to the one at `first`.
    pub(crate) fn new(endpoints: Vec<String>, options: ConnectOptions, first: usize) -> Self {
        let current = Current {
            number: 0,
            endpoint: first,
            client: None,
        };
        Self {
            endpoints,
            options: options
                .with_connect_timeout(CONNECT)
                .with_auto_token_refresh(true),
            current: Mutex::new(current),
        }
    }

    async fn client(&self) -> Result<(u64, Client), Failure> {
        let mut current = self.current.lock().await;
        if let Some(client) = &current.client {
            return Ok((current.number, client.clone()));
        }
        let endpoint = self
            .endpoints
            .get(current.endpoint % self.endpoints.len().max(1));
        let connect = Client::connect(endpoint.as_slice(), Some(self.options.clone()));
        match timeout(CONNECT, connect).await {
            Ok(Ok(client)) => {
                current.client = Some(client.clone());
                Ok((current.number, client))
            }
            failed => {
                current.endpoint = current.endpoint.wrapping_add(1);
                current.number += 1;
                Err(failed.map_or(Failure::Late, |it| {
                    it.map_or_else(Failure::from, |_| Failure::Closed)
                }))
            }
        }
    }

    /// Leaves the connection with this number.
    async fn leave(&self, number: u64) {
        let mut current = self.current.lock().await;
        if current.number == number {
            current.number += 1;
            current.endpoint = current.endpoint.wrapping_add(1);
            current.client = None;
        }
    }

    /// Asks once. The answer may be lost.
    pub(crate) async fn once<T, F>(&self, ask: impl FnOnce(Client) -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, etcd_client::Error>>,
    {
        let (number, client) = self.client().await?;
        let answer = timeout(ANSWER, ask(client)).await;
        let answer = answer.map_err(|_| Failure::Late);
        let answer = answer.and_then(|it| it.map_err(Failure::from));
        if answer.as_ref().is_err_and(Failure::is_of_connection) {
            self.leave(number).await;
        }
        answer
    }

    /// Asks until there is an answer: for what may be asked twice.
    pub(crate) async fn ask<T, F>(
        &self,
        until: Until,
        ask: impl Fn(Client) -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, etcd_client::Error>>,
    {
        let absent = Until::patience(ABSENCE);
        loop {
            match self.once(&ask).await {
                Err(failure) if failure.is_silence() && absent.is_over() => return Err(failure),
                Err(failure) if failure.may_pass() && !until.is_over() => sleep(PAUSE).await,
                answer => return answer,
            }
        }
    }

    /// Carries out a transaction that may be carried out twice.
    pub(crate) async fn txn(&self, until: Until, txn: &Txn) -> Result<TxnResponse, Failure> {
        self.ask(until, |client| {
            let txn = txn.clone();
            async move { kv(&client).txn(txn).await }
        })
        .await
    }

    /// Carries out a transaction once.
    pub(crate) async fn txn_once(&self, txn: Txn) -> Result<TxnResponse, Failure> {
        self.once(|client| async move { kv(&client).txn(txn).await })
            .await
    }

    /// Reads at a revision: without asking the other nodes, if this one has come as far.
    ///
    /// `read` gets the options for that. A revision of 0 is that of now, of which the other nodes may know more.
    pub(crate) async fn at<T, F>(
        &self,
        revision: i64,
        read: impl Fn(GetOptions) -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let options = GetOptions::new().with_revision(revision);
        if revision > 0 {
            match read(options.clone().with_serializable()).await {
                Err(failure) if failure.is_behind() => {}
                found => return found,
            }
        }
        read(options).await
    }

    /// Reads the first keys of a range, at a revision. Without an order: they are in that of their bytes, and to ask for it
    /// makes etcd read the whole range.
    pub(crate) async fn page(
        &self,
        until: Until,
        span: &Span,
        revision: i64,
        limit: i64,
    ) -> Result<GetResponse, Failure> {
        self.at(revision, |options| {
            let options = options.with_range(span.end.clone()).with_limit(limit);
            self.get(until, &span.start, Some(options))
        })
        .await
    }

    pub(crate) async fn get(
        &self,
        until: Until,
        key: &[u8],
        options: Option<GetOptions>,
    ) -> Result<GetResponse, Failure> {
        self.ask(until, |client| {
            let (key, options) = (key.to_vec(), options.clone());
            async move { kv(&client).get(key, options).await }
        })
        .await
    }
}

fn kv(client: &Client) -> KvClient {
    client.kv_client().max_decoding_message_size(LARGEST_ANSWER)
}
