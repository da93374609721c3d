//! Work that takes long because a message is long.
//!
//! All tasks share one thread. What would hold it up is done on a thread for blocking work, and its task waits.

use std::future::pending;
use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::LazyLock;
use std::thread::available_parallelism;

use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, spawn_blocking};

/// A message of more bytes than this is long: to search it for secrets takes half a millisecond. To wake another thread
/// takes a tenth of that.
const LONG: usize = 64 << 10;

/// To search an escape for secrets takes the time of at least so many bytes of plain text.
const ESCAPE: usize = 48;

/// One permit a processor: more long work at once takes memory, and is not done sooner. Who comes first is served first.
static PROCESSORS: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(available_parallelism().map_or(1, NonZero::get)));

/// Does what takes the longer the more bytes there are: here and now if they are few, and elsewhere if they are many, once a
/// processor is free. Dropped before that, it is not done at all.
pub(crate) async fn at_length<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    match is_long(bytes) {
        true => elsewhere(work).await,
        false => work(),
    }
}

/// Does what takes the longer the longer a text is, as [`at_length`] does. A long text is copied, which takes a hundredth of
/// the time of a search.
pub(crate) async fn at_length_of<T: Send + 'static>(
    bytes: usize,
    text: &str,
    work: impl FnOnce(&str) -> T + Send + 'static,
) -> T {
    match is_long(bytes) {
        true => {
            let text = text.to_owned();
            elsewhere(move || work(&text)).await
        }
        false => work(text),
    }
}

/// Does something that waits only for [long work](at_length) on so many bytes, to its end: dropped in the middle, it goes on.
pub(crate) async fn to_the_end<T: Send + 'static>(
    bytes: usize,
    work: impl Future<Output = T> + Send + 'static,
) -> T {
    match is_long(bytes) {
        true => joined(tokio::spawn(work)).await,
        false => work.await,
    }
}

/// Returns how many bytes of plain text take as long to search for secrets as a text. Nothing is counted where that does not
/// change the place of the work.
pub(crate) fn search_len(text: &str) -> usize {
    let bytes = text.len();
    match is_long(bytes) || bytes <= LONG / (1 + ESCAPE) {
        true => bytes,
        false => bytes + ESCAPE * memchr::memchr_iter(b'\\', text.as_bytes()).count(),
    }
}

/// Whether work on so many bytes is done elsewhere.
pub(crate) fn is_long(bytes: usize) -> bool {
    bytes > LONG
}

/// Does something on a thread for blocking work.
async fn elsewhere<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let processor = PROCESSORS.acquire().await;
    let work = move || {
        // It is in use until the work is done, whether or not somebody still waits.
        let _processor = processor;
        work()
    };
    joined(spawn_blocking(work)).await
}

async fn joined<T>(work: JoinHandle<T>) -> T {
    match work.await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // The runtime is ending, and the task that waits ends with it.
            Err(_) => pending().await,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::mpsc;
    use std::task::{Context, Waker};
    use std::thread;

    use tokio::runtime::Builder;
    use tokio::sync::oneshot;

    use super::*;

    /// Whether something is done when it is looked at once.
    fn is_done_at_once(work: impl Future) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        pin!(work).poll(&mut context).is_ready()
    }

    #[tokio::test]
    async fn long_work_holds_up_nobody() {
        let (send, receive) = mpsc::channel();
        let (send_other, receive_other) = mpsc::channel();
        let text = "x".repeat(LONG + 1);
        // Each ends only if another task of this thread goes on meanwhile.
        let long = at_length(text.len(), move || receive.recv());
        let of_text = at_length_of(text.len(), &text, move |it| {
            (it.len(), receive_other.recv())
        });
        let other = tokio::spawn(async move { (send.send(7), send_other.send(8)) });
        assert_eq!(tokio::join!(long, of_text), (Ok(7), (LONG + 1, Ok(8))));
        assert_eq!(other.await.unwrap(), (Ok(()), Ok(())));
    }

    #[tokio::test]
    async fn short_work_is_done_here_and_now() {
        let here = thread::current().id();
        let thread = |bytes| at_length(bytes, || thread::current().id());
        assert_eq!(thread(LONG).await, here);
        assert_ne!(thread(LONG + 1).await, here);
        assert!(is_done_at_once(thread(LONG)));
        assert!(is_done_at_once(at_length_of(1, "x", str::len)));
        assert!(is_done_at_once(to_the_end(LONG, thread(LONG))));
    }

    #[tokio::test]
    async fn long_work_waits_for_a_processor_and_is_not_begun_for_nobody() {
        let (begun, mut has_begun) = tokio::sync::mpsc::unbounded_channel();
        let ends = (0..available_parallelism().unwrap().get()).map(|_| {
            let (end, ended) = mpsc::channel::<()>();
            let begun = begun.clone();
            tokio::spawn(at_length(LONG + 1, move || (begun.send(()), ended.recv())));
            end
        });
        let ends: Vec<_> = ends.collect();
        for _ in &ends {
            has_begun.recv().await.unwrap();
        }
        let (done, is_done) = oneshot::channel();
        let one_more = at_length(LONG + 1, move || done.send(()));
        assert!(!is_done_at_once(one_more));
        assert!(is_done.await.is_err());
        drop(ends);
        assert_eq!(at_length(LONG + 1, || 7).await, 7);
    }

    #[test]
    fn escapes_make_a_text_long_to_search() {
        let is_long_to_search = |text: &str| is_long(search_len(text));
        assert!(!is_long_to_search(&"x".repeat(LONG)));
        assert!(is_long_to_search(&"x".repeat(LONG + 1)));
        assert!(is_long_to_search(&"\\".repeat(2000)));
        assert!(is_long_to_search(&"xxx\\n".repeat(1500)));
        assert!(!is_long_to_search(&"\\".repeat(1024)));
        assert_eq!(search_len(&"\\".repeat(1024)), 1024);
    }

    #[tokio::test]
    async fn what_goes_to_the_end_needs_nobody_who_waits() {
        let (go, gone) = oneshot::channel::<()>();
        let (done, is_done) = oneshot::channel();
        let work = async move { (gone.await, done.send(7)) };
        assert!(!is_done_at_once(to_the_end(LONG + 1, work)));
        go.send(()).unwrap();
        assert_eq!(is_done.await, Ok(7));
    }

    #[tokio::test]
    #[should_panic(expected = "what it says")]
    async fn a_panic_is_passed_on() {
        at_length(LONG + 1, || panic!("what it says")).await;
    }

    #[test]
    fn a_runtime_that_has_ended_is_no_panic() {
        let runtime = Builder::new_current_thread().build().unwrap();
        let ended = runtime.handle().clone();
        drop(runtime);
        let _entered = ended.enter();
        assert!(!is_done_at_once(at_length(LONG + 1, || 7)));
        assert!(!is_done_at_once(to_the_end(LONG + 1, async { 7 })));
    }
}
