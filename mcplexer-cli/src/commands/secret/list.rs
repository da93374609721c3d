use mcplexer_home::scopes::{self, SecretRow};
use mcplexer_secrets::{ScopeId, Timestamp};

use crate::cli::Global;
use crate::failure::Failure;
use crate::output::{print, print_json, stdout_is_terminal};
use crate::session::Session;
use crate::text::{self, Ago, sanitized};

pub(super) fn run(scope: &ScopeId, long: bool, json: bool, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let report = scopes::secrets(scope, &session).map_err(|error| session.explain(error))?;
    if json {
        return print_json(&report);
    }
    if !long && !stdout_is_terminal() {
        let names = report.secrets.iter().map(|secret| &secret.name);
        return print(&text::lines(names));
    }
    if report.secrets.is_empty() {
        session.tell(&format!("scope {scope} has no secrets"));
        return Ok(());
    }
    print(&match long {
        true => long_table(&report.secrets),
        false => table(&report.secrets),
    })
}

/// Lists the secrets of a scope, or of all scopes, that expire or are to be rotated by a time.
pub(super) fn expiring(
    scope: Option<&ScopeId>,
    by: Timestamp,
    json: bool,
    global: Global,
) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let report = scopes::due(scope, by, &session).map_err(|error| session.explain(error))?;
    if json {
        return print_json(&report);
    }
    if report.secrets.is_empty() {
        let by = text::date(by);
        session.tell(&format!("nothing expires or is to be rotated by {by}"));
        return Ok(());
    }
    let header = ["SECRET", "EXPIRES", "ROTATE BY"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    rows.extend(report.secrets.iter().map(|secret| {
        vec![
            format!("{}/{}", secret.scope, secret.secret.name),
            date(secret.secret.expires),
            date(secret.secret.rotate_by),
        ]
    }));
    print(&text::table(&rows))
}

/// Returns a table of secrets with what is said about them.
fn long_table(secrets: &[SecretRow]) -> String {
    let header = ["KEY", "VERSION", "STORED", "EXPIRES", "ROTATE BY", "NOTE"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    rows.extend(secrets.iter().map(|secret| {
        vec![
            secret.name.to_string(),
            secret.version.to_string(),
            text::date(secret.updated),
            date(secret.expires),
            date(secret.rotate_by),
            secret.note.as_ref().map_or_else(String::new, sanitized),
        ]
    }));
    text::table(&rows)
}

fn date(time: Option<Timestamp>) -> String {
    time.map_or_else(|| "-".to_owned(), text::date)
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
