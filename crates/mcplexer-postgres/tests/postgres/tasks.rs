//! The store in an asynchronous program.

use std::sync::Arc;

use mcplexer_secrets::backend::{Backend, Commit, Table};
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
