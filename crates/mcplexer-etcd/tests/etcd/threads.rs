//! A handle in threads that are not its own.

use mcplexer_secrets::backend::{Backend, Commit, Table};

use crate::cluster::Cluster;

#[test]
fn a_handle_works_in_a_thread_of_a_runtime() {
    let Some(cluster) = Cluster::start(1) else {
        return;
    };
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.build().unwrap();
    runtime.block_on(async {
        let backend = cluster.open(&cluster.new_prefix());
        let mut transaction = backend.write().unwrap();
        transaction.put(Table::Meta, b"k", b"record").unwrap();
        assert!(matches!(transaction.commit().unwrap(), Commit::Applied));
        drop(backend.write().unwrap());
        drop(backend.replace().unwrap());
        let snapshot = backend.read().unwrap().unwrap();
        assert!(snapshot.get(Table::Meta, b"k").unwrap().is_some());
        drop(snapshot);
        drop(backend);
    });
}

/// Handles on one place, several threads each.
#[test]
fn threads_of_several_handles_take_turns() {
    let Some(cluster) = Cluster::start(1) else {
        return;
    };
    let prefix = cluster.new_prefix();
    let handles = [cluster.open(&prefix), cluster.open(&prefix)];
    std::thread::scope(|threads| {
        for handle in handles.iter().cycle().take(8) {
            threads.spawn(|| {
                let mut left = 10;
                while left > 0 {
                    let mut transaction = handle.write().unwrap();
                    let count = transaction.get(Table::Meta, b"count").unwrap();
                    let next = count.map_or(1, |it| it[0] + 1);
                    transaction.put(Table::Meta, b"count", &[next]).unwrap();
                    left -= u32::from(matches!(transaction.commit().unwrap(), Commit::Applied));
                }
            });
        }
    });
    let now = handles[0].read().unwrap().unwrap();
    assert_eq!(now.get(Table::Meta, b"count").unwrap(), Some(vec![80]));
}
