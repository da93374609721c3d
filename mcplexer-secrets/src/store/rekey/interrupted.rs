//! Re-keys that are interrupted, by whom they are gone on with, and what is left for them.

use std::cell::Cell;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Rekeyed;
use crate::backend::Table;
use crate::backup::{Backup, BackupKey, BackupTo};
use crate::keys::{Ask, FileKeys, FixedKeys, Identity, KeyProvider, KeyWriter, SlotRef};
use crate::record::{self, BEGINNING_KEY, Beginning};
use crate::store::accept;
use crate::store::check::check;
use crate::store::compact::compact;
use crate::store::contents::Progress;
use crate::store::fixture::keeping::{Keeping, Records};
use crate::store::fixture::{change, id, name, scope, value};
use crate::store::keyring::Keyring;
use crate::store::life::SecretEdit;
use crate::store::owners;
use crate::store::rotation::{RotateIdentity, rotate, tidy};
use crate::store::secret::PutMode;
use crate::store::unlocked::Unlocked;
use crate::store::vault::Vault;
use crate::{Error, RestoreMode, SecretName, Store};

mod forged;

const SCOPES: u64 = 6;
/// Of each scope. With the scope itself, as much as is kept at once.
const SECRETS: u64 = 6;
const TOTAL: u64 = SCOPES * SECRETS;

/// A store of three owners, on a backend that keeps what there is.
struct Team {
    backend: Arc<Keeping>,
    ann: Identity,
    bob: Identity,
    carol: Identity,
}

impl Team {
    fn new() -> Self {
        let team = Self {
            backend: Arc::new(Keeping::new()),
            ann: Identity::generate(),
            bob: Identity::generate(),
            carol: Identity::generate(),
        };
        let anns = team.of(&team.ann);
        for number in 0..SCOPES {
            for secret in 0..SECRETS {
                put(&anns, number, secret, "before");
                put(&anns, number, secret, &text(number, secret));
            }
        }
        for (identity, label) in [(&team.bob, "bob"), (&team.carol, "carol")] {
            let recipient = identity.recipient().unwrap();
            let label = label.parse().unwrap();
            owners::add_recipient(&anns, &recipient, Some(&label)).unwrap();
            accept::accept(&team.of(identity), false).unwrap();
        }
        team
    }

    /// The store, as an owner opens it.
    fn of(&self, identity: &Identity) -> Vault {
        self.with_keys(FixedKeys::new(vec![identity.clone()]))
    }

    fn with_keys(&self, keys: impl KeyProvider + 'static) -> Vault {
        let keyring = Keyring::new(Arc::new(keys));
        Vault::new(Arc::clone(&self.backend) as _, Arc::new(keyring))
    }

    /// Lets a re-key fail after it has kept something so often.
    fn cut(&self, after: u64, rekey: impl FnOnce() -> Result<Rekeyed, Error>) {
        self.backend.cut_after.store(after, Ordering::Relaxed);
        assert!(matches!(rekey(), Err(Error::Backend(_))));
        self.backend.cut_after.store(u64::MAX, Ordering::Relaxed);
        // The store is what it was.
        assert_whole(&self.of(&self.ann));
    }

    fn cut_rotation(&self, after: u64) {
        self.cut(after, || {
            rotate(&self.of(&self.ann), RotateIdentity::Keep, &mut |_| ())
        });
    }

    fn remove_bob(&self, by: &Identity) -> Result<(Rekeyed, u64), Error> {
        taken_over(|progress| owners::remove(&self.of(by), &SlotRef::new("bob"), false, progress))
    }

    fn rotate(&self, by: &Identity) -> Result<(Rekeyed, u64), Error> {
        taken_over(|progress| rotate(&self.of(by), RotateIdentity::Keep, progress))
    }

    /// Decodes what was left.
    fn beginning(&self) -> (Records, Beginning) {
        let records = self.backend.beginning().unwrap();
        let bytes = &records[&(Table::Meta, BEGINNING_KEY.to_vec())];
        let beginning = record::decode(bytes, || unreachable!()).unwrap();
        (records, beginning)
    }

    /// Puts another beginning in the place of what was left.
    fn plant(&self, mut records: Records, beginning: &Beginning) {
        let bytes = record::encode(beginning).unwrap();
        records.insert((Table::Meta, BEGINNING_KEY.to_vec()), bytes);
        self.backend.plant(records);
    }
}

fn text(number: u64, secret: u64) -> String {
    format!("s{number}/K{secret}")
}

fn key(secret: u64) -> SecretName {
    name(&format!("K{secret}"))
}

fn put(vault: &Vault, number: u64, secret: u64, text: &str) {
    let edit = SecretEdit::default();
    let new = scope(&format!("s{number}"));
    let value = value(text.as_bytes());
    change(vault, |writer| {
        writer.put_secret(&new, &key(secret), &value, PutMode::Overwrite, None, &edit)
    })
    .unwrap();
}

/// Re-keys, and returns how many secrets were there already.
fn taken_over(
    rekey: impl FnOnce(&mut dyn FnMut(Progress)) -> Result<Rekeyed, Error>,
) -> Result<(Rekeyed, u64), Error> {
    let mut told = Vec::new();
    let rekeyed = rekey(&mut |progress| told.push(progress))?;
    let first = told.first().unwrap().done;
    assert!(told.iter().all(|it| it.total == rekeyed.secrets));
    assert_eq!(told.last().unwrap().done, rekeyed.secrets);
    // Each secret that was encrypted now is told, and what was taken over once.
    let taken = if told.len() as u64 == rekeyed.secrets {
        0
    } else {
        first
    };
    assert_eq!(
        told.len() as u64,
        rekeyed.secrets - taken + u64::from(taken > 0)
    );
    Ok((rekeyed, taken))
}

/// Every value of every version opens, and there is nothing else.
fn assert_whole(vault: &Vault) {
    let opened = vault.peek(|reader| {
        for number in 0..SCOPES {
            let scope = reader.existing_scope(&id(&format!("s{number}")))?;
            for secret in 0..SECRETS {
                let value = scope.version(&key(secret), 2)?;
                assert_eq!(value.expose(), text(number, secret).as_bytes());
                assert_eq!(scope.version(&key(secret), 1)?.expose(), b"before");
            }
        }
        Ok(())
    });
    opened.unwrap().unwrap();
    let report = check(vault, &mut |found| panic!("{found}"), &mut |_| ()).unwrap();
    assert!(report.unwrap().secrets >= TOTAL);
}

fn unlocked(vault: &Vault) -> Arc<Unlocked> {
    let unlocked = vault.peek(|reader| Ok(Arc::clone(&reader.unlocked)));
    unlocked.unwrap().unwrap()
}

#[test]
fn a_rotation_that_is_interrupted_anywhere_is_gone_on_with() {
    for after in 1..SCOPES {
        let team = Team::new();
        team.cut_rotation(after);
        let (rekeyed, taken) = team.rotate(&team.ann).unwrap();
        assert_eq!(taken, after * SECRETS);
        assert_eq!((rekeyed.generation, rekeyed.secrets), (2, TOTAL));
        for owner in [&team.ann, &team.bob, &team.carol] {
            assert_whole(&team.of(owner));
        }
        assert!(team.backend.beginning().is_none());
    }
}

#[test]
fn a_rotation_is_interrupted_and_gone_on_with_more_than_once() {
    let team = Team::new();
    team.cut_rotation(2);
    team.cut_rotation(1);
    team.cut_rotation(1);
    let kept = team.backend.count.load(Ordering::Relaxed);
    assert_eq!(team.rotate(&team.bob).unwrap().1, kept * SECRETS);
    assert_whole(&team.of(&team.carol));
}

#[test]
fn the_removal_of_an_owner_is_gone_on_with_by_another_one() {
    let team = Team::new();
    team.cut(3, || {
        let anns = team.of(&team.ann);
        owners::remove(&anns, &SlotRef::new("bob"), false, &mut |_| ())
    });
    assert_eq!(team.remove_bob(&team.carol).unwrap().1, 3 * SECRETS);
    for owner in [&team.ann, &team.carol] {
        assert_whole(&team.of(owner));
    }
    let bobs = team.of(&team.bob).peek(|_| Ok(()));
    assert!(matches!(bobs, Err(Error::Locked { .. })));
    // As after any removal, the others claim the store anew.
    assert_eq!(unlocked(&team.of(&team.ann)).header.left, 2);
}

#[test]
fn a_put_in_between_makes_a_rekey_begin_anew() {
    let team = Team::new();
    team.cut_rotation(3);
    let (stale, _) = team.beginning();
    put(&team.of(&team.bob), 0, SECRETS, "more");
    assert_eq!(team.rotate(&team.ann).unwrap().1, 0);
    assert_whole(&team.of(&team.ann));

    // Also if the storage says that there was none.
    let team = Team::new();
    team.cut_rotation(3);
    let (kept, _) = team.beginning();
    put(&team.of(&team.bob), 0, SECRETS, "more");
    for records in [kept, stale] {
        team.backend.plant(records);
        let (rekeyed, taken) = team.rotate(&team.ann).unwrap();
        assert_eq!((taken, rekeyed.secrets), (0, TOTAL + 1));
        assert_whole(&team.of(&team.ann));
    }
}

#[test]
fn readers_read_while_a_rekey_goes_on() {
    let team = Team::new();
    team.cut_rotation(2);
    let (readers, reads) = (team.of(&team.carol), Cell::new(0));
    let mut read = |_: Progress| {
        assert_whole(&readers);
        reads.set(reads.get() + 1);
    };
    rotate(&team.of(&team.ann), RotateIdentity::Keep, &mut read).unwrap();
    assert_eq!(reads.get(), 1 + TOTAL - 2 * SECRETS);
    assert_whole(&readers);
}

/// A key file, as if it had been made with the identity of an owner.
fn key_file(directory: &Path, identity: &Identity) -> FileKeys {
    let path = directory.join("age.key");
    let text = identity.to_text().unwrap();
    let text = format!("# mcplexer key, made 2026-01-01T00:00:00Z\n{}\n", *text);
    let mut file = mcplexer_durable::Temporary::beside(&path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.persist(&path).unwrap();
    FileKeys::new(path)
}

fn identities(keys: &FileKeys) -> Vec<Identity> {
    keys.identities(Ask::Never).unwrap()
}

#[test]
fn a_rotation_that_replaces_the_key_goes_on_with_the_key_that_it_has_made() {
    let directory = tempfile::tempdir().unwrap();
    let team = Team::new();
    let keys = Arc::new(key_file(directory.path(), &team.ann));
    let anns = || team.with_keys(Arc::clone(&keys));
    team.cut(3, || rotate(&anns(), RotateIdentity::Replace, &mut |_| ()));
    let begun = keys.unfinished(Ask::Never).unwrap();
    assert_eq!((begun.len(), identities(&keys).len()), (1, 2));
    assert!(!tidy(&anns()).unwrap());
    let rekeyed = taken_over(|it| rotate(&anns(), RotateIdentity::Replace, it));
    let (rekeyed, taken) = rekeyed.unwrap();
    assert_eq!(taken, 3 * SECRETS);
    assert_eq!(rekeyed.recipient, Some(begun[0].new.to_string()));
    assert_eq!(identities(&keys).len(), 1);
    assert_whole(&anns());
    assert_whole(&team.of(&team.carol));
    let old = team.of(&team.ann).peek(|_| Ok(()));
    assert!(matches!(old, Err(Error::Locked { .. })));
}

#[test]
fn a_key_that_was_made_for_a_rotation_is_dropped_once_nobody_can_go_on_with_that() {
    let directory = tempfile::tempdir().unwrap();
    let team = Team::new();
    let keys = Arc::new(key_file(directory.path(), &team.ann));
    let anns = || team.with_keys(Arc::clone(&keys));
    team.cut(3, || rotate(&anns(), RotateIdentity::Replace, &mut |_| ()));
    // Another owner re-keys the store.
    assert_eq!(team.rotate(&team.bob).unwrap().1, 0);
    assert!(tidy(&anns()).unwrap());
    let left: Vec<_> = identities(&keys).iter().map(Identity::name).collect();
    assert_eq!(left, [team.ann.name()]);
    rotate(&anns(), RotateIdentity::Replace, &mut |_| ()).unwrap();
    assert_whole(&anns());
}

#[test]
fn nothing_of_a_rekey_that_was_interrupted_is_in_a_state_of_another_kind() {
    let team = Team::new();
    team.cut_rotation(3);
    compact(&team.of(&team.ann)).unwrap();
    assert_whole(&team.of(&team.ann));
    assert!(team.backend.beginning().is_none());

    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("backup");
    let keys = FixedKeys::new(vec![team.ann.clone()]);
    let store = Store::with_backend(Arc::clone(&team.backend), keys).unwrap();
    let made = store.backup(&file, BackupTo::StoreKeys, false, &mut |_| ());
    made.unwrap();
    team.cut_rotation(3);
    let backup = Backup::open(
        &file,
        BackupKey::Identities(std::slice::from_ref(&team.ann)),
    )
    .unwrap();
    store.restore(&backup, RestoreMode::Replace).unwrap();
    let checked = store.check(&mut |found| panic!("{found}"), &mut |_| ());
    assert_eq!(checked.unwrap().unwrap().secrets, TOTAL);
}
