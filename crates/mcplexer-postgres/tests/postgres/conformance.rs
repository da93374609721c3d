//! The suites of every backend.

use mcplexer_postgres::Address;
use mcplexer_secrets::Store;
use mcplexer_secrets::audit::MemoryAudit;
use mcplexer_secrets::conformance::{self, Check, Handles};
use mcplexer_secrets::keys::FixedKeys;

use crate::server::{address, backend, new_schema, shared};

/// Runs checks, each in a schema of its own, at addresses with these options.
fn run(checks: &[Check<Handles>], options: &str, left_out: &str) {
    let Some(server) = shared() else { return };
    for check in checks.iter().filter(|it| it.name() != left_out) {
        let (port, schema) = (server.port(), new_schema());
        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres?schema={schema}{options}");
        let place: Address = url.parse().unwrap();
        println!("{}", check.name());
        check.run(&move || Box::new(backend(&place)));
    }
}

#[test]
fn postgresql_is_a_backend() {
    run(conformance::BACKEND, "", "");
}

#[test]
fn a_store_on_postgresql_is_shared() {
    run(conformance::STORE_ON_BACKEND, "", "");
}

#[test]
fn a_store_on_postgresql_is_a_secret_store() {
    let Some(server) = shared() else { return };
    conformance::secret_store(&|| {
        let backend = backend(&address(&[server.port()], &new_schema()));
        let store = Store::with_backend(backend, FixedKeys::generate()).unwrap();
        Box::new(store.with_audit_log(MemoryAudit::new().unwrap()))
    });
}

/// As on CockroachDB: the lock by which writers queue does nothing. Then changes conflict, and nothing is lost.
#[test]
fn nothing_depends_on_the_lock() {
    let Some(server) = shared() else { return };
    for name in ["pg_advisory_lock", "pg_advisory_unlock"] {
        let body = "(bigint) RETURNS boolean LANGUAGE sql AS 'SELECT true'";
        server.sql("CREATE SCHEMA IF NOT EXISTS shadow");
        server.sql(&format!("CREATE FUNCTION shadow.{name}{body}"));
    }
    let options = "&options=-c%20search_path%3Dshadow,pg_catalog";
    run(conformance::BACKEND, options, "");
    // A change may find that its table of records was dropped, and fails then: it is not made again.
    let beside_replacements = "keys_are_replaced_beside_puts";
    run(conformance::STORE_ON_BACKEND, options, beside_replacements);
}
