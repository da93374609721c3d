//! Keeps the sealed records of an mcplexer store in an etcd cluster.
//!
//! ```no_run
//! use mcplexer_etcd::{Address, EtcdBackend};
//! use mcplexer_secrets::keys::FileKeys;
//! use mcplexer_secrets::Store;
//!
//! let address: Address = "etcd://a.example,b.example,c.example/team?cacert=/etc/etcd/ca.pem".parse()?;
//! let store = Store::with_backend(EtcdBackend::new(address, None)?, FileKeys::new("key.txt"))?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # How it works
//!
//! * **Commits** are transactions of etcd that compare and write one key, the head. So each commit is applied to the state
//!   that it began at, or is a conflict.
//! * **Snapshots** read at one revision of etcd, which a linearizable read of the head tells.
//! * **Writers queue** for a key under a lease of 8 seconds, in the order in which they came. Nothing depends on it.
//! * **A lost answer** is found out: each commit puts a number under a key, and before it counts as not applied, the head is
//!   written again, so that it cannot be applied any more.
//! * **Long records** are stored in pieces before the commit, under a lease that the commit takes from them.
//! * **A replacement** is written beside the current state. The commit switches to it and deletes the old one. What was
//!   kept of one that was not committed is found by the next, unless something was written after that.
//! * **What was deleted** is discarded from etcd's history within a second, or by the next writer; what was replaced, at
//!   once. That compacts the history of the whole cluster, so a store should have a cluster of its own. The disk of a
//!   node may hold discarded records until `etcdctl defrag` has run. They are sealed.
//!
//! # Limits
//!
//! A commit puts and deletes up to 500 records, of up to 16 MiB together. etcd needs its usual limits for that: 128 operations
//! in a transaction and 1.5 MiB in a request, or more. A cluster that is full refuses deletions as well, until it has a larger
//! quota or was defragmented.
//!
//! The store cuts a larger import, a merge of a larger backup and a longer list of scopes into several commits. A scope of more
//! records cannot be renamed: its secrets can be moved one by one.
//!
//! After a leader was lost, a change takes 3 to 8 seconds, mostly. A cluster that gives no answer for 12 seconds is
//! unreachable.
//!
//! # Threads
//!
//! A handle has one thread for the network, and its methods block until that thread has the answer. They may be called in
//! a thread of an asynchronous runtime; other tasks of that thread wait meanwhile, as for a file.
//!
//! # Building
//!
//! All of it is behind the feature `client`, since `etcd-client` needs `protoc` to be built.

#![cfg(feature = "client")]

mod address;
mod backend;
mod changes;
mod commit;
mod failure;
mod head;
mod history;
mod layout;
mod leases;
mod link;
mod long;
mod marker;
mod plan;
mod reading;
mod shared;
mod state;
mod transaction;
mod turn;

pub use self::address::{Address, InvalidAddress, Password};
pub use self::backend::EtcdBackend;
