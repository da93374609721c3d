//! The files that are searched, by as many threads as there are processors.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread::available_parallelism;

use ignore::{DirEntry, Error, WalkBuilder, WalkState};
use mcplexer_secrets::Scanner;

use super::Searched;
use crate::failure::Failure;
use crate::output::sanitized;

pub(super) fn search(
    scanner: &Scanner,
    paths: &[PathBuf],
    no_ignore: bool,
) -> Result<Searched, Failure> {
    let searched = Mutex::new(Searched::default());
    walk(paths, no_ignore).run(|| {
        let mut worker = Worker {
            scanner: scanner.for_another_thread(),
            own: Searched::default(),
            all: &searched,
        };
        Box::new(move |entry| {
            worker.visit(entry);
            WalkState::Continue
        })
    });
    Ok(searched
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner))
}

fn walk(paths: &[PathBuf], no_ignore: bool) -> ignore::WalkParallel {
    let mut builder = WalkBuilder::from_iter(paths);
    builder
        .standard_filters(false)
        .follow_links(false)
        .threads(available_parallelism().map_or(1, usize::from));
    if !no_ignore {
        builder
            .parents(true)
            .git_ignore(true)
            .git_exclude(true)
            .git_global(true)
            .require_git(false)
            .filter_entry(|entry| entry.depth() == 0 || entry.file_name() != ".git");
    }
    builder.build_parallel()
}

/// One thread of the search.
struct Worker<'a> {
    scanner: Scanner,
    own: Searched,
    all: &'a Mutex<Searched>,
}

impl Worker<'_> {
    fn visit(&mut self, entry: Result<DirEntry, Error>) {
        match entry {
            Ok(entry) => {
                if entry.file_type().is_some_and(|kind| kind.is_file()) {
                    self.search(entry.path());
                }
            }
            Err(error) => self.own.unread.push(sanitized(error)),
        }
    }

    fn search(&mut self, path: &Path) {
        self.own.files += 1;
        let result = File::open(path).and_then(|file| self.scanner.scan(file));
        if !result.as_ref().is_ok_and(Vec::is_empty) {
            self.own.add(path.strip_prefix(".").unwrap_or(path), result);
        }
    }
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.files += self.own.files;
        all.findings.append(&mut self.own.findings);
        all.unread.append(&mut self.own.unread);
    }
}
