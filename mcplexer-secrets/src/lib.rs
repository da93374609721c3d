//! An encrypted store for the credentials of tool servers, grouped by scope: one for each server.
//!
//! Values are encrypted at rest with [age](https://age-encryption.org/v1), in a
//! [redb](https://docs.rs/redb) file that several processes can share. They are decrypted only in
//! memory, at the moment of use. `docs/format.md` describes the format, for other programs;
//! `docs/threat-model.md` describes what it defends against.
//!
//! # In a program
//!
//! ```no_run
//! use mcplexer_secrets::audit::FileAudit;
//! use mcplexer_secrets::keys::FileKeys;
//! use mcplexer_secrets::{NewScope, PutMode, SecretStore, SecretValue, Store};
//!
//! # fn main() -> Result<(), mcplexer_secrets::Error> {
//! let store = Store::open("/srv/app/secrets.redb", FileKeys::new("/srv/app/age.key"))?
//!     .with_audit_log(FileAudit::new("/srv/app/audit.log"));
//!
//! let (scope, name) = ("github-token".parse()?, "GITHUB_PERSONAL_ACCESS_TOKEN".parse()?);
//! let value = SecretValue::new(b"ghp_abc123".to_vec())?;
//! let scope = NewScope::env(scope);
//! store.put(&scope, &name, &value, PutMode::Overwrite)?;
//!
//! let value = store.get(&scope.id, &name)?;
//! println!("a token of {} bytes", value.expose().len());
//! # Ok(())
//! # }
//! ```
//!
//! [`StoreOptions`] say how long to wait for other programs, and how much to keep in memory.
//!
//! A program can provide its own storage ([`Backend`](backend::Backend)), its own source of keys
//! ([`KeyProvider`](keys::KeyProvider)) and its own audit log ([`AuditSink`](audit::AuditSink));
//! `examples/outsider.rs` does all three. The `conformance` feature provides a test suite for backends
//! and stores.
//!
//! [`SecretStore::credentials`] passes the secrets of a scope to a tool server, in the environment of a
//! [`Command`](std::process::Command) or as HTTP header fields.
//!
//! Files of secrets and `mcplexer://` references are in the crate `mcplexer-files`, masking and scanning in
//! `mcplexer-mask`, the files of AI clients in `mcplexer-clients`. `mcplexer-home` opens the home that the
//! `mcplexer` command uses. SSH keys and age plugins need the features `ssh` and `plugin`.
//!
//! # In a test
//!
//! A store in memory works like one in a file. Its key is generated, and forgotten afterwards:
//!
//! ```
//! use mcplexer_secrets::keys::FixedKeys;
//! use mcplexer_secrets::{Error, NewScope, PutMode, SecretStore, SecretValue, Store};
//!
//! fn token(store: &dyn SecretStore) -> Result<SecretValue, Error> {
//!     store.get(&"github-token".parse()?, &"TOKEN".parse()?)
//! }
//!
//! # fn main() -> Result<(), Error> {
//! let store = Store::in_memory(FixedKeys::generate())?;
//! assert!(matches!(token(&store), Err(Error::ScopeNotFound { .. })));
//!
//! let value = SecretValue::new(b"ghp_abc123".to_vec())?;
//! let scope = NewScope::env("github-token".parse()?);
//! store.put(&scope, &"TOKEN".parse()?, &value, PutMode::Overwrite)?;
//! assert_eq!(token(&store)?.expose(), b"ghp_abc123");
//! # Ok(())
//! # }
//! ```
//!
//! # What stays in memory
//!
//! Secret values, keys and this crate's buffers are wiped when dropped, and the stack is wiped after
//! each call that had a key on it. Buffers of other crates are freed without being wiped: those in which
//! `age` encrypts a value or a backup, and those from which `serde_json` reads a backup or a file of
//! secrets. Where that matters, use an allocator that wipes what it frees, as the `mcplexer` command does
//! with `zeroizing-alloc`. `tests/memory` searches for what is left with either allocator.

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod audit;
pub mod backend;
pub mod backup;
mod checkpoint;
#[cfg(feature = "conformance")]
#[expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a suite of checks for tests to call"
)]
pub mod conformance;
mod credentials;
mod error;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub mod keys;
mod life;
mod name;
mod panics;
mod random;
mod record;
mod seal;
mod stack;
mod store;
#[cfg(test)]
mod testkit;
mod time;
mod value;

pub use checkpoint::{Checkpoint, InvalidCheckpoint};
pub use credentials::{Credential, Credentials, NotCarried, Purpose, Select};
pub use error::{Error, ErrorKind, Finding, PlaceHas, RecordName};
pub use life::{InvalidInterval, InvalidNote, MAX_NOTE_LEN, MAX_ROTATE_EVERY, Note, RotateEvery};
pub use name::{
    InvalidName, MAX_SCOPE_ID_LEN, MAX_SECRET_NAME_LEN, ScopeId, ScopeKind, SecretName,
};
pub use panics::is_catching_panic;
pub use record::{FORMAT_VERSION, StoreId};
pub use stack::wipe_stack;
pub use store::{
    Accepted, AppliedScope, BackupMaker, BackupReport, Change, CheckReport, DEFAULT_KEEP_VERSIONS,
    Due, DueSecret, ImportAction, Imported, InvalidState, MAX_DISPLAY_NAME_LEN, MAX_KEEP_VERSIONS,
    MAX_REDACTION_HINTS, MAX_SCOPES, MAX_SECRETS_PER_SCOPE, MAX_SLOTS, Moved, NewScope, OnConflict,
    Progress, PutMode, Rekeyed, RestoreAction, RestoreMode, Restored, RestoredSecret,
    RotateIdentity, ScopeAction, ScopeEdit, ScopeInfo, SecretEdit, SecretInfo, SecretState,
    SecretStore, SlotInfo, SlotKind, Store, StoreOptions, Stored, Transferred, VersionInfo,
};
pub use time::{InvalidTimestamp, Timestamp};
pub use value::{InvalidValue, MAX_VALUE_LEN, SecretValue};
