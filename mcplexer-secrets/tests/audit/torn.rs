//! The end of a log after a crash or a power cut is repaired, unless no crash can have left it so.

use std::fs;

use mcplexer_secrets::audit::AuditOperation;
use mcplexer_secrets::{ErrorKind, Finding, RecordName, SecretStore};

use super::{Home, name, put, scope};

#[test]
fn a_torn_line_is_reported_and_healed() {
    let home = Home::new();
    let store = home.store();
    put(&store, "K").unwrap();
    let mut log = fs::read(home.log()).unwrap();
    log.extend(b"{\"line\":3,\"time\":\"2026");
    fs::write(home.log(), log).unwrap();
    let report = store.verify_audit(&home.log(), None).unwrap();
    assert_eq!((report.lines, report.torn, report.healed), (2, 22, 0));
    put(&store, "K").unwrap();
    let operations: Vec<_> = home.lines().iter().map(|line| line.operation).collect();
    use AuditOperation::{Committed, Heal, Put};
    assert_eq!(operations, [Put, Committed, Heal, Put]);
    let report = store.verify_audit(&home.log(), None).unwrap();
    assert_eq!((report.lines, report.torn, report.healed), (4, 0, 1));
}

#[test]
fn the_first_line_may_be_torn() {
    let home = Home::new();
    fs::write(home.log(), "{\"line\":1,").unwrap();
    put(&home.store(), "K").unwrap();
    let report = home.store().verify_audit(&home.log(), None).unwrap();
    assert_eq!((report.lines, report.healed), (3, 1));
}

/// A power cut can leave zeros in the place of a sector of the last lines, and the sectors after it.
#[test]
fn lines_of_which_a_sector_is_missing_are_healed() {
    let home = Home::new();
    put(&home.store(), "K").unwrap();
    let sound = fs::read(home.log()).unwrap();
    for _ in 0..4 {
        home.store().get(&scope("s"), &name("K")).unwrap();
    }
    let mut log = fs::read(home.log()).unwrap();
    let read = log[sound.len()..].to_vec();
    log[sound.len()..1024].fill(0);
    fs::write(home.log(), &log).unwrap();
    let report = home.store().verify_audit(&home.log(), None).unwrap();
    assert_eq!((report.lines, report.torn), (2, read.len() as u64));
    put(&home.store(), "K").unwrap();
    let report = home.store().verify_audit(&home.log(), None).unwrap();
    assert_eq!((report.lines, report.healed, report.torn), (4, 1, 0));
}

/// A power cut does not lose durable lines, so zeros there are damage and stay visible.
#[test]
fn zeros_before_the_line_of_a_change_are_not_healed() {
    let home = Home::new();
    for key in ["K", "L", "M"] {
        put(&home.store(), key).unwrap();
    }
    home.store().get(&scope("s"), &name("K")).unwrap();
    let mut log = fs::read(home.log()).unwrap();
    log[600..700].fill(0);
    fs::write(home.log(), &log).unwrap();
    let line = (RecordName::AuditLine(2), Finding::BrokenChain);
    assert_eq!(home.finding(), line);
    home.store().get(&scope("s"), &name("K")).unwrap_err();
    assert_eq!(fs::read(home.log()).unwrap(), log);
}

#[test]
fn bytes_at_the_end_that_no_crash_leaves_are_found_and_stay() {
    let home = Home::new();
    let store = home.store();
    put(&store, "K").unwrap();
    let mut log = fs::read(home.log()).unwrap();
    log.extend(b"x");
    fs::write(home.log(), &log).unwrap();
    let found = (RecordName::AuditLog(home.log()), Finding::NoEnd);
    assert_eq!(home.finding(), found);
    let refused = put(&home.store(), "K").unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Tampered);
    assert_eq!(fs::read(home.log()).unwrap(), log);
}
