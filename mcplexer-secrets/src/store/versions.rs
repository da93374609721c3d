//! The versions of a secret: setting the current one aside, and writing all of them anew.

use super::consistency::{Version, decode_secret};
use super::draft::Draft;
use super::life::{Change, SecretEdit};
use super::secret::Stored;
use super::writer::Writer;
use crate::backend::{Table, Transaction};
use crate::record::{self, Earlier, EarlierValue, Entry, Secret};
use crate::{Error, SecretName, Timestamp};

/// Describes the version of a secret that follows `before`, or the first one, in a change that leads to `revision`.
///
/// What is said about a secret stays, unless `edit` changes it, but for an expiry that has passed: it was
/// that of the value before. Neither the time of a secret nor its revision goes back: not when the clock
/// does, nor if the last version came from a copy of the store that is further on.
pub(super) fn next(
    before: Option<&Entry>,
    name: &SecretName,
    edit: &SecretEdit,
    revision: u64,
    now: Timestamp,
) -> (Entry, Stored) {
    let mut entry = Entry {
        name: name.clone(),
        version: 1,
        created: now,
        updated: now,
        revision,
        note: None,
        expires: None,
        rotate_every: None,
        digest: [0; 32],
    };
    let mut expiry_dropped = None;
    if let Some(before) = before {
        expiry_dropped = before.expires.filter(|expires| *expires <= now);
        entry = Entry {
            version: before.version.saturating_add(1),
            updated: before.updated.max(now),
            revision: revision.max(before.revision.saturating_add(1)),
            expires: before.expires.filter(|expires| *expires > now),
            ..before.clone()
        };
    }
    edit.apply(&mut entry);
    let mut stored = Stored::new(entry.version, false);
    stored.expiry_dropped = expiry_dropped.filter(|_| edit.expires == Change::Keep);
    (entry, stored)
}

/// Moves the current version of a secret to its earlier ones, as it is sealed, and deletes the oldest beyond
/// the number that the scope keeps. Returns those that are left.
///
/// Where the current record is missing or was tampered with, nothing vouches for the earlier ones any more:
/// they are deleted, so that the secret can be stored again.
pub(super) fn set_aside(
    transaction: &mut dyn Transaction,
    draft: &Draft,
    current: &Entry,
) -> Result<Vec<Earlier>, Error> {
    let (scope, name) = (&draft.id, &current.name);
    let bytes = transaction.get(Table::Secrets, &record::secret_key(scope, name))?;
    let Some(bytes) = bytes.filter(|bytes| record::digest(bytes) == current.digest) else {
        transaction.delete_prefix(Table::Secrets, &record::version_prefix(scope, name))?;
        return Ok(Vec::new());
    };
    let Secret {
        sealed,
        mut earlier,
    } = decode_secret(&bytes, scope, current)?;
    let keep = usize::from(draft.record.keep_versions);
    // After the last version there is, which only a backup can have, the number stays.
    if keep > 0 && current.version < u64::MAX {
        let bytes = record::encode(&EarlierValue { sealed })?;
        let key = record::version_key(scope, name, current.version);
        transaction.put(Table::Secrets, &key, &bytes)?;
        earlier.push(Earlier {
            version: current.version,
            updated: current.updated,
            revision: current.revision,
            digest: record::digest(&bytes),
        });
    }
    let beyond = earlier.len().saturating_sub(keep);
    for Earlier { version, .. } in earlier.drain(..beyond) {
        let key = record::version_key(scope, name, version);
        transaction.delete(Table::Secrets, &key)?;
    }
    Ok(earlier)
}

/// Writes the versions of secrets one after the other, each secret's current one first.
#[derive(Default)]
pub(super) struct Incoming {
    current: Option<(Entry, Vec<u8>)>,
    earlier: Vec<Earlier>,
}

impl Incoming {
    /// Seals and puts a version. Its secret is listed with the last of them.
    pub(super) fn put(
        &mut self,
        writer: &mut Writer<'_>,
        draft: &mut Draft,
        version: &Version<'_>,
        value: &[u8],
    ) -> Result<(), Error> {
        let entry = &*version.entry;
        let sealed = writer.seal(draft, entry, value)?;
        if version.is_current {
            self.current = Some((entry.clone(), sealed));
        } else {
            self.earlier.push(Earlier {
                version: entry.version,
                updated: entry.updated,
                revision: entry.revision,
                digest: writer.put_earlier(draft, entry, sealed)?,
            });
        }
        if version.left == 0
            && let Some((entry, sealed)) = self.current.take()
        {
            let earlier = std::mem::take(&mut self.earlier);
            writer.put_record(draft, entry, &Secret { sealed, earlier })?;
        }
        Ok(())
    }
}
