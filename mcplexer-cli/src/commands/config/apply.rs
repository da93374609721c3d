//! `mcplexer config apply`

use mcplexer_home::config::{Action, Apply, ApplyReport, Plan};
use mcplexer_secrets::NewScope;

use crate::cli::Global;
use crate::failure::Failure;
use crate::input;
use crate::output::print_json;
use crate::session::Session;
use crate::text::count;

#[derive(Clone, Copy)]
pub(super) struct Options {
    pub(super) force: bool,
    pub(super) dry_run: bool,
    pub(super) json: bool,
}

pub(super) fn run(
    file: &str,
    scopes: Vec<NewScope>,
    prune: bool,
    options: Options,
    global: Global,
) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let apply = Apply { scopes, prune };
    let explain = |error| session.explain(error);
    let plan = apply.plan(&session).map_err(explain)?;
    let report = if options.dry_run {
        plan.into_report()
    } else {
        if !options.force {
            confirm(file, &plan, global)?;
        }
        apply.run(&plan, &session).map_err(explain)?
    };
    session.tell_created();
    tell(file, &report, &session);
    match options.json {
        true => print_json(&report),
        false => Ok(()),
    }
}

/// Asks for confirmation before scopes are deleted.
fn confirm(file: &str, plan: &Plan, global: Global) -> Result<(), Failure> {
    let rows: Vec<_> = plan.report().with(Action::Delete).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let lines = rows.iter().map(|it| {
        let secrets = count(it.secrets as u64, "secret");
        format!("  {} with {secrets}\n", it.scope)
    });
    let about = format!("not in {file}:\n{}", lines.collect::<String>());
    let secrets: usize = rows.iter().map(|it| it.secrets).sum();
    let question = format!(
        "delete {} and {}?",
        count(rows.len() as u64, "scope"),
        count(secrets as u64, "secret")
    );
    input::confirm(&about, &question, global)
}

fn tell(file: &str, report: &ApplyReport, session: &Session) {
    let (created, changed, deleted) = match report.dry_run {
        false => ("created", "changed", "deleted"),
        true => ("would create", "would change", "would delete"),
    };
    let mut nothing = true;
    for row in &report.scopes {
        let (id, kind) = (&row.scope, row.kind.map_or("", |kind| kind.as_str()));
        let line = match row.action {
            Action::Create => format!("{created} scope {id} ({kind})"),
            Action::Update => format!("{changed} scope {id} ({kind})"),
            Action::Delete => {
                let secrets = count(row.secrets as u64, "secret");
                format!("{deleted} scope {id} with {secrets}")
            }
            _ => continue,
        };
        nothing = false;
        session.tell(&line);
    }
    if nothing {
        session.tell(&format!("the store matches {file}; nothing to change"));
    }
    match report.with(Action::Leave).count() as u64 {
        0 => {}
        1 => session.tell("1 scope is not in the file (kept; --prune deletes it)"),
        kept => session.tell(&format!(
            "{} are not in the file (kept; --prune deletes them)",
            count(kept, "scope")
        )),
    }
}
