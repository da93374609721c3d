//! `mcplexer backup restore`

use mcplexer_home::backup::{Action, Error, Restore, RestoreReport, RestoredRow};
use mcplexer_secrets::RestoreMode;

use super::open;
use crate::cli::{BackupFile, Global};
use crate::failure::Failure;
use crate::input;
use crate::output::{print, print_json};
use crate::progress::Waiting;
use crate::session::Session;
use crate::text::{count, typed};

pub(super) struct Options {
    pub(super) mode: Option<RestoreMode>,
    pub(super) unknown_maker: bool,
    pub(super) dry_run: bool,
    pub(super) force: bool,
    pub(super) json: bool,
}

pub(super) fn run(from: &BackupFile, options: &Options, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let restore = Restore {
        backup: &open(from, &session)?,
        mode: options.mode,
        // A look at what would change needs no trust in it.
        unknown_maker: options.unknown_maker || options.dry_run,
    };
    let waiting = Waiting::new("comparing", global);
    let plan = restore.plan(&session);
    drop(waiting);
    let plan = plan.map_err(|error| match error {
        Error::StoreNotEmpty { .. } => with_modes(error.into(), from),
        error => session.explain(error),
    })?;
    if !options.dry_run && !options.force && plan.report().loses() {
        let question = format!("{}; continue?", summary(plan.report()));
        input::confirm(&changes(plan.report()), &question, global)?;
    }
    let report = match options.dry_run {
        true => plan.into_report(),
        false => {
            let waiting = Waiting::new("restoring", global);
            let restored = plan.run(&session);
            drop(waiting);
            let restored = restored.map_err(|error| session.explain(error))?;
            session.tell_created();
            restored
        }
    };
    session.tell(&summary(&report));
    for line in conflicts(&report) {
        session.tell(&line);
    }
    match (options.json, options.dry_run) {
        (true, _) => print_json(&report),
        (false, true) => print(&changes(&report)),
        (false, false) => Ok(()),
    }
}

/// Adds the options that say what happens to secrets already in the store.
fn with_modes(failure: Failure, from: &BackupFile) -> Failure {
    let mut again = format!("mcplexer backup restore {}", typed(&from.file));
    if let Some(identity) = &from.identity {
        again.push_str(&format!(" --identity {}", typed(identity)));
    }
    if from.recovery_code {
        again.push_str(" --recovery-code");
    }
    failure
        .with_hint(format!(
            "{again} --merge --dry-run shows what it would add to them"
        ))
        .with_hint(format!(
            "{again} --replace --dry-run shows what it would replace them with"
        ))
}

/// Returns a line for each secret that changes.
fn changes(report: &RestoreReport) -> String {
    let is_change = |row: &&RestoredRow| {
        row.changed_in_both || !matches!(row.action, Action::Same | Action::Keep)
    };
    let changed = report.secrets.iter().filter(is_change);
    let line = |row: &RestoredRow| {
        let more = if row.changed_in_both {
            "  changed in both"
        } else {
            ""
        };
        format!("{:8}{}/{}{more}\n", row.action.as_str(), row.scope, row.key)
    };
    changed.map(line).collect()
}

/// Returns a line for each secret that two copies of the store have changed.
fn conflicts(report: &RestoreReport) -> impl Iterator<Item = String> {
    let rows = report.secrets.iter();
    let conflicts = rows.filter(|row| row.changed_in_both);
    conflicts.map(|row| {
        let RestoredRow { scope, key, .. } = row;
        let what = match (row.action, row.version) {
            (Action::Keep, Some(version)) => format!(
                "the store's value stays the current one, and the backup's is version {version}"
            ),
            (Action::Keep, None) => {
                "the store's value stays, and the backup's is not kept (keep_versions is 0)".to_owned()
            }
            _ => format!(
                "the backup's value is now the current one; mcplexer secret history {scope} {key} lists the store's"
            ),
        };
        format!("{scope}/{key} was changed in both: {what}")
    })
}

fn summary(report: &RestoreReport) -> String {
    let to_be = if report.dry_run { "to be " } else { "" };
    let told = [
        (Action::Add, "added"),
        (Action::Replace, "replaced"),
        (Action::Remove, "removed"),
    ];
    let mut parts: Vec<_> = told
        .into_iter()
        .filter(|(action, _)| report.count(*action) > 0)
        .map(|(action, done)| format!("{} {to_be}{done}", count(report.count(action), "secret")))
        .collect();
    let kept = report
        .secrets
        .iter()
        .filter(|row| row.action == Action::Keep);
    let (changed, newer): (Vec<_>, Vec<_>) = kept.partition(|row| row.changed_in_both);
    if !newer.is_empty() {
        parts.push(format!(
            "{} {to_be}kept, newer than in the backup",
            count(newer.len() as u64, "secret")
        ));
    }
    if !changed.is_empty() {
        parts.push(format!(
            "{} {to_be}kept, changed in both",
            count(changed.len() as u64, "secret")
        ));
    }
    let same = report.count(Action::Same);
    if same > 0 || parts.is_empty() {
        parts.push(format!("{} the same in both", count(same, "secret")));
    }
    parts.join(", ")
}
