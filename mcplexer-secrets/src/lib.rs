//! placeholder
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod audit;
pub mod backend;
mod error;
mod home;
pub mod keys;
mod name;
mod private;
mod record;
mod seal;
mod store;
mod time;
mod value;

pub use error::{Error, ErrorKind, Finding, RecordName};
pub use home::{HOME_VARIABLE, Home, IDENTITY_VARIABLE, KEY_VARIABLE, KeySource};
pub use name::{
    InvalidName, MAX_SCOPE_ID_LEN, MAX_SECRET_NAME_LEN, ScopeId, ScopeKind, SecretName,
};
pub use record::FORMAT_VERSION;
pub use store::{NewScope, PutMode, ScopeInfo, SecretInfo, SecretStore, SlotInfo, Store, Stored};
pub use time::Timestamp;
pub use value::{InvalidValue, MAX_VALUE_LEN, SecretValue};

/// Most scopes a store can hold.
pub const MAX_SCOPES: usize = 10_000;
/// Most secrets a scope can hold.
pub const MAX_SECRETS_PER_SCOPE: usize = 10_000;
