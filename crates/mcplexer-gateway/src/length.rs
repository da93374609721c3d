//! Work that takes long because a message is long.

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;

/// A message of more bytes than this is long: to search it for secrets takes half a millisecond.
const LONG: usize = 64 << 10;

/// Does what takes the longer the more bytes there are. Meanwhile the thread's other tasks go on elsewhere, if they are many
/// and somebody else can do them.
pub(crate) fn at_length<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    let moves = || {
        let runtime = Handle::try_current();
        runtime.is_ok_and(|it| it.runtime_flavor() == RuntimeFlavor::MultiThread)
    };
    match bytes > LONG && moves() {
        true => block_in_place(work),
        false => work(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn long_work_holds_up_nobody() {
        let (send, receive) = mpsc::channel();
        let long = tokio::spawn(async move {
            // Received only if another task runs at the same time.
            at_length(LONG + 1, || receive.recv())
        });
        let other = tokio::spawn(async move { send.send(7) });
        assert_eq!(long.await.unwrap(), Ok(7));
        other.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn where_there_is_one_thread_it_is_done_there() {
        assert_eq!(at_length(LONG + 1, || 7), 7);
    }
}
