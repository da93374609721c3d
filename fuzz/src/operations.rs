//! Sequences of operations, compared with a model in a `BTreeMap`.

use std::collections::{BTreeMap, BTreeSet};

use arbitrary::{Arbitrary, Unstructured};
use mcplexer_secrets::audit::FileAudit;
use mcplexer_secrets::backend::RedbBackend;
use mcplexer_secrets::keys::FileKeys;
use mcplexer_secrets::{
    Error, ErrorKind, NewScope, OnConflict, PutMode, RotateIdentity, ScopeId, SecretName,
    SecretStore, SecretValue, Store,
};

use crate::faulty::{Fault, Faulty};

/// The maximum length of a sequence, so that an input takes only milliseconds.
const MAX_OPERATIONS: usize = 32;

const SCOPES: [&str; 3] = ["a", "b", "a.b"];
const NAMES: [&str; 4] = ["K", "L", "_", "K2"];

#[derive(Debug, Arbitrary)]
struct Sequence {
    /// Whether the records are in a file rather than in memory.
    file: bool,
    operations: Vec<Operation>,
}

#[derive(Debug, Arbitrary)]
enum Operation {
    Put(Scope, Name, Value, Mode),
    Get(Scope, Name),
    Delete(Scope, Name),
    CreateScope(Scope),
    DeleteScope(Scope),
    Import(Scope, Vec<(Name, Value)>, Conflicts),
    Rotate { identity: bool },
    Compact,
    Reopen,
    Fault(Fault),
}

#[derive(Debug, Clone, Copy, Arbitrary)]
struct Scope(u8);

#[derive(Debug, Clone, Copy, Arbitrary)]
struct Name(u8);

#[derive(Debug, Clone, Arbitrary)]
struct Value(Vec<u8>);

/// A mode, with a version that is sometimes right.
#[derive(Debug, Clone, Copy, Arbitrary)]
enum Mode {
    Overwrite,
    Create,
    Replace(u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Arbitrary)]
enum Conflicts {
    Fail,
    Skip,
    Overwrite,
}

impl Scope {
    fn id(self) -> ScopeId {
        let id = SCOPES[usize::from(self.0) % SCOPES.len()];
        id.parse().expect("is an id")
    }
}

impl Name {
    fn name(self) -> SecretName {
        let name = NAMES[usize::from(self.0) % NAMES.len()];
        name.parse().expect("is a name")
    }
}

impl Value {
    /// Returns its bytes, at least one.
    fn bytes(&self) -> Vec<u8> {
        [b"v", self.0.as_slice()].concat()
    }

    fn value(&self) -> SecretValue {
        SecretValue::copy_of(&self.bytes()).expect("is a value")
    }
}

/// Scope → name → (version, value).
type Secrets = BTreeMap<ScopeId, BTreeMap<SecretName, (u64, Vec<u8>)>>;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Model {
    exists: bool,
    secrets: Secrets,
}

/// Runs the operations in the input on a store whose backend fails where the input says so. Each
/// operation has the same effect as on the model. One that met a failure has that effect or none,
/// and none if its commit was not applied. The audit log remains consistent.
pub fn operations(bytes: &[u8]) {
    let Ok(sequence) = Sequence::arbitrary(&mut Unstructured::new(bytes)) else {
        return;
    };
    let directory = tempfile::tempdir().expect("there is room");
    let redb = match sequence.file {
        true => RedbBackend::file(directory.path().join("secrets.redb")),
        false => RedbBackend::in_memory().expect("there is memory"),
    };
    let backend = Faulty::new(redb);
    let log = directory.path().join("audit.log");
    let open = || {
        let keys = FileKeys::new(directory.path().join("age.key"));
        let store = Store::with_backend(backend.clone(), keys)?;
        Ok::<_, Error>(store.with_audit_log(FileAudit::new(&log)))
    };
    let mut store = open().expect("nothing is armed yet");
    let mut model = Model::default();
    for operation in sequence.operations.into_iter().take(MAX_OPERATIONS) {
        let expected = match &operation {
            Operation::Fault(fault) => {
                backend.arm(*fault);
                continue;
            }
            Operation::Reopen => {
                let opened = open();
                assert!(opened.is_ok() || backend.disarm().any, "{opened:?}");
                store = opened.or_else(|_| open()).expect("opens without a failure");
                continue;
            }
            operation => model.after(operation),
        };
        let done = perform(&store, &operation);
        let met = backend.disarm();
        match (done, expected) {
            (Ok(got), Ok((after, value))) => {
                assert_eq!(got, value, "{operation:?}");
                model = after;
            }
            (Err(error), Err(kind)) if error.kind() == kind => {}
            (Err(_), Ok((after, _))) if met.unknown => {
                let now = contents(&store);
                assert!(now == model || now == after, "{operation:?} half done");
                model = now;
            }
            (Err(_), _) if met.any => {}
            (done, expected) => panic!("{operation:?} gives {done:?}, not {expected:?}"),
        }
        if met.any {
            assert_eq!(contents(&store), model, "after {operation:?}");
            let again = open().expect("opens without a failure");
            assert_eq!(contents(&again), model, "opened again after {operation:?}");
        }
    }
    backend.disarm();
    assert_eq!(contents(&store), model);
    let again = open().expect("opens without a failure");
    assert_eq!(contents(&again), model);
    if model.exists {
        let mut wrong = Vec::new();
        let checked = again.check(&mut |error| wrong.push(error), &mut |_| {});
        assert!(checked.is_ok() && wrong.is_empty(), "{checked:?} {wrong:?}");
    }
    again.verify_audit(&log, None).expect("has every line");
}

/// Runs an operation and returns the value it returns.
fn perform(store: &Store, operation: &Operation) -> Result<Option<Vec<u8>>, Error> {
    match operation {
        Operation::Put(scope, name, value, mode) => {
            let mode = match mode {
                Mode::Overwrite => PutMode::Overwrite,
                Mode::Create => PutMode::Create,
                Mode::Replace(version) => PutMode::Replace {
                    version: u64::from(*version),
                },
            };
            store.put(
                &NewScope::env(scope.id()),
                &name.name(),
                &value.value(),
                mode,
            )?;
        }
        Operation::Get(scope, name) => {
            let value = store.get(&scope.id(), &name.name())?;
            return Ok(Some(value.expose().to_vec()));
        }
        Operation::Delete(scope, name) => store.delete(&scope.id(), &name.name())?,
        Operation::CreateScope(scope) => store.create_scope(&NewScope::env(scope.id()))?,
        Operation::DeleteScope(scope) => {
            store.delete_scope(&scope.id())?;
        }
        Operation::Import(scope, secrets, conflicts) => {
            let secrets: Vec<_> = secrets
                .iter()
                .map(|(name, value)| (name.name(), value.value()))
                .collect();
            let on_conflict = match conflicts {
                Conflicts::Fail => OnConflict::Fail,
                Conflicts::Skip => OnConflict::Skip,
                Conflicts::Overwrite => OnConflict::Overwrite,
            };
            store.import(&NewScope::env(scope.id()), &secrets, on_conflict)?;
        }
        Operation::Rotate { identity } => {
            let identity = match identity {
                true => RotateIdentity::Replace,
                false => RotateIdentity::Keep,
            };
            store.rotate(identity, &mut |_| {})?;
        }
        Operation::Compact => store.compact()?,
        Operation::Reopen | Operation::Fault(_) => {}
    }
    Ok(None)
}

/// Returns everything in a store.
fn contents(store: &Store) -> Model {
    let exists = store.exists().expect("reads");
    let scopes = store.scopes().expect("lists");
    let secrets = scopes.into_iter().map(|scope| {
        let list = store.list(&scope.id).expect("lists");
        assert_eq!(list.len(), scope.secrets);
        let values = list.into_iter().map(|it| {
            let value = store.get(&scope.id, &it.name).expect("opens");
            (it.name, (it.version, value.expose().to_vec()))
        });
        let values = values.collect();
        (scope.id, values)
    });
    Model {
        exists,
        secrets: secrets.collect(),
    }
}

impl Model {
    /// Returns the model after an operation and the value it returns, or its error.
    fn after(&self, operation: &Operation) -> Result<(Self, Option<Vec<u8>>), ErrorKind> {
        let mut after = self.clone();
        match operation {
            Operation::Put(scope, name, value, mode) => {
                let secrets = after.secrets.entry(scope.id()).or_default();
                let found = secrets.get(&name.name()).map_or(0, |(version, _)| *version);
                let allowed = match mode {
                    Mode::Overwrite => true,
                    Mode::Create => found == 0,
                    Mode::Replace(version) => found > 0 && found == u64::from(*version),
                };
                if !allowed {
                    return Err(ErrorKind::Conflict);
                }
                secrets.insert(name.name(), (found + 1, value.bytes()));
                after.exists = true;
            }
            Operation::Get(scope, name) => {
                let secrets = self.secrets.get(&scope.id());
                let found = secrets.and_then(|it| it.get(&name.name()));
                let (_, value) = found.ok_or(ErrorKind::NotFound)?;
                return Ok((after, Some(value.clone())));
            }
            Operation::Delete(scope, name) => {
                let secrets = after.secrets.get_mut(&scope.id());
                let removed = secrets.and_then(|it| it.remove(&name.name()));
                removed.ok_or(ErrorKind::NotFound)?;
            }
            Operation::CreateScope(scope) => {
                if after.secrets.contains_key(&scope.id()) {
                    return Err(ErrorKind::Conflict);
                }
                after.secrets.insert(scope.id(), BTreeMap::new());
                after.exists = true;
            }
            Operation::DeleteScope(scope) => {
                let removed = after.secrets.remove(&scope.id());
                removed.ok_or(ErrorKind::NotFound)?;
            }
            Operation::Import(scope, secrets, conflicts) => {
                let mut names = BTreeSet::new();
                if !secrets.iter().all(|(name, _)| names.insert(name.name())) {
                    return Err(ErrorKind::Invalid);
                }
                let stored = after.secrets.entry(scope.id()).or_default();
                for (name, value) in secrets {
                    let (name, value) = (name.name(), value.bytes());
                    let version = match (stored.get(&name), conflicts) {
                        (None, _) => 1,
                        (Some((_, known)), _) if *known == value => continue,
                        (Some(_), Conflicts::Fail) => return Err(ErrorKind::Conflict),
                        (Some(_), Conflicts::Skip) => continue,
                        (Some((version, _)), Conflicts::Overwrite) => version + 1,
                    };
                    stored.insert(name, (version, value));
                }
                after.exists = true;
            }
            Operation::Rotate { .. } | Operation::Compact if !self.exists => {
                return Err(ErrorKind::NotFound);
            }
            Operation::Rotate { .. }
            | Operation::Compact
            | Operation::Reopen
            | Operation::Fault(_) => {}
        }
        Ok((after, None))
    }
}
