//! Answers that are lost on the way.

use mcplexer_postgres::PostgresBackend;
use mcplexer_secrets::backend::{Backend, BackendError, Commit, Table};

use crate::proxy::{Notice, Proxy};
use crate::server::{address, backend, new_schema, shared};
use crate::work::survive;

/// SplitMix64.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn survive_cuts(seed: u64, writers: u32, changes: u32) {
    let Some(server) = shared() else { return };
    let schema = new_schema();
    let mut state = seed;
    // Enough to log in and to do something, mostly.
    let bytes = move || 1000 + (random(&mut state) % 20_000).cast_signed();
    let proxy = Proxy::to(server.port(), bytes);
    let calm = address(&[server.port()], &schema);
    let cut = address(&[proxy.port()], &schema);
    let told = survive(&calm, &cut, writers, changes, |_| {});
    let cuts = proxy.cuts();
    println!("seed {seed}, {cuts} cuts: {told:?}");
    assert!(cuts > 0);
    assert_eq!(
        told.unknown, 0,
        "the server answers, so that it can be found out"
    );
}

#[test]
fn a_change_counts_once_if_connections_are_cut() {
    survive_cuts(1, 4, 24);
}

#[test]
#[ignore = "takes minutes"]
fn a_change_counts_once_if_connections_are_cut_often() {
    for seed in 0..10 {
        survive_cuts(seed, 16, 100);
    }
}

/// Puts a record through connections that are cut.
fn put(ways: &PostgresBackend, record: &[u8]) -> Result<Commit, BackendError> {
    let mut transaction = ways.write()?;
    transaction.put(Table::Meta, b"k", record)?;
    transaction.commit()
}

fn has(backend: &PostgresBackend, record: &[u8]) -> bool {
    let snapshot = backend.read().unwrap().unwrap();
    snapshot.get(Table::Meta, b"k").unwrap().unwrap() == record
}

/// Wherever a connection is cut, a commit is found out, also by another handle. That works as well while the server does
/// not notice that the client is gone, and waits for it with the lock of the writers.
#[test]
fn an_unknown_outcome_is_found_out_wherever_the_connection_is_cut() {
    let Some(server) = shared() else { return };
    let schema = new_schema();
    let calm = backend(&address(&[server.port()], &schema));
    assert!(matches!(put(&calm, b"first"), Ok(Commit::Applied)));
    let (mut applied, mut failed) = (0, 0);
    let (mut lost, mut lost_and_applied) = (Vec::new(), Vec::new());
    for bytes in (700..4000).step_by(29) {
        let proxy = Proxy::to(server.port(), move || bytes);
        let cut = backend(&address(&[proxy.port()], &schema));
        let record = bytes.to_string().into_bytes();
        match put(&cut, &record) {
            Ok(Commit::Applied) => {
                applied += 1;
                assert!(has(&calm, &record), "{bytes}");
            }
            Ok(Commit::Unknown(id, _)) => {
                let was_applied = calm.settle(&id).unwrap();
                assert_eq!(was_applied, has(&calm, &record), "{bytes}");
                assert_eq!(was_applied, calm.settle(&id).unwrap(), "{bytes}");
                match was_applied {
                    true => lost_and_applied.push(bytes),
                    false => lost.push(bytes),
                }
            }
            Ok(other) => panic!("{bytes}: {other:?}"),
            Err(_) => {
                failed += 1;
                assert!(!has(&calm, &record), "{bytes}");
            }
        }
    }
    println!(
        "applied {applied}, failed {failed}, lost {lost:?}, lost and applied {lost_and_applied:?}"
    );
    assert!(applied > 0 && failed > 0 && !lost_and_applied.is_empty());

    let bytes = lost[lost.len() / 2];
    let proxy = Proxy::noticed_by(Notice::OnlyTheClient, server.port(), move || bytes);
    let cut = backend(&address(&[proxy.port()], &schema));
    let Ok(Commit::Unknown(id, _)) = put(&cut, b"late") else {
        panic!("no unknown outcome after {bytes} bytes");
    };
    assert!(!calm.settle(&id).unwrap());
    assert!(!has(&calm, b"late"));
    assert!(matches!(put(&calm, b"next"), Ok(Commit::Applied)));
}
