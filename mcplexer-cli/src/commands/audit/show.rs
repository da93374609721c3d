//! `mcplexer audit show`

use mcplexer_secrets::audit::{AuditCall, AuditLine, AuditOperation, AuditOutcome, read_audit_log};
use mcplexer_secrets::{ScopeId, SecretName, Timestamp};
use serde::Serialize;

use super::{outcome_look, word};
use crate::cli::{Global, ShowAudit};
use crate::clock::Clock;
use crate::failure::Failure;
use crate::output::{print, print_json, stdout_is_terminal};
use crate::pager;
use crate::session::Session;
use crate::style::Look;
use crate::table::{Columns, Screen};
use crate::text::sanitized;

/// The column that says what it was about.
const SUBJECT: usize = 3;
/// The column that says how an operation ended.
const OUTCOME: usize = 4;

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

pub(super) fn run(arguments: &ShowAudit, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let path = &session.audit_log()?;
    if !path.exists() {
        // A log that is missing is another matter than one that has no lines yet.
        session.store().scope_names()?;
    }
    let mut lines = read_audit_log(path)?;
    lines.retain(|line| is_wanted(line, arguments));
    let last = arguments.last;
    let last = last.map(|last| usize::try_from(last).unwrap_or(usize::MAX));
    let skip = last.map_or(0, |last| lines.len().saturating_sub(last));
    let lines = lines.get(skip..).unwrap_or_default();
    if arguments.json {
        return print_json(&document(lines));
    }
    let clock = Clock::new(arguments.utc);
    let rows: Vec<_> = lines.iter().map(|line| row(line, &clock)).collect();
    let mut columns = Columns::new(Screen::stdout())
        .with_look(look)
        .with_name(SUBJECT);
    // Programs count on a line for each entry.
    if !stdout_is_terminal() {
        return print(&columns.rows(&rows));
    }
    if rows.is_empty() {
        session.tell("no entries");
        return Ok(());
    }
    let head = ["LINE", "TIME", "OPERATION", "SUBJECT", "OUTCOME", "BY"];
    let text = columns.headed(&head, &rows);
    match arguments.no_pager {
        true => print(&text),
        false => pager::print(&text),
    }
}

/// Returns whether an entry is one that the options leave.
fn is_wanted(line: &AuditLine, arguments: &ShowAudit) -> bool {
    let time = || line.time.parse::<Timestamp>().ok();
    let since = arguments.since;
    let until = arguments.until;
    since.is_none_or(|since| time().is_some_and(|it| it >= since))
        && until.is_none_or(|until| time().is_some_and(|it| it < until))
        && (arguments.scope.is_none() || line.scope == arguments.scope)
        && (arguments.key.is_none() || line.name == arguments.key)
        && arguments.op.is_none_or(|op| line.operation == op)
        && !(arguments.failed && line.outcome == AuditOutcome::Ok)
}

fn look(column: usize, text: &str) -> Option<Look> {
    match column {
        OUTCOME => outcome_look(text),
        _ => None,
    }
}

fn document(lines: &[AuditLine]) -> ShowDocument<'_> {
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
    ShowDocument {
        lines: lines.collect(),
    }
}

fn row(line: &AuditLine, clock: &Clock) -> Vec<String> {
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
        clock.of_line(&line.time),
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
