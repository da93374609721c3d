//! An encrypted store for the credentials of tool servers, grouped by auth scope.
//!
//! Values are encrypted at rest with [age](https://age-encryption.org/v1), in a
//! [redb](https://docs.rs/redb) file that several processes may share, and decrypted only in
//! memory, at the moment of use. `docs/format.md` describes the format for other programs and
//! `docs/threat-model.md` what it defends against.
//!
//! # In a program
//!
//! ```no_run
//! use mcplexer_secrets::audit::FileAudit;
//! use mcplexer_secrets::keys::FileKeys;
//! use mcplexer_secrets::{PutMode, SecretStore, SecretValue, Store};
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
//! A program that stores records elsewhere than in redb implements [`Backend`](backend::Backend), one
//! that keeps its keys elsewhere [`KeyProvider`](keys::KeyProvider), and one that sends its audit log
//! elsewhere [`AuditSink`](audit::AuditSink); `examples/outsider.rs` does all three. The `conformance`
//! feature has the suite that checks a backend or a store.
//!
//! A tool server gets the secrets of a scope with [`SecretStore::credentials`]: in the environment of a
//! [`Command`](std::process::Command), or as HTTP header fields.
//!
//! # In a test
//!
//! The store in memory is the real one, sealed with a key that is made for it and then forgotten:
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
//! A [`SecretValue`], every key and every buffer of this crate wipe themselves when dropped, and the stack
//! is wiped after each call that had a key on it. What is freed without being wiped are the buffers of other
//! crates: the one in which `age` encrypts (of a value that is put, imported, restored or re-keyed, or of a
//! backup that is made), and those from which `serde_json` reads a backup or a file of secrets. A program
//! that minds uses an allocator that wipes what it frees, as the `mcplexer` command does with
//! `zeroizing-alloc`. `tests/memory` looks for what is left in either.

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod audit;
pub mod backend;
pub mod backup;
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
mod name;
mod panics;
mod record;
mod seal;
mod stack;
mod store;
#[cfg(test)]
mod testkit;
mod time;
mod value;

pub use credentials::{Credential, Credentials, NotCarried, Purpose, Select};
pub use error::{Error, ErrorKind, Finding, RecordName};
pub use name::{
    InvalidName, MAX_SCOPE_ID_LEN, MAX_SECRET_NAME_LEN, ScopeId, ScopeKind, SecretName,
};
pub use panics::is_catching_panic;
pub use record::{FORMAT_VERSION, StoreId};
pub use stack::wipe_stack;
pub use store::{
    AppliedScope, BackupReport, CheckReport, ImportAction, Imported, MAX_DISPLAY_NAME_LEN,
    MAX_REDACTION_HINTS, MAX_SCOPES, MAX_SECRETS_PER_SCOPE, MAX_SLOTS, NewScope, OnConflict,
    Progress, PutMode, Rekeyed, RestoreAction, RestoreMode, Restored, RestoredSecret,
    RotateIdentity, ScopeAction, ScopeInfo, SecretInfo, SecretStore, SlotInfo, SlotKind, Store,
    Stored,
};
pub use time::{InvalidTimestamp, Timestamp};
pub use value::{InvalidValue, MAX_VALUE_LEN, SecretValue};
