//! Modes and owners of the directory and the files, and what killed commands left.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use super::{Report, Severity};
use crate::adoption::damaged_kept;
use crate::exposed::{Exposed, word};
use crate::home::Home;
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
        report.add_with(Severity::Error, code, message, exposed.fix());
        if let (true, Some(mode)) = (fix, exposed.private_mode())
            && fs::set_permissions(exposed.path(), Permissions::from_mode(mode)).is_ok()
        {
            report.fixed(format!("chmod {mode:o} {}", word(exposed.path())));
        }
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
        report.well("home and key file are private");
    }
    is_safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open::tests::home;

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
        assert_eq!((report.findings.len(), report.well.len()), (2, 1));
    }
}
