//! Reads a log from its end, in both directions.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::end::MAX_LINE_LEN;
use super::{AuditLine, chain};
use crate::Error;
use crate::error::{Finding, RecordName};

/// How much is read at once.
const STEP: u64 = 64 << 10;

/// How far apart line feeds are at most. A line has [`MAX_LINE_LEN`] bytes at most; a power cut may leave a gap of zeros.
const LONGEST: u64 = 256 * MAX_LINE_LEN;

/// Reads the lines of a log from its end: those before it, the last one first, and those that are appended to it.
///
/// The chain is not verified. A line that a crash has left incomplete is skipped.
#[derive(Debug)]
pub struct AuditReader {
    path: PathBuf,
    file: File,
    /// Where the first line begins that was read.
    begin: u64,
    /// Where the last line ends that was read.
    end: u64,
    /// What was read of the file before `begin`.
    before: Vec<u8>,
}

impl AuditReader {
    /// Opens the log at `path`, at its end. `None` if the file does not exist.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be read.
    pub fn open(path: &Path) -> Result<Option<Self>, Error> {
        let failed = |source| failed(path, source);
        let opened = mcplexer_durable::open_regular(path, OpenOptions::new().read(true));
        let Some(file) = opened.map_err(failed)? else {
            return Ok(None);
        };
        let end = file.metadata().map_err(failed)?.len();
        let mut reader = Self {
            path: path.to_owned(),
            file,
            begin: end,
            end,
            before: Vec::new(),
        };
        // What follows the last line feed is not a line yet.
        let unfinished = reader.take_line()?.map_or(0, |it| it.len() as u64);
        reader.begin = end - unfinished;
        reader.end = reader.begin;
        Ok(Some(reader))
    }

    /// Opens the log at `path`, at a position that [`position`](Self::position) has returned. `None` if the file does not
    /// exist, or if no line begins or ends there: it is another log by now.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be read.
    pub fn open_at(path: &Path, position: u64) -> Result<Option<Self>, Error> {
        let Some(mut reader) = Self::open(path)? else {
            return Ok(None);
        };
        if position > reader.end {
            return Ok(None);
        }
        if position > 0 && reader.read(position - 1, position)? != b"\n" {
            return Ok(None);
        }
        (reader.begin, reader.end) = (position, position);
        reader.before.clear();
        Ok(Some(reader))
    }

    /// Returns where the first line begins that was read, in bytes from the beginning of the log.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.begin
    }

    /// Returns the line before those that were read. `None` at the beginning of the log.
    ///
    /// # Errors
    /// * [`Error::Io`] if the file cannot be read.
    /// * [`Error::Tampered`] if it is not a line.
    pub fn previous(&mut self) -> Result<Option<AuditLine>, Error> {
        while self.begin > 0 {
            // The line feed, which ends the line.
            self.begin -= 1;
            self.before.pop();
            let Some(line) = self.take_line()? else {
                break;
            };
            self.begin -= line.len() as u64;
            if !is_torn(&line) {
                return self.parse(&line).map(Some);
            }
        }
        Ok(None)
    }

    /// Returns lines that were appended since, oldest first. If there are more, they come with the next call. A log that
    /// was begun anew in the same place is read from its beginning.
    ///
    /// # Errors
    /// As [`previous`](Self::previous).
    pub fn appended(&mut self) -> Result<Vec<AuditLine>, Error> {
        let failed = |source| failed(&self.path, source);
        if !mcplexer_durable::is_still_at(&self.file, &self.path) {
            let options = &mut OpenOptions::new();
            let opened = mcplexer_durable::open_regular(&self.path, options.read(true));
            let Some(file) = opened.map_err(failed)? else {
                return Ok(Vec::new());
            };
            self.file = file;
            self.end = 0;
        }
        let len = self.file.metadata().map_err(failed)?.len();
        let read = |most| self.read(self.end, len.min(self.end.saturating_add(most)));
        let whole = |bytes: &[u8]| memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1);
        let mut bytes = read(STEP)?;
        if bytes.len() as u64 == STEP && whole(&bytes) == 0 {
            bytes = read(LONGEST)?;
        }
        let whole = whole(&bytes);
        if bytes.len() as u64 == LONGEST && whole == 0 {
            return Err(self.not_a_line());
        }
        let mut lines = Vec::new();
        for line in bytes.split_at(whole).0.split_inclusive(|&it| it == b'\n') {
            self.end += line.len() as u64;
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            if !is_torn(line) {
                lines.push(self.parse(line)?);
            }
        }
        Ok(lines)
    }

    /// Takes what follows the last line feed before `begin`, or everything before it if the file has no earlier one. `None` if that is
    /// the beginning of the file.
    fn take_line(&mut self) -> Result<Option<Vec<u8>>, Error> {
        if self.begin == 0 {
            return Ok(None);
        }
        loop {
            if let Some(at) = memchr::memrchr(b'\n', &self.before) {
                return Ok(Some(self.before.split_off(at + 1)));
            }
            if self.before.len() as u64 == self.begin {
                return Ok(Some(std::mem::take(&mut self.before)));
            }
            if self.before.len() as u64 >= LONGEST {
                return Err(self.not_a_line());
            }
            self.fill()?;
        }
    }

    /// Reads more of what is before `begin`.
    fn fill(&mut self) -> Result<(), Error> {
        let to = self.begin.saturating_sub(self.before.len() as u64);
        let mut bytes = self.read(to.saturating_sub(STEP), to)?;
        bytes.append(&mut self.before);
        self.before = bytes;
        Ok(())
    }

    fn read(&self, from: u64, to: u64) -> Result<Vec<u8>, Error> {
        let len = usize::try_from(to.saturating_sub(from)).unwrap_or_default();
        let mut bytes = vec![0; len];
        let read = self.file.read_exact_at(&mut bytes, from);
        read.map_err(|source| failed(&self.path, source))?;
        Ok(bytes)
    }

    fn parse(&self, line: &[u8]) -> Result<AuditLine, Error> {
        let (content, _) = chain::parse(line).ok_or_else(|| self.not_a_line())?;
        Ok(content.into())
    }

    fn not_a_line(&self) -> Error {
        let log = RecordName::AuditLog(self.path.clone());
        Error::tampered(log, Finding::BrokenChain)
    }
}

/// Whether a power cut has torn this line.
fn is_torn(line: &[u8]) -> bool {
    line.contains(&0)
}

fn failed(path: &Path, source: io::Error) -> Error {
    Error::Io {
        action: "read",
        path: path.to_owned(),
        source,
    }
}
