//! Files rot. Whatever happens to their bytes, a value is the right one, or there is an error that
//! says what is damaged. Nothing panics, and nothing gets worse.

#![cfg(test)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use mcplexer_secrets::audit::{AuditReport, FileAudit};
use mcplexer_secrets::keys::FileKeys;
use mcplexer_secrets::{Error, ErrorKind, NewScope, PutMode, SecretStore, SecretValue, Store};
use tempfile::TempDir;

const PAGE: usize = 4096;
const SECTOR: usize = 512;
/// Bit flips that turn a letter into another letter, the other case, another character, or a byte
/// that is not text.
const TEXT_MASKS: [u8; 4] = [0x01, 0x10, 0x20, 0x80];

/// A home directory with a secret, whose log ends with the line of a change.
struct Home {
    directory: TempDir,
}

impl Home {
    fn new() -> Self {
        let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let home = Self {
            directory: directory.unwrap(),
        };
        put(&home.store().unwrap(), "L", b"another").unwrap();
        put(&home.store().unwrap(), "K", b"the old value").unwrap();
        put(&home.store().unwrap(), "K", b"the value").unwrap();
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn store(&self) -> Result<Store, Error> {
        let keys = FileKeys::new(self.path("age.key"));
        let store = Store::open(self.path("secrets.redb"), keys)?;
        Ok(store.with_audit_log(FileAudit::new(self.path("audit.log"))))
    }

    fn verify(&self) -> Result<AuditReport, Error> {
        self.store()?.verify_audit(&self.path("audit.log"), None)
    }

    /// Does what a person would: reads, and if that works, changes.
    ///
    /// An old page in the place of a new one can put the whole store back by one change. Its
    /// records are then consistent, and the log's last line looks like that of an interrupted
    /// change. Only the checksums show the damage.
    fn use_it(&self) -> Result<(), Error> {
        let store = self.store()?;
        let found = get(&store, "K")?;
        if found == b"the old value" {
            let mut errors = Vec::new();
            store.check(&mut |error| errors.push(error), &mut |_| ())?;
            return Err(errors.pop().expect("an old state passes for the newest"));
        }
        assert_eq!(found, b"the value");
        store.list(&"s".parse()?)?;
        put(&store, "K", b"the next value")?;
        assert_eq!(get(&store, "K")?, b"the next value");
        Ok(())
    }
}

fn put(store: &Store, name: &str, value: &[u8]) -> Result<(), Error> {
    let value = SecretValue::copy_of(value).unwrap();
    store.put(
        &NewScope::env("s".parse()?),
        &name.parse()?,
        &value,
        PutMode::Overwrite,
    )?;
    Ok(())
}

fn get(store: &Store, name: &str) -> Result<Vec<u8>, Error> {
    Ok(store.get(&"s".parse()?, &name.parse()?)?.expose().to_vec())
}

/// Returns damages to bytes, with these bits flipped: one in `step` of all.
fn damages(
    bytes: &[u8],
    masks: &'static [u8],
    step: usize,
) -> impl Iterator<Item = (String, Vec<u8>)> {
    let len = bytes.len();
    let flips = masks.iter().flat_map(move |&mask| {
        (0..len).map(move |at| (format!("byte {at} ^ {mask:#04x}"), Damage::Flip(at, mask)))
    });
    let zeros = [16, SECTOR, PAGE].map(|run| {
        let places = (0..len).step_by(run.min(SECTOR));
        places.map(move |at| (format!("{run} zeros at {at}"), Damage::Zeros(at, run)))
    });
    let cuts = (0..len).map(|at| (format!("cut to {at} bytes"), Damage::Cut(at)));
    let pages = (0..len.div_ceil(PAGE)).flat_map(move |from| {
        let to = (0..len.div_ceil(PAGE)).filter(move |to| *to != from);
        to.map(move |to| (format!("page {from} over {to}"), Damage::Page(from, to)))
    });
    let twice = [SECTOR, PAGE].map(|run| {
        let places = (0..len).step_by(SECTOR);
        places.map(move |at| (format!("{run} bytes at {at} twice"), Damage::Twice(at, run)))
    });
    let all = flips.chain(cuts).step_by(step);
    let all = all.chain(zeros.into_iter().flatten().step_by(step.div_ceil(8)));
    let all = all.chain(
        pages
            .chain(twice.into_iter().flatten())
            .step_by(step.div_ceil(8)),
    );
    all.map(|(what, damage)| (what, damage.done_to(bytes)))
        .filter(move |(_, damaged)| damaged != bytes)
}

enum Damage {
    Flip(usize, u8),
    Zeros(usize, usize),
    Cut(usize),
    Page(usize, usize),
    Twice(usize, usize),
}

impl Damage {
    fn done_to(&self, bytes: &[u8]) -> Vec<u8> {
        let mut damaged = bytes.to_vec();
        let run = |at: usize, len: usize| at..bytes.len().min(at + len);
        match *self {
            Self::Flip(at, mask) => damaged[at] ^= mask,
            Self::Zeros(at, len) => damaged[run(at, len)].fill(0),
            Self::Cut(at) => damaged.truncate(at),
            Self::Page(from, to) => {
                let (from, to) = (run(from * PAGE, PAGE), run(to * PAGE, PAGE));
                let len = from.len().min(to.len());
                damaged[to.start..to.start + len].copy_from_slice(&bytes[from.start..][..len]);
            }
            Self::Twice(at, len) => {
                let again = &bytes[run(at, len)];
                damaged.splice(at..at, again.iter().copied());
            }
        }
        damaged
    }
}

/// Damages one file of a home in all these ways, and calls `look` after each. An error must name
/// one of `named`.
fn rot(
    name: &str,
    named: &[&str],
    masks: &'static [u8],
    step: usize,
    look: impl Fn(&Home, &str) -> Result<(), Error>,
) -> (u32, u32) {
    let whole = Home::new();
    let bytes = fs::read(whole.path(name)).unwrap();
    let home = Home::new();
    let (mut harmless, mut found) = (0, 0);
    for (what, damaged) in damages(&bytes, masks, step) {
        copy(&whole, &home);
        write(&home.path(name), &damaged);
        match catch_unwind(AssertUnwindSafe(|| look(&home, &what))) {
            Ok(Ok(())) => harmless += 1,
            Ok(Err(error)) => {
                found += 1;
                let said = said(&error);
                assert!(named.iter().any(|it| said.contains(it)), "{what}: {said}");
                assert!(!format!("{error:?}").contains("the value"), "{error:?}");
            }
            Err(panic) => {
                println!("{name}: {what}");
                std::panic::resume_unwind(panic);
            }
        }
    }
    println!("{name}: {harmless} harmless, {found} found");
    (harmless, found)
}

/// Returns the message of the error and its causes.
fn said(error: &Error) -> String {
    let mut said = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        said = format!("{said}: {inner}");
        cause = inner.source();
    }
    said
}

fn copy(from: &Home, to: &Home) {
    for name in ["age.key", "audit.log", "secrets.redb"] {
        write(&to.path(name), &fs::read(from.path(name)).unwrap());
    }
}

fn write(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// The store is damaged or was tampered with, and the message says so. (`backend.rs` flips its
/// single bits.)
fn rot_of_the_store(step: usize) {
    // The file, or the damaged part of it.
    let named = [
        "secrets.redb",
        "the store's header",
        "the list of owners",
        "the list of scopes",
        "scope s ",
        "secret s/",
        "a record of table",
        "the audit log",
        "no key opens this store",
    ];
    let (_, found) = rot("secrets.redb", &named, &[], step, |home, what| {
        let used = home.use_it();
        if let Err(error) = &used {
            let kinds = [ErrorKind::Tampered, ErrorKind::Key, ErrorKind::Other];
            assert!(kinds.contains(&error.kind()), "{what}: {error:?}");
        }
        used
    });
    assert!(found > 0, "nothing counts");
}

#[test]
fn a_rotten_store_gives_the_right_value_or_an_error() {
    rot_of_the_store(61);
}

#[test]
#[ignore = "minutes: every length and every page, of which the test above takes one in 61"]
fn no_rotten_page_of_the_store_does_harm() {
    rot_of_the_store(1);
}

/// If a log ends with a change, the store vouches for every byte, so any damage is found.
#[test]
fn a_rotten_log_is_found_out() {
    let (missed, found) = rot(
        "audit.log",
        &["the audit log"],
        &TEXT_MASKS,
        1,
        |home, what| {
            let verified = home.verify();
            // The secrets open, unless the read cannot be recorded.
            match home.use_it() {
                Err(error) => assert_eq!(error.kind(), ErrorKind::Tampered, "{what}: {error:?}"),
                // A log of which nothing is left is begun again, and says so.
                Ok(()) => {
                    let covered = home.verify().is_ok_and(|report| report.earlier == 0);
                    assert!(!covered, "{what} is covered up");
                }
            }
            let error = verified.err().unwrap_or_else(|| panic!("{what} is missed"));
            assert_eq!(error.kind(), ErrorKind::Tampered, "{what}: {error:?}");
            Err(error)
        },
    );
    assert!(missed == 0 && found > 1000);
}

/// A damaged key file opens the store as before, or the error names it. No other key is created.
#[test]
fn a_rotten_key_file_opens_the_store_or_is_named() {
    let (_, found) = rot("age.key", &["age.key"], &TEXT_MASKS, 1, |home, what| {
        let before = fs::read(home.path("age.key")).unwrap();
        let used = home.use_it();
        if let Err(error) = &used {
            assert_eq!(error.kind(), ErrorKind::Key, "{what}: {error:?}");
        }
        let after = fs::read(home.path("age.key")).unwrap();
        assert!(before == after, "{what}: the key file was changed");
        used
    });
    assert!(found > 0, "nothing counts");
}
