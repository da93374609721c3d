//! A log or its store was edited, replaced, moved or removed.

use std::fs;

use mcplexer_secrets::{
    Error, ErrorKind, Finding, Purpose, RecordName, RotateIdentity, SecretStore, Select,
};
use sha2::{Digest, Sha256};

use super::{Home, name, put, scope};

#[test]
fn a_changed_line_is_found() {
    let home = Home::new();
    for key in ["K", "L", "M"] {
        put(&home.store(), key).unwrap();
    }
    home.edit_log(|lines| lines[2] = lines[2].replace("\"L\"", "\"X\""));
    assert_eq!(
        home.finding(),
        (RecordName::AuditLine(3), Finding::BrokenChain)
    );
}

#[test]
fn a_removed_line_is_found() {
    for removed in 0..2 {
        let home = Home::new();
        for key in ["K", "L", "M"] {
            put(&home.store(), key).unwrap();
        }
        home.edit_log(|lines| drop(lines.remove(removed)));
        let (record, _) = home.finding();
        // Without its first line, it is another log, which the store never sealed.
        let expected = match removed {
            0 => RecordName::AuditLine(1),
            at => RecordName::AuditLine(at as u64 + 1),
        };
        assert_eq!(record, expected);
    }
}

#[test]
fn a_log_cut_off_is_found() {
    let home = Home::new();
    for key in ["K", "L", "M"] {
        put(&home.store(), key).unwrap();
    }
    home.edit_log(|lines| lines.truncate(2));
    assert_eq!(
        home.finding(),
        (RecordName::AuditLog(home.log()), Finding::CutOff)
    );
}

#[test]
fn a_log_removed_or_replaced_is_found() {
    let home = Home::new();
    put(&home.store(), "K").unwrap();
    fs::remove_file(home.log()).unwrap();
    assert_eq!(
        home.finding(),
        (RecordName::AuditLog(home.log()), Finding::NoLog)
    );
    // Nothing succeeds, and nothing begins another log.
    home.store().list(&scope("s")).unwrap_err();
    home.store().get(&scope("s"), &name("K")).unwrap_err();
    put(&home.store(), "K").unwrap_err();
    assert!(!home.log().exists());
    let other = Home::new();
    put(&other.store(), "K").unwrap();
    fs::copy(other.log(), home.log()).unwrap();
    assert_eq!(
        home.finding(),
        (RecordName::AuditLog(home.log()), Finding::OtherStore)
    );
    home.store().list(&scope("s")).unwrap_err();
}

#[test]
fn a_store_put_back_in_time_is_found() {
    let home = Home::new();
    put(&home.store(), "K").unwrap();
    let old = fs::read(home.file()).unwrap();
    put(&home.store(), "K").unwrap();
    put(&home.store(), "K").unwrap();
    fs::write(home.file(), &old).unwrap();
    let older = Finding::StoreIsOlder { store: 1, log: 3 };
    let expected = (RecordName::AuditLog(home.log()), older);
    assert_eq!(home.finding(), expected);
    // No operation hides it, and none succeeds.
    for _ in 0..3 {
        let refused = [
            home.store().list(&scope("s")).map(drop).unwrap_err(),
            home.store()
                .get(&scope("s"), &name("K"))
                .map(drop)
                .unwrap_err(),
            put(&home.store(), "L").unwrap_err(),
            home.store().accept(false).map(drop).unwrap_err(),
            home.store().compact().unwrap_err(),
        ];
        for error in refused {
            assert!(error.to_string().contains("an older copy"), "{error}");
            assert_eq!(error.kind(), ErrorKind::Tampered, "{error}");
        }
    }
    assert_eq!(home.finding(), expected);
    // The owner may accept the older copy.
    let accepted = home.store().accept(true).unwrap();
    assert!(accepted.refused.unwrap().contains("an older copy"));
    put(&home.store(), "L").unwrap();
    assert_eq!(home.store().list(&scope("s")).unwrap().len(), 2);
    home.store().verify_audit(&home.log(), None).unwrap();
}

/// A change does not vouch for a log that was cut off or rewritten: it fails, and the damage can still
/// be found.
#[test]
fn a_change_does_not_cover_up_what_was_done_to_the_log() {
    let cut = |lines: &mut Vec<String>| lines.truncate(2);
    // The last line is changed, and its hash is corrected.
    let rewritten = |lines: &mut Vec<String>| {
        let last = lines.pop().unwrap().replace("\"M\"", "\"X\"");
        let (content, _) = last.split_once(",\"hash\"").unwrap();
        let hash: String = Sha256::digest(content)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        lines.push(format!("{content},\"hash\":\"{hash}\"}}"));
    };
    type Edit = fn(&mut Vec<String>);
    for edit in [cut as Edit, rewritten] {
        let home = Home::new();
        for key in ["K", "L", "M"] {
            put(&home.store(), key).unwrap();
        }
        home.edit_log(edit);
        let error = put(&home.store(), "N").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Tampered, "{error}");
        home.store().list(&scope("s")).unwrap_err();
        home.finding();
    }
}

/// The owner can accept that a log was removed, but that leaves a trace.
#[test]
fn a_log_that_follows_another_says_so() {
    let home = Home::new();
    put(&home.store(), "K").unwrap();
    fs::remove_file(home.log()).unwrap();
    put(&home.store(), "L").unwrap_err();
    let accepted = home.store().accept(false).unwrap();
    assert!(accepted.refused.unwrap().contains("is missing"));
    put(&home.store(), "L").unwrap();
    let report = home.store().verify_audit(&home.log(), None).unwrap();
    assert_eq!((report.lines, report.sealed, report.earlier), (3, 3, 1));
}

#[test]
fn a_log_whose_store_is_gone_is_found() {
    let home = Home::new();
    put(&home.store(), "K").unwrap();
    let backup = fs::read(home.file()).unwrap();
    fs::remove_file(home.file()).unwrap();
    let expected = (RecordName::AuditLog(home.log()), Finding::StoreIsGone);
    assert_eq!(home.finding(), expected);
    // F07: a new store does not hide that.
    let error = put(&home.store(), "L").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tampered, "{error}");
    // Nothing says that there are no secrets, or that there is no store.
    let (store, s, k) = (home.store(), scope("s"), "K".parse().unwrap());
    let inject = Purpose::Inject { program: None };
    for error in [
        store.get(&s, &k).unwrap_err(),
        store.list(&s).unwrap_err(),
        store.scope(&s).unwrap_err(),
        store.scopes().unwrap_err(),
        store.credentials(&s, Select::All, inject).unwrap_err(),
        store.delete(&s, &k).unwrap_err(),
        store.delete_scope(&s).unwrap_err(),
        store.slots().unwrap_err(),
        store.exists().unwrap_err(),
        store.compact().unwrap_err(),
        store
            .rotate(RotateIdentity::Replace, &mut |_| ())
            .unwrap_err(),
    ] {
        assert!(
            matches!(
                error,
                Error::Tampered {
                    finding: Finding::StoreIsGone,
                    ..
                }
            ),
            "{error}"
        );
    }
    assert!(!home.file().exists());
    assert_eq!(home.finding(), expected);
    fs::write(home.file(), backup).unwrap();
    put(&home.store(), "M").unwrap();
    home.store().verify_audit(&home.log(), None).unwrap();
}

/// A file that is not an audit log remains unchanged.
#[test]
fn another_file_is_not_taken_for_a_log() {
    for content in ["a token", "two\nlines", "{\"other\":1}"] {
        let home = Home::new();
        fs::write(home.log(), content).unwrap();
        assert_eq!(
            put(&home.store(), "K").unwrap_err().kind(),
            ErrorKind::Tampered
        );
        assert_eq!(fs::read_to_string(home.log()).unwrap(), content);
    }
}

/// Nothing is appended to a damaged end: the operation fails instead.
#[test]
fn nothing_is_appended_to_a_log_that_cannot_be_read() {
    let home = Home::new();
    put(&home.store(), "K").unwrap();
    home.edit_log(|lines| lines.push("nonsense".into()));
    let error = put(&home.store(), "L").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tampered);
    assert!(error.to_string().contains("audit.log"), "{error}");
}

#[test]
fn a_log_moved_away_is_begun_anew() {
    let home = Home::new();
    let store = home.store();
    put(&store, "K").unwrap();
    let archived = home.directory.path().join("2026.log");
    fs::rename(home.log(), &archived).unwrap();
    store.accept(false).unwrap();
    put(&store, "L").unwrap();
    assert_eq!(home.lines().len(), 3);
    assert!(store.verify_audit(&home.log(), None).is_ok());
    assert!(store.verify_audit(&archived, None).is_ok());
}

#[test]
fn a_log_that_is_not_a_file_or_has_no_line_is_an_error() {
    let home = Home::new();
    put(&home.store(), "K").unwrap();
    let log = home.log();
    // A log of one line that does not end, larger than any line or torn end.
    fs::write(&log, vec![b'x'; 100_000]).unwrap();
    assert_eq!(
        home.finding(),
        (RecordName::AuditLog(log.clone()), Finding::NoEnd)
    );
    fs::remove_file(&log).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &log).unwrap();
    let error = home.store().verify_audit(&log, None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Other, "{error}");
}
