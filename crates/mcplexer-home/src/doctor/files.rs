//! Modes and owners of the directory and the files, and what killed commands left.

use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use super::{Report, Severity};
use crate::home::{Home, KeySource};

pub(super) fn examine(home: &Home, fix: bool, report: &mut Report) {
    let before = report.findings.len();
    examine_mode(home.directory(), 0o700, "home-open", fix, report);
    examine_mode(&home.store(), 0o600, "store-open", fix, report);
    examine_mode(&home.audit_log(), 0o600, "audit-open", fix, report);
    if let KeySource::File(key) = home.key() {
        examine_mode(key, 0o600, "key-open", fix, report);
    }
    for left in home.leftovers() {
        let path = left.display();
        report.add(
            Severity::Note,
            "leftover",
            format!("{path} was left by a command that was killed"),
            format!("rm {path}"),
        );
        if fix && fs::remove_file(&left).is_ok() {
            report.fixed();
        }
    }
    if report.findings.len() == before && home.directory().exists() {
        report.well("home and key file are private");
    }
}

fn examine_mode(path: &Path, mode: u32, code: &'static str, fix: bool, report: &mut Report) {
    let shown = path.display();
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return,
        Err(error) => {
            let what = format!("cannot look at {shown}: {error}");
            report.add(
                Severity::Error,
                code,
                what,
                format!("make {shown} readable for you"),
            );
            return;
        }
    };
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        let what = format!("{shown} belongs to another user (uid {})", metadata.uid());
        report.add(
            Severity::Error,
            code,
            what,
            format!("make a copy of {shown} that you own"),
        );
        return;
    }
    let found = metadata.permissions().mode() & 0o7777;
    if found & 0o077 != 0 {
        let what = format!("{shown} is open to others (mode {found:04o})");
        report.add(
            Severity::Error,
            code,
            what,
            format!("chmod {mode:o} {shown}"),
        );
        if fix && fs::set_permissions(path, Permissions::from_mode(mode)).is_ok() {
            report.fixed();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_file_is_found_and_closed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store");
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let mut report = Report::default();
        examine_mode(&path, 0o600, "store-open", false, &mut report);
        assert_eq!((report.open(), report.findings.len()), (1, 1));
        examine_mode(&path, 0o600, "store-open", true, &mut report);
        assert_eq!((report.open(), report.findings.len()), (1, 2));
        examine_mode(&path, 0o600, "store-open", true, &mut report);
        assert_eq!(report.findings.len(), 2);
        examine_mode(
            &directory.path().join("none"),
            0o600,
            "x",
            true,
            &mut report,
        );
        assert_eq!(report.findings.len(), 2);
    }
}
