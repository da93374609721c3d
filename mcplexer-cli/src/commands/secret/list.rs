use mcplexer_home::scopes::{self, SecretRow};
use mcplexer_secrets::ScopeId;

use crate::cli::Global;
use crate::failure::Failure;
use crate::output::{print, print_json, stdout_is_terminal};
use crate::session::Session;
use crate::text::{self, Ago};

pub(super) fn run(scope: &ScopeId, json: bool, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let report = scopes::secrets(scope, &session).map_err(|error| session.explain(error))?;
    if json {
        return print_json(&report);
    }
    if !stdout_is_terminal() {
        let names = report.secrets.iter().map(|secret| &secret.name);
        return print(&text::lines(names));
    }
    if report.secrets.is_empty() {
        session.tell(&format!("scope {scope} has no secrets"));
        return Ok(());
    }
    print(&table(&report.secrets))
}

/// Returns a table of secrets, for people.
pub(in crate::commands) fn table(secrets: &[SecretRow]) -> String {
    let mut rows = vec![vec!["KEY".into(), "VERSION".into(), "UPDATED".into()]];
    rows.extend(secrets.iter().map(|secret| {
        vec![
            secret.name.to_string(),
            secret.version.to_string(),
            Ago(secret.updated).to_string(),
        ]
    }));
    text::table(&rows)
}
