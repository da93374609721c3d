//! Secrets and scopes at other places: copied, moved and renamed, each in one commit.

use std::borrow::Cow;

use zeroize::Zeroizing;

use super::consistency::{Version, each_version};
use super::draft::Draft;
use super::life::{Change, SecretEdit};
use super::not_found;
use super::recorder::Subject;
use super::scope::NewScope;
use super::secret::{PutMode, Stored};
use super::vault::{IfMissing, Vault};
use super::versions::Incoming;
use super::writer::Writer;
use crate::audit::AuditOperation;
use crate::record::Entry;
use crate::{Error, ScopeId, SecretName};

/// What moving a secret did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Moved {
    /// Its version, which stays.
    pub version: u64,
    /// How many earlier versions came along.
    pub earlier: usize,
    /// How many earlier versions are gone, because the new scope keeps fewer.
    pub left_out: usize,
    /// Whether the scope was created.
    pub scope_created: bool,
}

/// A version of a secret with its value. The current one comes first, then the earlier ones, oldest first.
type Opened = (Entry, Zeroizing<Vec<u8>>);

/// Stores the value of one secret as the next version of another.
pub(super) fn copy(
    vault: &Vault,
    (scope, name): (&ScopeId, &SecretName),
    (to, to_name): (&NewScope, &SecretName),
    mode: PutMode,
) -> Result<Stored, Error> {
    let subject = Subject::secret(AuditOperation::Copy, &to.id, to_name);
    vault.write(subject, IfMissing::ScopeNotFound(scope), |writer| {
        let (entry, value) = {
            let reader = writer.reader();
            let from = reader.existing_scope(scope)?;
            let value = from.existing_secret(name)?;
            let entry = from.entry(name)?;
            (entry.ok_or_else(|| not_found::secret(scope, name))?, value)
        };
        refuse_same(scope, name, to, to_name, &entry)?;
        let (mut draft, scope_created) = writer.draft_or_new(to)?;
        draft.record.kind.check(to_name)?;
        mode.check(&to.id, to_name, draft.entry(writer.snapshot(), to_name)?)?;
        let edit = SecretEdit {
            note: set_or_remove(entry.note),
            expires: set_or_remove(entry.expires),
            rotate_every: set_or_remove(entry.rotate_every),
        };
        // The age of the value stays: its interval counts from there.
        let mut stored = writer.put_next(&mut draft, to_name, &value, &edit, entry.updated)?;
        stored.scope_created = scope_created;
        writer.put_scope(draft)?;
        writer.add_secret_part(AuditOperation::Get, scope, name);
        Ok(stored)
    })
}

/// Moves a secret with all of its versions.
pub(super) fn move_secret(
    vault: &Vault,
    (scope, name): (&ScopeId, &SecretName),
    (to, to_name): (&NewScope, &SecretName),
    mode: PutMode,
) -> Result<Moved, Error> {
    let subject = Subject::secret(AuditOperation::Move, &to.id, to_name);
    vault.write(subject, IfMissing::ScopeNotFound(scope), |writer| {
        let mut versions = open_versions(writer, scope, name)?;
        if let Some((current, _)) = versions.first() {
            refuse_same(scope, name, to, to_name, current)?;
        }
        let replaced = {
            let (mut draft, _) = writer.draft_or_new(to)?;
            let replaced = draft.entry(writer.snapshot(), to_name)?;
            mode.check(&to.id, to_name, replaced)?;
            replaced.map(|it| it.revision)
        };
        writer.delete_secret(scope, name)?;
        if replaced.is_some() {
            writer.delete_secret(&to.id, to_name)?;
        }
        let (mut draft, scope_created) = writer.draft_or_new(to)?;
        draft.record.kind.check(to_name)?;
        let keep = usize::from(draft.record.keep_versions);
        let earlier = versions.len().saturating_sub(1).min(keep);
        let left_out = versions.len().saturating_sub(1 + earlier);
        versions.drain(1..=left_out);
        for (entry, _) in &mut versions {
            entry.name.clone_from(to_name);
        }
        let version = versions.first().map_or(0, |(entry, _)| entry.version);
        renew(&mut versions, writer.next_revision(), replaced);
        let bytes = versions.iter().map(|(_, value)| value.len()).sum();
        writer.require_room(versions.len(), bytes)?;
        put_versions(writer, &mut draft, &versions)?;
        writer.put_scope(draft)?;
        writer.add_secret_part(AuditOperation::Delete, scope, name);
        Ok(Moved {
            version,
            earlier,
            left_out,
            scope_created,
        })
    })
}

/// Gives a scope another id; returns how many secrets it holds.
pub(super) fn rename_scope(vault: &Vault, id: &ScopeId, new: &ScopeId) -> Result<usize, Error> {
    let subject = Subject::scope(AuditOperation::RenameScope, new);
    vault.write(subject, IfMissing::ScopeNotFound(id), |writer| {
        let (record, names) = {
            let reader = writer.reader();
            let scope = reader.existing_scope(id)?;
            if reader.scope(new)?.is_some() {
                return Err(Error::ScopeExists { scope: new.clone() });
            }
            let entries = scope.entries()?;
            let names: Vec<_> = entries.into_iter().map(|it| it.name).collect();
            (scope.record().clone(), names)
        };
        writer.require_room_for_copy_of(id)?;
        let mut draft = Draft::new(new.clone(), record)?;
        for name in &names {
            let mut versions = open_versions(writer, id, name)?;
            renew(&mut versions, writer.next_revision(), None);
            put_versions(writer, &mut draft, &versions)?;
        }
        writer.delete_scope(id)?;
        writer.put_scope(draft)?;
        writer.add_part(AuditOperation::DeleteScope, id);
        Ok(names.len())
    })
}

/// Opens every version of a secret that the caller asked for.
fn open_versions(
    writer: &Writer<'_>,
    scope: &ScopeId,
    name: &SecretName,
) -> Result<Vec<Opened>, Error> {
    let reader = writer.reader();
    let from = reader.existing_scope(scope)?;
    // Fails if there is a record that is not listed.
    from.earlier(name)?;
    let entry = from.entry(name)?;
    let entry = entry.ok_or_else(|| not_found::secret(scope, name))?;
    let mut versions = Vec::new();
    each_version(writer.snapshot(), scope, &entry, &mut |version, sealed| {
        let entry = version.entry.clone().into_owned();
        let value = from
            .open
            .open_secret(writer.header(), scope, &entry, sealed)?;
        versions.push((entry, value));
        Ok(())
    })?;
    Ok(versions)
}

/// Makes a secret newer than one that was at its place in a copy of the store: the place changes hands with the commit
/// that leads to `revision`.
fn renew(versions: &mut [Opened], revision: u64, replaced: Option<u64>) {
    if let Some((current, _)) = versions.first_mut() {
        let last = current.revision.max(replaced.unwrap_or(0));
        current.revision = revision.max(last.saturating_add(1));
    }
}

/// Seals and puts versions of one secret, and lists it.
fn put_versions(
    writer: &mut Writer<'_>,
    draft: &mut Draft,
    versions: &[Opened],
) -> Result<(), Error> {
    let mut incoming = Incoming::default();
    for (at, (entry, value)) in versions.iter().enumerate() {
        let version = Version {
            entry: Cow::Borrowed(entry),
            is_current: at == 0,
            left: versions.len() - at - 1,
        };
        incoming.put(writer, draft, &version, value)?;
    }
    Ok(())
}

/// Fails if both places are the same: there is a secret already.
fn refuse_same(
    scope: &ScopeId,
    name: &SecretName,
    to: &NewScope,
    to_name: &SecretName,
    entry: &Entry,
) -> Result<(), Error> {
    match (scope, name) == (&to.id, to_name) {
        true => PutMode::Create.check(scope, name, Some(entry)),
        false => Ok(()),
    }
}

fn set_or_remove<T>(value: Option<T>) -> Change<T> {
    value.map_or(Change::Remove, Change::Set)
}
