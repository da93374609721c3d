use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::slice;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mcplexer_durable::{FileId, PATIENCE, made_durable, operation_done, wait_for_lock};

use super::chain;
use super::end::{MAX_END_LEN, MAX_LINE_LEN, read_end, read_range};
use super::{
    Actor, AuditError, AuditErrorKind, AuditEvent, AuditMark, AuditOperation, AuditOutcome,
    AuditPosition, AuditView, KeptLog,
};
use crate::StoreId;
use crate::error::{Finding, RecordName};

/// An audit log in a file of mode 0600, which any number of processes can share.
///
/// A lock on the file serializes appends. A crash can leave incomplete lines at the end. The next
/// append removes them and records that in a line of its own.
#[derive(Debug)]
pub struct FileAudit {
    path: PathBuf,
    /// The actor recorded for removing incomplete lines.
    actor: Actor,
    patience: Duration,
    open: Mutex<Option<Open>>,
}

/// The file, and its end as this process knows it.
#[derive(Debug)]
struct Open {
    file: File,
    id: FileId,
    len: u64,
    tip: AuditPosition,
    /// The sealed position that was found in the file as it is now.
    found: Option<AuditPosition>,
    /// The last mark for a store, as the file is now.
    last: Option<(Option<StoreId>, Option<AuditMark>)>,
}

impl FileAudit {
    /// Uses the log in the file at `path`. The first line creates the file.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            actor: Actor::this_process(),
            patience: PATIENCE,
            open: Mutex::new(None),
        }
    }

    /// Sets how long to wait for other programs before an operation fails as busy. The default is
    /// 30 seconds.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Returns the path of the log.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `work` on the file under its lock, after reading and repairing its end.
    fn locked<T>(
        &self,
        work: impl FnOnce(&mut Open) -> Result<T, AuditError>,
    ) -> Result<T, AuditError> {
        let failed = |source| self.failed(source);
        let mut slot = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let mut open = match slot.take() {
            Some(open) if mcplexer_durable::is_still_at(&open.file, &self.path) => open,
            _ => {
                let file = self.open_or_create().map_err(failed)?;
                Open {
                    id: FileId::of(&file),
                    file,
                    len: 0,
                    tip: AuditPosition::genesis()?,
                    found: None,
                    last: None,
                }
            }
        };
        let locked = wait_for_lock(&open.file, self.patience).map_err(failed)?;
        if locked.is_none() {
            let message = format!("{} is still in use by another program", self.path.display());
            return Err(AuditError::new(AuditErrorKind::Busy, message));
        }
        let len = open.file.metadata().map_err(failed)?.len();
        let result = self.catch_up(&mut open, len);
        let result = result.and_then(|()| work(&mut open));
        open.file.unlock().map_err(failed)?;
        *slot = Some(open);
        result
    }

    /// As [`locked`](Self::locked), if this log is still there and nobody else is using it. `None` otherwise.
    fn locked_at_once<T>(
        &self,
        log: chain::Hash,
        work: impl FnOnce(&mut Open) -> Result<T, AuditError>,
    ) -> Result<Option<T>, AuditError> {
        let Ok(mut slot) = self.open.try_lock() else {
            return Ok(None);
        };
        let Some(open) = slot.as_mut().filter(|open| open.tip.log == log) else {
            return Ok(None);
        };
        match open.file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(source)) => return Err(self.failed(source)),
        }
        let result = match mcplexer_durable::len_if_at(open.id, &self.path) {
            Some(len) => {
                let caught_up = self.catch_up(open, len);
                caught_up.and_then(|()| work(open)).map(Some)
            }
            // It was moved or replaced since.
            None => Ok(None),
        };
        if let Err(source) = open.file.unlock() {
            // Closing it unlocks it.
            *slot = None;
            return Err(self.failed(source));
        }
        result
    }

    /// As [`locked`](Self::locked). Where the file is as this process left it, no lock is needed to read it.
    fn unless_changed<T>(
        &self,
        work: impl FnOnce(&mut Open) -> Result<T, AuditError>,
    ) -> Result<T, AuditError> {
        let mut slot = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = slot.as_mut()
            && mcplexer_durable::is_still_at(&open.file, &self.path)
            && open.file.metadata().is_ok_and(|it| it.len() == open.len)
        {
            return work(open);
        }
        drop(slot);
        self.locked(work)
    }

    fn open_or_create(&self) -> io::Result<File> {
        let open = || {
            mcplexer_durable::open_regular(&self.path, OpenOptions::new().read(true).append(true))
        };
        if let Some(file) = open()? {
            return Ok(file);
        }
        mcplexer_durable::create_parent(&self.path)?;
        mcplexer_durable::create_file(&self.path)?;
        open()?.ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn failed(&self, source: io::Error) -> AuditError {
        let message = format!("cannot write the audit log {}", self.path.display());
        AuditError::new(AuditErrorKind::Other, message).with_source(source)
    }

    /// Reads what other processes have appended to a file that has this length now, and removes what a crash has left.
    fn catch_up(&self, open: &mut Open, len: u64) -> Result<(), AuditError> {
        let failed = |source| self.failed(source);
        if len == open.len {
            return Ok(());
        }
        let end = read_end(&open.file, len).map_err(failed)?.ok_or_else(|| {
            let log = RecordName::AuditLog(self.path.clone());
            let message = format!("tampered or damaged: {log} {}", Finding::NoEnd);
            AuditError::new(AuditErrorKind::Corrupt, message)
        })?;
        open.len = len - end.torn;
        open.tip = end.tip;
        (open.found, open.last) = (None, None);
        if end.torn > 0 {
            cut_off(&open.file, open.len).map_err(failed)?;
            let event = AuditEvent::new(AuditOperation::Heal, AuditOutcome::Ok, &self.actor);
            self.write(open, &[event])?;
        }
        Ok(())
    }

    fn write(
        &self,
        open: &mut Open,
        events: &[AuditEvent<'_>],
    ) -> Result<AuditPosition, AuditError> {
        let (mut lines, mut tip, mut last) = (String::new(), open.tip, None);
        for event in events {
            let (line, next) = tip.next(event, open.len + lines.len() as u64)?;
            if let Some(state) = &event.state {
                // A change of another store than the one that was asked about is looked up again.
                let mark = AuditMark::of(state, next.line);
                last = Some((Some(state.store), Some(mark)));
            }
            lines.push_str(&line);
            tip = next;
        }
        let mut written = (&open.file).write_all(lines.as_bytes());
        operation_done();
        if written.is_ok() && events.iter().any(AuditEvent::durable) {
            let synced = open.file.sync_data();
            written = synced.inspect(|()| made_durable(open.id));
        }
        if let Err(source) = written {
            // Removes what was written of the lines. If that fails too, a later append does
            // it.
            let _torn = cut_off(&open.file, open.len);
            return Err(self.failed(source));
        }
        open.len += lines.len() as u64;
        open.tip = tip;
        if last.is_some() {
            open.last = last;
        }
        Ok(tip)
    }
}

impl KeptLog for FileAudit {
    fn file(&self) -> PathBuf {
        self.path.clone()
    }

    fn view(
        &self,
        store: Option<StoreId>,
        sealed: &[AuditPosition],
    ) -> Result<AuditView, AuditError> {
        // A log is begun by its first line, not by a question.
        if matches!(self.path.try_exists(), Ok(false)) {
            return Ok(AuditView {
                tip: None,
                is_whole: true,
                last: None,
            });
        }
        self.unless_changed(|open| {
            let view = open.view(store, sealed);
            view.map_err(|source| self.failed(source))
        })
    }

    fn append(&self, event: &AuditEvent<'_>) -> Result<AuditPosition, AuditError> {
        self.locked(|open| self.write(open, slice::from_ref(event)))
    }

    fn append_all(
        &self,
        events: &[AuditEvent<'_>],
        only: Option<[u8; 32]>,
    ) -> Result<Option<AuditPosition>, AuditError> {
        match only {
            Some(log) => self.locked_at_once(log, |open| self.write(open, events)),
            None => self.locked(|open| self.write(open, events)).map(Some),
        }
    }

    fn sync(&self) -> Result<(), AuditError> {
        // Others append meanwhile.
        let file = {
            let slot = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            let file = slot.as_ref().map(|open| open.file.try_clone());
            file.transpose()
        };
        let synced = file.and_then(|file| match file {
            Some(file) => file.sync_data(),
            None => Ok(()),
        });
        synced.map_err(|source| self.failed(source))
    }
}

/// Returns the name of a log without its directory.
pub(crate) fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

impl Open {
    fn view(&mut self, store: Option<StoreId>, sealed: &[AuditPosition]) -> io::Result<AuditView> {
        let sealed = sealed.iter().find(|it| it.log == self.tip.log).copied();
        let last = match self.last.take() {
            Some((of, last)) if of == store => last,
            _ => self.last_mark(store)?,
        };
        self.last = Some((store, last.clone()));
        Ok(AuditView {
            tip: (self.tip.line > 0).then_some(self.tip),
            is_whole: match sealed {
                Some(position) => self.has(position)?,
                None => true,
            },
            last,
        })
    }

    fn has(&mut self, position: AuditPosition) -> io::Result<bool> {
        if self.found == Some(position) || self.tip == position {
            self.found = Some(position);
            return Ok(true);
        }
        let to = self.len.min(position.offset.saturating_add(MAX_LINE_LEN));
        if to <= position.offset {
            return Ok(false);
        }
        let bytes = read_range(&self.file, position.offset, to)?;
        let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or(&bytes);
        let is_there = chain::parse(line).is_some_and(|(content, hash)| {
            (content.number, hash) == (position.line, position.hash)
        });
        self.found = is_there.then_some(position);
        Ok(is_there)
    }

    /// Searches backwards for the last mark, which is usually near the end.
    fn last_mark(&self, store: Option<StoreId>) -> io::Result<Option<AuditMark>> {
        let mut end = self.len;
        while end > 0 {
            let from = end.saturating_sub(MAX_END_LEN);
            let bytes = read_range(&self.file, from, end)?;
            // The first line may begin earlier. It is then read with the lines before it.
            let cut = match from {
                0 => 0,
                _ => memchr::memchr(b'\n', &bytes).map_or(0, |at| at + 1),
            };
            let whole = bytes.get(cut..).unwrap_or_default();
            if chain::may_have_mark(whole) {
                let found = chain::last_mark(whole.split(|&byte| byte == b'\n'), store);
                if found.is_some() {
                    return Ok(found);
                }
            }
            // Only a damaged log has a line so long that no other begins here.
            end = if whole.is_empty() {
                from
            } else {
                from + cut as u64
            };
        }
        Ok(None)
    }
}

/// Shortens a file durably: after a power cut, the old end must not follow what is written next.
fn cut_off(file: &File, len: u64) -> io::Result<()> {
    file.set_len(len)?;
    operation_done();
    file.sync_data()?;
    made_durable(FileId::of(file));
    Ok(())
}
