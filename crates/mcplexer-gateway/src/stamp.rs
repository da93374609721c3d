//! Tells cheaply that a file has not changed.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// A change within this time of another one may leave the same times behind.
const GRAIN: Duration = Duration::from_millis(100);

/// What the system says of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stamp {
    state: Option<(u64, u64, u64, i64, i64)>,
    /// Whether the file was last changed long before this was taken.
    is_settled: bool,
}

impl Stamp {
    pub(crate) fn of(path: &Path) -> Self {
        let Ok(metadata) = fs::metadata(path) else {
            return Self {
                state: None,
                is_settled: false,
            };
        };
        let age = metadata
            .modified()
            .ok()
            .and_then(|at| SystemTime::now().duration_since(at).ok());
        Self {
            state: Some((
                metadata.dev(),
                metadata.ino(),
                metadata.len(),
                metadata.mtime(),
                metadata.mtime_nsec(),
            )),
            is_settled: age.is_some_and(|age| age > GRAIN),
        }
    }

    /// Whether the file surely has not changed between this stamp and a later one.
    pub(crate) fn is_same(&self, later: &Self) -> bool {
        self.is_settled && self.state.is_some() && self.state == later.state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let file = fs::File::options().append(true).open(&path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(9))
            .unwrap();
        let settled = Stamp::of(&path);
        assert!(settled.is_same(&Stamp::of(&path)));
        fs::write(&path, "b").unwrap();
        assert!(!settled.is_same(&Stamp::of(&path)));
    }
}
