//! Damaged files: a clear message, exit code 6, and no further damage.

use std::fs::{self, OpenOptions};
use std::path::Path;

use redb::{Builder, ConcurrencyMode, ReadableTable, TableDefinition};

use super::home::{BINARY, Home, finish};

const GET: [&str; 4] = ["secret", "get", "github-token", "TOKEN"];
const PUT: [&str; 5] = ["secret", "put", "github-token", "TOKEN", "new"];
const LIST: [&str; 3] = ["secret", "list", "github-token"];

type Table = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// Changes one record through redb. `None` deletes it. Returns the record as it was.
pub(crate) fn edit(
    home: &Home,
    table: &'static str,
    key: &[u8],
    change: impl FnOnce(&[u8]) -> Option<Vec<u8>>,
) -> Vec<u8> {
    let database = Builder::new()
        .set_concurrency_mode(ConcurrencyMode::MultiWriter)
        .open(home.path("secrets.redb"))
        .unwrap();
    let transaction = database.begin_write().unwrap();
    let record = {
        let mut table = transaction.open_table(Table::new(table)).unwrap();
        let record = table.get(key).unwrap().unwrap().value().to_vec();
        match change(&record) {
            Some(record) => drop(table.insert(key, record.as_slice()).unwrap()),
            None => drop(table.remove(key).unwrap()),
        }
        record
    };
    transaction.commit().unwrap();
    record
}

/// Damages a secret's sealed value so that it no longer opens.
pub(crate) fn tamper(home: &Home, key: &[u8]) {
    edit(home, "secrets", key, |record| {
        let mut record = record.to_vec();
        *record.last_mut().unwrap() ^= 1;
        Some(record)
    });
}

/// Checks that every read and write fails, and that the file remains unchanged.
#[track_caller]
fn assert_all_fail(home: &Home, code: i32, said: &[&str]) {
    let before = fs::read(home.path("secrets.redb")).unwrap();
    for arguments in [&GET[..], &PUT, &LIST] {
        let run = home.run(arguments).failed(code, said);
        assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    }
    assert!(
        fs::read(home.path("secrets.redb")).unwrap() == before,
        "the file was changed"
    );
}

#[test]
fn a_file_that_is_not_a_redb_database_is_named() {
    let home = Home::with_secret("v");
    for content in ["not a database\n".repeat(1000), "x".into()] {
        fs::write(home.path("secrets.redb"), content).unwrap();
        assert_all_fail(&home, 6, &["secrets.redb is not a redb database"]);
    }
}

/// In a release build, redb does not check its list of free pages when it opens a file. Damage in it shows
/// when a page of it is used, and once more in a destructor, which ends the process.
#[test]
#[cfg_attr(debug_assertions, ignore = "redb finds it earlier in a debug build")]
fn a_page_that_ends_the_process_is_an_error_too() {
    let home = Home::with_secret("v");
    let mut command = home.command();
    let without_log = command.env("MCPLEXER_AUDIT", "off");
    fs::remove_dir_all(home.path("")).unwrap();
    finish(without_log.args(["-q", "secret", "put", "s", "K", "v"])).succeeded();
    let whole = fs::read(home.path("secrets.redb")).unwrap();
    let mut ended = 0;
    // The number of entries of each page.
    for at in (4096 + 2..whole.len()).step_by(4096) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        fs::write(home.path("secrets.redb"), &bytes).unwrap();
        for arguments in [
            ["secret", "put", "s", "K", "w"].as_slice(),
            &["secret", "get", "s", "K"],
        ] {
            let run = finish(home.command().env("MCPLEXER_AUDIT", "off").args(arguments));
            assert!(
                [0, 6].contains(&run.code),
                "byte {at}: {}: {}",
                run.code,
                run.stderr
            );
            assert!(!run.stderr.contains("panic"), "byte {at}: {}", run.stderr);
            ended += usize::from(run.stderr.contains("error: the store is damaged"));
        }
    }
    assert!(ended > 0, "no page ends the process");
}

#[test]
fn a_truncated_store_is_damaged() {
    let home = Home::with_secret("v");
    let whole = fs::metadata(home.path("secrets.redb")).unwrap().len();
    for len in [whole - 1, whole / 2, 8192, 4096, 1000] {
        let home = Home::with_secret("v");
        let file = OpenOptions::new()
            .write(true)
            .open(home.path("secrets.redb"))
            .unwrap();
        file.set_len(len).unwrap();
        let run = home.run(GET);
        assert_eq!(run.code, 6, "{len} bytes: {}", run.stderr);
        assert!(
            run.stderr.contains("secrets.redb"),
            "{len} bytes: {}",
            run.stderr
        );
        assert!(
            !run.stderr.contains("panicked"),
            "{len} bytes: {}",
            run.stderr
        );
    }
}

#[test]
fn a_store_of_a_future_format_names_both_versions() {
    let home = Home::with_secret("v");
    edit(&home, "meta", b"header", |record| {
        Some([&[9], &record[1..]].concat())
    });
    let said = [
        "in format version 9; this program reads version 1",
        "a newer mcplexer",
    ];
    assert_all_fail(&home, 1, &said);
}

/// T8: the store is moved away, while the key and the log stay.
#[test]
fn a_store_that_is_gone_is_not_an_empty_one() {
    let home = Home::with_secret("v");
    home.run(["secret", "put", "github-token", "OTHER", "w"])
        .succeeded();
    fs::rename(home.path("secrets.redb"), home.path("moved")).unwrap();
    let commands: [&[&str]; 13] = [
        &GET,
        &LIST,
        &["secret", "list"],
        &["secret", "put", "github-token", "NEW", "w"],
        &["secret", "delete", "github-token", "TOKEN"],
        &["scope", "list"],
        &["scope", "show", "github-token"],
        &["run", "--scope", "github-token", "--", "true"],
        &["export", "github-token", "--reveal"],
        &["scan", "."],
        &["key", "list"],
        &["backup", "create", "b.age"],
        &["compact"],
    ];
    for arguments in commands {
        let run = home.run(arguments).failed(
            6,
            &[
                "belongs to a store that is missing",
                "hint: mcplexer backup restore",
            ],
        );
        assert_eq!(run.stdout, b"", "{arguments:?}");
    }
    fs::rename(home.path("moved"), home.path("secrets.redb")).unwrap();
    assert_eq!(home.get("github-token", "TOKEN"), b"v");
}

#[test]
fn a_removed_header_is_not_a_new_store() {
    let home = Home::with_secret("v");
    edit(&home, "meta", b"header", |_| None);
    assert_all_fail(&home, 6, &["the store's header is missing"]);
}

/// F11: the error names a record that cannot be decrypted, and no value is printed. F12: damage is an
/// error, not an empty list.
#[test]
fn tampered_records_are_exit_6_and_say_what_is_damaged() {
    let home = Home::with_secret("v");
    tamper(&home, b"github-token\0TOKEN");
    home.run(GET).failed(
        6,
        &[
            "secret github-token/TOKEN is not what was last written",
            "hint: ",
        ],
    );
    edit(&home, "secrets", b"github-token\0TOKEN", |_| None);
    for arguments in [&GET[..], &LIST] {
        home.run(arguments)
            .failed(6, &["secret github-token/TOKEN is missing"]);
    }
    edit(&home, "scopes", b"github-token", |_| None);
    for arguments in [&GET[..], &LIST, &["secret", "list"], &["scope", "list"]] {
        home.run(arguments)
            .failed(6, &["scope github-token is missing"]);
    }
}

/// F13: an attacker who can write the file swaps two values, of one scope or of two. Neither value opens
/// in the other's place.
#[test]
fn swapped_values_are_exit_6() {
    for other in ["github-token/OTHER", "slack/TOKEN"] {
        let home = Home::with_secret("v");
        let (scope, name) = other.split_once('/').unwrap();
        home.run(["secret", "put", scope, name, "w"]).succeeded();
        let (one, two) = (&b"github-token\0TOKEN"[..], format!("{scope}\0{name}"));
        let first = edit(&home, "secrets", one, |record| Some(record.to_vec()));
        let second = edit(&home, "secrets", two.as_bytes(), |_| Some(first));
        edit(&home, "secrets", one, |_| Some(second));
        home.run(GET).failed(
            6,
            &["secret github-token/TOKEN is not what was last written"],
        );
        home.run(["secret", "get", scope, name]).failed(
            6,
            &[&format!("secret {other} is not what was last written")],
        );
    }
}

#[test]
fn an_audit_log_changed_or_cut_off_is_exit_6() {
    let home = Home::with_secret("v");
    home.run(PUT).succeeded();
    home.run(["audit", "verify"]).succeeded();
    let log = home.path("audit.log");
    let text = fs::read_to_string(&log).unwrap();
    fs::write(&log, text.replacen("TOKEN", "OTHER", 1)).unwrap();
    home.run(["audit", "verify"])
        .failed(6, &["line 1 of the audit log"]);
    let first = text.lines().next().unwrap();
    fs::write(&log, format!("{first}\n")).unwrap();
    home.run(["audit", "verify"])
        .failed(6, &["audit.log is missing entries"]);
    fs::write(&log, &text).unwrap();
    home.run(["audit", "verify"]).succeeded();
    let shown = home
        .run(["audit", "show", "--scope", "github-token"])
        .succeeded();
    assert_eq!(shown.text().lines().count(), 2);
    assert!(
        shown.text().contains("put  github-token/TOKEN  ok"),
        "{}",
        shown.text()
    );
}

/// F07: a store that lost its content is damaged, not new, and no key is created over it.
#[test]
fn an_emptied_store_is_damaged_not_new() {
    let home = Home::with_secret("v");
    fs::write(home.path("secrets.redb"), "").unwrap();
    assert_all_fail(&home, 6, &["secrets.redb is damaged: it ends too early"]);
    fs::remove_file(home.path("age.key")).unwrap();
    home.run(PUT).failed(6, &["secrets.redb is damaged"]);
    assert!(!home.path("age.key").exists());
}

/// F31: a write that fails leaves every file unchanged. A limit on the size of files stands in for
/// a full disk; the shell ignores the signal that the limit sends.
#[test]
fn a_full_disk_is_an_error_and_changes_nothing() {
    let home = Home::with_secret("v");
    fs::write(home.root().join("large"), vec![b'x'; 1 << 20]).unwrap();
    let key = fs::read(home.path("age.key")).unwrap();
    let mut shell = home.command_of(Path::new("/bin/sh"));
    let limited =
        "trap '' XFSZ; ulimit -f 512; exec \"$0\" secret put github-token TOKEN --file large";
    finish(shell.args(["-c", limited, BINARY])).failed(1, &["cannot write", "secrets.redb"]);
    assert_eq!(home.run(GET).succeeded().stdout, b"v");
    assert!(fs::read(home.path("age.key")).unwrap() == key);
    home.run(["audit", "verify"]).succeeded();
    home.run(PUT).succeeded();
    assert_eq!(home.run(GET).succeeded().stdout, b"new");
}
