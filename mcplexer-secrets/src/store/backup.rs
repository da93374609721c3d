//! Writing everything into one age file.

use std::cell::RefCell;
use std::io::{self, Write};
use std::path::Path;

use super::audited::Subject;
use super::rekey::{Contents, Progress};
use super::sealed_store::Store;
use crate::audit::AuditOperation;
use crate::backup::{BackupTo, JsonWriter, ScopeHead, SecretHead, encryptor};
use crate::error::{Finding, RecordName};
use crate::keys::{Ask, Recipient};
use crate::record::{Header, Holder};
use crate::{Error, stack};
use mcplexer_durable::Temporary;

/// What was written to a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackupReport {
    /// How many scopes.
    pub scopes: u64,
    /// How many secrets.
    pub secrets: u64,
    /// The labels of the store's keys that open it; none if it was made for others.
    pub opened_by: Vec<String>,
}

impl Store {
    /// Writes everything there is into a new file at `path`, with mode 0600: one age file, whose
    /// plaintext [`Backup`](crate::backup::Backup) reads. The file gets its name when it is whole.
    ///
    /// # Errors
    /// [`Error::FileExists`] unless `overwrite` is set. [`Error::Tampered`] names the first record
    /// that does not open. Then there is no file, or the one that was there before.
    pub fn backup(
        &self,
        path: &Path,
        to: BackupTo<'_>,
        overwrite: bool,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<BackupReport, Error> {
        let not_written = |source| Error::Io {
            action: "write",
            path: path.to_owned(),
            source,
        };
        let exists = || Error::FileExists {
            path: path.to_owned(),
        };
        if !overwrite && path.exists() {
            return Err(exists());
        }
        let progress = RefCell::new(progress);
        let subject = Subject::store(AuditOperation::Backup);
        // The line is in the log before anything can be read from the file.
        let written = self.read(subject, |snapshot| {
            let unlocked = self.unlock(snapshot, Ask::Allowed)?;
            let contents = Contents::of(snapshot, &unlocked)?;
            let header = &unlocked.header;
            let (labels, keys) = recipients(header)?;
            let encryptor = encryptor(to, &keys, self.keys.prompter().as_ref())?;
            let mut file = Temporary::beside(path).map_err(not_written)?;
            let age = stack::wiped_after(|| encryptor.wrap_output(&mut file));
            let json = age.and_then(|age| JsonWriter::begin(age, &header.store));
            let mut json = json.map_err(not_written)?;
            let mut scopes = contents.scopes.iter().peekable();
            let mut heads = |json: &mut JsonWriter<_>, until: Option<&_>| -> io::Result<()> {
                while let Some((id, open)) =
                    scopes.next_if(|(id, _)| until.is_none_or(|it| id <= it))
                {
                    json.scope(&ScopeHead {
                        id,
                        kind: open.record.kind,
                        display_name: open.record.display_name.as_deref(),
                        redaction_hints: &open.record.redaction_hints,
                        created: open.record.created,
                    })?;
                }
                Ok(())
            };
            let mut report = |done: Progress| (progress.borrow_mut())(done);
            contents.open(snapshot, header, &mut report, &mut |scope, entry, value| {
                heads(&mut json, Some(scope)).map_err(not_written)?;
                let head = SecretHead {
                    name: &entry.name,
                    version: entry.version,
                    created: entry.created,
                    updated: entry.updated,
                };
                stack::wiped_after(|| json.secret(&head, value)).map_err(not_written)
            })?;
            heads(&mut json, None).map_err(not_written)?;
            let ended =
                stack::wiped_after(|| json.end().and_then(age::stream::StreamWriter::finish));
            let flushed = ended.and_then(Write::flush);
            flushed.and_then(|()| file.sync()).map_err(not_written)?;
            let report = BackupReport {
                scopes: contents.scopes.len() as u64,
                secrets: contents.secrets,
                opened_by: match to {
                    BackupTo::StoreKeys => labels,
                    _ => Vec::new(),
                },
            };
            Ok((file, report))
        })?;
        let (file, report) = written.ok_or(Error::NoStore)?;
        let named = match overwrite {
            true => file.persist(path),
            false => file.persist_new(path),
        };
        named
            .and_then(|()| mcplexer_durable::sync_parent(path))
            .map_err(|source| match source.kind() {
                io::ErrorKind::AlreadyExists => exists(),
                _ => not_written(source),
            })?;
        Ok(report)
    }
}

/// The recipients whose identities are outside of the store, with the labels of their slots.
fn recipients(header: &Header) -> Result<(Vec<String>, Vec<Recipient>), Error> {
    let slots = header.slots.iter();
    let outside = slots.filter(|slot| !matches!(slot.holder, Holder::Passphrase(_)));
    let parsed = outside.map(|slot| {
        let malformed = |_| Error::tampered(RecordName::Header, Finding::Malformed);
        Ok((
            slot.label.clone(),
            slot.recipient.parse().map_err(malformed)?,
        ))
    });
    parsed.collect()
}
