//! Whether everything in the store opens, and whether its log is whole.

use std::path::Path;

use mcplexer_secrets::audit::AuditReport;
use mcplexer_secrets::backend::{BackendErrorKind, CachedBackend};
use mcplexer_secrets::{Due, Error, Progress, Timestamp};

use super::{Report, Severity, backups, count};
use crate::open::OpenHome;
use crate::place::STORE_VARIABLE;

/// Returns whether no key opens the store.
pub(super) fn examine(
    open: &OpenHome,
    report: &mut Report,
    progress: &mut dyn FnMut(Progress),
) -> bool {
    let mut problems = Vec::new();
    let checked = open
        .store()
        .check(&mut |error| problems.push(error), progress);
    let place = open.home().store();
    let at_server = match place.file() {
        Some(_) => String::new(),
        None => format!(" at {place}"),
    };
    let mut well = Vec::new();
    let mut has_secrets = false;
    match &checked {
        Ok(None) => well.push(format!("there is no store yet{at_server}")),
        Ok(Some(checked)) if problems.is_empty() => {
            well.push(format!(
                "{}, {}, all readable{at_server}",
                count(checked.scopes, "scope"),
                count(checked.secrets, "secret")
            ));
            has_secrets = checked.secrets > 0;
        }
        _ => {}
    }
    let is_locked = matches!(checked, Err(Error::Locked { .. }));
    let mut failures: Vec<_> = problems.into_iter().chain(checked.err()).collect();
    // Each part of the check asks the server, and all get the same answer.
    let is_away = failures.iter().any(is_of_absence);
    let mut is_first = true;
    failures.retain(|error| !is_of_absence(error) || std::mem::take(&mut is_first));
    let copy = open.cache().and_then(CachedBackend::copy);
    for error in failures {
        report.fail(error);
    }
    if let Ok(Some(to)) = open.store().moved_to() {
        let fix = match Path::new(&to).is_absolute() {
            true => format!("unset {STORE_VARIABLE}"),
            false => format!("export {STORE_VARIABLE}='{}'", to.replace('\'', "'\\''")),
        };
        let message = format!("this store was moved to {to}, and takes no changes here");
        report.add(Severity::Warning, "moved", message, fix);
    }
    match copy {
        Some((at, records)) if is_away => {
            let records = count(records, "record");
            let at = moment(at);
            report.add_with(
                Severity::Note,
                "store-copy",
                format!("the copy of {place} here has {records}, and was up to date at {at}: servers start with it meanwhile"),
                Vec::new(),
            );
        }
        Some((_, records)) => well.push(format!(
            "a copy of {} for when the store cannot be reached",
            count(records, "record")
        )),
        None => {}
    }
    examine_lives(open, report);
    let log = examine_log(open, report);
    if has_secrets && log.is_some() {
        backups::examine(open, report);
    }
    well.extend(log);
    if !well.is_empty() {
        report.well(well.join("; "));
    }
    is_locked
}

/// Whether the server of the store cannot be reached.
fn is_of_absence(error: &Error) -> bool {
    matches!(error, Error::Backend(error) if error.kind() == BackendErrorKind::Unreachable)
}

/// A time, to the minute.
fn moment(time: Timestamp) -> String {
    let text = time.to_string();
    let minute = text.get(..16).unwrap_or(&text).replace('T', " ");
    format!("{minute} UTC")
}

/// Finds secrets that have expired or were to be rotated.
fn examine_lives(open: &OpenHome, report: &mut Report) {
    let Ok(due) = open.store().due(Timestamp::now()) else {
        // What keeps the store from being read has been reported.
        return;
    };
    for secret in due {
        let (scope, name) = (&secret.scope, &secret.info.name);
        let date = |time: Timestamp| time.to_string().chars().take(10).collect::<String>();
        let (code, message) = match secret.due {
            Due::Expires(at) => ("expired", format!("{scope}/{name} expired on {}", date(at))),
            Due::Rotate(at) => (
                "overdue",
                format!("{scope}/{name} was to be rotated by {}", date(at)),
            ),
            _ => continue,
        };
        let fix = format!("mcplexer secret put {scope} {name}");
        report.add(Severity::Warning, code, message, fix);
    }
}

fn examine_log(open: &OpenHome, report: &mut Report) -> Option<String> {
    let path = open.audit_log().ok()?;
    match open.store().verify_audit(&path, None) {
        Ok(AuditReport { lines: 0, .. }) => None,
        Ok(log) => Some(format!("audit log intact ({})", count(log.lines, "line"))),
        Err(error @ (Error::Tampered { .. } | Error::Io { .. })) => {
            report.fail_as("audit", error);
            None
        }
        // The store has the same problem, and it has been reported.
        Err(_) => None,
    }
}
