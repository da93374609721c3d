//! The writers of one process wait in the order in which they came.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Lets one writer after the other in.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    moved: Condvar,
}

/// Who waits, and who writes: by numbers that grow. The lowest writes.
#[derive(Debug, Default)]
struct Waiting {
    next: u64,
    numbers: BTreeSet<u64>,
}

/// The turn of one writer, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn<'q> {
    queue: &'q Queue,
    number: u64,
}

impl Queue {
    /// Waits for the turn. `None` if it does not come in time.
    pub(super) fn wait(&self, patience: Duration) -> Option<Turn<'_>> {
        let mut waiting = self.waiting();
        let number = waiting.next;
        waiting.next += 1;
        waiting.numbers.insert(number);
        let turn = Turn {
            queue: self,
            number,
        };
        let is_behind = |it: &mut Waiting| it.numbers.first() != Some(&number);
        let waited = self.moved.wait_timeout_while(waiting, patience, is_behind);
        let (waiting, result) = waited.unwrap_or_else(PoisonError::into_inner);
        // Before the turn is dropped, which locks it.
        drop(waiting);
        (!result.timed_out()).then_some(turn)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.queue.waiting().numbers.remove(&self.number);
        self.queue.moved.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    /// Waits until so many writers have come.
    fn await_writers(queue: &Queue, count: usize) {
        while queue.waiting().numbers.len() < count {
            thread::yield_now();
        }
    }

    #[test]
    fn writers_write_in_the_order_in_which_they_came() {
        let queue = &Queue::default();
        let (tell, told) = mpsc::channel();
        let first = queue.wait(LONG).unwrap();
        thread::scope(|scope| {
            for number in 0..8 {
                let tell = tell.clone();
                scope.spawn(move || {
                    let _turn = queue.wait(LONG).unwrap();
                    tell.send(number).unwrap();
                });
                await_writers(queue, number + 2);
            }
            drop(first);
        });
        let order: Vec<_> = told.try_iter().collect();
        assert_eq!(order, (0..8).collect::<Vec<_>>());
    }

    #[test]
    fn who_loses_patience_is_passed_over() {
        let queue = &Queue::default();
        let first = queue.wait(LONG).unwrap();
        assert!(queue.wait(Duration::ZERO).is_none());
        thread::scope(|scope| {
            let last = scope.spawn(move || queue.wait(LONG).is_some());
            await_writers(queue, 2);
            drop(first);
            assert!(last.join().unwrap());
        });
        assert!(queue.waiting().numbers.is_empty());
    }
}
