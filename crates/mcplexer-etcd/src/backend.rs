//! The backend.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use etcd_client::{AlarmAction, AlarmType, Client, Txn};
use mcplexer_secrets::StoreOptions;
use mcplexer_secrets::backend::{
    Backend, BackendError, BackendErrorKind, CommitId, Limits, Range, Replacement, Snapshot, Table,
    Transaction,
};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::time::timeout;

use crate::address::{Address, Password};
use crate::commit;
use crate::failure::Failure;
use crate::history;
use crate::layout::Layout;
use crate::link::{Link, Until};
use crate::marker::Marker;
use crate::reading::Moment;
use crate::shared::{Shared, random};
use crate::state::State;
use crate::transaction::Pending;
use crate::turn::Turn;

/// How large a commit may be. Each of its operations can become several of etcd's, with the key of a store in each: so many
/// fit into a request with keys of 200 bytes.
const LIMITS: Limits = Limits::new(Some(500), Some(16 << 20));
/// How long a handle that is closed waits for what it has to clear away.
const FAREWELL: Duration = Duration::from_secs(2);

/// Stores the records of one store in an etcd cluster. The [crate documentation](crate) says how.
pub struct EtcdBackend {
    /// `None` while it is being dropped.
    runtime: Option<Runtime>,
    handle: Handle,
    shared: Arc<Shared>,
    address: Address,
    patience: Duration,
}

impl EtcdBackend {
    /// Prepares to use the store at an address. Connects when it is used first.
    ///
    /// # Errors
    /// [`BackendError`] if a file that the address names cannot be read, or the threads for the network cannot be
    /// started.
    pub fn new(address: Address, password: Option<&Password>) -> Result<Self, BackendError> {
        let options = address.options(password)?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("etcd")
            .enable_all()
            .build();
        let other = |message| BackendError::new(BackendErrorKind::Other, message);
        let runtime = runtime
            .map_err(|error| other("cannot start the thread for the network").with_source(error))?;
        // Not every handle begins with the same node.
        let first = random().map_err(|failure| failure.during("cannot choose a node of etcd"))?;
        let first = usize::try_from(first % 1024).unwrap_or_default();
        let link = Link::new(address.urls(), options, first);
        let shared = Arc::new(Shared::new(link, Layout::new(address.prefix())));
        let handle = runtime.handle().clone();
        handle.spawn(history::keep_paying(Arc::clone(&shared)));
        Ok(Self {
            runtime: Some(runtime),
            handle,
            shared,
            address,
            patience: StoreOptions::default().patience(),
        })
    }

    /// Sets how long to wait for an answer of the cluster, and for other writers.
    #[must_use]
    pub fn with_options(mut self, options: &StoreOptions) -> Self {
        self.patience = options.patience();
        self
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn until(&self) -> Until {
        Until::patience(self.patience)
    }

    /// Waits for work on the thread for the network. Also from a thread of another runtime, which does nothing else
    /// meanwhile.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Result<T, Failure> {
        let (tell, told) = mpsc::sync_channel(1);
        self.handle.spawn(async move {
            let _nobody_waits = tell.send(work.await);
        });
        told.recv().unwrap_or(Err(Failure::Closed))
    }

    /// Describes a failure. `what` is what was to be done, such as "read from".
    pub(crate) fn error(&self, what: &str, failure: Failure) -> BackendError {
        failure.during(format!("cannot {what} {}", self.address))
    }

    /// The current state; `None` if nothing was ever committed.
    pub(crate) fn moment(&self) -> Result<Option<Moment>, BackendError> {
        let (shared, until) = (Arc::clone(&self.shared), self.until());
        let at = self.run(async move { shared.now(until).await });
        let at = at.map_err(|failure| self.error("read from", failure))?;
        Ok(at.head.map(|head| Moment {
            revision: at.revision,
            epoch: head.epoch,
        }))
    }
}

impl fmt::Debug for EtcdBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EtcdBackend").field(&self.address).finish()
    }
}

impl Drop for EtcdBackend {
    fn drop(&mut self) {
        let shared = Arc::clone(&self.shared);
        let farewell = async move {
            let clear = async {
                // A turn that was given up is over then.
                let _turn = shared.writer.acquire().await;
                shared.history.pay(&shared.link).await;
            };
            let _in_time = timeout(FAREWELL, clear).await;
            Ok(())
        };
        let _cleared = self.run(farewell);
        if let Some(runtime) = self.runtime.take() {
            // Allowed in a thread of another runtime, where to wait is not.
            runtime.shutdown_background();
        }
    }
}

impl Backend for EtcdBackend {
    fn read(&self) -> Result<Option<Box<dyn Snapshot + '_>>, BackendError> {
        let moment = self.moment()?;
        Ok(moment.map(|moment| Box::new(State::new(self, moment)) as _))
    }

    fn write(&self) -> Result<Box<dyn Transaction + '_>, BackendError> {
        let turn = Turn::begin(Arc::clone(&self.shared), self.until());
        let turn = self.run(turn);
        let (turn, at) = turn.map_err(|failure| self.error("write to", failure))?;
        Ok(Box::new(Pending::new(self, turn, at)))
    }

    fn replace(&self) -> Result<Replacement<'_>, BackendError> {
        let (shared, until) = (Arc::clone(&self.shared), self.until());
        let begun = self.run(async move {
            let (turn, at) = Turn::begin(Arc::clone(&shared), until).await?;
            let (epoch, marker) = match turn.begun() {
                Some((epoch, begun)) => (epoch, begun.taken_over()),
                None => (random()?, Marker::new(at.head_revision)),
            };
            // In this turn only, and not in a request that a node carries out when it is over.
            let begun = turn
                .begun()
                .map(|(_, begun)| shared.is_staged(epoch, begun));
            let when: Vec<_> = std::iter::once(turn.is_now()).chain(begun).collect();
            let stage = Txn::new()
                .when(when)
                .and_then([shared.stage(epoch, marker)]);
            if !shared.link.txn(until, &stage).await?.succeeded() {
                return Err(Failure::Queue);
            }
            Ok((turn, at, epoch, marker))
        });
        let (turn, at, epoch, marker) = begun.map_err(|failure| self.error("write to", failure))?;
        let old = at.head.map(|head| Moment {
            revision: at.revision,
            epoch: head.epoch,
        });
        Ok(Replacement {
            old: old.map(|moment| Box::new(State::new(self, moment)) as _),
            new: Box::new(Pending::replacement(self, turn, at, epoch, marker)),
        })
    }

    fn settle(&self, commit: &CommitId) -> Result<bool, BackendError> {
        let (shared, until) = (Arc::clone(&self.shared), self.until());
        let commit = commit.clone();
        let settled = self.run(async move { commit::settle(&shared, until, &commit).await });
        settled.map_err(|failure| self.error("find out about a commit to", failure))
    }

    fn limits(&self) -> Limits {
        LIMITS
    }

    fn revision(&self) -> Result<Option<u64>, BackendError> {
        let (shared, until) = (Arc::clone(&self.shared), self.until());
        let at = self.run(async move { shared.now(until).await });
        let at = at.map_err(|failure| self.error("read from", failure))?;
        Ok(u64::try_from(at.head_revision).ok())
    }

    fn check(&self) -> Result<(), BackendError> {
        let (shared, until) = (Arc::clone(&self.shared), self.until());
        let alarms = self.run(async move {
            let ask = |mut client: Client| async move {
                client.alarm(AlarmAction::Get, AlarmType::None, None).await
            };
            shared.link.ask(until, ask).await
        });
        let alarms = alarms.map_err(|failure| self.error("check", failure))?;
        if let Some(alarm) = alarms.alarms().first() {
            let message = format!("{} reports the alarm {:?}", self.address, alarm.alarm());
            return Err(BackendError::new(BackendErrorKind::Corrupt, message));
        }
        if let Some(snapshot) = self.read()? {
            for table in Table::ALL {
                let mut ignore = |_: &[u8], _: &[u8]| std::ops::ControlFlow::Continue(());
                snapshot.scan(Range::all(table), &mut ignore)?;
            }
        }
        match self.shared.history.failed() {
            Some(failed) => {
                let message = format!(
                    "cannot discard what was deleted from {}: {failed}",
                    self.address
                );
                Err(BackendError::new(BackendErrorKind::Other, message))
            }
            None => Ok(()),
        }
    }
}
