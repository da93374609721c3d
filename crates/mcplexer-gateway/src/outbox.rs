//! Messages that wait for a client to read them.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// From so many waiting messages on, a notification takes the place of an earlier one about the same.
const CROWDED: usize = 256;

/// The most messages that wait. Of a client that reads none, further notifications are dropped.
const MAX_MESSAGES: usize = 4096;

/// The most bytes that wait. Beyond, notifications are dropped; a client that lets more answers come together is let go.
const MAX_BYTES: usize = 256 << 20;

/// The messages for one reader. Writing into it never waits.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    queue: Mutex<Queue>,
    changed: Notify,
}

#[derive(Default)]
struct Queue {
    messages: VecDeque<Waiting>,
    bytes: usize,
    is_closed: bool,
    /// How many answers are still to come after the next one.
    more_answers: usize,
}

struct Waiting {
    text: String,
    /// It may be dropped, so that what must arrive has room.
    is_notification: bool,
    /// What it is about, if it may give way to a later message about the same.
    about: Option<String>,
}

/// Shows how many messages wait, and nothing of what they say.
impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue")
            .field("messages", &self.messages.len())
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

impl Queue {
    fn add(&mut self, text: String, about: Option<String>, is_notification: bool) {
        self.bytes += text.len();
        self.messages.push_back(Waiting {
            text,
            is_notification,
            about,
        });
    }

    fn next(&mut self) -> Option<String> {
        let message = self.messages.pop_front()?;
        self.bytes -= message.text.len();
        Some(message.text)
    }

    /// Drops the oldest notifications if too many bytes wait.
    fn make_room(&mut self) {
        let mut surplus = self.bytes.saturating_sub(MAX_BYTES);
        if surplus == 0 {
            return;
        }
        self.messages.retain(|it| {
            let stays = surplus == 0 || !it.is_notification;
            if !stays {
                surplus = surplus.saturating_sub(it.text.len());
                self.bytes -= it.text.len();
            }
            stays
        });
    }
}

impl Outbox {
    /// Adds a message that must arrive.
    pub(crate) fn push(&self, text: String) {
        let mut queue = self.queue();
        if queue.is_closed {
            return;
        }
        queue.add(text, None, false);
        queue.make_room();
        if queue.bytes > MAX_BYTES {
            *queue = Queue {
                is_closed: true,
                ..Queue::default()
            };
        }
        drop(queue);
        self.changed.notify_one();
    }

    /// Adds a notification. `about` says what it is about if a later one makes it worthless.
    pub(crate) fn notify(&self, text: String, about: Option<String>) {
        let mut queue = self.queue();
        if let Some(about) = about.as_ref().filter(|_| queue.messages.len() >= CROWDED) {
            let same = |it: &Waiting| it.about.as_ref() == Some(about);
            if let Some(at) = queue.messages.iter().position(same)
                && let Some(old) = queue.messages.remove(at)
            {
                queue.bytes -= old.text.len();
            }
        }
        // One server's flood is not to end the calls of another one: it is dropped, and the answers stay.
        let has_room = queue.messages.len() < MAX_MESSAGES
            && queue.bytes.saturating_add(text.len()) <= MAX_BYTES;
        if queue.is_closed || !has_room {
            return;
        }
        queue.add(text, about, true);
        drop(queue);
        self.changed.notify_one();
    }

    /// An outbox for the answers to so many requests.
    pub(crate) fn for_answers(count: usize) -> Self {
        let outbox = Self::default();
        outbox.queue().more_answers = count.saturating_sub(1);
        outbox
    }

    /// Adds an answer. It is closed behind the last one.
    pub(crate) fn answer(&self, text: Option<String>) {
        let mut queue = self.queue();
        if let Some(text) = text.filter(|_| !queue.is_closed) {
            queue.add(text, None, false);
            queue.make_room();
        }
        match queue.more_answers.checked_sub(1) {
            Some(left) => queue.more_answers = left,
            None => queue.is_closed = true,
        }
        drop(queue);
        self.changed.notify_one();
    }

    /// Whether everything was read, and no more messages come.
    pub(crate) fn is_done(&self) -> bool {
        let queue = self.queue();
        queue.is_closed && queue.messages.is_empty()
    }

    /// Says that no more messages come. Those that wait are still read.
    pub(crate) fn close(&self) {
        self.queue().is_closed = true;
        self.changed.notify_one();
    }

    /// Whether no more messages come.
    pub(crate) fn is_closed(&self) -> bool {
        self.queue().is_closed
    }

    /// Returns the next message without waiting for one.
    pub(crate) fn try_next(&self) -> Option<String> {
        self.queue().next()
    }

    /// Waits for the next message; `None` when it is closed and empty. There is one reader.
    pub(crate) async fn next(&self) -> Option<String> {
        loop {
            let changed = self.changed.notified();
            {
                // Whether it is closed counts if it was empty at that moment: the last message closes it.
                let mut queue = self.queue();
                let next = queue.next();
                if next.is_some() || queue.is_closed {
                    return next;
                }
            }
            changed.await;
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, mpsc};
    use std::thread;

    use super::*;

    fn all(outbox: &Outbox) -> Vec<String> {
        std::iter::from_fn(|| outbox.try_next()).collect()
    }

    #[test]
    fn notifications_give_way_only_where_many_wait() {
        let outbox = Outbox::default();
        let about = || Some("progress 1".to_owned());
        outbox.notify("1".to_owned(), about());
        outbox.notify("2".to_owned(), about());
        assert_eq!(all(&outbox), ["1", "2"], "nobody is late");
        for number in 0..10_000 {
            outbox.notify(number.to_string(), about());
        }
        let left = all(&outbox);
        assert_eq!((left.len(), left.last().unwrap().as_str()), (256, "9999"));
        for number in 0..10_000 {
            outbox.notify(number.to_string(), None);
        }
        outbox.push("answer".to_owned());
        let left = all(&outbox);
        assert_eq!(
            (left.len(), left.last().unwrap().as_str()),
            (4097, "answer")
        );
    }

    /// A text that takes no memory before it is read.
    fn long() -> String {
        String::from_utf8(vec![0; MAX_BYTES / 4]).unwrap()
    }

    #[test]
    fn a_flood_of_notifications_leaves_room_for_answers() {
        let outbox = Outbox::default();
        outbox.push("first".to_owned());
        (0..8).for_each(|_| outbox.notify(long(), None));
        outbox.push(long());
        outbox.push("answer".to_owned());
        let left: Vec<_> = all(&outbox).iter().map(String::len).collect();
        assert_eq!(left, [5, long().len(), long().len(), long().len(), 6]);
        (0..8).for_each(|_| outbox.notify(long(), None));
        outbox.answer(Some("last".to_owned()));
        assert_eq!(all(&outbox).last().unwrap(), "last");
        assert!(outbox.is_done());
    }

    #[test]
    fn a_client_that_reads_no_answers_is_let_go() {
        let outbox = Outbox::default();
        (0..4).for_each(|_| outbox.push(long()));
        assert!(!outbox.is_closed());
        outbox.push("one more".to_owned());
        assert!(outbox.is_closed() && all(&outbox).is_empty());
    }

    #[tokio::test]
    async fn an_answer_that_comes_while_its_reader_looks_is_read() {
        let (hand_over, outboxes) = mpsc::channel::<Arc<Outbox>>();
        let answers = thread::spawn(move || {
            let answer = |it: Arc<Outbox>| it.answer(Some("answer".to_owned()));
            outboxes.into_iter().for_each(answer);
        });
        for _ in 0..50_000 {
            let outbox = Arc::new(Outbox::default());
            hand_over.send(Arc::clone(&outbox)).unwrap();
            assert_eq!(outbox.next().await.as_deref(), Some("answer"));
            assert_eq!(outbox.next().await, None);
        }
        drop(hand_over);
        answers.join().unwrap();
    }

    #[tokio::test]
    async fn what_waits_is_read_after_the_end() {
        let outbox = Outbox::default();
        outbox.push("last".to_owned());
        outbox.close();
        outbox.push("late".to_owned());
        assert_eq!(outbox.next().await.as_deref(), Some("last"));
        assert_eq!(outbox.next().await, None);
    }
}
