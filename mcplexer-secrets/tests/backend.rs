//! What redb leaves to its user: damage, locks that are not released, and handles that become
//! unusable.

#![cfg(test)]

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use mcplexer_secrets::audit::FileAudit;
use mcplexer_secrets::backend::{Backend, BackendErrorKind, RedbBackend, Table, Transaction};
use mcplexer_secrets::keys::{FileKeys, FixedKeys, Identity};
use mcplexer_secrets::{
    Error, ErrorKind, MAX_VALUE_LEN, NewScope, PutMode, SecretStore, SecretValue, Store,
    StoreOptions,
};

fn put(store: &Store, value: &[u8]) -> Result<(), Error> {
    let value = SecretValue::copy_of(value).unwrap();
    store.put(
        &NewScope::env("s".parse()?),
        &"K".parse()?,
        &value,
        PutMode::Overwrite,
    )?;
    Ok(())
}

fn get(store: &Store) -> Result<Vec<u8>, Error> {
    let value = store.get(&"s".parse()?, &"K".parse()?)?;
    Ok(value.expose().to_vec())
}

/// A writer that never finishes is not waited for indefinitely, whether in this process or another.
#[test]
fn a_writer_that_does_not_make_way_is_busy() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secrets.redb");
    let stuck = RedbBackend::file(&path);
    for existing in [false, true] {
        if existing {
            put(&Store::open(&path, FixedKeys::generate()).unwrap(), b"v").unwrap();
        }
        is_busy_while(&path, &*stuck.write().unwrap());
    }
}

fn is_busy_while(path: &Path, _transaction: &dyn Transaction) {
    let options = StoreOptions::default().with_patience(Duration::ZERO);
    let impatient = || RedbBackend::file(path).with_options(&options);
    let error = impatient().write().err().unwrap();
    assert_eq!(error.kind(), BackendErrorKind::Busy);
    assert!(
        error.to_string().contains("secrets.redb is in use"),
        "{error}"
    );
}

/// A writer that is open in another program but in no transaction does not block.
#[test]
fn an_idle_writer_is_no_obstacle() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secrets.redb");
    let identity = Identity::generate();
    let open = || Store::open(&path, FixedKeys::new(vec![identity.clone()])).unwrap();
    let idle = open();
    put(&idle, b"v").unwrap();
    put(&idle, b"w").unwrap();
    put(&open(), b"x").unwrap();
    assert_eq!(get(&idle).unwrap(), b"x");
}

/// A file that was removed or replaced under an open store is no longer written.
#[test]
fn an_open_store_notices_that_its_file_was_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secrets.redb");
    let identity = Identity::generate();
    let store = Store::open(&path, FixedKeys::new(vec![identity])).unwrap();
    put(&store, b"old").unwrap();
    let backup = directory.path().join("backup.redb");
    fs::copy(&path, &backup).unwrap();
    put(&store, b"new").unwrap();
    fs::rename(&backup, &path).unwrap();
    assert_eq!(get(&store).unwrap(), b"old");
    put(&store, b"newer").unwrap();
    fs::remove_file(&path).unwrap();
    assert_eq!(get(&store).unwrap_err().kind(), ErrorKind::NotFound);
    put(&store, b"newest").unwrap();
    assert!(path.exists());
    assert_eq!(get(&store).unwrap(), b"newest");
}

/// F07: a crash during the very first write leaves no file under the store's name.
#[test]
fn a_first_write_that_is_not_committed_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secrets.redb");
    let backend = RedbBackend::file(&path);
    let mut transaction = backend.write().unwrap();
    transaction.put(Table::Meta, b"k", b"record").unwrap();
    assert!(!path.exists());
    drop(transaction);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn a_log_whose_lock_is_not_given_up_is_busy() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("audit.log");
    let store = Store::open(directory.path().join("secrets.redb"), FixedKeys::generate()).unwrap();
    let store = store.with_audit_log(FileAudit::new(&log).with_patience(Duration::ZERO));
    put(&store, b"v").unwrap();
    let holder = File::open(&log).unwrap();
    holder.lock().unwrap();
    assert_eq!(get(&store).unwrap_err().kind(), ErrorKind::Busy);
    assert_eq!(put(&store, b"w").unwrap_err().kind(), ErrorKind::Busy);
    holder.unlock().unwrap();
    assert_eq!(get(&store).unwrap(), b"v");
}

/// What a flipped byte leads to.
#[derive(Debug, PartialEq)]
enum Outcome {
    Harmless,
    Error,
}

/// A directory with a key and a store in it, of which `damaged.redb` is a copy with a flipped byte.
struct Flips<'a>(&'a Path);

impl Flips<'_> {
    fn open(&self, name: &str) -> Result<Store, Error> {
        Store::open(self.0.join(name), FileKeys::new(self.0.join("age.key")))
    }

    /// The number of the byte that is flipped now.
    fn at(&self) -> PathBuf {
        self.0.join("at")
    }

    /// Damage anywhere gives the right value or an error, never another value or a panic.
    fn flip(&self, whole: &[u8], at: usize) -> Outcome {
        let mut bytes = whole.to_vec();
        bytes[at] ^= 0x10;
        fs::write(self.0.join("damaged.redb"), &bytes).unwrap();
        let attempt = || {
            let store = self.open("damaged.redb")?;
            let value = get(&store)?;
            store.list(&"s".parse()?)?;
            put(&store, b"the next value")?;
            Ok::<_, Error>((value, get(&store)?))
        };
        match catch_unwind(AssertUnwindSafe(attempt)) {
            Ok(Ok((first, second))) => {
                assert_eq!(first, b"the value", "byte {at}");
                assert_eq!(second, b"the next value", "byte {at}");
                Outcome::Harmless
            }
            Ok(Err(error)) => {
                assert!(
                    matches!(
                        error.kind(),
                        ErrorKind::Tampered | ErrorKind::Key | ErrorKind::Other
                    ),
                    "byte {at}: {error:?}"
                );
                // The file, or the damaged part of it.
                let named = [
                    "damaged.redb",
                    "the store's header",
                    "the list of owners",
                    "the list of scopes",
                    "scope s ",
                    "secret s/K ",
                    "a record of table",
                    "no key opens this store",
                ];
                let said = error.to_string();
                assert!(
                    named.iter().any(|it| said.contains(it)),
                    "byte {at}: {said}"
                );
                Outcome::Error
            }
            Err(_) => panic!("byte {at} makes it panic"),
        }
    }
}

/// The directory, the first byte and the step of [`in_a_process_that_may_die`], one a line.
const FLIPS: &str = "MCPLEXER_TEST_FLIPS";

#[test]
#[ignore = "is run by the tests below, in a process of its own"]
fn in_a_process_that_may_die() {
    let Ok(flips) = std::env::var(FLIPS) else {
        return;
    };
    let [directory, first, step] = flips.lines().collect::<Vec<_>>()[..] else {
        panic!("{flips}");
    };
    let flips = Flips(Path::new(directory));
    let whole = fs::read(flips.0.join("whole.redb")).unwrap();
    if step == "0" {
        let value = get(&flips.open("damaged.redb").unwrap()).unwrap();
        return fs::write(flips.0.join("read"), value).unwrap();
    }
    let bytes = first.parse().unwrap()..whole.len();
    for at in bytes.step_by(step.parse().unwrap()) {
        fs::write(flips.at(), at.to_string()).unwrap();
        if flips.flip(&whole, at) == Outcome::Error {
            fs::write(flips.0.join("found"), "").unwrap();
        }
    }
}

/// Flips every `step`th byte in turn.
///
/// redb removes pages that an earlier commit has freed from a list. If it panics over a damaged
/// page of that list, the destructor of its iterator panics over it again, and Rust aborts the
/// process. What is read afterwards is the old value or the new one. In a debug build, redb checks
/// the list when it opens a file, and nothing aborts.
fn flip_bytes(step: usize) {
    let directory = tempfile::tempdir().unwrap();
    let flips = Flips(directory.path());
    put(&flips.open("whole.redb").unwrap(), b"the value").unwrap();
    let (mut first, mut aborted) = (0, Vec::new());
    let run = |first: usize, step: usize| {
        let directory = directory.path().to_str().unwrap();
        let mut test = Command::new(std::env::current_exe().unwrap());
        test.args(["--ignored", "--exact", "in_a_process_that_may_die"]);
        test.env(FLIPS, format!("{directory}\n{first}\n{step}"));
        test.output().unwrap()
    };
    loop {
        let output = run(first, step);
        if output.status.success() {
            break;
        }
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.signal(), Some(ABORT), "{said}");
        let at: usize = fs::read_to_string(flips.at()).unwrap().parse().unwrap();
        run(0, 0);
        let read = fs::read(flips.0.join("read")).unwrap();
        assert!(
            [&b"the value"[..], b"the next value"].contains(&&*read),
            "byte {at}"
        );
        aborted.push(at);
        first = at + step;
    }
    println!(
        "{} bytes, {aborted:?} abort",
        fs::metadata(flips.0.join("whole.redb")).unwrap().len()
    );
    assert!(flips.0.join("found").exists(), "no byte counts");
}

#[test]
fn a_flipped_byte_is_an_error_or_harmless() {
    flip_bytes(97);
}

#[test]
#[ignore = "minutes: every byte of the file, one in 97 of which the test above takes"]
fn no_flipped_byte_does_harm() {
    flip_bytes(1);
}

/// SIGABRT.
const ABORT: i32 = 6;

/// A long-lived store continues after the disk was full, with its earlier content.
#[test]
fn a_store_reopens_by_itself_after_the_disk_was_full() {
    // A limit on the size of files stands in for a full disk. It applies to the whole process, so
    // the test runs in another one, whose shell ignores the signal that the limit sends.
    let limited = "trap '' XFSZ; ulimit -f 512; exec \"$0\" \"$@\"";
    let status = Command::new("/bin/sh")
        .args(["-c", limited])
        .arg(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "in_files_of_limited_size"])
        .env(LIMITED, "yes")
        .status();
    assert!(status.unwrap().success());
}

const LIMITED: &str = "MCPLEXER_TEST_LIMITED";

#[test]
#[ignore = "is run by the test above, in a process of its own"]
fn in_files_of_limited_size() {
    if std::env::var_os(LIMITED).is_none() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secrets.redb");
    let store = Store::open(&path, FixedKeys::generate()).unwrap();
    put(&store, b"v").unwrap();
    for _ in 0..3 {
        let error = put(&store, &vec![b'x'; MAX_VALUE_LEN]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Other, "{error}");
        assert!(error.to_string().contains("secrets.redb"), "{error}");
        assert_eq!(get(&store).unwrap(), b"v");
    }
    put(&store, b"w").unwrap();
    assert_eq!(get(&store).unwrap(), b"w");
}
