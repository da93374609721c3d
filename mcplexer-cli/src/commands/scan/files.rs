//! The files that are searched, by as many threads as there are processors.

use std::collections::{BTreeSet, HashSet};
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread::available_parallelism;

use ignore::{DirEntry, Error, WalkBuilder, WalkState};
use mcplexer_mask::Scanner;

use super::{Searched, git};
use crate::output::{sanitized, shown};

/// What stands for standard input.
const STANDARD_INPUT: &str = "-";

pub(super) fn search(scanner: &Scanner, paths: &[PathBuf], no_ignore: bool) -> Searched {
    let mut one = scanner.for_another_thread();
    let mut walked = Walked::default();
    let mut trees = Vec::new();
    for path in paths {
        match Named::of(path) {
            Named::Walked(path) => trees.push(path),
            Named::Read => walked.searched.search(&mut one, path),
        }
    }
    if !trees.is_empty() {
        walked.walk(scanner, &trees, no_ignore);
    }
    if !no_ignore {
        walked.search_tracked(&mut one, &trees);
    }
    walked.searched
}

/// How what is named is searched.
enum Named {
    /// With all that is below it.
    Walked(PathBuf),
    /// By reading it: a pipe, a device, standard input, or a file behind a link.
    Read,
}

impl Named {
    fn of(path: &Path) -> Self {
        if path.as_os_str() == STANDARD_INPUT {
            return Self::Read;
        }
        match path.symlink_metadata() {
            // A link that is named is meant, and its directory is entered with a `/` only.
            Ok(it) if it.is_symlink() && path.is_dir() => Self::Walked(path.join("")),
            Ok(it) if !it.is_file() && !it.is_dir() => Self::Read,
            _ => Self::Walked(path.to_owned()),
        }
    }
}

/// What a walk has brought.
#[derive(Default)]
struct Walked {
    searched: Searched,
    files: HashSet<PathBuf>,
    /// Directories that have a `.git`.
    repositories: BTreeSet<PathBuf>,
}

impl Walked {
    fn walk(&mut self, scanner: &Scanner, paths: &[PathBuf], no_ignore: bool) {
        let all = Mutex::new(self);
        walker(paths, no_ignore).run(|| {
            let mut worker = Worker {
                scanner: scanner.for_another_thread(),
                own: Self::default(),
                all: &all,
                no_ignore,
            };
            Box::new(move |entry| {
                worker.visit(entry);
                WalkState::Continue
            })
        });
    }

    /// Searches what git tracks and the walk has passed over: git does not ignore what it tracks, even
    /// if an ignore file names it (`git add --force`).
    fn search_tracked(&mut self, scanner: &mut Scanner, named: &[PathBuf]) {
        let mut repositories = std::mem::take(&mut self.repositories);
        let below = named.iter().filter(|it| is_in_work_tree(it));
        repositories.extend(below.cloned());
        for directory in repositories {
            let tracked = match git::tracked(&directory) {
                Ok(tracked) => tracked,
                Err(error) => {
                    self.searched.unread.push(format!(
                        "what git tracks in {}: {error}; --no-ignore searches everything",
                        shown(&directory)
                    ));
                    continue;
                }
            };
            for path in tracked {
                let path = directory.join(path);
                let is_file = path.symlink_metadata().is_ok_and(|it| it.is_file());
                if is_file && !self.files.contains(&path) {
                    self.searched.search(scanner, &path);
                    self.files.insert(path);
                }
            }
        }
    }
}

/// Whether a directory is below the top of a repository, and not in its `.git`.
fn is_in_work_tree(directory: &Path) -> bool {
    let Ok(directory) = directory.canonicalize() else {
        return false;
    };
    let mut above = directory.ancestors();
    directory.is_dir()
        && directory.iter().all(|name| name != ".git")
        && above.any(|it| it.join(".git").exists())
}

/// Ignores what git would: by the ignore files from the top of a repository down, and by none outside
/// of one.
fn walker(paths: &[PathBuf], no_ignore: bool) -> ignore::WalkParallel {
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
            .require_git(true)
            .filter_entry(|entry| entry.depth() == 0 || entry.file_name() != ".git");
    }
    builder.build_parallel()
}

/// One thread of the walk.
struct Worker<'a> {
    scanner: Scanner,
    own: Walked,
    all: &'a Mutex<&'a mut Walked>,
    no_ignore: bool,
}

impl Worker<'_> {
    fn visit(&mut self, entry: Result<DirEntry, Error>) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => return self.own.searched.unread.push(sanitized(error)),
        };
        let (path, kind) = (entry.path(), entry.file_type());
        if kind.is_some_and(|kind| kind.is_file()) {
            self.own.searched.search(&mut self.scanner, path);
            if !self.no_ignore {
                self.own.files.insert(entry.into_path());
            }
        } else if !self.no_ignore && path.join(".git").exists() {
            self.own.repositories.insert(entry.into_path());
        }
    }
}

impl Searched {
    fn search(&mut self, scanner: &mut Scanner, path: &Path) {
        self.files += 1;
        let result = open(path).and_then(|file| scanner.scan(file));
        if !result.as_ref().is_ok_and(Vec::is_empty) {
            self.add(path.strip_prefix(".").unwrap_or(path), result);
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    if path.as_os_str() == STANDARD_INPUT {
        return io::stdin().as_fd().try_clone_to_owned().map(File::from);
    }
    File::open(path)
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let own = std::mem::take(&mut self.own);
        all.searched.files += own.searched.files;
        all.searched.findings.extend(own.searched.findings);
        all.searched.unread.extend(own.searched.unread);
        all.files.extend(own.files);
        all.repositories.extend(own.repositories);
    }
}
