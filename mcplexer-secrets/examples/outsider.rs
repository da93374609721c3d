//! A store made of parts from outside: the records are in a map, the private key is in a key service
//! that never hands it out, and the audit log is printed.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use mcplexer_secrets::audit::{Actor, AuditError, AuditErrorKind, AuditEvent, AuditSink, Chained};
use mcplexer_secrets::backend::{
    Backend, BackendError, BackendErrorKind, Commit, CommitId, EachRecord, Range, Replacement,
    Snapshot, Successor, Table, Transaction,
};
use mcplexer_secrets::keys::{
    Ask, FileKey, Identity, KeyError, KeyErrorKind, KeyHolder, KeyProvider, Recipient, Stanza,
};
use mcplexer_secrets::{NewScope, PutMode, RotateIdentity, SecretStore, SecretValue, Store};

type Records = BTreeMap<(&'static str, Vec<u8>), Vec<u8>>;
type Backed<T = ()> = Result<T, BackendError>;

/// Stores the records, and counts the commits: before the first, there is no store.
#[derive(Debug, Default)]
pub(crate) struct MapBackend {
    now: Mutex<(u64, Records)>,
    has_writer: Mutex<bool>,
    writer_is_done: Condvar,
}

/// The turn of a writer. Others wait for it.
struct Turn<'a>(&'a MapBackend);

/// The records after a number of commits, to read or, with a turn, to change.
struct State<'a>(Option<Turn<'a>>, u64, Records);

impl MapBackend {
    fn state<'a>(&self, turn: Option<Turn<'a>>) -> State<'a> {
        let now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        State(turn, now.0, now.1.clone())
    }

    fn turn(&self) -> Turn<'_> {
        let has_writer = self.has_writer.lock();
        let has_writer = has_writer.unwrap_or_else(PoisonError::into_inner);
        let waited = self.writer_is_done.wait_while(has_writer, |it| *it);
        *waited.unwrap_or_else(PoisonError::into_inner) = true;
        Turn(self)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let has_writer = self.0.has_writer.lock();
        *has_writer.unwrap_or_else(PoisonError::into_inner) = false;
        self.0.writer_is_done.notify_one();
    }
}

impl Backend for MapBackend {
    fn read(&self) -> Backed<Option<Box<dyn Snapshot + '_>>> {
        let state = self.state(None);
        Ok((state.1 > 0).then(|| Box::new(state) as _))
    }

    fn write(&self) -> Backed<Box<dyn Transaction + '_>> {
        Ok(Box::new(self.state(Some(self.turn()))))
    }

    fn replace(&self) -> Backed<Replacement<'_>> {
        let State(turn, commits, _) = self.state(Some(self.turn()));
        Ok(Replacement {
            old: self.read()?,
            new: Box::new(State(turn, commits, Records::new())),
        })
    }

    fn settle(&self, _commit: &CommitId) -> Backed<bool> {
        let message = "no commit of this backend is unknown";
        Err(BackendError::new(BackendErrorKind::Other, message))
    }
}

impl Snapshot for State<'_> {
    fn get_many(&self, places: &[(Table, &[u8])]) -> Backed<Vec<Option<Vec<u8>>>> {
        let get =
            |(table, key): &(Table, &[u8])| self.2.get(&(table.name(), key.to_vec())).cloned();
        Ok(places.iter().map(get).collect())
    }

    fn scan(&self, range: Range<'_>, each: &mut EachRecord<'_>) -> Backed {
        let from = self.2.range((range.table.name(), range.prefix.to_vec())..);
        let _stopped = from
            .take_while(|((name, key), _)| {
                *name == range.table.name() && key.starts_with(range.prefix)
            })
            .filter(|((_, key), _)| range.after.is_none_or(|after| &**key > after))
            .try_for_each(|((_, key), record)| each(key, record));
        Ok(())
    }
}

impl Transaction for State<'_> {
    fn is_first(&self) -> bool {
        self.1 == 0
    }

    fn put(&mut self, table: Table, key: &[u8], record: &[u8]) -> Backed {
        self.2.insert((table.name(), key.to_vec()), record.to_vec());
        Ok(())
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Backed {
        self.2.remove(&(table.name(), key.to_vec()));
        Ok(())
    }

    fn delete_prefix(&mut self, table: Table, prefix: &[u8]) -> Backed {
        let goes = |name: &str, key: &[u8]| name == table.name() && key.starts_with(prefix);
        self.2.retain(|(name, key), _| !goes(name, key));
        Ok(())
    }

    fn commit(self: Box<Self>) -> Backed<Commit> {
        let Some(Turn(backend)) = &self.0 else {
            return Ok(Commit::Conflict);
        };
        let mut now = backend.now.lock().unwrap_or_else(PoisonError::into_inner);
        *now = (self.1 + 1, self.2);
        Ok(Commit::Applied)
    }
}

impl Successor for State<'_> {
    /// Nothing in memory outlives the process.
    fn keep(&mut self) -> Backed {
        Ok(())
    }
}

type Answer = Result<Option<FileKey>, KeyError>;
/// The parts of a stanza, and the channel for the answer.
type Question = (String, Vec<String>, Vec<u8>, Sender<Answer>);

/// A client of a key service.
#[derive(Debug, Clone)]
struct KeyService(Sender<Question>, Recipient);

impl KeyService {
    fn start() -> Result<Self, Box<dyn Error>> {
        let ((ask, questions), identity) = (channel::<Question>(), Identity::generate());
        let recipient = identity.recipient().ok_or("an age key has a recipient")?;
        thread::spawn(move || {
            for (tag, args, body, answer) in questions {
                let key = identity.unwrap(&Stanza::new(&tag, &args, &body));
                let _client_is_gone = answer.send(key);
            }
        });
        Ok(Self(ask, recipient))
    }
}

impl KeyHolder for KeyService {
    fn unwrap(&self, stanza: &Stanza<'_>) -> Answer {
        let gone = || KeyError::provider(KeyErrorKind::Unusable, "the key service is gone");
        let (answer, answered) = channel();
        let (tag, args, body) = (stanza.tag.into(), stanza.args.into(), stanza.body.into());
        self.0.send((tag, args, body, answer)).map_err(|_| gone())?;
        answered.recv().map_err(|_| gone())?
    }
}

impl KeyProvider for KeyService {
    fn identities(&self, _ask: Ask) -> Result<Vec<Identity>, KeyError> {
        Ok(vec![Identity::held_by(
            self.1.clone(),
            Arc::new(self.clone()),
        )])
    }
}

/// Prints the number of each line, what was done, and for whom.
#[derive(Debug)]
struct Printed;

impl AuditSink for Printed {
    fn record(&self, event: &AuditEvent<'_>) -> Result<(), AuditError> {
        let line = event.chain.map_or(0, |chain| chain.line);
        let (client, done) = (event.actor.client.as_deref(), event.operation);
        writeln!(std::io::stdout(), "{line}: {done:?} for {client:?}").map_err(|error| {
            AuditError::new(AuditErrorKind::Other, "cannot print").with_source(error)
        })
    }
}

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let store = Store::with_backend(MapBackend::default(), KeyService::start()?)?
        .with_audit(Chained::new(Printed)?);
    let (scope, name) = (NewScope::env("github-token".parse()?), "TOKEN".parse()?);
    let value = SecretValue::new(b"ghp_abc123".to_vec())?;
    store.put(&scope, &name, &value, PutMode::Create)?;
    store.rotate(RotateIdentity::Keep, &mut |_| {})?;
    let for_client = store.acting_as(Actor::this_process().with_client("an editor"));
    if for_client.get(&scope.id, &name)?.expose() != value.expose() {
        return Err("another value came back".into());
    }
    Ok(())
}
