//! The operations of a store, by the number of secrets in it, and age's own cost for comparison.
//!
//! `cargo bench -p mcplexer-benches`; to run each only once: `cargo bench -p mcplexer-benches --
//! --test`. With `MCPLEXER_BENCH_LARGE=1`, also at 1,000,000 secrets, which takes minutes and
//! gigabytes.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot go on has nothing to say"
)]

use divan::{Bencher, black_box};
use mcplexer_benches::{Filled, fill, scopes, target, value};
use mcplexer_secrets::keys::FixedKeys;
use mcplexer_secrets::{NewScope, PutMode, RotateIdentity, SecretStore, Store};

fn sizes() -> Vec<usize> {
    let mut sizes = vec![100, 10_000];
    if std::env::var_os("MCPLEXER_BENCH_LARGE").is_some() {
        sizes.push(1_000_000);
    }
    sizes
}

fn main() {
    divan::main();
}

/// Replaces a value in a file: sealing and an fsynced commit.
#[divan::bench(args = sizes())]
fn put_in_a_file(bencher: Bencher<'_, '_>, secrets: usize) {
    let filled = Filled::new(secrets).unwrap();
    let store = filled.open().unwrap();
    let ((scope, name), value) = (target().unwrap(), value().unwrap());
    bencher.bench(|| {
        store
            .put(
                &NewScope::env(scope.clone()),
                &name,
                &value,
                PutMode::Overwrite,
            )
            .unwrap()
    });
}

/// Replaces a value in memory: the cost of sealing and of the records, without a disk.
#[divan::bench(args = sizes())]
fn put_in_memory(bencher: Bencher<'_, '_>, secrets: usize) {
    let store = Store::in_memory(FixedKeys::generate()).unwrap();
    fill(&store, scopes(secrets), secrets / scopes(secrets)).unwrap();
    let ((scope, name), value) = (target().unwrap(), value().unwrap());
    bencher.bench(|| {
        store
            .put(
                &NewScope::env(scope.clone()),
                &name,
                &value,
                PutMode::Overwrite,
            )
            .unwrap()
    });
}

/// Opens the file, reads the key file, unlocks the slot, and opens a value.
#[divan::bench(args = sizes())]
fn get_cold(bencher: Bencher<'_, '_>, secrets: usize) {
    let filled = Filled::new(secrets).unwrap();
    let (scope, name) = target().unwrap();
    bencher.bench(|| filled.open().unwrap().get(&scope, &name).unwrap());
}

/// Opens a value in an open store.
#[divan::bench(args = sizes())]
fn get_warm(bencher: Bencher<'_, '_>, secrets: usize) {
    let filled = Filled::new(secrets).unwrap();
    let store = filled.open().unwrap();
    let (scope, name) = target().unwrap();
    bencher.bench(|| store.get(&scope, &name).unwrap());
}

/// Opens a value in a store in memory, to show the share of the disk.
#[divan::bench(args = sizes())]
fn get_warm_in_memory(bencher: Bencher<'_, '_>, secrets: usize) {
    let store = Store::in_memory(FixedKeys::generate()).unwrap();
    fill(&store, scopes(secrets), secrets / scopes(secrets)).unwrap();
    let (scope, name) = target().unwrap();
    bencher.bench(|| store.get(&scope, &name).unwrap());
}

/// Opens a value in a file, with a line in the audit log.
#[divan::bench(args = sizes())]
fn get_warm_audited(bencher: Bencher<'_, '_>, secrets: usize) {
    let filled = Filled::new(secrets).unwrap();
    let store = filled.open().unwrap().with_audit_log(filled.audit());
    let (scope, name) = target().unwrap();
    bencher.bench(|| store.get(&scope, &name).unwrap());
}

/// Lists a scope of 10 or 1,000 secrets, and compares it with the records.
#[divan::bench(args = sizes())]
fn list(bencher: Bencher<'_, '_>, secrets: usize) {
    let filled = Filled::new(secrets).unwrap();
    let store = filled.open().unwrap();
    let (scope, _) = target().unwrap();
    bencher.bench(|| store.list(&scope).unwrap());
}

/// The number of scopes in the next two benchmarks. The cost of opening one scope must not depend
/// on it.
const MANY_SCOPES: usize = 16_000;

/// Opens a value in an open store with many scopes.
#[divan::bench]
fn get_among_many_scopes(bencher: Bencher<'_, '_>) {
    let filled = Filled::with_scopes(MANY_SCOPES).unwrap();
    let store = filled.open().unwrap();
    let (scope, name) = target().unwrap();
    bencher.bench(|| store.get(&scope, &name).unwrap());
}

/// Shows one scope of a store with many scopes.
#[divan::bench]
fn scope_among_many_scopes(bencher: Bencher<'_, '_>) {
    let filled = Filled::with_scopes(MANY_SCOPES).unwrap();
    let store = filled.open().unwrap();
    let (scope, _) = target().unwrap();
    bencher.bench(|| store.scope(&scope).unwrap());
}

/// Replaces all keys and re-encrypts every value.
#[divan::bench(args = sizes(), sample_count = 3, sample_size = 1)]
fn rotate(bencher: Bencher<'_, '_>, secrets: usize) {
    let filled = Filled::new(secrets).unwrap();
    let store = filled.open().unwrap();
    bencher.bench_local(|| store.rotate(RotateIdentity::Keep, &mut |_| ()).unwrap());
}

/// Seals a value as the store does.
#[divan::bench]
fn seal(bencher: Bencher<'_, '_>) {
    let sealer = mcplexer_secrets::fuzzing::Sealer::new().unwrap();
    bencher.bench(|| sealer.seal(black_box(&[b'x'; 40])).unwrap());
}

/// Opens a sealed value.
#[divan::bench]
fn open(bencher: Bencher<'_, '_>) {
    let sealer = mcplexer_secrets::fuzzing::Sealer::new().unwrap();
    let sealed = sealer.seal(&[b'x'; 40]).unwrap();
    bencher.bench(|| sealer.open(black_box(&sealed)).unwrap());
}

/// Encrypts an age file to an X25519 recipient, for comparison.
#[divan::bench]
fn age_x25519_encrypt(bencher: Bencher<'_, '_>) {
    let recipient = age::x25519::Identity::generate().to_public();
    bencher.bench(|| age::encrypt(&recipient, black_box(&[b'x'; 40])).unwrap());
}

/// Decrypts an age file with an X25519 identity, for comparison.
#[divan::bench]
fn age_x25519_decrypt(bencher: Bencher<'_, '_>) {
    let identity = age::x25519::Identity::generate();
    let encrypted = age::encrypt(&identity.to_public(), &[b'x'; 40]).unwrap();
    bencher.bench(|| age::decrypt(&identity, black_box(&encrypted)).unwrap());
}
