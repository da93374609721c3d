//! `mcplexer scope …`

use mcplexer_secrets::{NewScope, ScopeId, ScopeInfo, ScopeKind, SecretName, SecretStore};
use serde::Serialize;

use super::secret::{SecretRow, secret_table};
use crate::cli::{Global, Kind, Scope};
use crate::failure::Failure;
use crate::input;
use crate::output::{self, print, print_json, sanitized, stdout_is_terminal};
use crate::session::Session;

pub(super) fn run(command: Scope, global: Global) -> Result<(), Failure> {
    match command {
        Scope::Create { scope, kind, name } => create(scope, kind, name, global),
        Scope::List { json } => list(json, global),
        Scope::Show { scope, json } => show(&scope, json, global),
        Scope::Delete { scope, force } => delete(&scope, force, global),
    }
}

#[derive(Serialize)]
struct Document<'a> {
    scopes: Vec<ScopeRow<'a>>,
}

/// A scope in JSON output.
#[derive(Serialize)]
struct ScopeRow<'a> {
    id: &'a str,
    kind: &'a str,
    name: Option<&'a str>,
    redaction_hints: &'a [SecretName],
    created: String,
    secrets: usize,
}

#[derive(Serialize)]
struct ShowDocument<'a> {
    id: &'a str,
    kind: &'a str,
    name: Option<&'a str>,
    redaction_hints: &'a [SecretName],
    created: String,
    secrets: Vec<SecretRow<'a>>,
}

fn create(id: ScopeId, kind: Kind, name: Option<String>, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let scope = NewScope {
        id,
        kind: match kind {
            Kind::Env => ScopeKind::Env,
            Kind::Header => ScopeKind::Header,
            Kind::OAuth2 => ScopeKind::OAuth2,
        },
        display_name: name,
        redaction_hints: Vec::new(),
    };
    session
        .store()
        .create_scope(&scope)
        .map_err(|error| session.explain(error))?;
    session.tell_created();
    session.tell(&format!("made scope {} ({})", scope.id, scope.kind));
    Ok(())
}

pub(super) fn list(json: bool, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let scopes = session.store().scopes()?;
    if json {
        return print_json(&Document {
            scopes: scopes.iter().map(row).collect(),
        });
    }
    if !stdout_is_terminal() {
        return print(&output::lines(scopes.iter().map(|scope| &scope.id)));
    }
    if scopes.is_empty() {
        session.tell("there are no scopes yet; mcplexer secret put SCOPE KEY makes one");
        return Ok(());
    }
    let mut rows = vec![vec![
        "SCOPE".into(),
        "KIND".into(),
        "SECRETS".into(),
        "NAME".into(),
    ]];
    rows.extend(scopes.iter().map(|scope| {
        vec![
            scope.id.to_string(),
            scope.kind.to_string(),
            scope.secrets.to_string(),
            sanitized(scope.display_name.as_deref().unwrap_or_default()),
        ]
    }));
    print(&output::table(&rows))
}

fn row(scope: &ScopeInfo) -> ScopeRow<'_> {
    ScopeRow {
        id: scope.id.as_str(),
        kind: scope.kind.as_str(),
        name: scope.display_name.as_deref(),
        redaction_hints: &scope.redaction_hints,
        created: scope.created.to_string(),
        secrets: scope.secrets,
    }
}

fn show(id: &ScopeId, json: bool, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let scope = session
        .store()
        .scope(id)
        .map_err(|error| session.explain(error))?;
    let secrets = session
        .store()
        .list(id)
        .map_err(|error| session.explain(error))?;
    if json {
        return print_json(&ShowDocument {
            id: id.as_str(),
            kind: scope.kind.as_str(),
            name: scope.display_name.as_deref(),
            redaction_hints: &scope.redaction_hints,
            created: scope.created.to_string(),
            secrets: secrets.iter().map(SecretRow::from).collect(),
        });
    }
    let mut rows = vec![
        vec!["scope".into(), id.to_string()],
        vec!["kind".into(), scope.kind.to_string()],
        vec!["made".into(), scope.created.to_string()],
        vec!["secrets".into(), secrets.len().to_string()],
    ];
    if let Some(name) = &scope.display_name {
        rows.insert(1, vec!["name".into(), sanitized(name)]);
    }
    if !scope.redaction_hints.is_empty() {
        let hints: Vec<_> = scope
            .redaction_hints
            .iter()
            .map(SecretName::as_str)
            .collect();
        rows.push(vec!["hints".into(), hints.join(", ")]);
    }
    let mut text = output::table(&rows);
    if !secrets.is_empty() {
        text.push('\n');
        text.push_str(&secret_table(&secrets));
    }
    print(&text)
}

fn delete(id: &ScopeId, force: bool, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    if !force {
        let scope = session
            .store()
            .scope(id)
            .map_err(|error| session.explain(error))?;
        let question = format!("delete scope {id} and its {}?", secrets(scope.secrets));
        input::confirm("", &question, global)?;
    }
    let count = session
        .store()
        .delete_scope(id)
        .map_err(|error| session.explain(error))?;
    session.tell(&format!("deleted scope {id} with {}", secrets(count)));
    Ok(())
}

fn secrets(number: usize) -> String {
    output::count(number as u64, "secret")
}
