//! Whether everything in the store opens, and whether its log is whole.

use mcplexer_secrets::audit::AuditReport;
use mcplexer_secrets::{Error, Progress};

use super::{Report, count};
use crate::open::OpenHome;

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
    let mut well = Vec::new();
    match &checked {
        Ok(None) => well.push("there is no store yet".to_owned()),
        Ok(Some(checked)) if problems.is_empty() => well.push(format!(
            "{}, {}, all readable",
            count(checked.scopes, "scope"),
            count(checked.secrets, "secret")
        )),
        _ => {}
    }
    let is_locked = matches!(checked, Err(Error::Locked { .. }));
    for error in problems.into_iter().chain(checked.err()) {
        report.fail(error);
    }
    well.extend(examine_log(open, report));
    if !well.is_empty() {
        report.well(well.join("; "));
    }
    is_locked
}

fn examine_log(open: &OpenHome, report: &mut Report) -> Option<String> {
    let path = open.audit_log().ok()?;
    match open.store().verify_audit(&path) {
        Ok(AuditReport { lines: 0, .. }) => None,
        Ok(log) => Some(format!("audit log intact ({})", count(log.lines, "line"))),
        Err(error @ Error::Tampered { .. }) => {
            report.fail_as("audit", error);
            None
        }
        // The store has the same problem, and it has been reported.
        Err(_) => None,
    }
}
