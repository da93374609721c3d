//! The records of a store on PostgreSQL, for a team.
//!
//! [`PostgresBackend`] is a [`Backend`](mcplexer_secrets::backend::Backend): the server sees ciphertext and the
//! names of scopes and secrets, and never a key. Every change is one serializable transaction.
//!
//! ```no_run
//! use mcplexer_postgres::{Address, PostgresBackend};
//! use mcplexer_secrets::Store;
//! use mcplexer_secrets::keys::FileKeys;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let address: Address = "postgres://ann@db.example.org/team".parse()?;
//! let backend = PostgresBackend::new(address.with_environment(|name| std::env::var_os(name)))?;
//! let store = Store::with_backend(backend, FileKeys::new("/srv/app/age.key"))?;
//! # Ok(())
//! # }
//! ```
//!
//! The calls block, as those of every backend do. They must not be made on a thread that runs asynchronous tasks.
//!
//! # What is in the database
//!
//! A schema, `mcplexer` by default, with these tables. The first commit creates them.
//!
//! | table | contents |
//! | --- | --- |
//! | `head` | one row: the revision, which table has the records, which older ones are to be dropped |
//! | `commits` | the last commits, by which a lost answer is found out |
//! | `records_N` | the records: table, key, bytes |
//!
//! A replacement of the whole state, as by a change of the keys, fills a new table of records and drops the old one,
//! so that no page of the database's files keeps the old records. They stay in the write-ahead log, on its archives,
//! and in backups of the database, until those are discarded.

mod address;
mod backend;
mod cause;
mod changes;
mod check;
mod link;
mod param;
mod password;
mod pool;
mod prepared;
mod reads;
mod snapshot;
mod sql;
mod tls;
mod transaction;
mod turns;

pub use self::address::{Address, InvalidAddress};
pub use self::backend::PostgresBackend;
