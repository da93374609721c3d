//! `mcplexer doctor`

use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Stdio};

use mcplexer_home::{Home, KeySource, OpenHome, harden};
use mcplexer_secrets::audit::AuditReport;
use mcplexer_secrets::keys::Ask;
use mcplexer_secrets::{Error, SlotKind, Timestamp};
use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};
use serde::Serialize;

use crate::cli::Global;
use crate::exit_code;
use crate::failure::{Context, Failure};
use crate::output::{Ago, count, print, print_json, sanitized, shown};
use crate::progress::Bar;
use crate::session::{Session, Terminal};

/// A key in use for longer is worth a remark.
const OLD_KEY_MICROS: u64 = 365 * 86_400 * 1_000_000;

pub(super) fn run(fix: bool, json: bool, global: Global) -> Result<(), Failure> {
    harden();
    let mut report = Report::default();
    let home = Home::from_env()?;
    examine_files(&home, fix, &mut report);
    examine_git(&home, &mut report);
    match OpenHome::open(home, Terminal(global)) {
        Ok(_) => examine_store(&Session::open(global)?, fix, &mut report),
        Err(mcplexer_home::Error::Store(error)) => report.fail(code_of(&error), error.into()),
        Err(error) => return Err(error.into()),
    }
    examine_process(&mut report);
    if json {
        print_json(&report)?;
    } else {
        print(&report.text())?;
    }
    match report.findings.iter().filter(|it| !it.fixed).count() {
        0 => Ok(()),
        _ => Err(Failure::silent(exit_code::FAILURE)),
    }
}

/// What was found, good and bad.
#[derive(Default, Serialize)]
struct Report {
    well: Vec<String>,
    findings: Vec<Finding>,
}

#[derive(Serialize)]
struct Finding {
    severity: Severity,
    code: &'static str,
    message: String,
    mend: Vec<String>,
    fixed: bool,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
enum Severity {
    /// Secrets are exposed, or cannot be had.
    Error,
    /// They may be, one day.
    Warning,
    /// Worth knowing.
    Note,
}

impl Report {
    fn well(&mut self, message: impl Into<String>) {
        self.well.push(message.into());
    }

    fn add(
        &mut self,
        severity: Severity,
        code: &'static str,
        message: impl Into<String>,
        mend: impl Into<String>,
    ) {
        self.findings.push(Finding {
            severity,
            code,
            message: message.into(),
            mend: vec![mend.into()],
            fixed: false,
        });
    }

    /// The last finding was mended.
    fn fixed(&mut self) {
        if let Some(finding) = self.findings.last_mut() {
            finding.fixed = true;
        }
    }

    /// Something failed: the hints are its mend.
    fn fail(&mut self, code: &'static str, failure: Failure) {
        let words = failure.words(&Context::default());
        let (message, mend) = (words.message, words.hints);
        self.findings.push(Finding {
            severity: Severity::Error,
            code,
            message,
            mend,
            fixed: false,
        });
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for line in &self.well {
            text.push_str(&format!("✓ {}\n", sanitized(line)));
        }
        for finding in &self.findings {
            let mark = match (finding.fixed, finding.severity) {
                (true, _) => '✓',
                (_, Severity::Error) => '✗',
                (_, Severity::Warning) => '!',
                (_, Severity::Note) => '·',
            };
            let fixed = if finding.fixed { ": mended" } else { "" };
            let message = sanitized(&finding.message);
            text.push_str(&format!("{mark} {message}{fixed}   [{}]\n", finding.code));
            if !finding.fixed {
                for mend in &finding.mend {
                    text.push_str(&format!("  {}\n", sanitized(mend)));
                }
            }
        }
        let open = self.findings.iter().filter(|it| !it.fixed).count();
        text.push_str(&match open {
            0 => "all is well\n".to_owned(),
            open => format!("{}\n", count(open as u64, "finding")),
        });
        text
    }
}

/// The modes and owners of the directory and the files, and what crashes have left.
fn examine_files(home: &Home, fix: bool, report: &mut Report) {
    let before = report.findings.len();
    examine_mode(home.directory(), 0o700, "home-open", fix, report);
    examine_mode(&home.store(), 0o600, "store-open", fix, report);
    examine_mode(&home.audit_log(), 0o600, "audit-open", fix, report);
    if let KeySource::File(key) = home.key() {
        examine_mode(key, 0o600, "key-open", fix, report);
    }
    for left in home.leftovers() {
        let what = format!("{} was left by a command that was killed", shown(&left));
        let mend = format!("rm {}", shown(&left));
        report.add(Severity::Note, "leftover", what, mend);
        if fix && fs::remove_file(&left).is_ok() {
            report.fixed();
        }
    }
    if report.findings.len() == before && home.directory().exists() {
        report.well("home and key file are private");
    }
}

fn examine_mode(path: &Path, mode: u32, code: &'static str, fix: bool, report: &mut Report) {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return,
        Err(error) => {
            let what = format!("cannot look at {}: {error}", shown(path));
            let mend = format!("make {} yours to read", shown(path));
            report.add(Severity::Error, code, what, mend);
            return;
        }
    };
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        let what = format!(
            "{} belongs to another user (uid {})",
            shown(path),
            metadata.uid()
        );
        let mend = format!("take a copy of {} that is your own", shown(path));
        report.add(Severity::Error, code, what, mend);
        return;
    }
    let found = metadata.permissions().mode() & 0o7777;
    if found & 0o077 != 0 {
        let what = format!("{} is open to others (mode {found:04o})", shown(path));
        let mend = format!("chmod {mode:o} {}", shown(path));
        report.add(Severity::Error, code, what, mend);
        if fix && fs::set_permissions(path, Permissions::from_mode(mode)).is_ok() {
            report.fixed();
        }
    }
}

/// Whether the key lies where `git add` would take it.
fn examine_git(home: &Home, report: &mut Report) {
    let KeySource::File(key) = home.key() else {
        return;
    };
    let Some(tree) = key.ancestors().skip(1).find(|it| it.join(".git").exists()) else {
        return;
    };
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.arg("-C").arg(tree).args(arguments).arg(key);
        let silent = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        silent.status().is_ok_and(|status| status.success())
    };
    if git(&["ls-files", "--error-unmatch", "--"]) {
        let what = format!("{} is in the git repository {}", shown(key), shown(tree));
        report.add(
            Severity::Error,
            "key-in-git",
            what,
            format!(
                "git -C {} rm --cached {}; then mcplexer key rotate: whoever has the repository has the key",
                shown(tree),
                shown(key)
            ),
        );
    } else if !git(&["check-ignore", "--quiet", "--"]) {
        let parent = key.parent().unwrap_or(key);
        let (place, ignored) = match parent == tree {
            true => (
                key.as_path(),
                key.file_name().unwrap_or_default().display().to_string(),
            ),
            false => {
                let inside = parent.strip_prefix(tree).unwrap_or(parent);
                (parent, format!("{}/", inside.display()))
            }
        };
        let what = format!("{} lies in a git work tree", shown(place));
        let mend = format!("echo {ignored} >> {}", shown(&tree.join(".gitignore")));
        report.add(Severity::Warning, "in-git", what, mend);
    }
}

/// The code of a finding that is an error of the store.
fn code_of(error: &Error) -> &'static str {
    match error {
        Error::Locked { .. } => "locked",
        Error::Tampered { .. } => "tampered",
        Error::UnsupportedFormat { .. } => "format",
        _ => "store",
    }
}

/// What is in the store, and who opens it.
fn examine_store(session: &Session, fix: bool, report: &mut Report) {
    let bar = Bar::new("opening", session.global);
    let mut problems = Vec::new();
    let checked = session
        .store()
        .check(&mut |error| problems.push(error), &mut |progress| {
            bar.show(progress);
        });
    drop(bar);
    let what = match &checked {
        Ok(None) => "there is no store yet".to_owned(),
        Ok(Some(checked)) if problems.is_empty() => format!(
            "{}, {}, all open",
            count(checked.scopes, "scope"),
            count(checked.secrets, "secret")
        ),
        _ => String::new(),
    };
    let is_locked = matches!(checked, Err(Error::Locked { .. }));
    for error in problems.into_iter().chain(checked.err()) {
        report.fail(code_of(&error), error.into());
    }
    let log = match session.audit_log() {
        Ok(path) => session.store().verify_audit(&path).map(Some),
        Err(_) => Ok(None),
    };
    let log = match log {
        Ok(Some(AuditReport { lines: 0, .. })) | Ok(None) => String::new(),
        Ok(Some(log)) => format!("audit log whole ({})", count(log.lines, "line")),
        Err(error @ Error::Tampered { .. }) => {
            report.fail("audit", Failure::from(error));
            String::new()
        }
        // That no key opens the store has been said.
        Err(_) => String::new(),
    };
    let parts: Vec<_> = [what, log]
        .into_iter()
        .filter(|it| !it.is_empty())
        .collect();
    if !parts.is_empty() {
        report.well(parts.join("; "));
    }
    examine_keys(session, is_locked, fix, report);
}

fn examine_keys(session: &Session, is_locked: bool, fix: bool, report: &mut Report) {
    let Ok(slots) = session.store().slots() else {
        return;
    };
    // Where no key is at hand, no recovery code can be made either.
    if slots.len() == 1 && !is_locked {
        report.add(
            Severity::Warning,
            "one-owner",
            "only one key opens this store, and there is no recovery code",
            "mcplexer key recovery",
        );
    }
    let keys = slots.iter().filter(|slot| slot.kind == SlotKind::Key);
    for slot in keys {
        if is_old(slot.created, Timestamp::now()) {
            let what = format!("the key of {} was made {}", slot.label, Ago(slot.created));
            report.add(Severity::Note, "old-key", what, "mcplexer key rotate");
        }
    }
    let unfinished = session.keys().unfinished(Ask::Never).unwrap_or_default();
    if !unfinished.is_empty() {
        report.add(
            Severity::Warning,
            "rotation-unfinished",
            "a key rotation was cut short: the key file holds a key too many",
            "mcplexer key rotate",
        );
        if fix && session.store().tidy_keys().is_ok_and(|tidied| tidied) {
            report.fixed();
        }
    }
}

/// Whether a key that was made then is worth a remark now.
fn is_old(made: Timestamp, now: Timestamp) -> bool {
    now.as_micros().saturating_sub(made.as_micros()) > OLD_KEY_MICROS
}

/// Whether this process could leave its memory behind.
fn examine_process(report: &mut Report) {
    let limit = getrlimit(Resource::Core).current;
    let dumpable = matches!(dumpable_behavior(), Ok(DumpableBehavior::NotDumpable));
    if limit != Some(0) || !dumpable {
        report.add(
            Severity::Warning,
            "core-dumps",
            "the system does not let mcplexer switch its core dumps off",
            "ulimit -c 0",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_old_after_a_year() {
        let day = |day: u64| Timestamp::from_micros(day * 86_400 * 1_000_000);
        assert!(is_old(day(1), day(367)));
        assert!(!is_old(day(1), day(366)));
        assert!(!is_old(day(2), day(1)), "a clock that was put back");
    }
}
