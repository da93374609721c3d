//! What somebody else puts in the place of what a re-key has left.

use std::cell::Cell;
use std::sync::Arc;

use super::{SECRETS, Team, assert_whole, key, put, unlocked};
use crate::Error;
use crate::backend::Table;
use crate::keys::{Identity, Recipient};
use crate::record::{Beginning, Context, Header, Heir};
use crate::seal::{Key, RootKey};
use crate::store::fixture::id;
use crate::store::fixture::keeping::Records;
use crate::store::rotation::{RotateIdentity, rotate};
use crate::store::unlocked::Unlocked;

/// What somebody who can write to the storage, and may know the root key of now, puts there.
struct Forgery {
    root: RootKey,
    now: Arc<Unlocked>,
    /// The header of the next state.
    next: Header,
    beginning: Beginning,
}

impl Team {
    /// Begins a re-key under a root key that `signer` knows, in the name of `by`, for all owners but one.
    fn forge(&self, signer: &Identity, by: &Identity, without: Option<&Identity>) -> Forgery {
        let now = unlocked(&self.of(&self.ann));
        let mut next = now.header.clone();
        (next.generation, next.scopes, next.pages) = (next.generation + 1, 0, Vec::new());
        let mut heirs = Vec::new();
        let root = RootKey::generate().unwrap();
        for slot in &*now.slots {
            if without.is_none_or(|it| it.name() != slot.recipient) {
                let recipient: Recipient = slot.recipient.parse().unwrap();
                let wrapped = root.wrap(&recipient, None).unwrap();
                let (recipient, mac) = (recipient.to_string(), None);
                heirs.push(Heir {
                    recipient,
                    wrapped,
                    mac,
                });
            }
        }
        let beginning = Beginning {
            of: now.digest(),
            by: by.name(),
            heirs,
            scopes: 0,
            pages: Vec::new(),
            proof: Vec::new(),
        };
        let mut forgery = Forgery {
            root,
            now,
            next,
            beginning,
        };
        forgery.sign(signer);
        forgery.prove();
        forgery
    }

    /// Whether a re-key goes on with a forgery.
    fn falls_for(&self, forgery: &Forgery, rekey: impl FnOnce(&Self)) -> bool {
        self.plant(Records::new(), &forgery.beginning);
        rekey(self);
        for owner in [&self.ann, &self.carol] {
            assert_whole(&self.of(owner));
        }
        let store = forgery.now.header.store;
        let forged = forgery.root.mac(&Context::Root { store }).unwrap();
        unlocked(&self.of(&self.ann)).root().id().unwrap() == forged
    }
}

impl Forgery {
    /// Computes the MACs that a private key can compute.
    fn sign(&mut self, signer: &Identity) {
        let store = self.now.header.store;
        let root = self.root.mac(&Context::Root { store }).unwrap();
        let heirs = self.beginning.heirs.iter();
        let names: Vec<String> = heirs.map(|it| it.recipient.clone()).collect();
        let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
        names.sort_unstable();
        for heir in &mut self.beginning.heirs {
            let to = &heir.recipient;
            let shared = signer.secret_shared_with(&to.parse().unwrap()).unwrap();
            let by = &self.beginning.by;
            let pair = Key::derive(&shared, &Context::Pair { store, by, to }).unwrap();
            let context = Context::Heirs {
                of: &self.beginning.of,
                root: &root,
                heirs: &names,
            };
            heir.mac = Some(*Key::derive(pair.bytes(), &context).unwrap().bytes());
        }
    }

    /// Proves it with the root key.
    fn prove(&mut self) {
        let proof = self.root.prove(&self.beginning.context(&self.next), "");
        self.beginning.proof = proof.unwrap();
    }
}

fn remove_bob(team: &Team) {
    team.remove_bob(&team.ann).unwrap();
}

fn rotate_by_ann(team: &Team) {
    team.rotate(&team.ann).unwrap();
}

#[test]
fn what_a_stranger_has_begun_is_cleared() {
    let stranger = Identity::generate();
    let team = Team::new();
    let own_name = team.forge(&stranger, &stranger, None);
    assert!(!team.falls_for(&own_name, rotate_by_ann));
    let other_name = team.forge(&stranger, &team.carol, None);
    assert!(!team.falls_for(&other_name, rotate_by_ann));
    let name_of_reader = team.forge(&stranger, &team.ann, None);
    assert!(!team.falls_for(&name_of_reader, rotate_by_ann));
    // What is refused is not merely what is made by this test.
    let by_owner = team.forge(&team.carol, &team.carol, None);
    assert!(team.falls_for(&by_owner, rotate_by_ann));
}

/// He knows the root key of now, all claim keys, and his own private key.
#[test]
fn what_the_owner_who_is_removed_has_begun_is_cleared() {
    for by in 0..3 {
        let team = Team::new();
        let by = [&team.bob, &team.carol, &team.ann][by];
        let forged = team.forge(&team.bob, by, Some(&team.bob));
        assert!(!team.falls_for(&forged, remove_bob));
        let left = team.of(&team.bob).peek(|_| Ok(()));
        assert!(matches!(left, Err(Error::Locked { .. })));
    }
    let team = Team::new();
    let by_another = team.forge(&team.carol, &team.carol, Some(&team.bob));
    assert!(team.falls_for(&by_another, remove_bob));
}

#[test]
fn a_root_key_that_was_encrypted_for_somebody_is_not_used_without_him() {
    let team = Team::new();
    let for_all = team.forge(&team.carol, &team.carol, None);
    assert!(!team.falls_for(&for_all, remove_bob));

    // He knows the root key of a rotation that was interrupted, and says that it was not for him.
    let team = Team::new();
    team.cut_rotation(3);
    let (_, mut beginning) = team.beginning();
    let is_bobs = |heir: &Heir| heir.recipient == team.bob.name();
    let bobs = beginning.heirs.iter().find(|it| is_bobs(it)).unwrap();
    let root = RootKey::unwrap(&bobs.wrapped, &team.bob).unwrap().unwrap();
    beginning.heirs.retain(|it| !is_bobs(it));
    let now = unlocked(&team.of(&team.ann));
    let mut next = now.header.clone();
    (next.generation, next.scopes, next.pages) = (2, 0, Vec::new());
    (beginning.scopes, beginning.pages) = (0, Vec::new());
    let mut forged = Forgery {
        root,
        now,
        next,
        beginning,
    };
    forged.prove();
    assert!(!team.falls_for(&forged, remove_bob));
}

/// Neither is a record missing that was there, nor is one there that was not written, nor one that was changed.
#[test]
fn what_was_left_is_gone_on_with_as_it_was_kept_or_not_at_all() {
    let team = Team::new();
    team.cut_rotation(3);
    let (kept, _) = team.beginning();
    let anns = team.of(&team.ann);
    // Interrupted again, so that the store stays as it is.
    let begins_with = |records: Records| {
        team.backend.plant(records);
        let first = Cell::new(0);
        team.cut(1, || {
            rotate(&anns, RotateIdentity::Keep, &mut |progress| {
                if first.get() == 0 {
                    first.set(progress.done);
                }
            })
        });
        first.get()
    };
    assert_eq!(begins_with(kept.clone()), 3 * SECRETS);
    for place in kept.keys() {
        let mut missing = kept.clone();
        missing.remove(place);
        assert_eq!(begins_with(missing), 1, "without {place:?}");
        let mut changed = kept.clone();
        *changed.get_mut(place).unwrap().last_mut().unwrap() ^= 1;
        assert_eq!(begins_with(changed), 1, "with another {place:?}");
    }
    for (table, key) in [
        (Table::Secrets, &b"s1\0K9"[..]),
        (Table::Secrets, b"s9\0K0"),
        (Table::Scopes, b"s9"),
        (Table::Meta, b"header"),
        (Table::Meta, b"secrets/s9\0\0"),
    ] {
        let mut more = kept.clone();
        more.insert((table, key.to_vec()), vec![1]);
        assert_eq!(begins_with(more), 1, "with {key:?}");
    }
    rotate_by_ann(&team);
    assert_whole(&team.of(&team.bob));
}

/// An owner may have left what another state had, under a root key that is good.
#[test]
fn scopes_are_taken_over_only_with_the_versions_that_the_state_has() {
    let team = Team::new();
    team.cut_rotation(3);
    let (records, mut beginning) = team.beginning();
    let anns = team.of(&team.ann);
    put(&anns, 1, 0, "newer");
    // As if it had been begun now.
    let now = unlocked(&anns);
    let mut next = now.header.clone();
    next.generation += 1;
    beginning.of = now.digest();
    let own = beginning
        .heirs
        .iter()
        .find(|it| it.recipient == team.ann.name());
    let root = RootKey::unwrap(&own.unwrap().wrapped, &team.ann);
    let mut left = Forgery {
        root: root.unwrap().unwrap(),
        now,
        next,
        beginning,
    };
    left.sign(&team.ann);
    left.prove();
    team.plant(records, &left.beginning);
    assert_eq!(team.rotate(&team.bob).unwrap().1, 0);
    let value = team.of(&team.ann).peek(|reader| {
        let scope = reader.existing_scope(&id("s1"))?;
        scope.existing_secret(&key(0))
    });
    assert_eq!(value.unwrap().unwrap().expose(), b"newer");
}
