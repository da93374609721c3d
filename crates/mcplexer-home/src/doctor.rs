//! Checks a home for problems, and fixes what is safe to fix.

use std::path::Path;

use mcplexer_files::config::ServerName;
use mcplexer_secrets::keys::Prompter;
use mcplexer_secrets::{Error as StoreError, Progress};
use serde::Serialize;

use crate::error::Error;
use crate::home::Home;
use crate::open::OpenHome;

mod backups;
mod config;
mod files;
mod git;
mod keys;
mod process;
mod store;
mod surroundings;

pub use surroundings::Surroundings;

const DAY_MICROS: u64 = 86_400 * 1_000_000;

/// What to check for.
#[derive(Debug, Clone, Default)]
pub struct Doctor {
    /// Fix what can be fixed without a loss.
    pub fix: bool,
    /// Where to look besides the home.
    pub surroundings: Surroundings,
}

/// What the checks found, good and bad.
#[derive(Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// What is in order, in sentences.
    pub well: Vec<String>,
    /// The problems, in the order of the checks.
    pub findings: Vec<Finding>,
    /// The servers that lack a secret, for which there is a finding already.
    #[serde(skip)]
    lacking: Vec<ServerName>,
}

/// A problem.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What kind of problem it is, in a word that does not change: `home-open`, `locked`.
    pub code: &'static str,
    /// The problem in words.
    pub message: String,
    /// Commands that fix it. Empty for an error of the store, whose advice depends on the front
    /// end.
    pub fix: Vec<String>,
    /// Whether it has been fixed.
    pub fixed: bool,
    /// What was done, if it has been fixed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done: Option<String>,
    /// The error of the store behind it, for a front end that has advice on it.
    #[serde(skip)]
    pub cause: Option<StoreError>,
}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Severity {
    /// Secrets are exposed or not available.
    Error,
    /// Secrets may become exposed or unavailable.
    Warning,
    /// Worth knowing.
    Note,
}

impl Doctor {
    /// Checks the files, the store, the log, the keys and this process. `person` is asked for
    /// passphrases.
    ///
    /// # Errors
    /// [`Error::Environment`] if the audit log cannot be opened. Problems of the store are
    /// findings.
    pub fn examine(
        &self,
        home: Home,
        person: impl Prompter + 'static,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Report, Error> {
        let mut report = Report::default();
        // Another user's repository may name programs for git to run.
        if files::examine(&home, self.fix, &mut report) {
            git::examine(&home, &mut report);
        }
        config::examine(&home, &mut report);
        match OpenHome::open(home, person) {
            Ok(open) => self.examine_store(&open, &mut report, progress),
            Err(Error::Store(error)) => report.fail(error),
            // What is exposed has been reported.
            Err(Error::Exposed(_)) => {}
            Err(error) => return Err(error),
        }
        self.surroundings.examine_shell(&mut report);
        process::examine(&mut report);
        Ok(report)
    }

    /// Checks the same in a home that is open already.
    pub fn examine_open(&self, open: &OpenHome, progress: &mut dyn FnMut(Progress)) -> Report {
        let mut report = Report::default();
        if files::examine(open.home(), self.fix, &mut report) {
            git::examine(open.home(), &mut report);
            config::examine(open.home(), &mut report);
            self.examine_store(open, &mut report, progress);
        }
        self.surroundings.examine_shell(&mut report);
        process::examine(&mut report);
        report
    }

    /// Checks only who opens the store, which takes no time.
    pub fn examine_keys(&self, open: &OpenHome) -> Report {
        let mut report = Report::default();
        keys::examine(open, false, self.fix, &mut report);
        report
    }

    fn examine_store(
        &self,
        open: &OpenHome,
        report: &mut Report,
        progress: &mut dyn FnMut(Progress),
    ) {
        let is_locked = store::examine(open, report, progress);
        config::examine_references(open, report);
        keys::examine(open, is_locked, self.fix, report);
        self.surroundings.examine_clients(open, report);
    }
}

impl Report {
    /// Returns the number of findings of a severity that are not fixed.
    #[must_use]
    pub fn open(&self, severity: Severity) -> u64 {
        let findings = self.findings.iter();
        let open = findings.filter(|it| !it.fixed && it.severity == severity);
        open.count() as u64
    }

    /// Adds that a server of the gateway does not start, and why.
    pub fn add_failing(&mut self, server: &ServerName, reason: Option<&str>) {
        if self.lacking.contains(server) {
            return;
        }
        // The last line of its standard error says most.
        let reason = reason.map_or_else(String::new, |it| {
            let mut lines = it.lines().map(str::trim).filter(|line| !line.is_empty());
            let first = lines.next().unwrap_or_default();
            let last = lines.next_back();
            let last = last.map_or_else(String::new, |last| format!(" {last}"));
            format!(": {first}{last}")
        });
        let message = format!("server {server} does not work{reason}");
        let fix = format!("mcplexer server logs {server}");
        self.add(Severity::Warning, "server-failing", message, fix);
    }

    /// Adds a directory in memory that a killed command has left, with a value in it; and whether it was erased.
    pub fn add_left_value(&mut self, path: &Path, is_erased: bool) {
        let path = path.display();
        let message = format!("{path} was left by a command that was killed, and may hold a value");
        let fix = "mcplexer doctor --fix erases it";
        self.add(Severity::Warning, "value-left", message, fix);
        if is_erased {
            self.fixed(format!("erased {path}"));
        }
    }

    fn well(&mut self, message: impl Into<String>) {
        self.well.push(message.into());
    }

    fn add(
        &mut self,
        severity: Severity,
        code: &'static str,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.add_with(severity, code, message, vec![fix.into()]);
    }

    fn add_with(
        &mut self,
        severity: Severity,
        code: &'static str,
        message: impl Into<String>,
        fix: Vec<String>,
    ) {
        self.findings.push(Finding {
            severity,
            code,
            message: message.into(),
            fix,
            fixed: false,
            done: None,
            cause: None,
        });
    }

    /// Marks the last finding as fixed, and says what was done.
    fn fixed(&mut self, done: impl Into<String>) {
        if let Some(finding) = self.findings.last_mut() {
            finding.fixed = true;
            finding.done = Some(done.into());
        }
    }

    /// Adds an error of the store.
    fn fail(&mut self, error: StoreError) {
        let code = match &error {
            StoreError::Locked { .. } => "locked",
            StoreError::Tampered { .. } => "tampered",
            StoreError::UnsupportedFormat { .. } => "format",
            _ => "store",
        };
        self.fail_as(code, error);
    }

    fn fail_as(&mut self, code: &'static str, error: StoreError) {
        self.findings.push(Finding {
            severity: Severity::Error,
            code,
            message: error.to_string(),
            fix: Vec::new(),
            fixed: false,
            done: None,
            cause: Some(error),
        });
    }
}

/// A number of things in words: `1 line`, `2 lines`.
fn count(number: u64, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_problem_does_not_count_as_open() {
        let mut report = Report::default();
        report.add(Severity::Note, "leftover", "a", "rm a");
        report.fixed("removed a");
        report.add(Severity::Note, "old-key", "c", "d");
        report.add(Severity::Error, "home-open", "b", "chmod 700 b");
        assert_eq!(report.open(Severity::Note), 1);
        assert_eq!(report.open(Severity::Error), 1);
        assert_eq!(report.open(Severity::Warning), 0);
    }

    #[test]
    fn a_failing_server_has_one_finding_with_its_last_words() {
        let mut report = Report::default();
        report.lacking.push("a".parse().unwrap());
        report.add_failing(&"a".parse().unwrap(), Some("no secret"));
        let reason = "it ended; its standard error ends:\nTraceback\n  no module x\n";
        report.add_failing(&"b".parse().unwrap(), Some(reason));
        let messages: Vec<_> = report
            .findings
            .iter()
            .map(|it| it.message.as_str())
            .collect();
        let expected = "server b does not work: it ended; its standard error ends: no module x";
        assert_eq!(messages, [expected]);
    }

    #[test]
    fn a_report_serialises_without_the_errors_behind_it() {
        let mut report = Report::default();
        report.fail(StoreError::NoStore);
        let json = serde_json::to_value(&report).unwrap();
        let expected = serde_json::json!({
            "well": [],
            "findings": [{
                "severity": "error",
                "code": "store",
                "message": "there is no store yet",
                "fix": [],
                "fixed": false,
            }],
        });
        assert_eq!(json, expected);
    }
}
