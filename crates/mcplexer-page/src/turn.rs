//! Work that takes long: apart from what answers requests, and some of it one at a time.

use std::sync::Arc;

use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use crate::problem::Problem;

/// Does something that takes long, one at a time of those with the same `turn`. Who waits for it may leave: it goes on to its end,
/// and the next one waits for that.
pub(crate) async fn take<T: Send + 'static>(
    turn: &Arc<Mutex<()>>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    let held = Arc::clone(turn).lock_owned().await;
    let work = move || {
        let done = work();
        drop(held);
        done
    };
    apart(work).await
}

/// Does something where it holds up nobody.
pub(crate) async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    spawn_blocking(work).await.map_err(|_| Problem::not_done())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn who_leaves_does_not_let_the_next_one_in() {
        let turn = Arc::default();
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let (end, ends) = mpsc::channel();
        let first = take(&turn, move || {
            begun.send(()).unwrap();
            ends.recv().unwrap();
        });
        tokio::select! {
            _ = first => panic!("it has not ended"),
            begun = has_begun => begun.unwrap(),
        }
        // Nobody waits for it any more, and it goes on.
        assert!(turn.try_lock().is_err());
        end.send(()).unwrap();
        assert_eq!(take(&turn, || 7).await.unwrap(), 7);
    }
}
