//! Modes and owners of the directory and the files, and what killed commands left.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::{Report, Severity};
use crate::adoption::damaged_kept;
use crate::exposed::{Exposed, word};
use crate::home::{Home, KeySource};
use crate::project::{Error as ProjectError, TrustList};

/// Returns whether nobody else could change the files.
pub(super) fn examine(home: &Home, fix: bool, report: &mut Report) -> bool {
    let before = report.findings.len();
    let found = Exposed::in_home(home);
    // A change might follow a link that the other user has put there.
    let fix = fix && !found.iter().any(Exposed::is_foreign);
    let mut is_safe = true;
    let is_list_open = found.iter().any(Exposed::is_of_trust);
    for exposed in found {
        is_safe &= !exposed.is_refused();
        let (code, message) = (exposed.code(), exposed.to_string());
        let outside = outside(exposed.path(), home);
        let advice = match &outside {
            Some(target) => vec![format!(
                "{} is a link: make {} private, or put a file in the place of the link",
                exposed.path().display(),
                target.display()
            )],
            None => exposed.fix(),
        };
        report.add_with(Severity::Error, code, message, advice);
        if let (true, None, Some(mode)) = (fix, outside, exposed.private_mode())
            && fs::set_permissions(exposed.path(), Permissions::from_mode(mode)).is_ok()
        {
            report.fixed(format!("chmod {mode:o} {}", word(exposed.path())));
        }
    }
    let store = home.store().file().map(Path::to_owned);
    for path in store.into_iter().chain([home.audit_log()]) {
        examine_read_only(&path, fix, report);
    }
    for left in home.leftovers() {
        let path = left.display();
        report.add(
            Severity::Note,
            "leftover",
            format!("{path} was left by a command that was killed"),
            format!("rm {}", word(&left)),
        );
        if fix && fs::remove_file(&left).is_ok() {
            report.fixed(format!("removed {path}"));
        }
    }
    if let (false, Err(ProjectError::List { path, source })) = (is_list_open, TrustList::read(home))
        && is_safe
    {
        let (from, to) = (word(&path), word(&path.with_extension("damaged")));
        let message = format!(
            "cannot use {}: {source}; no project is trusted",
            path.display()
        );
        let fix = format!("mv {from} {to}; then mcplexer trust DIR trusts each project again");
        report.add(Severity::Warning, "trusted", message, fix);
    }
    for error in damaged_kept(home) {
        let fix = "without it, adopt --undo cannot put the servers of that client's file back: restore it from a copy of the home";
        report.add(Severity::Warning, "handed-over", error.to_string(), fix);
    }
    if report.findings.len() == before && home.directory().exists() {
        let has_key_file = matches!(home.key(), KeySource::File(path) if path.exists());
        report.well(match has_key_file {
            true => "home and key file are private",
            false => "home is private",
        });
    }
    is_safe
}

/// Returns where a symbolic link leads, if that is outside the home: the file may be shared on purpose, and others may use
/// it.
fn outside(path: &Path, home: &Home) -> Option<PathBuf> {
    if !path.is_symlink() {
        return None;
    }
    let target = path.canonicalize().ok()?;
    let inside = home.directory().canonicalize();
    let is_inside = inside.is_ok_and(|it| target.starts_with(it));
    (!is_inside).then_some(target)
}

/// Finds a file that its owner cannot write, as a copy from a read-only disk is.
fn examine_read_only(path: &Path, fix: bool, report: &mut Report) {
    let Ok(metadata) = path.symlink_metadata() else {
        return;
    };
    let mode = metadata.permissions().mode() & 0o777;
    if !metadata.is_file() || mode & 0o200 != 0 {
        return;
    }
    let message = format!("{} is read-only (mode {mode:04o})", path.display());
    let command = format!("chmod 600 {}", word(path));
    report.add(Severity::Warning, "read-only", message, command.clone());
    if fix && fs::set_permissions(path, Permissions::from_mode(0o600)).is_ok() {
        report.fixed(command);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::open::tests::home;

    #[test]
    fn what_a_link_leads_to_outside_the_home_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let home = home(&directory, "");
        fs::create_dir(home.directory()).unwrap();
        fs::set_permissions(home.directory(), Permissions::from_mode(0o700)).unwrap();
        let shared = directory.path().join("shared.yaml");
        fs::write(&shared, "").unwrap();
        fs::set_permissions(&shared, Permissions::from_mode(0o666)).unwrap();
        symlink(&shared, home.config()).unwrap();
        let mut report = Report::default();
        examine(&home, true, &mut report);
        let [finding] = &report.findings[..] else {
            panic!("{:?}", report.findings);
        };
        assert!(!finding.fixed && finding.fix[0].contains("is a link: make"));
        let mode = fs::metadata(&shared).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o666);
    }

    #[test]
    fn an_open_file_is_found_and_closed() {
        let directory = tempfile::tempdir().unwrap();
        let home = home(&directory, "");
        fs::create_dir(home.directory()).unwrap();
        fs::set_permissions(home.directory(), Permissions::from_mode(0o750)).unwrap();
        let mut report = Report::default();
        examine(&home, false, &mut report);
        assert_eq!(
            (report.open(Severity::Error), report.findings.len()),
            (1, 1)
        );
        examine(&home, true, &mut report);
        assert_eq!(
            (report.open(Severity::Error), report.findings.len()),
            (1, 2)
        );
        examine(&home, true, &mut report);
        assert_eq!(report.findings.len(), 2);
        assert_eq!(report.well, ["home is private"]);
        fs::write(home.directory().join("age.key"), "").unwrap();
        let key = Permissions::from_mode(0o600);
        fs::set_permissions(home.directory().join("age.key"), key).unwrap();
        let mut report = Report::default();
        examine(&home, false, &mut report);
        assert_eq!(report.well, ["home and key file are private"]);
    }
}
