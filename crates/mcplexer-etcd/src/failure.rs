//! How a request to etcd fails.

use std::error::Error;

use mcplexer_secrets::backend::{BackendError, BackendErrorKind};

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The node did not answer in time.
    #[error("no answer in time")]
    Late,
    /// Other writers did not finish in time.
    #[error("other writers did not finish in time")]
    Queue,
    /// etcd has discarded the state that was asked for.
    #[error("etcd has discarded this state: try again")]
    Discarded,
    /// The node answered, or the connection to it failed.
    #[error("{}", reason(.0))]
    Etcd(etcd_client::Error),
    /// What is stored is not what a store stores.
    #[error("{0}")]
    Corrupt(String),
    /// The system has no random bytes.
    #[error(transparent)]
    Random(#[from] getrandom::Error),
    /// The commit was made too long ago.
    #[error("the commit was too long ago to find out")]
    Forgotten,
    /// The backend is being closed.
    #[error("the connection is being closed")]
    Closed,
}

// Not as the source: what that says of itself is in `reason`, or helps nobody.
impl From<etcd_client::Error> for Failure {
    fn from(error: etcd_client::Error) -> Self {
        Self::Etcd(error)
    }
}

/// Codes of gRPC: <https://grpc.github.io/grpc/core/md_doc_statuscodes.html>.
mod code {
    pub(super) const CANCELLED: i32 = 1;
    pub(super) const UNKNOWN: i32 = 2;
    pub(super) const DEADLINE_EXCEEDED: i32 = 4;
    pub(super) const RESOURCE_EXHAUSTED: i32 = 8;
    pub(super) const INTERNAL: i32 = 13;
    pub(super) const UNAVAILABLE: i32 = 14;
    pub(super) const UNAUTHENTICATED: i32 = 16;
}

/// Returns what a person can act on: the answer of etcd, or why it did not answer.
fn reason(error: &etcd_client::Error) -> String {
    let etcd_client::Error::GRpcStatus(status) = error else {
        return error.to_string();
    };
    let mut deepest = None;
    let mut next = status.source();
    while let Some(cause) = next {
        deepest = Some(cause.to_string());
        next = cause.source();
    }
    let message = status.message();
    match deepest.filter(|it| it != message) {
        Some(deepest) => format!("{message}: {deepest}"),
        None => message.to_owned(),
    }
}

impl Failure {
    fn status(&self) -> Option<(i32, &str)> {
        match self {
            Self::Etcd(etcd_client::Error::GRpcStatus(status)) => {
                Some((status.code() as i32, status.message()))
            }
            _ => None,
        }
    }

    fn says(&self, text: &str) -> bool {
        self.status()
            .is_some_and(|(_, message)| message.contains(text))
    }

    /// Whether one side does not accept the other's certificate.
    fn is_distrust(&self) -> bool {
        let Self::Etcd(error) = self else {
            return false;
        };
        let reason = reason(error);
        // Only while a connection begins.
        let alert = reason
            .split_once("received fatal alert: ")
            .map(|(_, it)| it);
        let of_certificate = |it: &str| it.contains("Certificate") || it.contains("UnknownCA");
        reason.contains("invalid peer certificate") || alert.is_some_and(of_certificate)
    }

    /// Whether the request may have been carried out, or may still be.
    pub(crate) fn is_silence(&self) -> bool {
        match self {
            failure if failure.is_distrust() => false,
            Self::Late | Self::Closed => true,
            Self::Etcd(etcd_client::Error::GRpcStatus(_)) => {
                use code::{CANCELLED, DEADLINE_EXCEEDED, INTERNAL, UNAVAILABLE, UNKNOWN};
                let silent = [CANCELLED, DEADLINE_EXCEEDED, INTERNAL, UNAVAILABLE, UNKNOWN];
                self.status()
                    .is_some_and(|(code, _)| silent.contains(&code))
            }
            Self::Etcd(
                etcd_client::Error::IoError(_)
                | etcd_client::Error::TransportError(_)
                | etcd_client::Error::WatchError(_)
                | etcd_client::Error::LeaseKeepAliveError(_)
                | etcd_client::Error::EndpointError(_)
                | etcd_client::Error::Internal(_),
            ) => true,
            _ => false,
        }
    }

    /// Whether another connection may do better.
    pub(crate) fn is_of_connection(&self) -> bool {
        let unauthenticated = self.status().map(|(code, _)| code) == Some(code::UNAUTHENTICATED);
        self.is_silence() || unauthenticated
    }

    /// Whether the same request may succeed later.
    pub(crate) fn may_pass(&self) -> bool {
        self.is_of_connection() || self.says("too many requests")
    }

    /// Whether a key was to be attached to a lease that has ended.
    pub(crate) fn is_lost_lease(&self) -> bool {
        self.says("requested lease not found")
    }

    /// Whether a key was to be kept that is gone.
    pub(crate) fn is_lost_key(&self) -> bool {
        self.says("key not found")
    }

    /// Whether etcd has discarded the revision that was asked for.
    pub(crate) fn is_discarded(&self) -> bool {
        matches!(self, Self::Discarded) || self.says("required revision has been compacted")
    }

    /// Whether the cluster is full. The first request that this answers was carried out.
    pub(crate) fn is_full(&self) -> bool {
        self.says("database space exceeded")
    }

    /// Whether the node does not know yet the revision that was asked for.
    pub(crate) fn is_behind(&self) -> bool {
        self.says("required revision is a future revision")
    }

    /// Describes the failure to a caller. `what` says what was tried, and where.
    pub(crate) fn during(self, what: impl Into<String>) -> BackendError {
        let of_queue = matches!(self.status(), Some((code::RESOURCE_EXHAUSTED, _)));
        let kind = match &self {
            Self::Corrupt(_) => BackendErrorKind::Corrupt,
            Self::Queue | Self::Discarded => BackendErrorKind::Busy,
            failure if failure.is_discarded() => BackendErrorKind::Busy,
            failure if of_queue && failure.may_pass() => BackendErrorKind::Busy,
            failure if failure.is_silence() => BackendErrorKind::Unreachable,
            failure if failure.is_denial() => BackendErrorKind::Denied,
            _ => BackendErrorKind::Other,
        };
        let advice = self.advice(kind);
        let failure = if self.is_discarded() {
            Self::Discarded
        } else {
            self
        };
        let error = BackendError::new(kind, what).with_source(failure);
        match advice {
            Some(advice) => error.with_advice(advice),
            None => error,
        }
    }

    /// Whether etcd refuses who asks.
    fn is_denial(&self) -> bool {
        self.says("permission denied") || self.says("authentication failed") || self.is_anonymous()
    }

    fn is_anonymous(&self) -> bool {
        self.says("user name is empty")
    }

    /// What to do about it; `None` if that is to be said by who has the password, or for every backend.
    fn advice(&self, kind: BackendErrorKind) -> Option<&'static str> {
        match kind {
            BackendErrorKind::Denied if self.is_anonymous() => {
                Some("the cluster has users: add user=NAME to the address")
            }
            BackendErrorKind::Denied if self.says("permission denied") => Some(
                "on the cluster: etcdctl role grant-permission ROLE --prefix=true readwrite PREFIX/",
            ),
            BackendErrorKind::Other => Some(
                "check the address; cacert=FILE names the certificates to trust, instead of those of the system",
            ),
            _ => None,
        }
    }
}
