//! Calls through a gateway, as the audit log has them.

use std::collections::HashMap;
use std::path::Path;

use mcplexer_secrets::Error;
use mcplexer_secrets::audit::{
    AuditLine, AuditOperation, AuditOutcome, AuditReader, CallRecord, CallStep,
};
use serde::Serialize;

mod page;
mod unmatched;
mod wanted;

pub use page::{Page, PageError, Placed, find, page};
pub use unmatched::{Seen, Unmatched, unmatched};
pub use wanted::{Ending, InvalidEnding, Wanted};

/// A call of a client to a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Call {
    /// Tells it from others, in 16 hexadecimal digits.
    pub id: String,
    /// When it went out, in RFC 3339.
    pub time: String,
    /// The client, if it has a name.
    pub client: Option<String>,
    /// The session of the client.
    pub session: Option<String>,
    /// The user of the client.
    pub uid: u32,
    /// The process of the client.
    pub pid: u32,
    /// The file name of its program; empty if it is not known.
    pub program: String,
    /// The server; empty if the call was to none that there is.
    pub server: String,
    /// The method of the protocol.
    pub method: String,
    /// The tool, the prompt or the resource.
    pub object: Option<String>,
    /// The secrets that the server was given, as `scope/KEY@3`.
    pub secrets: Vec<String>,
    /// The SHA-256 of the arguments, in hexadecimal digits.
    pub digest: Option<String>,
    /// The length of the arguments in bytes.
    pub bytes: u64,
    /// How it ended. `None` while it goes on, and if the gateway was killed meanwhile.
    pub outcome: Option<AuditOutcome>,
    /// How long it took, in milliseconds.
    pub ms: Option<u64>,
    /// The length of the answer in bytes.
    pub answer_bytes: Option<u64>,
    /// How many values of secrets were replaced in the answer.
    pub scrubbed: Option<u64>,
}

impl Call {
    /// Describes a call from what was handed in to be recorded. `None` if the record does not begin one.
    #[must_use]
    pub fn of(record: &CallRecord) -> Option<Self> {
        let CallStep::Begun {
            method,
            object,
            secrets,
            arguments,
        } = &record.step
        else {
            return None;
        };
        Some(Self {
            id: record.id.to_string(),
            time: record.time.to_string(),
            client: record.actor.client.clone(),
            session: record.actor.session.clone(),
            uid: record.actor.uid,
            pid: record.actor.pid,
            program: record.actor.program.clone(),
            server: record.server.to_string(),
            method: method.to_string(),
            object: object.as_deref().map(str::to_owned),
            secrets: secrets.iter().map(ToString::to_string).collect(),
            digest: arguments
                .map(|it| it.digest.iter().map(|byte| format!("{byte:02x}")).collect()),
            bytes: arguments.map_or(0, |it| it.bytes),
            outcome: None,
            ms: None,
            answer_bytes: None,
            scrubbed: None,
        })
    }

    /// The same call, ended as this record says.
    #[must_use]
    pub fn ended(mut self, record: &CallRecord) -> Self {
        if let CallStep::Ended {
            outcome,
            took,
            bytes,
            scrubbed,
        } = &record.step
        {
            self.outcome = Some(*outcome);
            self.ms = Some(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
            (self.answer_bytes, self.scrubbed) = (Some(*bytes), Some(*scrubbed));
        }
        self
    }

    /// Reads the line that begins a call.
    fn begun(line: AuditLine) -> Option<Self> {
        let call = line.call?;
        Some(Self {
            id: call.id,
            time: line.time,
            client: line.actor.client,
            session: line.actor.session,
            uid: line.actor.uid,
            pid: line.actor.pid,
            program: line.actor.program,
            server: call.server,
            method: call.method.unwrap_or_default(),
            object: line.actor.tool.or(call.object),
            secrets: call.secrets,
            digest: call.digest,
            bytes: call.bytes,
            outcome: None,
            ms: None,
            answer_bytes: None,
            scrubbed: None,
        })
    }

    /// Adds how it ended.
    fn end(&mut self, line: AuditLine) {
        if let Some(call) = line.call {
            self.outcome = Some(line.outcome);
            (self.ms, self.scrubbed) = (call.ms, call.scrubbed);
            self.answer_bytes = Some(call.bytes);
        }
    }
}

/// Reads calls out of an audit log: the last ones, and then those that follow.
#[derive(Debug)]
pub struct CallReader {
    log: AuditReader,
    /// Calls that have not ended, by id.
    open: HashMap<String, Call>,
    wanted: Wanted,
}

/// How many calls without an end are remembered. Those before them have probably none.
const MOST_OPEN: usize = 10_000;

impl CallReader {
    /// Opens the log at `path`, at its end. `None` if the file does not exist.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be read.
    pub fn open(path: &Path) -> Result<Option<Self>, Error> {
        let log = AuditReader::open(path)?;
        Ok(log.map(|log| Self {
            log,
            open: HashMap::new(),
            wanted: Wanted::default(),
        }))
    }

    /// Leaves out all calls but those that are wanted. To be called first.
    #[must_use]
    pub fn only(mut self, wanted: Wanted) -> Self {
        self.wanted = wanted;
        self
    }

    /// Returns the last calls before the end of the log, at most `most`, in the order in which they began. To be called
    /// once, before [`ended`](Self::ended).
    ///
    /// # Errors
    /// * [`Error::Io`] if the file cannot be read.
    /// * [`Error::Tampered`] if it has something else than lines.
    pub fn last(&mut self, most: usize) -> Result<Vec<Call>, Error> {
        let (mut calls, mut ends) = (Vec::new(), HashMap::new());
        while calls.len() < most {
            let Some(line) = self.log.previous()? else {
                break;
            };
            let id = line.call.as_ref().map(|call| call.id.clone());
            match (line.operation, id) {
                (AuditOperation::CallResult, Some(id)) => {
                    ends.insert(id, line);
                }
                (AuditOperation::Call, Some(id)) => {
                    let Some(mut call) = Call::begun(line) else {
                        continue;
                    };
                    if self.wanted.is_over(&call) {
                        break;
                    }
                    match ends.remove(&id) {
                        Some(end) => call.end(end),
                        // The newest come first, and those are the ones that may still end.
                        None if self.open.len() < MOST_OPEN => self.keep_open(&call),
                        None => {}
                    }
                    if self.wanted.has(&call) {
                        calls.push(call);
                    }
                }
                _ => {}
            }
        }
        calls.reverse();
        Ok(calls)
    }

    /// Returns the calls that have ended since, in the order in which they did. One that began before those that
    /// [`last`](Self::last) returned is left out.
    ///
    /// # Errors
    /// As [`last`](Self::last).
    pub fn ended(&mut self) -> Result<Vec<Call>, Error> {
        let mut calls = Vec::new();
        for line in self.log.appended()? {
            match line.operation {
                AuditOperation::Call => {
                    let call = Call::begun(line).filter(|it| !self.wanted.is_over(it));
                    if let Some(call) = call {
                        self.keep_open(&call);
                    }
                }
                AuditOperation::CallResult => {
                    let id = line.call.as_ref().map(|call| call.id.as_str());
                    if let Some(mut call) = id.and_then(|id| self.open.remove(id)) {
                        call.end(line);
                        if self.wanted.has(&call) {
                            calls.push(call);
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(calls)
    }

    fn keep_open(&mut self, call: &Call) {
        if self.open.len() >= MOST_OPEN {
            self.open.clear();
        }
        self.open.insert(call.id.clone(), call.clone());
    }
}
