use mcplexer_secrets::{ScopeId, SecretInfo, SecretStore};
use serde::Serialize;

use crate::cli::Global;
use crate::failure::Failure;
use crate::output::{self, Ago, print, print_json, stdout_is_terminal};
use crate::session::Session;

#[derive(Serialize)]
struct Document<'a> {
    scope: &'a ScopeId,
    secrets: Vec<SecretRow<'a>>,
}

/// A secret in JSON output.
#[derive(Serialize)]
pub(in crate::commands) struct SecretRow<'a> {
    name: &'a str,
    version: u64,
    created: String,
    updated: String,
}

impl<'a> From<&'a SecretInfo> for SecretRow<'a> {
    fn from(secret: &'a SecretInfo) -> Self {
        Self {
            name: secret.name.as_str(),
            version: secret.version,
            created: secret.created.to_string(),
            updated: secret.updated.to_string(),
        }
    }
}

pub(super) fn run(scope: &ScopeId, json: bool, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let secrets = session
        .store()
        .list(scope)
        .map_err(|error| session.explain(error))?;
    if json {
        return print_json(&Document {
            scope,
            secrets: secrets.iter().map(SecretRow::from).collect(),
        });
    }
    if !stdout_is_terminal() {
        return print(&output::lines(secrets.iter().map(|secret| &secret.name)));
    }
    if secrets.is_empty() {
        session.tell(&format!("scope {scope} has no secrets"));
        return Ok(());
    }
    print(&table(&secrets))
}

/// Secrets in columns, for people.
pub(in crate::commands) fn table(secrets: &[SecretInfo]) -> String {
    let mut rows = vec![vec!["KEY".into(), "VERSION".into(), "UPDATED".into()]];
    rows.extend(secrets.iter().map(|secret| {
        vec![
            secret.name.to_string(),
            secret.version.to_string(),
            Ago(secret.updated).to_string(),
        ]
    }));
    output::table(&rows)
}
