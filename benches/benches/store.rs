//! The operations of a store, by how many secrets it holds, and age's own cost beside them.
//!
//! `cargo bench -p mcplexer-benches`; each once: `cargo bench -p mcplexer-benches -- --test`.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot go on has nothing to say"
)]

use divan::{Bencher, black_box};
use mcplexer_benches::{Filled, fill, target, value};
use mcplexer_secrets::keys::FixedKeys;
use mcplexer_secrets::{PutMode, SecretStore, Store};

const SIZES: [usize; 2] = [100, 1000];

fn main() {
    divan::main();
}

/// Replaces a value: sealing, an fsynced commit.
#[divan::bench(args = SIZES)]
fn put_in_a_file(bencher: Bencher<'_, '_>, secrets: usize) {
    let filled = Filled::new(secrets).unwrap();
    let store = filled.open().unwrap();
    let ((scope, name), value) = (target().unwrap(), value().unwrap());
    bencher.bench(|| {
        store
            .put(&scope, &name, &value, PutMode::Overwrite)
            .unwrap()
    });
}

/// The same without a disk: what sealing and the records cost.
#[divan::bench(args = SIZES)]
fn put_in_memory(bencher: Bencher<'_, '_>, secrets: usize) {
    let store = Store::in_memory(FixedKeys::generate()).unwrap();
    fill(&store, 10, secrets / 10).unwrap();
    let ((scope, name), value) = (target().unwrap(), value().unwrap());
    bencher.bench(|| {
        store
            .put(&scope, &name, &value, PutMode::Overwrite)
            .unwrap()
    });
}

/// Opens the file, reads the key file, unlocks the slot, and opens a value.
#[divan::bench(args = SIZES)]
fn get_cold(bencher: Bencher<'_, '_>, secrets: usize) {
    let filled = Filled::new(secrets).unwrap();
    let (scope, name) = target().unwrap();
    bencher.bench(|| filled.open().unwrap().get(&scope, &name).unwrap());
}

/// Opens a value of an open store.
#[divan::bench(args = SIZES)]
fn get_warm(bencher: Bencher<'_, '_>, secrets: usize) {
    let filled = Filled::new(secrets).unwrap();
    let store = filled.open().unwrap();
    let (scope, name) = target().unwrap();
    bencher.bench(|| store.get(&scope, &name).unwrap());
}

/// The same without a file, so what remains of it is not the disk's.
#[divan::bench(args = SIZES)]
fn get_warm_in_memory(bencher: Bencher<'_, '_>, secrets: usize) {
    let store = Store::in_memory(FixedKeys::generate()).unwrap();
    fill(&store, 10, secrets / 10).unwrap();
    let (scope, name) = target().unwrap();
    bencher.bench(|| store.get(&scope, &name).unwrap());
}

/// From a file again, with a line in the audit log.
#[divan::bench(args = SIZES)]
fn get_warm_audited(bencher: Bencher<'_, '_>, secrets: usize) {
    let filled = Filled::new(secrets).unwrap();
    let store = filled.open().unwrap().with_audit(filled.audit());
    let (scope, name) = target().unwrap();
    bencher.bench(|| store.get(&scope, &name).unwrap());
}

/// Lists a scope of a tenth of the secrets, and compares it with the records.
#[divan::bench(args = SIZES)]
fn list(bencher: Bencher<'_, '_>, secrets: usize) {
    let filled = Filled::new(secrets).unwrap();
    let store = filled.open().unwrap();
    let (scope, _) = target().unwrap();
    bencher.bench(|| store.list(&scope).unwrap());
}

/// Sealing a value as the store does it.
#[divan::bench]
fn seal(bencher: Bencher<'_, '_>) {
    let sealer = mcplexer_secrets::fuzzing::Sealer::new().unwrap();
    bencher.bench(|| sealer.seal(black_box(&[b'x'; 40])).unwrap());
}

/// Opening it.
#[divan::bench]
fn open(bencher: Bencher<'_, '_>) {
    let sealer = mcplexer_secrets::fuzzing::Sealer::new().unwrap();
    let sealed = sealer.seal(&[b'x'; 40]).unwrap();
    bencher.bench(|| sealer.open(black_box(&sealed)).unwrap());
}

/// What an age file to an X25519 recipient costs, to compare.
#[divan::bench]
fn age_x25519_encrypt(bencher: Bencher<'_, '_>) {
    let recipient = age::x25519::Identity::generate().to_public();
    bencher.bench(|| age::encrypt(&recipient, black_box(&[b'x'; 40])).unwrap());
}

/// And opening one.
#[divan::bench]
fn age_x25519_decrypt(bencher: Bencher<'_, '_>) {
    let identity = age::x25519::Identity::generate();
    let encrypted = age::encrypt(&identity.to_public(), &[b'x'; 40]).unwrap();
    bencher.bench(|| age::decrypt(&identity, black_box(&encrypted)).unwrap());
}
