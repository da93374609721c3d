//! Searches what git is about to commit, as it is in git's index. Git finds the repository and the index
//! through the environment of a hook, or from the current directory.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use super::git::git;
use super::{Place, Report, Search};

/// The mode of a submodule, which has a repository of its own: gitformat-index(5).
const SUBMODULE: &[u8] = b"160000";

/// Why staged files cannot be searched.
#[derive(Debug)]
pub(crate) enum StagedError {
    /// Git cannot be started.
    NoGit(io::Error),
    /// The current directory is not in a work tree, or git refuses it for this reason.
    NotAWorkTree(String),
    /// Git printed something unexpected.
    BadOutput,
    /// Git's objects cannot be read.
    Unreadable(io::Error),
}

/// The new content of a file, by the name of its object.
struct Blob {
    object: String,
    path: PathBuf,
}

/// Searches the staged content of each file that was added or changed.
///
/// # Errors
///
/// See [`StagedError`]. A single file whose content is missing is listed in the report instead.
pub(crate) fn search_staged(mut search: Search) -> Result<Report, StagedError> {
    let blobs = staged()?;
    let mut report = Report {
        top: Some(top()?),
        ..Report::default()
    };
    if blobs.is_empty() {
        return Ok(report);
    }
    let mut objects = Objects::open().map_err(StagedError::Unreadable)?;
    for Blob { object, path } in blobs {
        report.files += 1;
        let size = objects.ask(&object).map_err(StagedError::Unreadable)?;
        let result = match size {
            Some(size) => objects
                .read(size, &mut search)
                .map_err(StagedError::Unreadable)?,
            None => Err(io::Error::other("git does not have its content")),
        };
        report.add(&path, result);
    }
    objects.close();
    Ok(report.sorted())
}

/// Lists what was added or changed, with paths from the top of the work tree.
fn staged() -> Result<Vec<Blob>, StagedError> {
    let inside = output(&["rev-parse", "--is-inside-work-tree"])?;
    if inside.trim_ascii() != b"true" {
        let reason = "this directory is not in the work tree of a repository";
        return Err(StagedError::NotAWorkTree(reason.to_owned()));
    }
    let raw = output(&[
        "diff",
        "--cached",
        "--raw",
        "--no-abbrev",
        "--no-renames",
        "--no-relative",
        "--ignore-submodules=none",
        "--diff-filter=ACMT",
        "-z",
    ])?;
    // `:OLD-MODE NEW-MODE OLD NEW STATUS`, and then the path: git-diff(1), raw output format.
    let mut fields = raw.split(|&byte| byte == 0);
    let mut blobs = Vec::new();
    while let (Some(change), Some(path)) = (fields.next(), fields.next()) {
        let mut words = change.split(|&byte| byte == b' ').skip(1);
        let (Some(mode), Some(object)) = (words.next(), words.nth(1)) else {
            return Err(StagedError::BadOutput);
        };
        if mode != SUBMODULE {
            blobs.push(Blob {
                object: String::from_utf8_lossy(object).into_owned(),
                path: PathBuf::from(OsString::from_vec(path.to_vec())),
            });
        }
    }
    Ok(blobs)
}

/// Returns the top of the work tree.
fn top() -> Result<PathBuf, StagedError> {
    let mut top = output(&["rev-parse", "--show-toplevel"])?;
    top.pop_if(|it| *it == b'\n');
    Ok(OsString::from_vec(top).into())
}

fn output(arguments: &[&str]) -> Result<Vec<u8>, StagedError> {
    let output = git().args(arguments).output();
    let output = output.map_err(StagedError::NoGit)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let reason = said.lines().next().unwrap_or("git failed");
    Err(StagedError::NotAWorkTree(reason.to_owned()))
}

/// A running `git cat-file --batch`.
struct Objects {
    git: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Objects {
    fn open() -> io::Result<Self> {
        let mut git = git()
            .args(["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(requests), Some(answers)) = (git.stdin.take(), git.stdout.take()) else {
            return Err(ErrorKind::BrokenPipe.into());
        };
        Ok(Self {
            git,
            requests,
            answers: BufReader::with_capacity(64 * 1024, answers),
        })
    }

    /// Asks for a blob. Returns its size in bytes; `None` if it is missing.
    fn ask(&mut self, object: &str) -> io::Result<Option<u64>> {
        writeln!(self.requests, "{object}")?;
        self.requests.flush()?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        match *answer.split_whitespace().collect::<Vec<_>>() {
            [_, "blob", size] => size.parse().map(Some).map_err(io::Error::other),
            [_, "missing"] => Ok(None),
            _ => Err(ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Searches the blob that was asked for.
    fn read(&mut self, size: u64, search: &mut Search) -> io::Result<io::Result<Vec<Place>>> {
        let mut content = (&mut self.answers).take(size);
        let found = search.scan(&mut content);
        let is_whole = content.limit() == 0;
        let mut line_end = [0];
        self.answers.read_exact(&mut line_end)?;
        match is_whole {
            true => Ok(found),
            false => Err(ErrorKind::UnexpectedEof.into()),
        }
    }

    fn close(mut self) {
        drop(self.requests);
        // All of its answers have been read.
        let _status = self.git.wait();
    }
}
