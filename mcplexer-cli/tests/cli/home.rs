//! Runs the command in a home directory of its own for each test.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use tempfile::TempDir;
use test_support::{Running, STANDARD_PATH, kill_started_in, restore_signals};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_mcplexer");

/// Shorter values are not searched for, because they occur in other texts by chance.
const LEAST_MARKED: usize = 8;

/// A home directory. On drop, it checks that no file of the store contains a value that was put,
/// unless the value is its own name. If the test fails, it kills what its commands have left
/// running.
pub(crate) struct Home {
    directory: TempDir,
    put: Mutex<Vec<String>>,
}

/// The result of running the command.
#[derive(Debug, PartialEq)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Home {
    pub(crate) fn new() -> Self {
        restore_signals();
        Self {
            directory: private_directory(),
            put: Mutex::default(),
        }
    }

    /// Creates a home with one secret, `github-token/TOKEN`.
    pub(crate) fn with_secret(value: &str) -> Self {
        let home = Self::new();
        home.run(["secret", "put", "github-token", "TOKEN", value])
            .succeeded();
        home
    }

    pub(crate) fn root(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root().join(".mcplexer").join(name)
    }

    pub(crate) fn command(&self) -> Command {
        self.command_of(Path::new(BINARY))
    }

    /// Returns another program as a command in this home, with an otherwise empty environment.
    pub(crate) fn command_of(&self, binary: &Path) -> Command {
        let mut command = Command::new(binary);
        command
            .env_clear()
            .env("HOME", self.root())
            .current_dir(self.root())
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run<I, S>(&self, arguments: I) -> Run
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        let arguments: Vec<_> = arguments.into_iter().collect();
        if let [secret, put, _, key, value, ..] = &arguments[..]
            && [secret.as_ref(), put.as_ref()] == ["secret", "put"]
            && key.as_ref() != value.as_ref()
        {
            self.look_for(value.as_ref().as_encoded_bytes());
        }
        finish(self.command().args(arguments))
    }

    /// Registers a value to be searched for when the home is dropped.
    fn look_for(&self, value: &[u8]) {
        match str::from_utf8(value) {
            Ok(text) if text.len() >= LEAST_MARKED && !text.starts_with('-') => {
                self.put.lock().unwrap().push(text.trim_end().to_owned());
            }
            _ => {}
        }
    }

    /// Runs the command with these bytes on standard input.
    pub(crate) fn pipe<'a>(&self, arguments: impl AsRef<[&'a str]>, input: &[u8]) -> Run {
        let arguments = arguments.as_ref();
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::piped());
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = Running::start(command).unwrap();
        if arguments.starts_with(&["secret", "put"]) {
            self.look_for(input);
        }
        // A command that rejects its arguments does not read its input. Its result shows that.
        let _unread = child.stdin.take().unwrap().write_all(input);
        Run::of(child.wait_with_output().unwrap())
    }

    pub(crate) fn get(&self, scope: &str, key: &str) -> Vec<u8> {
        self.run(["secret", "get", scope, key]).succeeded().stdout
    }

    /// Returns every file under the home, with its path.
    pub(crate) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        let mut directories = vec![self.root().to_owned()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    directories.push(path);
                } else if path.is_file() {
                    let bytes = fs::read(&path).unwrap();
                    files.push((path, bytes));
                }
            }
        }
        files
    }

    /// Checks that no file contains the value: raw, in hex, or in base64.
    pub(crate) fn assert_no_trace_of(&self, value: &str) {
        let forms = forms(value);
        for (path, bytes) in self.files() {
            assert_none_in(&forms, &path, &bytes);
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return kill_started_in(self.directory.path());
        }
        let put = self.put.get_mut().unwrap();
        if put.is_empty() {
            return;
        }
        let forms: Vec<_> = put.iter().flat_map(|value| forms(value)).collect();
        for entry in fs::read_dir(self.directory.path().join(".mcplexer"))
            .into_iter()
            .flatten()
        {
            let path = entry.unwrap().path();
            // A test may have removed its own permission to read it.
            let bytes = fs::read(&path).unwrap_or_default();
            assert_none_in(&forms, &path, &bytes);
        }
    }
}

/// Creates a directory that nobody else can write to, whatever the umask is.
pub(crate) fn private_directory() -> TempDir {
    let mode = Permissions::from_mode(0o700);
    tempfile::Builder::new()
        .permissions(mode)
        .tempdir()
        .unwrap()
}

/// Checks that none of these forms of a value is in these bytes.
pub(crate) fn assert_none_in(forms: &[String], path: &Path, bytes: &[u8]) {
    // Bytes that are not text become a character that no form contains.
    let text = String::from_utf8_lossy(bytes);
    for form in forms {
        assert!(!text.contains(form), "{form} is in {}", path.display());
    }
}

/// Returns the value and its forms in hex and base64, at any offset in a longer text.
pub(crate) fn forms(value: &str) -> Vec<String> {
    let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![value.to_owned(), hex.to_uppercase(), hex];
    for before in 0..3 {
        let text = [&vec![0; before], value.as_bytes()].concat();
        let encoded = BASE64_STANDARD_NO_PAD.encode(&text);
        // The first and last characters depend on the surrounding bytes.
        let whole = &encoded[(before * 8).div_ceil(6)..text.len() * 8 / 6];
        forms.push(whole.to_owned());
        forms.push(whole.replace('+', "-").replace('/', "_"));
    }
    forms
}

pub(crate) fn finish(command: &mut Command) -> Run {
    Run::of(command.output().unwrap())
}

/// Returns whether a directory is on a tmpfs.
pub(crate) fn is_in_memory(directory: &Path) -> bool {
    let mut command = Command::new("stat");
    let output = command.args(["-f", "-c", "%T"]).arg(directory).output();
    output.is_ok_and(|it| it.stdout == b"tmpfs\n")
}

/// Creates a program. Another process writes it: children of other threads inherit a file that this
/// process has open for writing, until they execute something, and meanwhile the program cannot be
/// started ("Text file busy").
pub(crate) fn write_program(path: &Path, script: &str) {
    let mut shell = Command::new("/bin/sh");
    shell.env("PATH", STANDARD_PATH);
    shell.args(["-c", "printf %s \"$1\" > \"$0\" && chmod 755 \"$0\""]);
    assert!(shell.arg(path).arg(script).status().unwrap().success());
}

impl Run {
    fn of(output: std::process::Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: output.stdout,
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    #[track_caller]
    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.code, 0, "{}", self.stderr);
        self
    }

    /// Checks that the command failed with this code, said each of these texts and what to do, and
    /// printed nothing to standard output.
    #[track_caller]
    pub(crate) fn failed(self, code: i32, said: &[&str]) -> Self {
        assert_eq!(self.code, code, "{}", self.stderr);
        for text in said {
            assert!(self.stderr.contains(text), "no {text:?} in {}", self.stderr);
        }
        assert!(
            self.stderr.starts_with("mcplexer: error: "),
            "{}",
            self.stderr
        );
        assert!(
            self.stderr.contains("\nmcplexer: hint: "),
            "{}",
            self.stderr
        );
        assert_eq!(self.stdout, b"");
        self
    }

    pub(crate) fn text(&self) -> &str {
        str::from_utf8(&self.stdout).unwrap()
    }
}

#[test]
fn every_form_of_a_value_is_searched_for() {
    let value = "m4rked-value-0123456789";
    for before in ["", "x", "yy", "zzz"] {
        let text = format!("{before}{value}behind");
        let encoded = BASE64_STANDARD_NO_PAD.encode(text);
        assert!(
            forms(value)
                .iter()
                .any(|form| encoded.contains(form.as_str()))
        );
    }
}
