//! A terminal of tmux in which a shell runs.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::geteuid;
use test_support::{STANDARD_PATH, skip, tool};

use super::shell::Shell;

/// How long a command may print nothing.
const PATIENCE: Duration = Duration::from_secs(90);
/// What the shells show when they wait for a command.
const PROMPT: &str = "$ ";

/// Runs a command in a root of a file system that is this one's, with another home. What it changes elsewhere is in memory.
const IN_CLEAN_ROOT: &str = "
    mount -t tmpfs tmpfs \"$1\" && cd \"$1\" && mkdir upper work root &&
    mount -t overlay overlay -o \"lowerdir=/,upperdir=$1/upper,workdir=$1/work\" root &&
    mount --rbind /dev root/dev && mount -t proc proc root/proc && mount -t tmpfs tmpfs root/tmp &&
    mount --bind \"$2\" root/root && echo laptop >/proc/sys/kernel/hostname && shift 2 && exec chroot root \"$@\"";

/// What a person types when a program waits for it.
pub(crate) struct Answer {
    /// What the program asks, or the end of it.
    pub(crate) at: String,
    pub(crate) types: String,
}

/// A terminal, which ends with its shell when it is dropped.
pub(crate) struct Terminal {
    tmux: PathBuf,
    socket: PathBuf,
    /// Where the shell begins, as this process sees it.
    pub(crate) home: PathBuf,
    /// Says that something was printed.
    printed: Receiver<()>,
    /// The line with the prompt that waits.
    at: usize,
}

impl Terminal {
    /// Starts a shell in a terminal. `below` is the command that it is started by, which sees its home as `inside`.
    pub(crate) fn start(
        shell: &Shell,
        home: &Path,
        inside: &Path,
        path: &str,
        below: &[&str],
    ) -> Self {
        let (say, printed) = channel();
        let mut it = Self {
            tmux: tool("tmux").unwrap(),
            socket: home.with_extension("tmux"),
            home: home.to_owned(),
            printed,
            at: 0,
        };
        let (name, prompt) = shell.prompt;
        let mut new = it.command(&["-f", "/dev/null", "new-session", "-d"]);
        new.args(["-x", "100", "-y", "50", "--"]).args(below);
        new.args(["env", "-i", "-C"]).arg(inside);
        new.args(["LANG=C.UTF-8", "TZ=UTC", "TERM=tmux"]);
        new.arg(format!("HOME={}", inside.display()));
        new.arg(format!("PATH={path}"));
        new.arg(format!("{name}={prompt}"));
        new.args(shell.command);
        assert!(new.status().unwrap().success());
        let copy = home.with_extension("printed");
        mknodat(CWD, &copy, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let mut pipe = it.command(&["pipe-pane", "-O"]);
        pipe.arg(format!("exec cat >'{}'", copy.display()));
        assert!(pipe.status().unwrap().success());
        thread::spawn(move || {
            let mut copy = File::open(copy).unwrap();
            let mut some = [0; 4096];
            while copy.read(&mut some).is_ok_and(|it| it > 0) && say.send(()).is_ok() {}
        });
        let begun = it.wait(|lines| lines.last().is_some_and(|it| it == PROMPT.trim_end()));
        it.at = begun.len() - 1;
        it
    }

    /// Starts a shell in a clean root with this home; `None` where there can be no such root.
    pub(crate) fn in_clean_root(shell: &Shell, home: &Path) -> Option<Self> {
        let root = home.with_extension("root");
        fs::create_dir(&root).unwrap();
        let [root, outside] = [&root, home].map(|it| it.to_str().unwrap());
        let kinds = ["--mount", "--uts", "--pid", "--fork", "--kill-child"];
        let mut below = vec!["unshare"];
        if !geteuid().is_root() {
            below.extend(["--user", "--map-root-user"]);
        }
        below.extend(kinds);
        below.extend(["/bin/sh", "-c", IN_CLEAN_ROOT, "sh", root, outside]);
        let tried = Command::new("unshare")
            .args(below.iter().skip(1))
            .arg("true")
            .output();
        let tried = tried.unwrap();
        if !tried.status.success() {
            let why = String::from_utf8_lossy(&tried.stderr);
            skip(
                "clean-root",
                &format!("no clean root can be made here: {}", why.trim()),
            );
            return None;
        }
        let path = format!("/usr/sbin:/sbin:{STANDARD_PATH}");
        Some(Self::start(shell, home, Path::new("/root"), &path, &below))
    }

    /// Runs tmux.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut it = Command::new(&self.tmux);
        it.env_remove("TMUX")
            .arg("-S")
            .arg(&self.socket)
            .args(arguments);
        it
    }

    /// Types a command; returns what is seen until the shell asks for the next one, without the command.
    pub(crate) fn run(&mut self, command: &str, answers: &mut Vec<Answer>) -> Vec<String> {
        self.type_line(command);
        let (at, typed) = (self.at, format!("{PROMPT}{command}"));
        let is_over = |lines: &[String]| {
            let mut since = lines.iter().skip(at);
            since.next().is_some_and(|it| *it == typed)
                && since.next_back().is_some_and(|it| it == PROMPT.trim_end())
        };
        let lines = loop {
            let asked = |lines: &[String]| {
                let next = answers.first()?;
                let last = lines.iter().skip(at + 1).next_back()?;
                last.ends_with(next.at.trim_end()).then_some(())
            };
            let lines = self.wait(|lines| is_over(lines) || asked(lines).is_some());
            if is_over(&lines) {
                break lines;
            }
            let answer = answers.remove(0);
            self.type_line(&answer.types);
            let seen = lines.len();
            self.wait(|lines| lines.len() > seen);
        };
        self.at = lines.len() - 1;
        lines.into_iter().take(self.at).skip(at + 1).collect()
    }

    fn type_line(&self, text: &str) {
        for keys in [&["-l", text][..], &["Enter"]] {
            let mut send = self.command(&["send-keys"]);
            assert!(send.args(keys).status().unwrap().success());
        }
    }

    /// Waits until the lines on the screen, and above it, are as wanted; returns them.
    #[track_caller]
    fn wait(&self, is_wanted: impl Fn(&[String]) -> bool) -> Vec<String> {
        loop {
            let mut capture = self.command(&["capture-pane", "-p", "-J", "-S", "-"]);
            let screen = String::from_utf8(capture.output().unwrap().stdout).unwrap();
            let lines = screen.trim_end().lines();
            let lines: Vec<_> = lines.map(|it| it.trim_end().to_owned()).collect();
            if is_wanted(&lines) {
                return lines;
            }
            let more = self.printed.recv_timeout(PATIENCE);
            assert!(more.is_ok(), "nothing comes after this:\n{screen}");
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ended = self.command(&["kill-server"]).status();
    }
}
