//! The file with the copy, when it is not what was written.

use std::fs;
use std::sync::Arc;

use mcplexer_secrets::backend::{Backend, CachedBackend, RedbBackend};
use mcplexer_secrets::{Error, conformance};
use sha2::{Digest, Sha256};

use crate::away::{Machine, Network, Server, get};
use crate::{VALUE, two};

#[test]
fn a_damaged_copy_is_none() {
    let (server, _, other) = two();
    let whole = fs::read(other.copy()).unwrap();
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let other_store = String::from_utf8_lossy(&whole[48..51]).into_owned();
    assert_eq!(other_store, "db\0", "the name of the store is in the file");
    for (what, bytes) in [
        ("empty", Vec::new()),
        ("cut short", whole[..whole.len() - 1].to_vec()),
        ("only its beginning", whole[..20].to_vec()),
        ("flipped", flipped),
        ("something else", b"hello".repeat(100)),
        ("too long", [&*whole, &vec![0; 9 << 20]].concat()),
    ] {
        fs::write(other.copy(), bytes).unwrap();
        server.is(Network::Refuses);
        assert!(other.backend().read().is_err(), "{what}");
        server.is(Network::Works);
        assert_eq!(other.get("A").unwrap(), VALUE, "{what}");
        server.is(Network::Refuses);
        assert_eq!(other.get("A").unwrap(), VALUE, "{what}");
    }
}

#[test]
fn the_copy_of_another_store_is_none() {
    let (server, _, other) = two();
    server.is(Network::Refuses);
    let elsewhere = Server::new();
    elsewhere.is(Network::Refuses);
    let backend = CachedBackend::new(elsewhere, "elsewhere", other.copy());
    assert!(backend.read().is_err());
    assert_eq!(other.get("A").unwrap(), VALUE);
}

/// Who has no key cannot write a copy that is believed.
#[test]
fn a_copy_is_verified_like_the_store() {
    let (server, _, other) = two();
    let elsewhere = Server::new();
    let stranger = Machine::of(&elsewhere);
    stranger.put("A", "forged").unwrap();
    server.is(Network::Refuses);
    fs::copy(stranger.copy(), other.copy()).unwrap();
    assert!(matches!(other.get("A"), Err(Error::Locked { .. })));
}

/// Who can write the file can make it useless, and cannot make anybody believe another value.
#[test]
fn no_change_of_the_copy_shows_another_value() {
    let (server, _, other) = two();
    let store = other.store();
    let whole = fs::read(other.copy()).unwrap();
    server.is(Network::Refuses);
    for at in (48..whole.len()).step_by(5) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        let digest = Sha256::digest(&bytes[48..]);
        bytes[16..48].copy_from_slice(&digest);
        fs::write(other.copy(), bytes).unwrap();
        if let Ok(value) = get(&store, "A") {
            assert_eq!(value, VALUE, "byte {at}");
        }
    }
}

#[test]
fn no_directory_is_created_for_a_copy() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("none/store.cache");
    let backend = RedbBackend::in_memory().unwrap();
    let backend = CachedBackend::new(Arc::new(backend), "db", &path);
    let mut transaction = backend.write().unwrap();
    let table = mcplexer_secrets::backend::Table::Meta;
    transaction.put(table, b"header", b"1").unwrap();
    let _applied = transaction.commit().unwrap();
    let snapshot = backend.read().unwrap().unwrap();
    assert!(snapshot.get(table, b"header").unwrap().is_some());
    drop(snapshot);
    assert!(!directory.path().join("none").exists());
}

#[test]
fn a_backend_with_a_copy_is_a_backend() {
    let handles = || -> Box<dyn Fn() -> Box<dyn Backend>> {
        let directory = tempfile::tempdir().unwrap();
        let backend = Arc::new(RedbBackend::in_memory().unwrap());
        Box::new(move || {
            let path = directory.path().join("store.cache");
            let backend = Arc::clone(&backend) as Arc<dyn Backend>;
            Box::new(CachedBackend::new(backend, "db", path))
        })
    };
    conformance::backend(&handles);
}
