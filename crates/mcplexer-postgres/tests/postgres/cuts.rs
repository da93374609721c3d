//! Answers that are lost on the way.

use mcplexer_secrets::backend::{Backend, Commit, Table};

use crate::proxy::Proxy;
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

fn survive_cuts(seed: u64, changes: u32) {
    let Some(server) = shared() else { return };
    let schema = new_schema();
    let mut state = seed;
    // Enough to log in and to do something, mostly.
    let bytes = move || 1000 + (random(&mut state) % 20_000).cast_signed();
    let proxy = Proxy::to(server.port(), bytes);
    let calm = server.address(&schema);
    let told = survive(&calm, &address(&[proxy.port()], &schema), changes, |_| {});
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
    survive_cuts(1, 24);
}

#[test]
#[ignore = "takes minutes"]
fn a_change_counts_once_if_connections_are_cut_often() {
    for seed in 0..10 {
        survive_cuts(seed, 500);
    }
}

/// Wherever a connection is cut, a commit is found out: by one handle at the place of the cut, and by another one.
#[test]
fn an_unknown_outcome_is_found_out_wherever_the_connection_is_cut() {
    let Some(server) = shared() else { return };
    let schema = new_schema();
    let calm = backend(&server.address(&schema));
    let mut first = calm.write().unwrap();
    first.put(Table::Meta, b"k", b"first").unwrap();
    assert!(matches!(first.commit(), Ok(Commit::Applied)));
    let (mut applied, mut lost, mut failed, mut settled) = (0, 0, 0, [0, 0]);
    for bytes in (700..4000).step_by(29) {
        let proxy = Proxy::to(server.port(), move || bytes);
        let cut = backend(&address(&[proxy.port()], &schema));
        let record = bytes.to_string().into_bytes();
        let committed = cut.write().and_then(|mut transaction| {
            transaction.put(Table::Meta, b"k", &record)?;
            transaction.commit()
        });
        let is_there = || {
            let snapshot = calm.read().unwrap().unwrap();
            snapshot.get(Table::Meta, b"k").unwrap().unwrap() == record
        };
        match committed {
            Ok(Commit::Applied) => {
                applied += 1;
                assert!(is_there(), "{bytes}");
            }
            Ok(Commit::Unknown(id, _)) => {
                lost += 1;
                let was_applied = calm.settle(&id).unwrap();
                settled[usize::from(was_applied)] += 1;
                assert_eq!(was_applied, is_there(), "{bytes}");
                assert_eq!(was_applied, calm.settle(&id).unwrap(), "{bytes}");
            }
            Ok(other) => panic!("{bytes}: {other:?}"),
            Err(_) => {
                failed += 1;
                assert!(!is_there(), "{bytes}");
            }
        }
    }
    println!(
        "applied {applied}, failed {failed}, lost {lost}, of which not and yet applied {settled:?}"
    );
    assert!(applied > 0 && failed > 0 && settled[0] > 0 && settled[1] > 0);
}
