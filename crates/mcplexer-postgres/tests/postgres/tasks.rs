//! The store in an asynchronous program, and a writer whose patience ends.

use std::sync::Arc;
use std::time::Duration;

use mcplexer_postgres::PostgresBackend;
use mcplexer_secrets::StoreOptions;
use mcplexer_secrets::backend::{Backend, BackendErrorKind, Commit, Table};
use tokio::runtime::Builder;
use tokio::task::spawn_blocking;

use crate::server::{backend, place};

#[test]
fn work_that_may_block_uses_the_store_and_a_task_drops_it() {
    let Some(place) = place() else { return };
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let backend = Arc::new(backend(&place));
        let writer = Arc::clone(&backend);
        let written = spawn_blocking(move || {
            let mut transaction = writer.write().unwrap();
            transaction.put(Table::Meta, b"k", b"record").unwrap();
            matches!(transaction.commit(), Ok(Commit::Applied))
        });
        assert!(written.await.unwrap());
        // With the connections that it has kept.
        drop(backend);
    });
}

#[test]
fn a_writer_waits_no_longer_than_its_patience() {
    let Some(place) = place() else { return };
    let holder = backend(&place);
    let transaction = holder.write().unwrap();
    let options = StoreOptions::default().with_patience(Duration::from_millis(50));
    let other = PostgresBackend::with_options(place.clone(), &options).unwrap();
    let error = other.write().err().unwrap();
    assert_eq!(error.kind(), BackendErrorKind::Busy, "{error}");
    drop(transaction);
}
