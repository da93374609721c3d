//! The addresses of stores on PostgreSQL servers that do not outlive their test.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use mcplexer_postgres::{Address, PostgresBackend};
pub(crate) use test_support::PostgresServer as Server;

/// The address of a store, on whichever of these servers accepts writes.
pub(crate) fn address(ports: &[u16], schema: &str) -> Address {
    let hosts: Vec<_> = ports
        .iter()
        .map(|port| format!("127.0.0.1:{port}"))
        .collect();
    let url = format!(
        "postgres://postgres@{}/postgres?schema={schema}",
        hosts.join(",")
    );
    url.parse().unwrap()
}

/// A name that no other test of this process uses.
pub(crate) fn new_schema() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("store_{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// The server that the tests of this process share; `None` if PostgreSQL is not installed.
pub(crate) fn shared() -> Option<&'static Server> {
    static SHARED: OnceLock<Option<Server>> = OnceLock::new();
    SHARED
        .get_or_init(|| Server::start(&["fsync=off"]))
        .as_ref()
}

/// A place of a store on the shared server; `None` if PostgreSQL is not installed.
pub(crate) fn place() -> Option<Address> {
    Some(address(&[shared()?.port()], &new_schema()))
}

pub(crate) fn backend(address: &Address) -> PostgresBackend {
    PostgresBackend::new(address.clone()).unwrap()
}
