//! A store made of parts from outside: the records are in a map, the private key is in a key service
//! that never hands it out, and the audit log is printed.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use mcplexer_secrets::audit::{Actor, AuditError, AuditErrorKind, AuditEvent, AuditSink, Chained};
use mcplexer_secrets::backend::{
    Backend, BackendError, Commit, Replacement, Snapshot, Table, Transaction,
};
use mcplexer_secrets::keys::{
    Ask, FileKey, Identity, KeyError, KeyErrorKind, KeyHolder, KeyProvider, Recipient, Stanza,
};
use mcplexer_secrets::{NewScope, PutMode, RotateIdentity, SecretStore, SecretValue, Store};

type Records = BTreeMap<(&'static str, Vec<u8>), Vec<u8>>;
type Backed<T = ()> = Result<T, BackendError>;

/// Stores the records, and counts the commits: before the first, there is no store.
#[derive(Debug, Default)]
pub(crate) struct MapBackend(Mutex<(u64, Records)>);

/// The records after a number of commits, to read or to change.
struct State<'a>(&'a MapBackend, u64, Records);

impl MapBackend {
    fn state(&self) -> State<'_> {
        let now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        State(self, now.0, now.1.clone())
    }
}

impl Backend for MapBackend {
    fn read(&self) -> Backed<Option<Box<dyn Snapshot + '_>>> {
        let state = self.state();
        Ok((state.1 > 0).then(|| Box::new(state) as _))
    }

    fn write(&self) -> Backed<Box<dyn Transaction + '_>> {
        Ok(Box::new(self.state()))
    }

    fn replace(&self) -> Backed<Replacement<'_>> {
        let new = Box::new(State(self, self.state().1, Records::new()));
        Ok(Replacement {
            old: self.read()?,
            new,
        })
    }
}

impl Snapshot for State<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Backed<Option<Vec<u8>>> {
        Ok(self.2.get(&(table.name(), key.to_vec())).cloned())
    }

    fn scan(&self, table: Table, prefix: &[u8], each: &mut dyn FnMut(&[u8], &[u8])) -> Backed {
        let from = self.2.range((table.name(), prefix.to_vec())..);
        from.take_while(|((name, key), _)| *name == table.name() && key.starts_with(prefix))
            .for_each(|((_, key), record)| each(key, record));
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
        let mut now = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now.0 != self.1 {
            return Ok(Commit::Conflict);
        }
        *now = (self.1 + 1, self.2);
        Ok(Commit::Applied)
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
