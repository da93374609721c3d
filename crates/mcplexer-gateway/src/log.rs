//! The gateway's own log: what happens to servers, and what they write to standard error.
//!
//! For people it is a line of text, elsewhere a line of JSON.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use mcplexer_durable::create_parent;
use mcplexer_files::config::ServerName;
use rustix::fs::OFlags;
use serde::Serialize;

/// Where the log goes.
pub struct Log {
    form: Form,
    to: Mutex<Box<dyn Write + Send>>,
}

/// A longer file is put aside, in bytes.
const MAX_FILE: u64 = 4 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    Json,
    Off,
}

#[derive(Serialize)]
struct Line<'a> {
    /// Seconds since 1970, with milliseconds.
    time: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<&'a str>,
    /// Whether the server has written it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stderr: bool,
    message: &'a str,
}

impl Log {
    /// Writes to standard error: text if that is a terminal, else JSON.
    #[must_use]
    pub fn to_stderr() -> Self {
        let form = match io::stderr().is_terminal() {
            true => Form::Text,
            false => Form::Json,
        };
        Self::new(form, Box::new(io::stderr()))
    }

    /// Writes nothing.
    #[must_use]
    pub fn off() -> Self {
        Self::new(Form::Off, Box::new(io::sink()))
    }

    /// Writes JSON to a file. When that is long, it is put aside as `*.old`, and another one begins.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub fn to_file(path: PathBuf) -> io::Result<Self> {
        let file = Rotating::open(path, MAX_FILE)?;
        Ok(Self::new(Form::Json, Box::new(file)))
    }

    fn new(form: Form, to: Box<dyn Write + Send>) -> Self {
        Self {
            form,
            to: Mutex::new(to),
        }
    }

    /// Says something of the gateway.
    pub(crate) fn say(&self, message: &str) {
        self.write(None, false, message);
    }

    /// Says something of a server.
    pub(crate) fn of_server(&self, server: &ServerName, message: &str) {
        self.write(Some(server), false, message);
    }

    /// Passes on what a server has written to standard error.
    pub(crate) fn stderr_of(&self, server: &ServerName, line: &str) {
        self.write(Some(server), true, line);
    }

    fn write(&self, server: Option<&ServerName>, stderr: bool, message: &str) {
        let line = match self.form {
            Form::Off => return,
            Form::Text => {
                let server = server.map_or_else(String::new, |it| format!("{it}: "));
                let stderr = if stderr { "| " } else { "" };
                format!("mcplexer: {server}{stderr}{}\n", visible(message))
            }
            Form::Json => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH);
                let line = Line {
                    time: (since.unwrap_or_default().as_secs_f64() * 1000.0).round() / 1000.0,
                    server: server.map(ServerName::as_str),
                    stderr,
                    message,
                };
                let Ok(line) = serde_json::to_string(&line) else {
                    return;
                };
                line + "\n"
            }
        };
        let mut to = self.to.lock().unwrap_or_else(PoisonError::into_inner);
        // There is no other place to say that it cannot be written.
        let _unheard = to.write_all(line.as_bytes());
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Log").field(&self.form).finish()
    }
}

/// Opens a file to write at its end. A link is not followed, and a named pipe, which nobody may read, is not waited for.
pub(crate) fn open_log(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOFOLLOW;
    let flags = i32::try_from(flags.bits()).map_err(io::Error::other)?;
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600);
    let file = options.custom_flags(flags).open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("not a regular file")),
    }
}

/// A file that does not grow for ever.
struct Rotating {
    path: PathBuf,
    file: File,
    len: u64,
    most: u64,
}

impl Rotating {
    fn open(path: PathBuf, most: u64) -> io::Result<Self> {
        create_parent(&path)?;
        let file = open_log(&path)?;
        let len = file.metadata()?.len();
        Ok(Self {
            path,
            file,
            len,
            most,
        })
    }
}

impl Write for Rotating {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.len > self.most {
            fs::rename(&self.path, self.path.with_extension("log.old"))?;
            *self = Self::open(self.path.clone(), self.most)?;
        }
        let written = self.file.write(bytes)?;
        self.len = self
            .len
            .saturating_add(u64::try_from(written).unwrap_or(u64::MAX));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Makes characters visible that could steer a terminal; line ends become spaces between lines.
fn visible(text: &str) -> String {
    let mut clean = String::new();
    for character in text.chars() {
        let reorders = matches!(
            character,
            '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
        );
        match character {
            '\n' => clean.push_str("\n  "),
            it if it.is_control() || reorders => clean.extend(it.escape_default()),
            it => clean.push(it),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(form: Form) -> String {
        let kept = Kept::default();
        let log = Log::new(form, Box::new(kept.clone()));
        log.say("begins");
        let github = "github".parse().unwrap();
        log.of_server(&github, "cannot be started:\nno such file");
        log.stderr_of(&github, "\u{1b}[2Jred");
        String::from_utf8(kept.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn a_file_does_not_grow_for_ever() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("run/gateway.log");
        let mut file = Rotating::open(path.clone(), 20).unwrap();
        for number in 0..10 {
            let line = format!("line number {number}\n");
            file.write_all(line.as_bytes()).unwrap();
        }
        let text = |path| fs::read_to_string(path).unwrap();
        assert_eq!(text(path.clone()), "line number 8\nline number 9\n");
        let old = path.with_extension("log.old");
        assert_eq!(text(old), "line number 6\nline number 7\n");
    }

    #[test]
    fn a_pipe_is_not_waited_for_and_a_link_not_followed() {
        use rustix::fs::{CWD, FileType, Mode, mknodat};

        let directory = tempfile::tempdir().unwrap();
        let (pipe, link) = (directory.path().join("pipe"), directory.path().join("link"));
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let target = directory.path().join("target");
        std::os::unix::fs::symlink(&target, &link).unwrap();
        for path in [pipe.clone(), link] {
            assert!(Rotating::open(path.clone(), 20).is_err());
            assert!(open_log(&path).is_err(), "{}", path.display());
        }
        assert!(!target.exists());
        let _reader = File::options().read(true).write(true).open(&pipe).unwrap();
        assert!(open_log(&pipe).is_err(), "with somebody who reads it too");
    }

    #[test]
    fn a_person_reads_text_and_a_program_json() {
        assert_eq!(
            written(Form::Text),
            "mcplexer: begins\nmcplexer: github: cannot be started:\n  no such file\nmcplexer: github: | \\u{1b}[2Jred\n"
        );
        let json = written(Form::Json);
        let lines: Vec<serde_json::Value> = json
            .lines()
            .map(|it| serde_json::from_str(it).unwrap())
            .collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0]["message"], "begins");
        assert_eq!(lines[2]["server"], "github");
        assert_eq!(lines[2]["stderr"], true);
        assert_eq!(lines[2]["message"], "\u{1b}[2Jred");
        assert_eq!(written(Form::Off), "");
    }
}
