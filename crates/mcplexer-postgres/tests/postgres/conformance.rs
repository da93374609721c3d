//! The suites of every backend.

use mcplexer_secrets::conformance::{self, Check, Handles};

use crate::server::{backend, place, shared};

fn run(checks: &[Check<Handles>]) {
    if shared().is_none() {
        return;
    }
    for check in checks {
        let place = place().unwrap();
        let handles = move || Box::new(backend(&place)) as _;
        println!("{}", check.name());
        check.run(&handles);
    }
}

#[test]
fn postgresql_is_a_backend() {
    run(conformance::BACKEND);
}

#[test]
fn a_store_on_postgresql_is_shared() {
    run(conformance::STORE_ON_BACKEND);
}
