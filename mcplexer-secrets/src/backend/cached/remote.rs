//! A snapshot that is read by a thread of its own, so that one need not wait for it.

use std::cell::Cell;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::image::Place;
use crate::backend::{Backend, BackendError, BackendErrorKind, EachRecord, Range, Snapshot, Table};

/// How many records of a scan are passed on at a time, and about how many bytes.
const PAGE: usize = 1024;
const PAGE_BYTES: usize = 1 << 20;

/// Where to ask for what the state has.
pub(super) struct Remote {
    /// `None` only while this is dropped.
    questions: Option<Sender<Question>>,
    answers: Receiver<Result<Answer, BackendError>>,
    /// `None` once an answer did not come in time.
    thread: Cell<Option<JoinHandle<()>>>,
}

enum Question {
    Many(Vec<Place>),
    Page(Place, Option<Vec<u8>>),
}

enum Answer {
    /// Whether there is a state.
    Begun(bool),
    Many(Vec<Option<Vec<u8>>>),
    Page(Page),
}

/// A part of a scan.
#[derive(Default)]
struct Page {
    records: Vec<(Vec<u8>, Vec<u8>)>,
    bytes: usize,
    has_more: bool,
}

/// What came of a question.
pub(super) enum Asked<T> {
    Answered(Result<T, BackendError>),
    /// No answer came in time. None can be asked for any more.
    Silent,
}

impl Remote {
    /// Begins to read the state of `backend`.
    pub(super) fn begin(backend: Arc<dyn Backend>) -> io::Result<Self> {
        let (questions, asked) = channel();
        let (answering, answers) = channel();
        let thread = thread::Builder::new()
            .name("store reader".to_owned())
            .spawn(move || {
                // Nobody listens any more if the other side has found the server silent.
                let _unheard = answering.send(match backend.read() {
                    Ok(None) => Ok(Answer::Begun(false)),
                    Err(error) => Err(error),
                    Ok(Some(snapshot)) => {
                        if answering.send(Ok(Answer::Begun(true))).is_ok() {
                            serve(&*snapshot, &asked, &answering);
                        }
                        return;
                    }
                });
            })?;
        Ok(Self {
            questions: Some(questions),
            answers,
            thread: Cell::new(Some(thread)),
        })
    }

    /// Waits until it has begun. Returns whether there is a state.
    pub(super) fn has_state(&self, patience: Duration) -> Asked<bool> {
        self.wait(Some(patience), |answer| match answer {
            Answer::Begun(exists) => Some(exists),
            _ => None,
        })
    }

    /// Asks for records. Waits as long as it takes without `patience`.
    pub(super) fn get_many(
        &self,
        places: &[(Table, &[u8])],
        patience: Option<Duration>,
    ) -> Asked<Vec<Option<Vec<u8>>>> {
        let places = places.iter().map(|(table, key)| (*table, key.to_vec()));
        self.ask(Question::Many(places.collect()));
        self.wait(patience, |answer| match answer {
            Answer::Many(found) => Some(found),
            _ => None,
        })
    }

    /// Scans a range. `patience` is how long to wait for the first records.
    pub(super) fn scan(
        &self,
        range: Range<'_>,
        patience: Option<Duration>,
        each: &mut EachRecord<'_>,
    ) -> Asked<()> {
        let (mut after, mut patience) = (range.after.map(<[u8]>::to_vec), patience);
        loop {
            let place = (range.table, range.prefix.to_vec());
            self.ask(Question::Page(place, after.take()));
            let page = match self.wait(patience.take(), |answer| match answer {
                Answer::Page(page) => Some(page),
                _ => None,
            }) {
                Asked::Answered(Ok(page)) => page,
                Asked::Answered(Err(error)) => return Asked::Answered(Err(error)),
                Asked::Silent => return Asked::Silent,
            };
            for (key, record) in &page.records {
                if each(key, record) == ControlFlow::Break(()) {
                    return Asked::Answered(Ok(()));
                }
            }
            match page.records.into_iter().next_back() {
                Some((last, _)) if page.has_more => after = Some(last),
                _ => return Asked::Answered(Ok(())),
            }
        }
    }

    fn ask(&self, question: Question) {
        // A thread that has ended is noticed when its answer is awaited.
        if let Some(questions) = &self.questions {
            let _unheard = questions.send(question);
        }
    }

    fn wait<T>(
        &self,
        patience: Option<Duration>,
        expected: impl FnOnce(Answer) -> Option<T>,
    ) -> Asked<T> {
        let answer = match patience {
            Some(patience) => self.answers.recv_timeout(patience),
            None => self.answers.recv().map_err(Into::into),
        };
        match answer {
            Err(RecvTimeoutError::Timeout) => {
                self.thread.take();
                Asked::Silent
            }
            Err(RecvTimeoutError::Disconnected) => Asked::Answered(Err(ended())),
            Ok(Err(error)) => Asked::Answered(Err(error)),
            Ok(Ok(answer)) => Asked::Answered(expected(answer).ok_or_else(ended)),
        }
    }
}

impl Drop for Remote {
    /// Waits until the snapshot is dropped, which does not wait for the server: the next one can use its connection.
    fn drop(&mut self) {
        self.questions = None;
        if let Some(thread) = self.thread.take() {
            // It had nothing more to say.
            let _ended = thread.join();
        }
    }
}

/// Asks for the revision.
pub(super) fn revision(backend: Arc<dyn Backend>, patience: Duration) -> Asked<Option<u64>> {
    let (answering, answer) = channel();
    let begun = thread::Builder::new()
        .name("store reader".to_owned())
        .spawn(move || answering.send(backend.revision()));
    if begun.is_err() {
        return Asked::Answered(Ok(None));
    }
    match answer.recv_timeout(patience) {
        Ok(answer) => Asked::Answered(answer),
        Err(RecvTimeoutError::Timeout) => Asked::Silent,
        Err(RecvTimeoutError::Disconnected) => Asked::Answered(Err(ended())),
    }
}

fn ended() -> BackendError {
    let message = "the thread that reads the store has ended";
    BackendError::new(BackendErrorKind::Other, message)
}

fn serve(
    snapshot: &dyn Snapshot,
    questions: &Receiver<Question>,
    answers: &Sender<Result<Answer, BackendError>>,
) {
    for question in questions {
        let answer = match question {
            Question::Many(places) => {
                let places: Vec<_> = places.iter().map(|(table, key)| (*table, &**key)).collect();
                snapshot.get_many(&places).map(Answer::Many)
            }
            Question::Page((table, prefix), after) => {
                let mut range = Range::prefix(table, &prefix);
                range.after = after.as_deref();
                page(snapshot, range).map(Answer::Page)
            }
        };
        if answers.send(answer).is_err() {
            return;
        }
    }
}

fn page(snapshot: &dyn Snapshot, range: Range<'_>) -> Result<Page, BackendError> {
    let mut page = Page::default();
    snapshot.scan(range, &mut |key, record| {
        if page.records.len() >= PAGE || page.bytes >= PAGE_BYTES {
            page.has_more = true;
            return ControlFlow::Break(());
        }
        page.bytes += key.len() + record.len();
        page.records.push((key.to_vec(), record.to_vec()));
        ControlFlow::Continue(())
    })?;
    Ok(page)
}
