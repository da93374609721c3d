//! Every moment at which the power may fail, and what the disk may hold then.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tempfile::TempDir;

use crate::content::Content;
use crate::disk::{Change, Disk, Event, Fingerprint, Kept};

/// What was done in a home directory, and when each operation was acknowledged.
pub(crate) struct Life {
    /// The disk at the beginning.
    pub(crate) disk: Disk,
    pub(crate) events: Vec<Event>,
    /// For each operation: the number of events after which it was acknowledged, its name, and the
    /// content then.
    pub(crate) acknowledged: Vec<(usize, String, Content)>,
    /// The home directory, relative to the root of the disk.
    pub(crate) home: PathBuf,
}

/// The number of disks examined.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Count {
    /// Moments at which the power failed.
    pub(crate) moments: usize,
    /// States that the disk may have had, counted for each moment separately.
    pub(crate) states: usize,
    /// Distinct states.
    pub(crate) distinct: usize,
}

/// What was found on disks, by fingerprint.
type Found = Mutex<HashMap<Fingerprint, Arc<Result<Content, String>>>>;

impl Life {
    /// Cuts the power at every moment. `random` is the number of random states to try at each,
    /// besides those that are always tried.
    pub(crate) fn assert_survives(&self, random: usize) -> Count {
        let found = Found::default();
        let start = self.acknowledged[0].0;
        let threads = thread::available_parallelism().map_or(2, |it| it.get().min(4));
        let counts = thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .map(|worker| {
                    let found = &found;
                    scope.spawn(move || self.cut_at(start + worker, threads, random, found))
                })
                .collect();
            let ended = workers.into_iter().map(thread::ScopedJoinHandle::join);
            ended
                .map(|it| it.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect::<Vec<_>>()
        });
        let distinct = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        Count {
            moments: counts.iter().map(|it| it.moments).sum(),
            states: counts.iter().map(|it| it.states).sum(),
            distinct: distinct.len(),
        }
    }

    /// Cuts the power at every `step`th moment, beginning at `first`.
    fn cut_at(&self, first: usize, step: usize, random: usize, found: &Found) -> Count {
        let scratch = scratch();
        let mut count = Count::default();
        // The changes that are certainly on the disk, and those that may be.
        let (mut certain, mut pending) = (self.disk.clone(), Vec::new());
        for moment in 0..=self.events.len() {
            if moment >= first && (moment - first).is_multiple_of(step) {
                count.moments += 1;
                count.states += self.cut(moment, &certain, &pending, random, &scratch, found);
            }
            certain.happen(self.events.get(moment), &mut pending);
        }
        count
    }

    fn cut(
        &self,
        moment: usize,
        certain: &Disk,
        pending: &[Change],
        random: usize,
        scratch: &TempDir,
        found: &Found,
    ) -> usize {
        let mut chance = Chance(moment as u64);
        let mut seen = HashSet::new();
        for kept in choices(pending, random, &mut chance) {
            let disk = with(certain, pending, &kept);
            let fingerprint = disk.fingerprint();
            if seen.insert(fingerprint) {
                let what = self.look(&disk, fingerprint, scratch.path(), found);
                self.judge(moment, &what, pending, &kept);
            }
        }
        seen.len()
    }

    fn look(
        &self,
        disk: &Disk,
        fingerprint: Fingerprint,
        scratch: &Path,
        found: &Found,
    ) -> Arc<Result<Content, String>> {
        let known = || found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known().get(&fingerprint) {
            return Arc::clone(known);
        }
        let root = scratch.join("disk");
        disk.write_to(&root);
        // This takes as long as everything else together, so it is tried on one disk in four.
        let goes_on = fingerprint[0].is_multiple_of(4);
        let what = Arc::new(Content::found_in(&root.join(&self.home), goes_on));
        known().insert(fingerprint, Arc::clone(&what));
        what
    }

    /// Checks that acknowledged changes are present, and an unfinished one completely or not at
    /// all.
    fn judge(
        &self,
        moment: usize,
        what: &Result<Content, String>,
        pending: &[Change],
        kept: &[Kept],
    ) {
        let mut done = self.acknowledged.iter().filter(|(at, ..)| *at <= moment);
        let (at, last, before) = done.next_back().unwrap();
        let next = self.acknowledged.iter().find(|(at, ..)| *at > moment);
        let fits = match (what, next) {
            (Ok(what), Some((_, _, after))) if *at < moment => {
                what.store == before.store || what.store == after.store
            }
            (Ok(what), _) => what == before,
            (Err(_), _) => false,
        };
        let doing = next.map_or("nothing", |(_, name, _)| name);
        assert!(
            fits,
            "the power failed after event {moment}, {last} done and {doing} in the making\n\
             found: {what:#?}\nbefore: {before:#?}\nafter: {:#?}\n{}",
            next.map(|(_, _, after)| after),
            self.describe(pending, kept),
        );
    }

    fn describe(&self, pending: &[Change], kept: &[Kept]) -> String {
        let lines = pending.iter().zip(kept).map(|(change, kept)| {
            let change = match change {
                Change::Write {
                    file,
                    offset,
                    bytes,
                } => {
                    format!("write {file:?} {offset}+{}", bytes.len())
                }
                other => format!("{other:?}"),
            };
            format!("{kept:?}: {change}\n")
        });
        lines.collect()
    }
}

/// Returns a disk that some of the pending changes have reached.
fn with(certain: &Disk, pending: &[Change], kept: &[Kept]) -> Disk {
    let mut disk = certain.clone();
    for (change, kept) in pending.iter().zip(kept) {
        disk.apply(change, kept);
    }
    disk
}

/// Returns the combinations of pending changes to try.
fn choices(pending: &[Change], random: usize, chance: &mut Chance) -> Vec<Vec<Kept>> {
    let count = pending.len();
    let all = || vec![Kept::All; count];
    let none = || vec![Kept::None; count];
    let mut choices = vec![all(), none()];
    for at in 0..count {
        let (mut dropped, mut alone, mut up_to) = (all(), none(), none());
        dropped[at] = Kept::None;
        alone[at] = Kept::All;
        up_to[..at].fill(Kept::All);
        choices.extend([dropped, alone, up_to]);
        if pending[at].sectors() > 1 {
            // Torn, with all of the others or none.
            let torn = chance.sectors(&pending[at]);
            let (mut among, mut only) = (all(), none());
            among[at] = torn.clone();
            only[at] = torn;
            choices.extend([among, only]);
        }
    }
    if count > 1 || pending.iter().any(|change| change.sectors() > 1) {
        for _ in 0..random {
            let kept = |change: &Change| match chance.below(4) {
                0 => Kept::None,
                1 => chance.sectors(change),
                _ => Kept::All,
            };
            choices.push(pending.iter().map(kept).collect());
        }
    }
    choices
}

/// Cuts the power at every moment of what was done to a disk. Calls `look` with the number of
/// events so far and each disk that may result.
pub(crate) fn cut_everywhere(
    disk: &Disk,
    events: &[Event],
    random: usize,
    mut look: impl FnMut(usize, &Disk),
) {
    let (mut certain, mut pending) = (disk.clone(), Vec::new());
    for moment in 0..=events.len() {
        for kept in choices(&pending, random, &mut Chance(moment as u64)) {
            look(moment, &with(&certain, &pending, &kept));
        }
        certain.happen(events.get(moment), &mut pending);
    }
}

/// Reproducible random numbers.
struct Chance(u64);

impl Chance {
    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn sectors(&mut self, change: &Change) -> Kept {
        match change {
            Change::Write { .. } => {
                let kept = (0..change.sectors()).map(|_| self.below(2) == 0);
                Kept::Sectors(kept.collect())
            }
            _ if self.below(2) == 0 => Kept::All,
            _ => Kept::None,
        }
    }
}

/// Returns a directory in memory, where that exists.
pub(crate) fn scratch() -> TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap())
}
