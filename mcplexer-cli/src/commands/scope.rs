//! `mcplexer scope …`

pub(super) mod list;

use mcplexer_home::{moves, scopes};
use mcplexer_secrets::{NewScope, ScopeId, ScopeKind, SecretName, SecretStore};

use super::references;
use super::secret::list::table as secret_table;
use crate::cli::{Global, Kind, Scope};
use crate::clock::Clock;
use crate::failure::Failure;
use crate::input;
use crate::output::{print, print_json};
use crate::session::Session;
use crate::table::whole;
use crate::text::{self, sanitized};

pub(super) fn run(command: Scope, global: Global) -> Result<(), Failure> {
    match command {
        Scope::Create {
            scope,
            kind,
            name,
            keep_versions,
        } => {
            let scope = NewScope {
                id: scope,
                kind: match kind {
                    Kind::Env => ScopeKind::Env,
                    Kind::Header => ScopeKind::Header,
                    Kind::OAuth2 => ScopeKind::OAuth2,
                },
                display_name: name,
                redaction_hints: Vec::new(),
                keep_versions,
            };
            create(&scope, global)
        }
        Scope::Update {
            scope,
            keep_versions,
        } => update(&scope, keep_versions, global),
        Scope::List { json } => list::run(json, global),
        Scope::Show { scope, json } => show(&scope, json, global),
        Scope::Rename {
            scope,
            new,
            leave_references,
        } => rename(&scope, &new, leave_references, global),
        Scope::Delete { scope, force } => delete(&scope, force, global),
    }
}

fn create(scope: &NewScope, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let created = session.store().create_scope(scope);
    created.map_err(|error| session.explain(error))?;
    session.tell_created();
    session.tell(&format!("created scope {} ({})", scope.id, scope.kind));
    Ok(())
}

fn update(id: &ScopeId, keep_versions: u8, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let updated = scopes::set_keep_versions(id, keep_versions, &session);
    let is_changed = updated.map_err(|error| session.explain(error))?;
    let kept = text::count(u64::from(keep_versions), "earlier version");
    session.tell(&match is_changed {
        true => format!("scope {id} now keeps {kept} of each secret"),
        false => format!("scope {id} keeps {kept} of each secret already"),
    });
    Ok(())
}

fn show(id: &ScopeId, json: bool, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let report = scopes::show(id, &session).map_err(|error| session.explain(error))?;
    if json {
        return print_json(&report);
    }
    let mut rows = vec![vec!["scope".into(), id.to_string()]];
    if let Some(name) = &report.name {
        rows.push(vec!["name".into(), sanitized(name)]);
    }
    rows.extend([
        vec!["kind".into(), report.kind.to_string()],
        vec![
            "created".into(),
            Clock::new(false).of_line(&report.created.to_string()),
        ],
        vec![
            "keeps".into(),
            text::count(u64::from(report.keep_versions), "earlier version"),
        ],
        vec!["secrets".into(), report.secrets.len().to_string()],
    ]);
    if !report.redaction_hints.is_empty() {
        let hints = report.redaction_hints.iter().map(SecretName::as_str);
        let hints: Vec<_> = hints.collect();
        rows.push(vec!["hints".into(), hints.join(", ")]);
    }
    let mut text = whole(&rows);
    if !report.secrets.is_empty() {
        text.push('\n');
        text.push_str(&secret_table(&report.secrets));
    }
    print(&text)
}

fn rename(
    id: &ScopeId,
    new: &ScopeId,
    leave_references: bool,
    global: Global,
) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let renamed = moves::rename_scope(id, new, references(leave_references), &session);
    let secrets = renamed.map_err(|error| session.explain(error))?;
    let secrets = text::count(secrets as u64, "secret");
    session.tell(&format!("renamed scope {id} to {new}, with {secrets}"));
    session.hint(&format!(
        "what refers to mcplexer://{id}/…, such as a client's configuration, needs the new name"
    ));
    Ok(())
}

fn delete(id: &ScopeId, force: bool, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let secrets = |number: usize| text::count(number as u64, "secret");
    if !force {
        let scope = session.store().scope(id);
        let scope = scope.map_err(|error| session.explain(error))?;
        let question = format!("delete scope {id} and its {}?", secrets(scope.secrets));
        input::confirm("", &question, global)?;
    }
    let deleted = session.store().delete_scope(id);
    let deleted = deleted.map_err(|error| session.explain(error))?;
    session.tell(&format!("deleted scope {id} with {}", secrets(deleted)));
    Ok(())
}
