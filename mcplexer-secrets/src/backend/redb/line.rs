//! The writers of one file wait in the order in which they came, those of other processes too.
//!
//! A writer takes the number after all that are taken, as a lock on one byte far behind the end of the file. It is
//! first once no lower number is taken. The kernel ends the lock with its process. So nothing is left behind, and a
//! store needs no other file for it.
//!
//! Nothing depends on the line: redb's own lock lets one writer in at a time. A writer that was stopped while it waited is
//! passed over, and where the file system has no such locks, nobody stands in line.

use std::fs::File;
use std::ops::Bound::{Excluded, Included};
use std::time::{Duration, Instant};

use redb::StorageBackend;
use redb::backends::FileBackend;

/// The byte of the first number. redb locks nothing between the end of a file and byte 2^62.
const FIRST: u64 = 1 << 61;
/// How many numbers there are. They begin again when nobody stands in line.
const COUNT: u64 = 1 << 60;

/// How long the first in line may take to begin, until others try whether it was stopped.
const STOPPED: Duration = Duration::from_millis(100);

const SHORTEST_PAUSE: Duration = Duration::from_micros(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(4);
/// Less than the shortest change takes.
const PAUSE_FOR_EACH: Duration = Duration::from_micros(250);

/// A place in the line. It ends when this is dropped.
pub(super) struct Place {
    locks: FileBackend,
    number: u64,
    /// The first in line, and since when it is that; `None` if nobody is before this one.
    first: Option<u64>,
    since: Instant,
}

impl Place {
    /// Stands in line for a file, which is open for writing. `None` if it cannot be locked like that.
    pub(super) fn take(file: &File) -> Option<Self> {
        let locks = FileBackend::new(file.try_clone().ok()?).ok()?;
        let mut number = after_all(&locks)?;
        // Others may look at the same time.
        while !locks
            .try_lock_range(Included(FIRST + number), Included(FIRST + number))
            .ok()?
        {
            number += 1;
        }
        let mut place = Self {
            locks,
            number,
            first: None,
            since: Instant::now(),
        };
        place.first = place.lowest();
        Some(place)
    }

    /// Whether to try to begin: it is this one's turn, or the one whose turn it is was stopped.
    pub(super) fn may_begin(&mut self) -> bool {
        self.may_pass(STOPPED)
    }

    fn may_pass(&mut self, stopped: Duration) -> bool {
        let Some(first) = self.first else {
            return true;
        };
        if !is_taken(&self.locks, first, first + 1) {
            self.first = self.lowest();
            self.since = Instant::now();
            return self.first.is_none();
        }
        let is_stopped = self.since.elapsed() >= stopped;
        if is_stopped {
            self.since = Instant::now();
        }
        is_stopped
    }

    /// How long to wait until the next look: little if it can be this one's turn soon.
    pub(super) fn pause(&self) -> Duration {
        let between = self.first.map_or(0, |first| self.number - first - 1);
        let others = PAUSE_FOR_EACH * u32::try_from(between).unwrap_or(u32::MAX).min(16);
        pause_after(self.since.elapsed()).max(others)
    }

    /// The lowest number before this one.
    fn lowest(&self) -> Option<u64> {
        let (mut free, mut taken) = (0, self.number);
        if !is_taken(&self.locks, free, taken) {
            return None;
        }
        while taken - free > 1 {
            let middle = free.midpoint(taken);
            match is_taken(&self.locks, free, middle) {
                true => taken = middle,
                false => free = middle,
            }
        }
        Some(free)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let byte = FIRST + self.number;
        let _ends_with_the_file = self.locks.unlock_range(Included(byte), Included(byte));
    }
}

/// How long to wait until the next look, for one who has waited so long.
pub(super) fn pause_after(waited: Duration) -> Duration {
    (waited / 8).clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
}

/// The number after all that are taken.
fn after_all(locks: &FileBackend) -> Option<u64> {
    let (mut last, mut next) = (0, 0);
    while is_taken(locks, next, COUNT) {
        (last, next) = (next, (next * 2).max(1));
        if next >= COUNT {
            return None;
        }
    }
    while next - last > 1 {
        let middle = last.midpoint(next);
        match is_taken(locks, middle, COUNT) {
            true => last = middle,
            false => next = middle,
        }
    }
    Some(next)
}

/// Whether another one has a number from `from` to before `to`.
fn is_taken(locks: &FileBackend, from: u64, to: u64) -> bool {
    let (from, to) = (Included(FIRST + from), Excluded(FIRST + to));
    locks.query_lock_range(from, to).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::path::Path;

    use super::*;

    const NEVER: Duration = Duration::MAX;

    fn take(path: &Path) -> Place {
        let file = OpenOptions::new().read(true).write(true).open(path);
        Place::take(&file.unwrap()).unwrap()
    }

    #[test]
    fn each_begins_once_those_before_it_are_gone() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut line: Vec<_> = (0..9).map(|_| take(file.path())).collect();
        // One loses patience.
        line.remove(4);
        while !line.is_empty() {
            let begin: Vec<_> = line.iter_mut().map(|it| it.may_pass(NEVER)).collect();
            assert!(begin[0], "the first of {}", begin.len());
            assert_eq!(begin.iter().filter(|it| **it).count(), 1);
            line.remove(0);
        }
    }

    #[test]
    fn who_comes_again_stands_behind_those_who_wait() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut waiting = take(file.path());
        for _ in 0..100 {
            let mut again = take(file.path());
            assert!(!again.may_pass(NEVER));
            assert!(waiting.may_pass(NEVER));
            waiting = again;
        }
        assert_eq!(waiting.number, 100);
        drop(waiting);
        assert_eq!(take(file.path()).number, 0);
    }

    #[test]
    fn one_that_was_stopped_is_passed_over_again_and_again() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let _stopped = take(file.path());
        let mut next = take(file.path());
        assert!(!next.may_pass(NEVER));
        for _ in 0..2 {
            assert!(next.may_pass(Duration::ZERO));
        }
    }

    #[test]
    fn who_has_waited_long_looks_less_often() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let first = take(file.path());
        assert_eq!(first.first, None);
        let line: Vec<_> = (0..20).map(|_| take(file.path())).collect();
        assert!(line[3].pause() >= 3 * PAUSE_FOR_EACH);
        assert_eq!(line[19].pause(), LONGEST_PAUSE);
        assert_eq!(pause_after(Duration::ZERO), SHORTEST_PAUSE);
        assert_eq!(pause_after(Duration::from_secs(9)), LONGEST_PAUSE);
    }

    #[test]
    fn a_file_that_nobody_may_write_has_no_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let to_read = File::open(file.path()).unwrap();
        assert!(Place::take(&to_read).is_none());
    }
}
