//! Tells cheaply that a file, or a store on a server, has not changed.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A change within this time of another one may leave the same times behind.
const GRAIN: Duration = Duration::from_millis(100);

/// What the system says of a file, or a server of a store.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stamp {
    state: Option<State>,
    /// Whether the file was last changed long before this was taken.
    is_settled: bool,
    misses: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    File(u64, u64, u64, i64, i64),
    Revision(u64),
}

impl Stamp {
    /// Of no file: always taken as changed.
    const NONE: Self = Self {
        state: None,
        is_settled: false,
        misses: 0,
    };

    /// Of a store at this revision. One whose revision is not known is always taken as changed.
    ///
    /// `misses` is how often its server was not there before that.
    pub(crate) fn of_revision(revision: Option<u64>, misses: u64) -> Self {
        Self {
            state: revision.map(State::Revision),
            is_settled: true,
            misses,
        }
    }

    /// The same, of what was read since; of nothing if that may be from a copy.
    pub(crate) fn of_what_was_read(self, misses: u64) -> Self {
        match self.misses == misses {
            true => self,
            false => Self::NONE,
        }
    }

    pub(crate) fn of(path: &Path) -> Self {
        let Ok(metadata) = fs::metadata(path) else {
            return Self::NONE;
        };
        // The time of any change: also of the mode, and no program can set it.
        let seconds = u64::try_from(metadata.ctime()).unwrap_or_default();
        let age = SystemTime::now().duration_since(UNIX_EPOCH + Duration::from_secs(seconds));
        let nanoseconds = u64::try_from(metadata.ctime_nsec()).unwrap_or_default();
        let age = age.map(|it| it.saturating_sub(Duration::from_nanos(nanoseconds)));
        Self {
            state: Some(State::File(
                metadata.dev(),
                metadata.ino(),
                metadata.len(),
                metadata.ctime(),
                metadata.ctime_nsec(),
            )),
            is_settled: age.is_ok_and(|age| age > GRAIN),
            misses: 0,
        }
    }

    /// Whether it surely has not changed between this stamp and a later one.
    pub(crate) fn is_same(&self, later: &Self) -> bool {
        self.is_settled && self.state.is_some() && self.state == later.state
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_store_is_the_same_at_the_same_revision() {
        let [none, one, two] = [None, Some(1), Some(2)].map(|it| Stamp::of_revision(it, 0));
        assert!(one.is_same(&one));
        assert!(!one.is_same(&two) && !one.is_same(&none) && !none.is_same(&none));
        assert!(one.of_what_was_read(0).is_same(&one));
        assert!(!one.of_what_was_read(1).is_same(&one), "it is from a copy");
    }

    #[test]
    fn only_a_settled_file_is_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let missing = Stamp::of(&path);
        assert!(!missing.is_same(&missing));
        fs::write(&path, "a").unwrap();
        assert!(
            !Stamp::of(&path).is_same(&Stamp::of(&path)),
            "written just now"
        );
        let settled = || loop {
            let stamp = Stamp::of(&path);
            if stamp.is_settled {
                return stamp;
            }
        };
        let before = settled();
        assert!(before.is_same(&Stamp::of(&path)));
        fs::write(&path, "b").unwrap();
        assert!(!before.is_same(&Stamp::of(&path)));
        let before = settled();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        assert!(!before.is_same(&Stamp::of(&path)), "others may write it");
    }
}
