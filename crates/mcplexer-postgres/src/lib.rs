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
//! The calls block, as those of every backend do. An asynchronous program makes them where it may block, such as in
//! `tokio::task::spawn_blocking`; on a thread that runs its tasks they panic.
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
//! so that no file of a table keeps the old records. A deleted record stays in its page until the server uses the space
//! for something else, or `mcplexer compact` replaces the state. Both stay in the write-ahead log, in its archives, and
//! in backups of the database, until those are discarded.
//!
//! # How changes are kept apart
//!
//! * Each commit increments the revision in `head`, on top of the state that it has read. Of two that begin with the
//!   same state, one is a conflict, and is made again.
//! * So that this happens rarely, writers queue for an advisory lock. Nothing depends on it: on a server where it does
//!   nothing, changes conflict more often, and one that meets a replacement may fail as busy.
//! * A commit whose answer is lost is looked up in `commits`. Before that, its session is ended and the revision
//!   increased, so that it cannot be applied later.
//!
//! # Round trips
//!
//! A program that has read the store before reads a secret in one round trip and changes one in three. Statements are
//! sent before the answers to earlier ones have come, and the end of a transaction is not waited for.
//!
//! What is read first is one statement without a transaction. If the store is changed before something else is read
//! from the same state, that fails as busy, and the store reads the next state. Then transactions begin at once, for a
//! while, so that no reader starves beside writers.
//!
//! Each commit notifies those who listen, so that `revision` costs no round trip while nothing changes. Anyone who may
//! log in to the database can hear when there are commits, and nothing else.
//!
//! # What the server needs
//!
//! * PostgreSQL 12 or later, and a connection that keeps its session: no pooler that shares one between transactions.
//! * A role that may create a schema in the database, or one that may create tables in a schema that is there. People
//!   who log in as different users take one role, which owns the tables: `ALTER ROLE ann SET role = 'team'`.
//! * Up to 17 connections for each program. One of them hears of commits, if the program asks for the revision.
//! * To lose nothing with the machine of the server: a standby in `synchronous_standby_names`. The address lists both
//!   servers, and the one that accepts writes is used. A standby is never read, since it may be behind.
//! * Before a standby is promoted, make sure that the old server is gone. While it answers, it shows an old state to
//!   programs that have not noticed.

mod address;
mod backend;
mod cause;
mod changes;
mod check;
mod link;
mod listener;
mod param;
mod password;
mod place;
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
