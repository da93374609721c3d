//! Comparing a state of the store with the audit log: which of them was put back, cut off or replaced?

use std::path::Path;
use std::sync::Arc;

use super::unlocked::Unlocked;
use crate::Error;
use crate::audit::{self, AuditMark, AuditPosition, AuditState, AuditView};
use crate::error::{Finding, RecordName};
use crate::record::{AuditSeal, Header, Slot};

/// A state of the store, and the owner who sees it.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) header: &'a Header,
    /// `None` if no key verified the header.
    pub(super) owner: Option<&'a Slot>,
    claimant: Option<&'a str>,
}

/// A header, and whether a key verified it.
#[derive(Clone)]
pub(super) enum Trust {
    Verified(Arc<Unlocked>),
    Unverified(Arc<Header>),
}

impl Trust {
    pub(super) fn seen(&self) -> Seen<'_> {
        match self {
            Self::Verified(unlocked) => Seen {
                header: &unlocked.header,
                owner: unlocked.owner(),
                claimant: unlocked.claimant.as_deref(),
            },
            Self::Unverified(header) => Seen {
                header,
                owner: None,
                claimant: None,
            },
        }
    }

    /// The error if the log at `path` contradicts the state: one that was moved is expected to be older.
    pub(super) fn contradicted(&self, finding: Finding, path: &Path) -> Error {
        match (self, finding) {
            (Self::Verified(unlocked), Finding::StoreIsOlder { .. })
                if let Err(moved) = unlocked.require_here() =>
            {
                moved
            }
            _ => Error::tampered(RecordName::AuditLog(path.to_owned()), finding),
        }
    }
}

/// A state of the store that an operation reads or changes.
pub(super) struct Checked {
    pub(super) trust: Trust,
    /// The id of the log that it was compared with; `None` if that has no lines.
    pub(super) log: Option<[u8; 32]>,
    /// The claim that the log recorded last. A line without a claim of its own repeats it.
    pub(super) claim: Option<(String, u64)>,
}

impl Checked {
    /// A state that was compared with this view of the log, if there is one.
    pub(super) fn new(trust: Trust, view: Option<AuditView>) -> Self {
        let log = view.as_ref().and_then(AuditView::log);
        let last = view.and_then(|view| view.last);
        let claim = last.and_then(|last| Some((last.claimant?, last.claimed?)));
        Self { trust, log, claim }
    }

    /// The state, as a line of the log records it; `None` if no key verified it: anybody can write a header
    /// that is further on, and the store's own would be taken for an older one from then on.
    pub(super) fn state(&self) -> Option<AuditState<'_>> {
        match self.trust {
            Trust::Verified(_) => Some(self.verified_state()),
            Trust::Unverified(_) => None,
        }
    }

    fn verified_state(&self) -> AuditState<'_> {
        let seen = self.trust.seen();
        let before = self.claim.as_ref().map(|(key, since)| (&**key, *since));
        let own = seen.claimant.zip(seen.since());
        let claim = own.or(before);
        AuditState {
            store: seen.header.store,
            generation: seen.header.generation,
            revision: seen.header.revision,
            sealed: seen.sealed_line(self.log),
            pending: false,
            owner: seen.owner.map(|slot| &*slot.label),
            claimant: claim.map(|(claimant, _)| claimant),
            claimed: claim.map(|(_, since)| since),
        }
    }
}

impl Seen<'_> {
    /// The positions that the store has sealed, in all logs.
    pub(super) fn sealed(self) -> Vec<AuditPosition> {
        let position = |seal: &AuditSeal| AuditPosition {
            log: seal.log,
            line: seal.line,
            offset: seal.offset,
            hash: seal.hash,
        };
        self.header.logs.iter().map(position).collect()
    }

    /// The line that the store has sealed in a log, 0 if it has sealed none.
    fn sealed_line(self, log: Option<[u8; 32]>) -> u64 {
        let mut logs = self.header.logs.iter();
        logs.find(|seal| Some(seal.log) == log)
            .map_or(0, |seal| seal.line)
    }

    fn since(self) -> Option<u64> {
        Some(self.owner?.claim.as_ref()?.since)
    }

    /// Compares the state with the log at `path`. What the log recorded last must be this state or an earlier one, or
    /// a change that was interrupted before its commit.
    ///
    /// Returns what is wrong otherwise.
    pub(super) fn compare(self, path: &Path, view: &AuditView) -> Result<(), Finding> {
        let is_of = |last: &AuditMark| last.store == self.header.store;
        if !view.last.as_ref().is_none_or(is_of) {
            return Err(Finding::OtherStore);
        }
        if !view.is_whole {
            return Err(Finding::CutOff);
        }
        let sealed = self.sealed_line(view.log());
        let is_known = view.tip.is_some() && sealed > 0;
        if !is_known && self.has_sealed_a_log_called(&audit::file_name(path)) {
            return Err(match view.tip {
                Some(_) => Finding::CutOff,
                None => Finding::NoLog,
            });
        }
        match &view.last {
            Some(last) => self.follows(last, sealed),
            None => Ok(()),
        }
    }

    /// How many logs of that file name the store has sealed besides `log`: those of this owner, and those of others.
    /// Where no key tells who the owner is, all may be of this one.
    pub(super) fn other_logs(self, path: &Path, log: Option<[u8; 32]>) -> (u64, u64) {
        let file = audit::file_name(path);
        let is_own = |seal: &&AuditSeal| self.owner.is_none_or(|owner| owner.label == seal.owner);
        let is_other = |seal: &&AuditSeal| Some(seal.log) != log && seal.file == file;
        let all = self.header.logs.iter().filter(is_other);
        let (own, others): (Vec<_>, Vec<_>) = all.partition(is_own);
        (own.len() as u64, others.len() as u64)
    }

    /// Whether the owner has written a log of that file name. Other owners have logs of their own, on their machines.
    /// Where no key tells who the owner is, it may be any of them.
    fn has_sealed_a_log_called(self, file: &str) -> bool {
        let is_it = |seal: &AuditSeal| {
            seal.file == file && self.owner.is_none_or(|owner| owner.label == seal.owner)
        };
        !file.is_empty() && self.header.logs.iter().any(is_it)
    }

    fn follows(self, last: &AuditMark, sealed: u64) -> Result<(), Finding> {
        let header = self.header;
        // A change writes its line, which names the line sealed before, and seals it with its commit. Before that
        // commit it may have been cut short, and somebody with another log may have changed the store since.
        let is_cut_short = last.pending
            && sealed == last.sealed
            && (header.revision < last.revision || header.logs.len() > 1);
        let needed = match last.pending {
            true => last.line,
            false => last.sealed,
        };
        let is_older = sealed < needed
            || header.revision < last.revision
            || header.generation < last.generation;
        if is_older && !is_cut_short {
            return Err(Finding::StoreIsOlder {
                store: header.revision,
                log: last.revision,
            });
        }
        let is_same_key = self.claimant.is_some() && self.claimant == last.claimant.as_deref();
        // Without a claim the owner has not accepted the store, which is another matter.
        let is_earlier = self.since().is_some_and(|since| Some(since) < last.claimed);
        match is_same_key && is_earlier {
            true => Err(Finding::ClaimIsOlder),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::StoreId;
    use crate::store::fixture::filled;

    const LOG: [u8; 32] = [9; 32];

    fn mark(revision: u64, sealed: u64) -> AuditMark {
        AuditMark {
            line: 10,
            store: StoreId([0; 16]),
            generation: 1,
            revision,
            sealed,
            pending: false,
            owner: None,
            claimant: None,
            claimed: None,
        }
    }

    /// Compares a store of that revision, which has sealed that line, with what the log has last.
    fn compared(revision: u64, line: u64, last: AuditMark) -> Result<(), Finding> {
        compared_beside(&[], revision, line, last)
    }

    /// As [`compared`], of a store that has sealed other logs, too.
    fn compared_beside(
        others: &[[u8; 32]],
        revision: u64,
        line: u64,
        last: AuditMark,
    ) -> Result<(), Finding> {
        let vault = filled();
        let unlocked = vault.peek(|reader| Ok(reader.unlocked.clone()));
        let mut unlocked = Unlocked::clone(&unlocked.unwrap().unwrap());
        unlocked.header.revision = revision;
        let seal = |log: &[u8; 32]| AuditSeal {
            log: *log,
            file: "audit.log".to_owned(),
            owner: unlocked.owner_label(),
            line,
            offset: 0,
            hash: [0; 32],
        };
        unlocked.header.logs = [LOG].iter().chain(others).map(seal).collect();
        let store = unlocked.header.store;
        let view = AuditView {
            tip: Some(AuditPosition {
                log: LOG,
                line: 12,
                offset: 0,
                hash: [0; 32],
            }),
            is_whole: true,
            last: Some(AuditMark { store, ..last }),
        };
        let trust = Trust::Verified(Arc::new(unlocked));
        trust.seen().compare(Path::new("audit.log"), &view)
    }

    #[test]
    fn a_store_is_at_the_last_state_of_its_log_or_later() {
        assert_eq!(compared(5, 7, mark(5, 7)), Ok(()));
        assert_eq!(compared(6, 10, mark(5, 7)), Ok(()));
        let older = Err(Finding::StoreIsOlder { store: 5, log: 6 });
        assert_eq!(compared(5, 7, mark(6, 7)), older);
        // Another branch of the store: later, but without the line.
        let branch = Err(Finding::StoreIsOlder { store: 9, log: 5 });
        assert_eq!(compared(9, 6, mark(5, 7)), branch);
    }

    #[test]
    fn a_change_that_was_cut_short_is_told_from_one_that_was_undone() {
        let pending = AuditMark {
            pending: true,
            ..mark(6, 7)
        };
        assert_eq!(compared(6, 10, pending.clone()), Ok(()));
        assert_eq!(compared(5, 7, pending.clone()), Ok(()));
        assert!(compared(6, 7, pending.clone()).is_err());
        assert!(compared(5, 6, pending.clone()).is_err());
        // Somebody with another log may have changed the store after it was cut short, or before it was committed.
        let beside = |revision, line| compared_beside(&[[8; 32]], revision, line, pending.clone());
        assert_eq!(beside(6, 7), Ok(()));
        assert_eq!(beside(9, 7), Ok(()));
        assert!(beside(9, 6).is_err());
    }
}
