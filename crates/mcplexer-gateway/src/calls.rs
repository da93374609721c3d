//! Records each call in the audit log before it goes out, and how it ended.
//!
//! A call waits until its line is written, which is enough for the line to survive the end of this process. Lines are
//! made durable in the background. Where nobody else writes, a call writes its line itself: that is quicker than to wake
//! a thread. Calls that come together are written together.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use mcplexer_home::OpenHome;
use mcplexer_home::calls::Call;
use mcplexer_secrets::Timestamp;
use mcplexer_secrets::audit::{
    Actor, AuditOutcome, CallArguments, CallId, CallRecord, CallStep, SecretVersion,
};
use sha2::{Digest, Sha256};
use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{broadcast, oneshot};
use tokio::task::spawn_blocking;

use crate::awake::Awake;
use crate::error::CallError;
use crate::figures::Figures;
use crate::foreign::hidden;
use crate::instance::{Answer, Instance};
use crate::json::{Splices, Value};
use crate::length::at_length_of;
use crate::lists::is_list;
use crate::message::Message;
use crate::session::Peer;

mod live;
mod writer;

use live::Live;
use writer::{Ticket, Writer};

/// How much of a method or a name is kept, in characters: the log has no more of it, and a client may send any length.
const MOST_OF_NAME: usize = 128;

/// Records calls, and shows them to who watches.
#[derive(Debug)]
pub(crate) struct Calls {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    writer: Writer,
    live: Live,
    figures: Figures,
    /// For ids, if the system has no random numbers.
    next: AtomicU64,
    in_flight: AtomicUsize,
    awake: Awake,
}

impl Shared {
    /// Makes an id. How many calls there were cannot be told from it.
    fn fresh_id(&self) -> CallId {
        let mut id = [0; 8];
        CallId::new(match getrandom::fill(&mut id) {
            Ok(()) => u64::from_ne_bytes(id),
            Err(_) => self.next.fetch_add(1, Ordering::Relaxed),
        })
    }
}

/// What a call is about.
pub(crate) struct About<'a> {
    pub(crate) actor: &'a Arc<Actor>,
    pub(crate) server: &'a str,
    pub(crate) method: &'a str,
    pub(crate) message: &'a Message,
    /// What changes in the message on its way to the server.
    pub(crate) splices: &'a Splices,
    /// The secrets that the server was given.
    pub(crate) secrets: Option<&'a Arc<[SecretVersion]>>,
    /// Whose secrets are taken out of what is recorded.
    pub(crate) known_to: &'a [Arc<Instance>],
    /// Whether it is refused for a value in it, or was not searched for one: not even a digest of that is recorded.
    pub(crate) is_refused: bool,
}

/// A call that was recorded. Dropped, it has been cancelled.
#[derive(Debug)]
pub(crate) struct Recorded {
    shared: Arc<Shared>,
    id: CallId,
    actor: Arc<Actor>,
    server: Arc<str>,
    ticket: Arc<Ticket>,
    begun: Instant,
    end: (AuditOutcome, u64, u64),
}

impl About<'_> {
    /// Returns a name without values of secrets, and as much of it as is kept.
    fn hide(&self, name: &str) -> Arc<str> {
        let name = hidden(self.known_to.iter().map(|it| &**it), name);
        let end = name.char_indices().nth(MOST_OF_NAME).map(|(at, _)| at);
        end.and_then(|it| name.get(..it)).unwrap_or(&name).into()
    }
}

impl Calls {
    pub(crate) fn new(home: Arc<OpenHome>) -> Self {
        Self {
            shared: Arc::new(Shared {
                writer: Writer::new(home),
                live: Live::default(),
                figures: Figures::default(),
                next: AtomicU64::new(Timestamp::now().as_micros()),
                in_flight: AtomicUsize::new(0),
                awake: Awake::new(),
            }),
        }
    }

    /// Records a call that is about to go out; `None` if calls of this method are not recorded.
    ///
    /// # Errors
    /// [`CallError::Unrecorded`]: it must not go out.
    pub(crate) async fn begin(&self, about: About<'_>) -> Result<Option<Recorded>, CallError> {
        if !is_call(about.method) {
            return Ok(None);
        }
        let shared = &self.shared;
        let id = shared.fresh_id();
        let server: Arc<str> = about.server.into();
        let (object, arguments) = said(&about);
        let arguments = match arguments {
            Some(arguments) => Some(CallArguments {
                digest: at_length_of(arguments.len(), arguments, |it| Sha256::digest(it).into())
                    .await,
                bytes: arguments.len() as u64,
            }),
            None => None,
        };
        let record = CallRecord {
            time: Timestamp::now(),
            id,
            actor: Arc::clone(about.actor),
            server: Arc::clone(&server),
            step: CallStep::Begun {
                method: about.hide(about.method),
                object,
                secrets: about.secrets.map_or_else(|| [].into(), Arc::clone),
                arguments,
            },
        };
        let (done, mut written) = oneshot::channel();
        let ticket = Arc::new(Ticket::new());
        // Before it is shown: see `watch`.
        let shown = record.clone();
        shared.writer.push_begin(record, Arc::clone(&ticket), done);
        shared.live.begun(&shown);
        let others = shared.in_flight.fetch_add(1, Ordering::Relaxed);
        let mut recorded = Recorded {
            shared: Arc::clone(shared),
            id,
            actor: Arc::clone(about.actor),
            server,
            ticket,
            begun: Instant::now(),
            end: (AuditOutcome::Cancelled, 0, 0),
        };
        if others > 0 {
            // Others that are ready add their lines, and one of them writes all.
            tokio::task::yield_now().await;
        }
        let is_written = match written.try_recv() {
            Err(TryRecvError::Empty) => {
                shared.writer.write_here();
                written.await.ok()
            }
            received => received.ok(),
        };
        match is_written {
            Some(Ok(())) => {
                if others == 0 {
                    // For the answer.
                    shared.awake.stay();
                }
                Ok(Some(recorded))
            }
            failed => {
                recorded.end.0 = AuditOutcome::Failed;
                let problem = failed.and_then(Result::err);
                let problem = problem.unwrap_or_else(|| "the gateway is being stopped".to_owned());
                Err(CallError::Unrecorded { problem })
            }
        }
    }

    /// Returns what follows: each call when it goes out, and again when it has ended. Who does not keep up misses some.
    /// What came before is in the log then.
    pub(crate) async fn watch(&self) -> broadcast::Receiver<Arc<Call>> {
        let calls = self.subscribe();
        let shared = Arc::clone(&self.shared);
        let _panicked = spawn_blocking(move || shared.writer.write_all()).await;
        calls
    }

    fn subscribe(&self) -> broadcast::Receiver<Arc<Call>> {
        self.shared.live.subscribe()
    }

    /// Returns the last calls, in the order in which they went out.
    pub(crate) fn recent(&self) -> Vec<Call> {
        self.shared.live.recent()
    }

    pub(crate) fn figures(&self) -> &Figures {
        &self.shared.figures
    }

    /// Writes what is not written yet, and makes it durable.
    pub(crate) fn stop(&self) {
        self.shared.writer.stop();
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Recorded {
    /// Records how the call has ended.
    pub(crate) fn finish(mut self, answer: &Result<Answer, CallError>) {
        self.end = match answer {
            Ok(answer) => (
                outcome(&answer.message),
                answer.message.text().len() as u64,
                answer.scrubbed,
            ),
            Err(error) => (error.outcome(), 0, 0),
        };
    }
}

impl Recorded {
    /// Records that the gateway itself has refused the call.
    pub(crate) fn refuse(mut self) {
        self.end.0 = AuditOutcome::Refused;
    }
}

impl Drop for Recorded {
    fn drop(&mut self) {
        let (outcome, bytes, scrubbed) = self.end;
        let record = CallRecord {
            time: Timestamp::now(),
            id: self.id,
            actor: Arc::clone(&self.actor),
            server: Arc::clone(&self.server),
            step: CallStep::Ended {
                outcome,
                took: self.begun.elapsed(),
                bytes,
                scrubbed,
            },
        };
        self.shared.figures.count(&record);
        // Before it is shown: see `watch`.
        self.shared
            .writer
            .push_end(record.clone(), Arc::clone(&self.ticket));
        self.shared.live.ended(&record);
        if self.shared.in_flight.fetch_sub(1, Ordering::Relaxed) == 1 {
            // For the next call.
            self.shared.awake.stay();
        }
    }
}

/// Returns a client as the log names it.
pub(crate) fn actor(peer: &Peer, session: u64) -> Arc<Actor> {
    let mut actor = Actor::this_process();
    actor.uid = peer.uid.unwrap_or(actor.uid);
    if let Some(pid) = peer.pid {
        actor.pid = pid;
        // Only Linux says which program a process runs.
        let program = std::fs::read_link(format!("/proc/{pid}/exe")).ok();
        let name = program.as_deref().and_then(|it| it.file_name());
        actor.program = name.map_or_else(String::new, |it| it.to_string_lossy().into());
    }
    actor.client.clone_from(&peer.name);
    Arc::new(actor.with_session(session.to_string()))
}

/// Whether a request is recorded: everything that a client asks of a server, except what is listed, what is greeted, and
/// which log messages it wants.
pub(crate) fn is_call(method: &str) -> bool {
    let is_other = matches!(
        method,
        "ping" | "initialize" | "server/discover" | "logging/setLevel"
    );
    !is_other && !is_list(method)
}

/// Returns the tool, the prompt or the resource, as the server names it; and the arguments whose digest is recorded.
fn said<'a>(about: &About<'a>) -> (Option<Arc<str>>, Option<&'a str>) {
    let Some(params) = about.message.param(&[]) else {
        return (None, None);
    };
    let member = |name: &str| about.message.param(&[name]);
    let reference = member("ref");
    let of_reference = |name| reference.and_then(|it| it.get(name));
    let named = member("name").or_else(|| member("uri"));
    let named = named.or_else(|| of_reference("name").or_else(|| of_reference("uri")));
    let object = named.and_then(|named| {
        let original = about.splices.replacement(named).map(Value::new);
        let name = original.unwrap_or(named).as_str()?;
        Some(about.hide(&name))
    });
    let arguments = match member("arguments") {
        None if about.method == "tools/call" => None,
        _ if about.is_refused => None,
        arguments => Some(arguments.unwrap_or(params)),
    };
    (object, arguments.map(Value::text))
}

/// Returns how a call has ended that was answered.
fn outcome(answer: &Message) -> AuditOutcome {
    if answer.error().is_some() {
        return AuditOutcome::Error;
    }
    // Large results are not taken apart for a member that they do not have.
    let is_said = |it: &&str| memchr::memmem::find(it.as_bytes(), b"isError").is_some();
    let result = answer.result().filter(is_said);
    let says = result.and_then(|it| Value::new(it).get("isError"));
    match says.is_some_and(|it| it.text() == "true") {
        true => AuditOutcome::ToolError,
        false => AuditOutcome::Ok,
    }
}

#[cfg(test)]
mod tests;
