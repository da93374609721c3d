//! PostgreSQL servers that do not outlive their test.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::skip;

/// Runs a server until its standard input ends, which it does with the test, however that ends. Then removes its
/// directory, unless a line has come.
const GUARD: &str = r#"
trap '' INT TERM
directory=$1
shift
"$@" </dev/null &
read -r _ || set --
kill -INT $! 2>/dev/null
wait
[ $# -gt 0 ] || rm -rf "$directory"
"#;

/// The user of Debian's package. PostgreSQL refuses to run as root.
const USER: &str = "postgres";

/// A server, and its files.
#[derive(Debug)]
pub struct PostgresServer {
    directory: TempDir,
    port: u16,
    options: Vec<String>,
    programs: PathBuf,
    running: Option<Served>,
}

#[derive(Debug)]
struct Served {
    /// Ends with its standard input, and the server with it.
    guard: Child,
    server: Pid,
}

/// A server that does nothing.
#[derive(Debug)]
pub struct Stopped {
    processes: Vec<Pid>,
    port: u16,
}

impl Stopped {
    /// Asks for something, and waits for half a second: there is no answer.
    pub fn wait_for_silence(&self) {
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        let patience = Some(Duration::from_millis(500));
        connection.set_read_timeout(patience).unwrap();
        // Whether it speaks TLS: `SSLRequest`, which is answered with one byte.
        connection.write_all(&[0, 0, 0, 8, 4, 210, 22, 47]).unwrap();
        assert!(connection.read(&mut [0]).is_err());
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        for process in &self.processes {
            let _ended = kill_process(*process, Signal::CONT);
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ended = self.guard.wait();
    }
}

/// The directory of PostgreSQL's programs, the newest; `None`, reported, if it is not installed.
pub fn programs() -> Option<PathBuf> {
    let mut found: Vec<_> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin"))
        .filter(|it| it.join("initdb").exists())
        .collect();
    found.sort();
    if found.is_empty() {
        skip("postgres", "no PostgreSQL in /usr/lib/postgresql");
    }
    if !is_root() && !has_name() {
        skip("postgres", "PostgreSQL runs for no user without a name");
        return None;
    }
    found.pop()
}

/// Whether the user is in the password file, as far as `id` knows.
fn has_name() -> bool {
    let name = Command::new("id").arg("-un").output();
    name.is_ok_and(|it| it.status.success())
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// One of PostgreSQL's programs, as a user that it accepts.
fn command(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args([
        &format!("--reuid={USER}"),
        &format!("--regid={USER}"),
        "--clear-groups",
    ]);
    command.arg(program);
    command
}

fn children(process: Pid) -> Vec<Pid> {
    let process = process.as_raw_nonzero();
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
    let children = children.unwrap();
    let children = children.split_whitespace().map(|it| it.parse().unwrap());
    children.filter_map(Pid::from_raw).collect()
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}

/// A directory that belongs to the user of the server.
fn new_directory() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
    if is_root() {
        run(Command::new("chown").arg(USER).arg(directory.path()));
    }
    directory
}

/// Returns a port of loopback that nobody uses now.
///
/// # Panics
/// If every port is in use.
#[must_use]
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

impl PostgresServer {
    /// Starts a server with these settings; `None` if PostgreSQL is not installed.
    pub fn start(settings: &[&str]) -> Option<Self> {
        let mut server = Self::new(settings)?;
        server.begin();
        Some(server)
    }

    /// Makes a server that is not started yet.
    pub fn new(settings: &[&str]) -> Option<Self> {
        let programs = programs()?;
        let directory = new_directory();
        run(command(&programs.join("initdb"))
            .args(["--auth=trust", "--no-sync", "--encoding=UTF8"])
            .args(["--locale=C", "--username=postgres", "--pgdata"])
            .arg(directory.path().join("data")));
        Some(Self::on(programs, directory, settings))
    }

    /// Starts a standby that follows this server.
    pub fn standby(&self, name: &str, settings: &[&str]) -> Self {
        let directory = new_directory();
        run(command(&self.programs.join("pg_basebackup"))
            .args(["--no-sync", "--checkpoint=fast", "--write-recovery-conf"])
            .arg("--pgdata")
            .arg(directory.path().join("data"))
            .arg(format!(
                "--dbname=host=127.0.0.1 port={} user=postgres application_name={name}",
                self.port
            )));
        let mut standby = Self::on(self.programs.clone(), directory, settings);
        standby.begin();
        standby
    }

    fn on(programs: PathBuf, directory: TempDir, settings: &[&str]) -> Self {
        let port = free_port();
        let sockets = directory.path().display().to_string();
        let mut options = vec![
            format!("port={port}"),
            "listen_addresses=127.0.0.1".to_owned(),
            format!("unix_socket_directories={sockets}"),
            "log_min_messages=log".to_owned(),
            "lc_messages=C".to_owned(),
            "max_connections=200".to_owned(),
        ];
        options.extend(settings.iter().map(|&it| it.to_owned()));
        Self {
            directory,
            port,
            options,
            programs,
            running: None,
        }
    }

    /// Gives it a file, which only it can read.
    pub fn give(&self, name: &str, content: &[u8]) {
        let path = self.data().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        if is_root() {
            run(Command::new("chown").arg(USER).arg(&path));
        }
    }

    /// Where its files are.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// Starts it, and waits until it answers.
    pub fn begin(&mut self) {
        let mut said = String::new();
        // What was killed may hold its memory for a moment.
        for _ in 0..100 {
            match self.attempt() {
                Ok(running) => {
                    self.running = Some(running);
                    return;
                }
                Err(log) => said = log,
            }
        }
        panic!("the server does not start: {said}");
    }

    /// Starts it; fails with what it said.
    fn attempt(&self) -> Result<Served, String> {
        let server = command(&self.programs.join("postgres"));
        let mut guard = Command::new("/bin/sh");
        guard.args(["-c", GUARD, "guard"]).arg(self.directory());
        guard.arg(server.get_program()).args(server.get_args());
        guard.arg("-D").arg(self.data());
        for option in &self.options {
            guard.args(["-c", option]);
        }
        guard.stdin(Stdio::piped());
        guard.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut guard = guard.spawn().unwrap();
        let mut log = BufReader::new(guard.stderr.take().unwrap());
        let mut said = String::new();
        while !said.contains("ready to accept") {
            let begin = said.len();
            let length = log.read_line(&mut said).unwrap();
            // A client that is too early is refused in the same words.
            let is_fatal =
                said[begin..].contains("FATAL") && !said[begin..].contains("starting up");
            if length == 0 || is_fatal {
                guard.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
                drop(guard.stdin.take());
                let _ended = guard.wait();
                return Err(said);
            }
        }
        thread::spawn(move || {
            let mut line = Vec::new();
            while log.read_until(b'\n', &mut line).is_ok_and(|it| it > 0) {
                line.clear();
            }
        });
        let pid = fs::read_to_string(self.data().join("postmaster.pid")).unwrap();
        let pid = pid.lines().next().unwrap().trim().parse().unwrap();
        let server = Pid::from_raw(pid).unwrap();
        Ok(Served { guard, server })
    }

    /// Kills it, and everything that it has started.
    pub fn kill(&mut self) {
        let mut running = self.running.take().unwrap();
        let processes = children(running.server);
        for process in [running.server].into_iter().chain(processes) {
            // Some end with the first one.
            let _ended = kill_process(process, Signal::KILL);
        }
        // Its files stay.
        running
            .guard
            .stdin
            .as_mut()
            .unwrap()
            .write_all(b"\n")
            .unwrap();
    }

    /// Stops it, and everything that it has started, until the answer is dropped.
    #[must_use]
    pub fn stop(&self) -> Stopped {
        let server = self.running.as_ref().unwrap().server;
        let stop = |process| {
            // Some may have ended.
            let _ended = kill_process(process, Signal::STOP);
        };
        stop(server);
        // It starts no more.
        let mut processes = children(server);
        processes.iter().copied().for_each(stop);
        processes.push(server);
        Stopped {
            processes,
            port: self.port,
        }
    }

    /// Makes a standby the primary.
    pub fn promote(&self) {
        run(command(&self.programs.join("pg_ctl"))
            .args(["promote", "--wait", "--pgdata"])
            .arg(self.data()));
    }

    /// Returns the port on loopback where it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Does something in the database, and returns the answer.
    pub fn sql(&self, statement: &str) -> String {
        self.sql_in("postgres", statement)
    }

    /// Does something in another database, and returns the answer.
    pub fn sql_in(&self, database: &str, statement: &str) -> String {
        let output = command(&self.programs.join("psql"))
            .args(["--no-psqlrc", "--tuples-only", "--no-align", "--quiet"])
            .args(["--username=postgres", "--dbname", database, "--host"])
            .arg(self.directory())
            .arg(format!("--port={}", self.port))
            .args(["--command", statement])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{statement}: {said}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}
