//! Files that say which children run, so that the next gateway ends those that a killed one has left.
//!
//! There is a file for each child. Numbers of processes are used again, so a file also says when the child started, and
//! since when the system runs. A group is ended only if all of that agrees. Systems without `/proc` have no such files:
//! there, a child that ignores the end of its standard input outlives a gateway that was killed.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use mcplexer_durable::{Temporary, create_parent, open_regular, read_at_most};
use rustix::process::{Pid, Signal, getpid, kill_process_group};
use serde::{Deserialize, Serialize};

use crate::process::{Process, numbering};

/// The longest file, in bytes.
const MAX_LEN: usize = 4096;

/// How often to look whether a group has ended.
const PAUSE: Duration = Duration::from_millis(20);

/// The directory of the files of one home.
#[derive(Debug)]
pub(crate) struct RunFiles {
    directory: PathBuf,
    numbering: String,
    gateway: Identity,
}

/// A process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Identity {
    pid: i32,
    start: u64,
}

/// What a file says.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    /// Where these numbers mean something.
    numbering: String,
    /// The gateway that has started the child.
    gateway: Identity,
    /// The child, which leads a process group.
    child: Identity,
    session: i32,
}

/// The file of a child that runs.
#[derive(Debug)]
pub(crate) struct RunFile(PathBuf);

impl RunFile {
    /// Removes the file: the child has ended.
    pub(crate) fn remove(self) {
        let _gone = fs::remove_file(self.0);
    }
}

impl RunFiles {
    /// Uses a directory, which is created when it is needed. Returns `None` where nothing is known of processes.
    pub(crate) fn in_directory(directory: PathBuf) -> Option<Self> {
        Some(Self {
            directory,
            numbering: numbering()?,
            gateway: Identity {
                pid: getpid().as_raw_nonzero().get(),
                start: Process::own()?.start,
            },
        })
    }

    /// Writes the file of a child that leads a group. `None` if it has ended.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn add(&self, child: Pid) -> io::Result<Option<RunFile>> {
        let pid = child.as_raw_nonzero().get();
        let Some(process) = Process::of(pid) else {
            return Ok(None);
        };
        let start = process.start;
        let record = Record {
            numbering: self.numbering.clone(),
            gateway: self.gateway,
            child: Identity { pid, start },
            session: process.session,
        };
        let path = self.directory.join(format!("{pid}-{start}.json"));
        create_parent(&path)?;
        // It need not survive the system: the children do not.
        let mut file = Temporary::beside(&path)?;
        file.write_all(&serde_json::to_vec(&record)?)?;
        file.persist(&path)?;
        Ok(Some(RunFile(path)))
    }

    /// Ends what gateways that are gone have left: asks each group to end, and kills it after `patience`. Returns how
    /// many there were.
    pub(crate) fn sweep(&self, patience: Duration) -> usize {
        let mut left: Vec<_> = self.stale().collect();
        left.retain(|(path, record)| {
            let runs = record.runs();
            if !runs {
                let _gone = fs::remove_file(path);
            }
            runs
        });
        let count = left.len();
        for signal in [Signal::TERM, Signal::KILL] {
            for (_, record) in &left {
                record.signal(signal);
            }
            let until = Instant::now() + patience;
            while !left.is_empty() {
                left.retain(|(path, record)| {
                    let runs = record.runs();
                    if !runs {
                        let _gone = fs::remove_file(path);
                    }
                    runs
                });
                if left.is_empty() || Instant::now() >= until {
                    break;
                }
                thread::sleep(PAUSE);
            }
        }
        count
    }

    /// Returns the files of gateways that are gone, and removes those that mean nothing any more.
    fn stale(&self) -> impl Iterator<Item = (PathBuf, Record)> {
        let entries = fs::read_dir(&self.directory);
        let paths = entries.into_iter().flatten().flatten().map(|it| it.path());
        let files = paths.filter(|path| path.extension().is_some_and(|it| it == "json"));
        files.filter_map(|path| {
            let record = read(&path);
            let since = |record: &Record| record.numbering.split(' ').next().map(str::to_owned);
            let own = self.numbering.split(' ').next();
            match record {
                Some(record) if record.numbering == self.numbering => {
                    (!record.gateway.runs()).then_some((path, record))
                }
                // Of processes that this one cannot see.
                Some(record) if since(&record).as_deref() == own => None,
                _ => {
                    let _gone = fs::remove_file(path);
                    None
                }
            }
        })
    }
}

impl Identity {
    fn runs(self) -> bool {
        Process::of(self.pid).is_some_and(|it| it.start == self.start && !it.has_ended)
    }
}

impl Record {
    /// Whether a process of the group runs.
    fn runs(&self) -> bool {
        match Process::of(self.child.pid) {
            // It is another process that has the number now: no group could keep it.
            Some(leader) if leader.start != self.child.start => false,
            Some(leader) if !leader.has_ended => leader.group == self.child.pid,
            _ => Process::all().any(|it| {
                it.group == self.child.pid
                    && it.session == self.session
                    && it.start >= self.child.start
            }),
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = Pid::from_raw(self.child.pid).filter(|_| self.runs()) {
            let _none_left = kill_process_group(group, signal);
        }
    }
}

fn read(path: &Path) -> Option<Record> {
    let file = open_regular(path, OpenOptions::new().read(true)).ok()??;
    let bytes = read_at_most(MAX_LEN, &file).ok()?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::io::Read;
    use std::os::unix::process::CommandExt;
    use std::process::{Child, Command, Stdio};

    use super::*;

    const PATIENCE: Duration = Duration::from_millis(300);

    /// Starts a shell in a process group of its own, and waits until it has said so.
    fn shell(script: &str) -> Child {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]).process_group(0);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut started = [0; 1];
        let stdout = child.stdout.as_mut().unwrap();
        stdout.read_exact(&mut started).unwrap();
        child
    }

    fn files(directory: &Path) -> usize {
        fs::read_dir(directory).map_or(0, Iterator::count)
    }

    /// Changes what the files in a directory say.
    fn change(directory: &Path, change: impl Fn(&mut Record)) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let mut record = read(&path).unwrap();
            change(&mut record);
            fs::write(path, serde_json::to_vec(&record).unwrap()).unwrap();
        }
    }

    /// Takes it that the gateway is gone.
    fn orphan(record: &mut Record) {
        record.gateway.start += 1;
    }

    fn run_files(directory: &Path) -> RunFiles {
        RunFiles::in_directory(directory.join("children")).unwrap()
    }

    #[test]
    fn only_what_a_gateway_that_is_gone_has_left_is_ended() {
        let directory = tempfile::tempdir().unwrap();
        let run = run_files(directory.path());
        let mut child = shell("trap '' TERM; echo; while :; do read line || kill -STOP $$; done");
        let pid = Pid::from_child(&child);
        let file = run.add(pid).unwrap().unwrap();
        let place = directory.path().join("children");
        assert_eq!(run.sweep(PATIENCE), 0, "its gateway runs");
        change(&place, |it| {
            orphan(it);
            it.numbering.push_str(" elsewhere");
        });
        assert_eq!(run.sweep(PATIENCE), 0, "numbers mean something else there");
        assert_eq!(files(&place), 1);
        change(&place, |it| it.numbering = run.numbering.clone());
        change(&place, |it| it.child.start += 1);
        assert_eq!(run.sweep(PATIENCE), 0, "the number is another process's");
        assert_eq!(files(&place), 0);
        assert!(child.try_wait().unwrap().is_none());
        run.add(pid).unwrap().unwrap();
        change(&place, |it| it.numbering = "another boot".to_owned());
        assert_eq!(run.sweep(PATIENCE), 0, "the system was started since");
        assert_eq!(files(&place), 0);
        assert!(child.try_wait().unwrap().is_none());
        run.add(pid).unwrap().unwrap();
        change(&place, orphan);
        assert_eq!(run.sweep(PATIENCE), 1);
        assert_eq!(files(&place), 0);
        assert!(!child.wait().unwrap().success());
        file.remove();
    }

    #[test]
    fn a_group_without_its_leader_is_ended() {
        let directory = tempfile::tempdir().unwrap();
        let run = run_files(directory.path());
        let script = "exec 3<&0; sh -c 'trap \"\" HUP TERM; echo; while :; do read line <&3 || kill -STOP $$; done' & read line; exit";
        let mut leader = shell(script);
        let file = run.add(Pid::from_child(&leader)).unwrap().unwrap();
        change(&directory.path().join("children"), orphan);
        leader.stdin.take().unwrap().write_all(b"\n").unwrap();
        leader.wait().unwrap();
        assert_eq!(run.sweep(PATIENCE), 1);
        // Who still has its end of the pipe would keep this waiting.
        let mut rest = Vec::new();
        leader
            .stdout
            .take()
            .unwrap()
            .read_to_end(&mut rest)
            .unwrap();
        file.remove();
    }

    #[test]
    fn what_is_no_record_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let run = run_files(directory.path());
        let place = directory.path().join("children");
        fs::create_dir(&place).unwrap();
        for (name, text) in [("a.json", ""), ("b.json", "{}"), ("c.json", "\u{0}")] {
            fs::write(place.join(name), text).unwrap();
        }
        fs::write(place.join("other"), "").unwrap();
        assert_eq!(run.sweep(PATIENCE), 0);
        assert_eq!(files(&place), 1);
    }
}
