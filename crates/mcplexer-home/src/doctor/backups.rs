//! Whether the secrets are in a backup that is not too old.

use mcplexer_secrets::Timestamp;
use mcplexer_secrets::audit::{AuditLine, AuditOperation, AuditOutcome, AuditReader};

use super::{DAY_MICROS, Report, Severity, count};
use crate::open::OpenHome;

/// A backup that misses changes is old after this time.
const OLD_BACKUP_DAYS: u64 = 30;
const FIX: &str = "mcplexer backup create mcplexer-backup.age";

/// What the log says about backups.
#[derive(Debug, PartialEq, Eq)]
enum Last {
    /// There was none.
    None,
    /// It has all changes since, or is not old. It is that many days old.
    Good(u64),
    /// It misses changes, and is that many days old.
    Old(u64),
}

/// Looks for the last backup in the log, which is read from its end. A log that cannot be read has been reported.
pub(super) fn examine(open: &OpenHome, report: &mut Report) {
    let Ok(path) = open.audit_log() else {
        return;
    };
    let Ok(Some(mut reader)) = AuditReader::open(&path) else {
        return;
    };
    let lines = std::iter::from_fn(|| reader.previous().ok().flatten());
    match last(lines.map(|it| done(&it)), Timestamp::now()) {
        Last::Good(0) => report.well("the last backup is less than a day old"),
        Last::Good(days) => report.well(format!("the last backup is {} old", count(days, "day"))),
        Last::None => report.add(
            Severity::Note,
            "no-backup",
            "the audit log knows of no backup of this store",
            FIX,
        ),
        Last::Old(days) => {
            let days = count(days, "day");
            let message = format!("the last backup is {days} old, and secrets have changed since");
            report.add(Severity::Warning, "old-backup", message, FIX);
        }
    }
}

/// What a line says was done, and when. `None` for what failed or changed nothing.
fn done(line: &AuditLine) -> Option<(bool, Timestamp)> {
    let is_backup = line.operation == AuditOperation::Backup;
    let counts = is_backup || is_change(line.operation);
    let time = line.time.parse().ok()?;
    (counts && line.outcome == AuditOutcome::Ok).then_some((is_backup, time))
}

/// Finds the last backup. `events` are backups and changes with their times, the newest first.
fn last(events: impl Iterator<Item = Option<(bool, Timestamp)>>, now: Timestamp) -> Last {
    let mut has_changed = false;
    for (is_backup, time) in events.flatten() {
        if !is_backup {
            has_changed = true;
            continue;
        }
        let days = now.as_micros().saturating_sub(time.as_micros()) / DAY_MICROS;
        return match has_changed && days > OLD_BACKUP_DAYS {
            true => Last::Old(days),
            false => Last::Good(days),
        };
    }
    Last::None
}

/// Returns whether an operation changes what a backup has.
fn is_change(operation: AuditOperation) -> bool {
    use AuditOperation as It;
    matches!(
        operation,
        It::Put
            | It::Delete
            | It::Copy
            | It::Move
            | It::Edit
            | It::Import
            | It::Restore
            | It::RestoreVersion
            | It::CreateScope
            | It::UpdateScope
            | It::RenameScope
            | It::DeleteScope
            | It::ApplyConfig
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_is_old_if_it_is_a_month_old_and_misses_a_change() {
        let day = |day: u64| Timestamp::from_micros(day * DAY_MICROS);
        let backup = |at| Some((true, day(at)));
        let change = |at| Some((false, day(at)));
        let of = |events: &[_], now| last(events.iter().copied(), day(now));
        assert_eq!(of(&[None, change(1)], 100), Last::None);
        assert_eq!(of(&[backup(1)], 100), Last::Good(99), "nothing has changed");
        assert_eq!(of(&[change(30), backup(1)], 31), Last::Good(30));
        assert_eq!(of(&[change(2), None, backup(1)], 32), Last::Old(31));
        assert_eq!(of(&[backup(31), change(2), backup(1)], 100), Last::Good(69));
        assert_eq!(
            of(&[change(9), backup(9)], 1),
            Last::Good(0),
            "the clock was set back"
        );
    }
}
