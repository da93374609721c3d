//! Searches files and directories, with as many threads as there are processors.

use std::collections::{BTreeSet, HashSet};
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread::available_parallelism;

use super::{Report, Search, Unread, git};
use ignore::{DirEntry, Error, WalkBuilder, WalkState};

/// The path that means standard input.
const STANDARD_INPUT: &str = "-";

/// Searches these files, and all that is below these directories: without `no_ignore` only what git does
/// not ignore. The directory `left_out` is searched only if it is one of the paths, or if one is in it.
pub(crate) fn search_files(
    search: &Search,
    paths: &[PathBuf],
    no_ignore: bool,
    left_out: Option<&Path>,
) -> Report {
    let mut one = search.for_another_thread();
    let mut walked = Walked::default();
    let mut trees = Vec::new();
    for path in paths {
        match Named::of(path) {
            Named::Walked(path) => trees.push(path),
            Named::Read => walked.report.search(&mut one, path),
        }
    }
    if !trees.is_empty() {
        let left_out = left_out.and_then(|it| it.canonicalize().ok());
        walked.walk(search, &trees, no_ignore, left_out);
    }
    if !no_ignore {
        walked.search_tracked(&mut one, &trees);
    }
    walked.report.sorted()
}

/// Reports the paths that lead nowhere, where nothing is to be searched for.
pub(crate) fn unread(paths: &[PathBuf]) -> Report {
    let mut report = Report::default();
    let named = paths.iter().filter(|it| it.as_os_str() != STANDARD_INPUT);
    for path in named {
        if let Err(error) = path.metadata() {
            report.add(path, Err(error));
        }
    }
    report
}

/// How a path that was named is searched.
enum Named {
    /// By walking it, with everything below it.
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
            // A link that is named is followed. The walk enters its directory only with a `/`.
            Ok(it) if it.is_symlink() && path.is_dir() => Self::Walked(path.join("")),
            Ok(it) if !it.is_file() && !it.is_dir() => Self::Read,
            _ => Self::Walked(path.to_owned()),
        }
    }
}

/// The result of a walk.
#[derive(Default)]
struct Walked {
    report: Report,
    files: HashSet<PathBuf>,
    /// Directories that have a `.git`.
    repositories: BTreeSet<PathBuf>,
}

impl Walked {
    fn walk(
        &mut self,
        search: &Search,
        paths: &[PathBuf],
        no_ignore: bool,
        left_out: Option<PathBuf>,
    ) {
        let all = Mutex::new(self);
        walker(paths, no_ignore, left_out).run(|| {
            let mut worker = Worker {
                search: search.for_another_thread(),
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

    /// Searches what git tracks and the walk has skipped: git does not ignore a file that it tracks, even
    /// if an ignore file names it (`git add --force`).
    fn search_tracked(&mut self, search: &mut Search, named: &[PathBuf]) {
        let mut repositories = std::mem::take(&mut self.repositories);
        let below = named.iter().filter(|it| is_in_work_tree(it));
        repositories.extend(below.cloned());
        for directory in repositories {
            let tracked = match git::tracked(&directory) {
                Ok(tracked) => tracked,
                Err(error) => {
                    let reason = error.to_string();
                    let unread = Unread::Tracked { directory, reason };
                    self.report.unread.push(unread);
                    continue;
                }
            };
            for path in tracked {
                if !is_file_below(&directory, &path) {
                    continue;
                }
                let path = directory.join(path);
                if !self.files.contains(&path) {
                    self.report.search(search, &path);
                    self.files.insert(path);
                }
            }
        }
    }
}

/// Returns whether a path leads to a file, and over no link: git's list may be older than a link in the place of a directory.
fn is_file_below(directory: &Path, path: &Path) -> bool {
    let kind = |path: &Path| directory.join(path).symlink_metadata().ok();
    let is_below = |path: &&Path| !path.as_os_str().is_empty();
    let mut above = path.ancestors().skip(1).take_while(is_below);
    kind(path).is_some_and(|it| it.is_file())
        && above.all(|path| kind(path).is_some_and(|it| it.is_dir()))
}

/// Returns whether a directory is in a work tree, and not in its `.git`.
fn is_in_work_tree(directory: &Path) -> bool {
    let Ok(directory) = directory.canonicalize() else {
        return false;
    };
    let mut above = directory.ancestors();
    directory.is_dir()
        && directory.iter().all(|name| name != ".git")
        && above.any(|it| it.join(".git").exists())
}

/// Builds a walk that ignores what git would: by the ignore files from the top of a repository down, and
/// nothing outside of a repository.
fn walker(paths: &[PathBuf], no_ignore: bool, left_out: Option<PathBuf>) -> ignore::WalkParallel {
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
            .require_git(true);
    }
    builder.filter_entry(move |entry| {
        let is_of_git = !no_ignore && entry.file_name() == ".git";
        let is_left_out = left_out
            .as_deref()
            .is_some_and(|it| is_at(entry.path(), it));
        entry.depth() == 0 || !(is_of_git || is_left_out)
    });
    builder.build_parallel()
}

/// Returns whether a path leads to a directory, of which all links are resolved.
fn is_at(path: &Path, directory: &Path) -> bool {
    // Only a path with this name is worth a look at the disk.
    path.file_name() == directory.file_name() && path.canonicalize().is_ok_and(|it| it == directory)
}

/// One thread of the walk.
struct Worker<'a> {
    search: Search,
    own: Walked,
    all: &'a Mutex<&'a mut Walked>,
    no_ignore: bool,
}

impl Worker<'_> {
    fn visit(&mut self, entry: Result<DirEntry, Error>) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                return self.own.report.unread.push(not_walked(error));
            }
        };
        let (path, kind) = (entry.path(), entry.file_type());
        if kind.is_some_and(|kind| kind.is_file()) {
            self.own.report.search(&mut self.search, path);
            if !self.no_ignore {
                self.own.files.insert(entry.into_path());
            }
        } else if !self.no_ignore && path.join(".git").exists() {
            self.own.repositories.insert(entry.into_path());
        }
    }
}

/// Returns what a walk could not read.
fn not_walked(error: Error) -> Unread {
    match error {
        Error::WithDepth { err, .. } => not_walked(*err),
        Error::WithPath { path, err } => Unread::File {
            path,
            reason: err.to_string(),
        },
        error => Unread::Walk {
            reason: error.to_string(),
        },
    }
}

impl Report {
    fn search(&mut self, search: &mut Search, path: &Path) {
        self.files += 1;
        let result = open(path).and_then(|file| search.scan(file));
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
        all.report.extend(own.report);
        all.files.extend(own.files);
        all.repositories.extend(own.repositories);
    }
}
