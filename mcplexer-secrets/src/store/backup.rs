//! Writing everything into one age file.

use std::cell::RefCell;
use std::io::{self, Write};
use std::path::Path;

use age::Encryptor;
use mcplexer_durable::{FileReplacement, ReplaceError};

use super::contents::{Contents, Progress};
use super::keyring::{Keyring, recipient_of};
use super::maker;
use super::reader::Reader;
use super::recorder::Subject;
use super::vault::Vault;
use crate::audit::AuditOperation;
use crate::backup::{
    BackupTo, Digesting, JsonWriter, MakerLine, ScopeHead, VersionHead, encryptor,
};
use crate::keys::Recipient;
use crate::record::{Holder, Scope, Slot};
use crate::{Error, ScopeId, stack};

/// What was written to a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackupReport {
    /// How many scopes.
    pub scopes: u64,
    /// How many secrets.
    pub secrets: u64,
    /// The labels of the store's keys that open it; empty if it is for other recipients.
    pub opened_by: Vec<String>,
}

/// Writes a backup to a new file at `path`, which gets its name when it is complete.
pub(super) fn write(
    vault: &Vault,
    path: &Path,
    to: BackupTo<'_>,
    overwrite: bool,
    progress: &mut dyn FnMut(Progress),
) -> Result<BackupReport, Error> {
    let exists = || Error::FileExists {
        path: path.to_owned(),
    };
    if !overwrite && path.exists() {
        return Err(exists());
    }
    let progress = RefCell::new(progress);
    let subject = Subject::store(AuditOperation::Backup);
    // The log has its line before the file can be found.
    let written = vault.read(subject, |reader| {
        let backup = BackupWriter {
            path,
            to,
            keyring: &vault.keyring,
        };
        backup.write(reader, &mut |done| (progress.borrow_mut())(done))
    })?;
    let (file, report) = written.ok_or(Error::NoStore)?;
    let finished = match overwrite {
        true => file.finish(),
        false => file.finish_new(),
    };
    match finished.map_err(reason) {
        Ok(()) => Ok(report),
        Err(source) if source.kind() == io::ErrorKind::AlreadyExists => Err(exists()),
        Err(source) => Err(not_written(path, source)),
    }
}

struct BackupWriter<'a> {
    path: &'a Path,
    to: BackupTo<'a>,
    keyring: &'a Keyring,
}

impl BackupWriter<'_> {
    /// Writes a backup to a file without a name.
    fn write(
        &self,
        reader: &Reader<'_>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(FileReplacement, BackupReport), Error> {
        let contents = Contents::open(reader)?;
        let (labels, keys) = recipients(&reader.unlocked.slots)?;
        let encryptor = encryptor(self.to, &keys, self.keyring.person().as_ref())?;
        let begun = FileReplacement::begin(self.path).map_err(reason);
        let mut file = begun.map_err(|it| self.failed(it))?;
        self.write_contents(&contents, encryptor, &mut file, progress)?;
        file.sync().map_err(|it| self.failed(it))?;
        let report = BackupReport {
            scopes: contents.scopes.len() as u64,
            secrets: contents.secrets,
            opened_by: match self.to {
                BackupTo::StoreKeys => labels,
                _ => Vec::new(),
            },
        };
        Ok((file, report))
    }

    fn write_contents(
        &self,
        contents: &Contents<'_>,
        encryptor: Encryptor,
        file: &mut FileReplacement,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), Error> {
        let failed = |source| self.failed(source);
        let age = stack::wiped_after(|| encryptor.wrap_output(file));
        let store = contents.header().store;
        let mut json = age
            .and_then(|age| JsonWriter::begin(Digesting::new(age), &store))
            .map_err(failed)?;
        // A scope without secrets is written before the next one with secrets, or at the end.
        let mut scopes = contents.scopes.iter().peekable();
        let mut heads = |json: &mut JsonWriter<_>, until: Option<&ScopeId>| -> io::Result<()> {
            while let Some((id, open)) = scopes.next_if(|(id, _)| until.is_none_or(|it| id <= it)) {
                json.scope(&scope_head(id, &open.record))?;
            }
            Ok(())
        };
        contents.each_value(progress, &mut |scope, version, value| {
            heads(&mut json, Some(scope)).map_err(failed)?;
            let head = VersionHead {
                entry: &version.entry,
                is_current: version.is_current,
                left: version.left,
            };
            stack::wiped_after(|| json.version(&head, value)).map_err(failed)
        })?;
        heads(&mut json, None).map_err(failed)?;
        let (digest, mut age) = stack::wiped_after(|| json.end()).map_err(failed)?.end();
        let maker = maker::make(contents.unlocked(), &digest)?;
        let line = serde_json::to_string(&MakerLine { maker }).map_err(|it| failed(it.into()))?;
        writeln!(age, "\n{line}").map_err(failed)?;
        let ended = stack::wiped_after(|| age.finish());
        ended.and_then(Write::flush).map_err(failed)
    }

    fn failed(&self, source: io::Error) -> Error {
        not_written(self.path, source)
    }
}

fn reason(error: ReplaceError) -> io::Error {
    match error {
        ReplaceError::NotWritten { source, .. } => source,
        other => io::Error::other(other),
    }
}

fn not_written(path: &Path, source: io::Error) -> Error {
    Error::Io {
        action: "write",
        path: path.to_owned(),
        source,
    }
}

fn scope_head<'a>(id: &'a ScopeId, record: &'a Scope) -> ScopeHead<'a> {
    ScopeHead {
        id,
        kind: record.kind,
        display_name: record.display_name.as_deref(),
        redaction_hints: &record.redaction_hints,
        keep_versions: record.keep_versions,
        created: record.created,
    }
}

/// The recipients whose identities are kept outside of the store, with the labels of their slots.
fn recipients(slots: &[Slot]) -> Result<(Vec<String>, Vec<Recipient>), Error> {
    let outside = slots
        .iter()
        .filter(|slot| !matches!(slot.holder, Holder::Passphrase(_)));
    let pairs = outside.map(|slot| Ok((slot.label.clone(), recipient_of(slot)?)));
    pairs.collect()
}
