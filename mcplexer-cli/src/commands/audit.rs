//! `mcplexer audit …`

mod checkpoint;
mod verify;

use mcplexer_secrets::audit::{AuditCall, AuditLine, AuditOperation, AuditOutcome, read_audit_log};
use mcplexer_secrets::{ScopeId, SecretName};
use serde::Serialize;

use crate::cli::{Audit, Global};
use crate::failure::Failure;
use crate::output::{print, print_json};
use crate::session::Session;
use crate::text::{sanitized, table};

pub(super) fn run(command: Audit, global: Global) -> Result<(), Failure> {
    match command {
        Audit::Show { last, scope, json } => show(last, scope.as_ref(), json, global),
        Audit::Checkpoint => checkpoint::run(global),
        Audit::Verify { checkpoint, json } => verify::run(checkpoint.as_deref(), json, global),
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
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    used_for: Option<&'a str>,
    outcome: AuditOutcome,
    uid: u32,
    pid: u32,
    program: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<&'a AuditCall>,
}

fn show(
    last: Option<u64>,
    scope: Option<&ScopeId>,
    json: bool,
    global: Global,
) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let path = &session.audit_log()?;
    if !path.exists() {
        // A log that is missing is another matter than one that has no lines yet.
        session.store().scope_names()?;
    }
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
            used_for: line.used_for.as_deref(),
            outcome: line.outcome,
            uid: line.actor.uid,
            pid: line.actor.pid,
            program: &line.actor.program,
            client: line.actor.client.as_deref(),
            session: line.actor.session.as_deref(),
            tool: line.actor.tool.as_deref(),
            call: line.call.as_ref(),
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
        _ => match &line.call {
            Some(call) => sanitized(&call.server),
            None => "-".to_owned(),
        },
    };
    vec![
        line.line.to_string(),
        sanitized(&line.time),
        word(line.operation),
        subject,
        word(line.outcome),
        sanitized(actor(line)),
    ]
}

/// Returns who did it, and what for.
fn actor(line: &AuditLine) -> String {
    let actor = &line.actor;
    let mut text = format!("{}[{}]", actor.program, actor.pid);
    let others = [&actor.client, &actor.session, &actor.tool];
    for other in others.into_iter().flatten() {
        text.push_str(&format!(" {other}"));
    }
    if let Some(object) = line.call.as_ref().and_then(|it| it.object.as_ref()) {
        text.push_str(&format!(" {object}"));
    }
    if let Some(used_for) = &line.used_for {
        text.push_str(&format!(" for {used_for}"));
    }
    text
}

/// Returns the name of an operation or an outcome in the log.
pub(super) fn word(value: impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => "?".to_owned(),
    }
}
