//! All parts of a store can come from outside the crate. The example is such a store.

#![cfg(test)]

use std::sync::Arc;

use mcplexer_secrets::conformance;

#[path = "../examples/outsider.rs"]
mod outsider;

#[test]
fn a_store_of_foreign_parts_keeps_a_secret_and_re_keys() {
    outsider::main().unwrap();
}

#[test]
fn a_foreign_backend_conforms() {
    conformance::backend(&|| {
        let backend = Arc::new(outsider::MapBackend::default());
        Box::new(move || Box::new(Arc::clone(&backend)))
    });
}

#[test]
fn the_example_is_short() {
    let source = include_str!("../examples/outsider.rs");
    let is_code = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("//");
    assert!(source.lines().filter(is_code).count() < 180);
}
