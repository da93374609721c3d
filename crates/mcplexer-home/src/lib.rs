//! One user's mcplexer home, and the use-cases that every front end shares.
//!
//! [`Home::from_env`] reads from the environment where the store, the key and the audit log are.
//! [`OpenHome`] opens them. Each other module is a use-case: it takes an input struct, does the
//! work, and returns data that serialises and holds no secret value. The command line, a gateway
//! and a web page render the same data.
//!
//! ```no_run
//! use mcplexer_home::{Home, OpenHome, harden};
//! use mcplexer_secrets::SecretStore;
//! use mcplexer_secrets::keys::PassphraseRequest;
//!
//! # fn main() -> Result<(), mcplexer_home::Error> {
//! let _limit = harden();
//! let nobody = |_: &PassphraseRequest<'_>| None;
//! let home = OpenHome::open(Home::from_env()?, nobody)?;
//! for scope in home.store().scopes()? {
//!     println!("{}", scope.id);
//! }
//! # Ok(())
//! # }
//! ```

pub mod adoption;
mod alternatives;
pub mod backup;
pub mod calls;
pub mod config;
pub mod credentials;
pub mod doctor;
mod env_keys;
pub mod environment;
mod error;
pub mod export;
mod exposed;
pub mod find;
pub mod generate;
mod git;
mod harden;
mod home;
pub mod import;
pub mod keys;
pub mod moves;
mod names;
mod onlookers;
mod open;
mod own_files;
mod place;
pub mod project;
pub mod scopes;
pub mod servers;
mod text;
pub mod transfer;

/// The most bytes that are read of a file of secrets or of a template. Parsed, many small secrets take about 50
/// times as much memory.
pub const MAX_TEXT_LEN: usize = 16 << 20;

pub use alternatives::{Alternatives, closest};
pub use env_keys::{EnvKeyError, EnvKeys};
pub use error::{EnvironmentError, Error};
pub use exposed::Exposed;
pub use harden::{CoreLimit, harden};
pub use home::{
    AUDIT_VARIABLE, AuditTarget, HOME_VARIABLE, Home, IDENTITY_VARIABLE, KEY_VARIABLE, KeySource,
};
pub use names::Names;
pub use onlookers::others_see_arguments;
pub use open::{Created, OpenHome};
pub use own_files::OwnFile;
pub use place::{
    STORE_CACHE_VARIABLE, STORE_PASSWORD_VARIABLE, STORE_VARIABLE, StoreCache, StorePlace, StoreUrl,
};
