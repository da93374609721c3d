use mcplexer_home::scopes;
use mcplexer_secrets::{ScopeId, SecretName};

use crate::cli::Global;
use crate::clock::Clock;
use crate::failure::Failure;
use crate::output::{print, print_json};
use crate::session::Session;
use crate::table::headed;

pub(super) fn run(
    scope: &ScopeId,
    key: &SecretName,
    utc: bool,
    json: bool,
    global: Global,
) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let report = scopes::history(scope, key, &session);
    let report = report.map_err(|error| session.explain(error))?;
    if json {
        return print_json(&report);
    }
    let clock = Clock::new(utc);
    let versions = report.versions.iter();
    let rows = versions.map(|it| vec![it.version.to_string(), clock.seconds(it.updated)]);
    print(&headed(["VERSION", "STORED"], &rows.collect::<Vec<_>>()))
}
