//! `mcplexer audit …`

use std::borrow::Cow;

use mcplexer_secrets::audit::{AuditLine, AuditOperation, AuditOutcome, read_audit_log};
use mcplexer_secrets::{ScopeId, SecretName};
use serde::Serialize;

use crate::cli::{Audit, Global};
use crate::failure::Failure;
use crate::output::{count, print, print_json, sanitized, shown, table};
use crate::session::Session;

pub(super) fn run(command: Audit, global: Global) -> Result<(), Failure> {
    match command {
        Audit::Show { last, scope, json } => show(last, scope.as_ref(), json, global),
        Audit::Verify { json } => verify(json, global),
    }
}

#[derive(Serialize)]
struct ShowDocument<'a> {
    lines: Vec<LineRow<'a>>,
}

/// A line of the log in JSON output.
#[derive(Serialize)]
struct LineRow<'a> {
    line: u64,
    time: &'a str,
    operation: AuditOperation,
    scope: Option<&'a ScopeId>,
    name: Option<&'a SecretName>,
    outcome: AuditOutcome,
    uid: u32,
    pid: u32,
    program: &'a str,
}

fn show(
    last: Option<u64>,
    scope: Option<&ScopeId>,
    json: bool,
    global: Global,
) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let path = &session.audit_log()?;
    let mut lines = read_audit_log(path)?;
    lines.retain(|line| scope.is_none_or(|scope| line.scope.as_ref() == Some(scope)));
    let last = last.map(|last| usize::try_from(last).unwrap_or(usize::MAX));
    let skip = last.map_or(0, |last| lines.len().saturating_sub(last));
    let lines = lines.get(skip..).unwrap_or_default();
    if json {
        let lines = lines.iter().map(|line| LineRow {
            line: line.line,
            time: &line.time,
            operation: line.operation,
            scope: line.scope.as_ref(),
            name: line.name.as_ref(),
            outcome: line.outcome,
            uid: line.uid,
            pid: line.pid,
            program: &line.program,
        });
        return print_json(&ShowDocument {
            lines: lines.collect(),
        });
    }
    let rows: Vec<_> = lines.iter().map(row).collect();
    print(&table(&rows))
}

fn row(line: &AuditLine) -> Vec<String> {
    let subject = match (&line.scope, &line.name) {
        (Some(scope), Some(name)) => format!("{scope}/{name}"),
        (Some(scope), None) => scope.to_string(),
        _ => "-".to_owned(),
    };
    vec![
        line.line.to_string(),
        sanitized(&line.time),
        word(line.operation),
        subject,
        word(line.outcome),
        sanitized(format!("{}[{}]", line.program, line.pid)),
    ]
}

/// The name under which an operation or an outcome stands in the log.
fn word(value: impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => "?".to_owned(),
    }
}

#[derive(Serialize)]
struct VerifyDocument<'a> {
    log: Cow<'a, str>,
    lines: u64,
    sealed: u64,
    earlier: u64,
    healed: u64,
    torn: u64,
}

fn verify(json: bool, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let path = &session.audit_log()?;
    let report = session.store().verify_audit(path)?;
    if json {
        return print_json(&VerifyDocument {
            log: path.to_string_lossy(),
            lines: report.lines,
            sealed: report.sealed,
            earlier: report.earlier,
            healed: report.healed,
            torn: report.torn,
        });
    }
    let lines = count(report.lines, "line");
    let mut text = format!("{}: {lines}, an unbroken chain\n", shown(path));
    text.push_str(&match (report.sealed, report.lines) {
        (0, 0) => String::new(),
        (0, _) => "no line is sealed by the store: no change to it was recorded here\n".to_owned(),
        (line, _) => format!("sealed by the store up to line {line}\n"),
    });
    if report.earlier > 0 {
        text.push_str(&format!(
            "it comes after {} of this name that the store has sealed: moved away, or removed\n",
            count(report.earlier, "log")
        ));
    }
    if report.torn > 0 {
        text.push_str(&format!(
            "an unfinished line of {} at the end, left by a crash; the next command removes it\n",
            count(report.torn, "byte")
        ));
    }
    if report.healed > 0 {
        text.push_str(&format!(
            "{} removed after crashes\n",
            count(report.healed, "unfinished line")
        ));
    }
    print(&text)
}
