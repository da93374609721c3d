//! Audit logs.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;

use mcplexer_secrets::audit::{FileAudit, read_audit_log};
use mcplexer_secrets::keys::FixedKeys;
use mcplexer_secrets::{Error, NewScope, PutMode, ScopeId, SecretStore, SecretValue, Store};
use sha2::{Digest, Sha256};

const PREV: &[u8] = b"\"prev\":\"";
const HASH: &[u8] = b",\"hash\":\"";

/// Reads a log, verifies it and appends to it. If the first byte is odd, each line first gets valid
/// hashes, so that more than the hashes is tested.
///
/// A log that is valid remains valid after an append. In any log, complete lines are never removed.
pub fn append_audit_log(bytes: &[u8]) {
    let Some((&first, log)) = bytes.split_first() else {
        return;
    };
    let log = match first & 1 {
        0 => log.to_vec(),
        _ => chained(log),
    };
    let mut file = tempfile::NamedTempFile::new().expect("there is room");
    file.write_all(&log).expect("there is room");
    let path = file.path();

    let lines = read_audit_log(path);
    let store = Store::in_memory(FixedKeys::generate()).expect("there is memory");
    let verified = store.verify_audit(path, None);
    if let Ok(report) = &verified {
        let lines = lines.expect("a log that can be verified can be read");
        assert_eq!(lines.len() as u64, report.lines);
        assert!(lines.iter().map(|it| it.line).eq(1..=report.lines));
    }

    let store = store.with_audit_log(FileAudit::new(path));
    let (scope, name): (ScopeId, _) = ("s".parse().expect("id"), "K".parse().expect("name"));
    let value = SecretValue::copy_of(b"value").expect("is a value");
    let put = store.put(
        &NewScope::env(scope.clone()),
        &name,
        &value,
        PutMode::Overwrite,
    );
    let now = fs::read(path).expect("is there");
    // A power cut leaves zeros where nothing was written, so no line with a zero is complete.
    let intact = log.split(|&byte| byte == 0).next().unwrap_or_default();
    let begun = intact.rsplit(|&byte| byte == b'\n').next();
    let whole = intact.len() - begun.map_or(0, <[u8]>::len);
    match put {
        Ok(_) => {
            assert!(now.starts_with(&log[..whole]) && now.ends_with(b"\n"));
            store.get(&scope, &name).expect("was put");
            if let Ok(before) = verified {
                let after = store.verify_audit(path, None).expect("was sound");
                assert_eq!(after.healed - before.healed, u64::from(before.torn > 0));
                assert_eq!(
                    after.lines,
                    before.lines + 3 + (after.healed - before.healed)
                );
            }
        }
        Err(Error::Tampered { .. } | Error::Audit { .. }) => {
            assert!(verified.is_err(), "sound, and yet refused");
            assert_eq!(now, log, "refused, and yet changed");
        }
        Err(error) => panic!("{error}"),
    }
}

/// Returns the lines with valid hashes, each bound to the line before.
fn chained(log: &[u8]) -> Vec<u8> {
    let mut chained = Vec::new();
    let mut previous: Option<Vec<u8>> = None;
    for line in log.split_inclusive(|&byte| byte == b'\n') {
        let Some(end) = find(line, HASH).filter(|_| line.ends_with(b"\"}\n")) else {
            chained.extend_from_slice(line);
            continue;
        };
        let mut content = line[..end].to_vec();
        if let (Some(previous), Some(at)) = (&previous, find(&content, PREV)) {
            let at = at + PREV.len();
            content.truncate(at);
            content.extend_from_slice(previous);
            content.push(b'"');
        }
        let mut hash = String::new();
        for byte in Sha256::digest(&content) {
            write!(hash, "{byte:02x}").expect("there is memory");
        }
        chained.extend_from_slice(&content);
        chained.extend_from_slice(HASH);
        chained.extend_from_slice(hash.as_bytes());
        chained.extend_from_slice(b"\"}\n");
        previous = Some(hash.into_bytes());
    }
    chained
}

/// Returns the last position of `what` in `text`.
fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).rposition(|it| it == what)
}
