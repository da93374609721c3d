//! `mcplexer scope list`, and `mcplexer secret list` without a scope.

use mcplexer_home::scopes;

use crate::cli::Global;
use crate::failure::Failure;
use crate::output::{print, print_json, stdout_is_terminal};
use crate::session::Session;
use crate::table::headed;
use crate::text::{self, sanitized};

pub(in crate::commands) fn run(json: bool, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let report = scopes::list(&session)?;
    if json {
        return print_json(&report);
    }
    if !session.has_store() {
        session.tell(&session.no_store());
        return Ok(());
    }
    if !stdout_is_terminal() {
        return print(&text::lines(report.scopes.iter().map(|scope| &scope.id)));
    }
    if report.scopes.is_empty() {
        session.tell("there are no scopes yet; mcplexer secret put SCOPE KEY creates one");
        return Ok(());
    }
    let header = ["SCOPE", "KIND", "SECRETS", "NAME"];
    let rows = report.scopes.iter().map(|scope| {
        vec![
            scope.id.to_string(),
            scope.kind.to_string(),
            scope.secrets.to_string(),
            sanitized(scope.name.as_deref().unwrap_or("")),
        ]
    });
    print(&headed(header, &rows.collect::<Vec<_>>()))
}
