use mcplexer_home::scopes;
use mcplexer_secrets::{ScopeId, SecretName};

use crate::cli::Global;
use crate::failure::Failure;
use crate::output::{print, print_json};
use crate::session::Session;
use crate::text;

pub(super) fn run(
    scope: &ScopeId,
    key: &SecretName,
    json: bool,
    global: Global,
) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let report = scopes::history(scope, key, &session);
    let report = report.map_err(|error| session.explain(error))?;
    if json {
        return print_json(&report);
    }
    let mut rows = vec![vec!["VERSION".into(), "STORED".into()]];
    rows.extend(
        report
            .versions
            .iter()
            .map(|version| vec![version.version.to_string(), text::seconds(version.updated)]),
    );
    print(&text::table(&rows))
}
