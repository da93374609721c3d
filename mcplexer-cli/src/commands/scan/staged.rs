//! What is about to be committed, as git's index has it. Git finds the repository and the index by the
//! environment of a hook, or from here.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use mcplexer_mask::{Occurrence, Scanner};

use super::Searched;
use super::git::git;
use crate::exit_code;
use crate::failure::Failure;
use crate::output::sanitized;

/// The mode of a submodule, whose contents are in a repository of its own: gitformat-index(5).
const SUBMODULE: &[u8] = b"160000";

/// The new content of a file, by the name of its object.
struct Blob {
    object: String,
    path: PathBuf,
}

pub(super) fn search(mut scanner: Scanner) -> Result<Searched, Failure> {
    let mut searched = Searched::default();
    let blobs = staged()?;
    if blobs.is_empty() {
        return Ok(searched);
    }
    let mut objects = Objects::open().map_err(|error| not_read(&error))?;
    for Blob { object, path } in blobs {
        searched.files += 1;
        let size = objects.ask(&object).map_err(|error| not_read(&error))?;
        let result = match size {
            Some(size) => objects
                .read(size, &mut scanner)
                .map_err(|error| not_read(&error))?,
            None => Err(io::Error::other("git does not have its content")),
        };
        searched.add(&path, result);
    }
    objects.close();
    Ok(searched)
}

/// What was added or changed: the path of each, from the top of the work tree.
fn staged() -> Result<Vec<Blob>, Failure> {
    let inside = output(&["rev-parse", "--is-inside-work-tree"])?;
    if inside.trim_ascii() != b"true" {
        return Err(not_a_work_tree(
            "this directory is not in the work tree of a repository",
        ));
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
            return Err(Failure::new("cannot make out what git diff --raw prints"));
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

fn output(arguments: &[&str]) -> Result<Vec<u8>, Failure> {
    let output = git()
        .args(arguments)
        .output()
        .map_err(|error| not_started(&error))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(not_a_work_tree(said.lines().next().unwrap_or_default()))
}

fn not_started(error: &io::Error) -> Failure {
    let failure = Failure::new(format!("cannot start git: {error}"));
    match error.kind() {
        ErrorKind::NotFound => failure.with_hint("is it installed, and its directory in PATH?"),
        _ => failure,
    }
}

fn not_a_work_tree(said: &str) -> Failure {
    Failure::new(format!(
        "git cannot tell what is staged here: {}",
        sanitized(said)
    ))
    .with_hint("run it in the work tree of a repository; mcplexer scan PATH searches files")
    .with_code(exit_code::USAGE)
}

fn not_read(error: &io::Error) -> Failure {
    Failure::new(format!("cannot read what is staged from git: {error}"))
        .with_hint("git fsck tells whether the repository is whole")
}

/// `git cat-file --batch`.
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

    /// Asks for a blob; answers with its size in bytes, or that there is none.
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
    fn read(
        &mut self,
        size: u64,
        scanner: &mut Scanner,
    ) -> io::Result<io::Result<Vec<Occurrence>>> {
        let mut content = (&mut self.answers).take(size);
        let found = scanner.scan(&mut content);
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
        // All of its answers were read.
        let _status = self.git.wait();
    }
}
