//! What there is, and what needs attention.

use std::path::Path;

use axum::extract::State;
use maud::{Markup, html};
use mcplexer_gateway::State as ServerState;
use mcplexer_home::OpenHome;
use mcplexer_home::adoption::{Plaintext, directories, own_program, plaintext};
use mcplexer_home::doctor::{Doctor, Severity as HowBad};
use mcplexer_home::scopes::{DueRow, due};
use mcplexer_secrets::Timestamp;

use super::calls::badge;
use super::doctor::{finding, sentence};
use super::secrets::locked;
use super::words::{count, segment, server, time};
use crate::access::{Onlooker, Person};
use crate::api::calls::Call;
use crate::api::doctor::Finding;
use crate::api::scopes;
use crate::problem::Problem;
use crate::sight::Sight;
use crate::site::App;

/// How long before its end a secret needs attention, in microseconds: two weeks.
const SOON: u64 = 14 * 86_400 * 1_000_000;

/// How many calls are shown.
const CALLS: usize = 8;

/// How many secrets that expire are shown.
const MOST_DUE: usize = 10;

pub(super) async fn page(State(app): State<App>, _: Person) -> Result<Markup, Problem> {
    let status = app.gateway.status();
    // What is wrong with the store is something to tell here, and hides nothing else.
    let scopes = scopes::all(&app).await;
    let reason = app.with_home(|home: &OpenHome| Ok::<_, Problem>(locked::reason(home)));
    let reason = reason.await?;
    let locked = match (&scopes, &reason) {
        (Err(problem), _) => Some(("The secrets cannot be read", problem)),
        (_, Some(problem)) => Some(("The secrets are locked", problem)),
        _ => None,
    };
    let failing: Vec<_> = status
        .servers
        .iter()
        .filter(|it| it.state == ServerState::Failing)
        .collect();
    let calls = app.gateway.recent_calls().into_iter();
    let sight = Sight::default();
    let calls: Vec<_> = calls.map(|it| Call::recent(it, &app, &sight)).collect();
    let failed = calls
        .iter()
        .filter(|it| it.outcome.as_deref().is_some_and(|it| it != "ok"));
    Ok(html! {
        h1 { "Overview" }
        p .aside { "mcplexer " (status.version) ", running since " (time(&status.since.to_string())) }
        ul .tiles {
            (tile(
                "/secrets",
                "Secrets",
                &scopes.as_ref().map_or_else(|_| "–".to_owned(), |all| all.iter().map(|it| it.secrets).sum::<usize>().to_string()),
                &match (&scopes, &locked) {
                    (Ok(scopes), None) => format!("in {}", count(scopes.len(), "scope")),
                    _ => "locked".to_owned(),
                },
                locked.is_some(),
            ))
            (tile("/servers", "Servers", &status.servers.len().to_string(), &match failing.len() { 0 => "none failing".to_owned(), it => format!("{it} failing") }, !failing.is_empty()))
            (tile("/calls", "Calls", &calls.len().to_string(), &format!("{} failed since the gateway started", failed.count()), false))
            li data-fresh="/parts/overview/clients" { (clients_tile(status.clients.len())) }
        }
        h2 { "Needs attention" }
        @if locked.is_some() || status.config_problem.is_some() || status.store_problem.is_some() || !failing.is_empty() {
            ul .findings {
                @if let Some((what, why)) = &locked {
                    li .error {
                        p { strong { (what) } }
                        p { (sentence(&why.title)) }
                        @for hint in &why.hints { p .hint { (hint) } }
                    }
                }
                @if let Some(problem) = &status.config_problem {
                    li .error {
                        p { strong { "config.yaml is not used as it is now" } }
                        p { (problem) }
                        pre .command { "mcplexer config check" }
                    }
                }
                @if let Some(problem) = &status.store_problem {
                    li .error {
                        p { strong { "The store cannot be reached" } }
                        p { (sentence(problem)) }
                    }
                }
                @for server in &failing {
                    li .error {
                        p { strong { a href={ "/servers/" (segment(server.name.as_str())) } { (server.name) } " does not start" } }
                        @if let Some(reason) = &server.reason { p { (sentence(reason)) } }
                        pre .command { "mcplexer server logs " (server.name) }
                    }
                }
            }
        }
        div data-part={ "/parts/overview/findings" } { p .loading { "Looking for more…" } }
        h2 { "Last calls" }
        (last_calls(&calls))
    })
}

fn tile(address: &str, name: &str, number: &str, detail: &str, is_bad: bool) -> Markup {
    html! {
        li { (tile_link(address, name, number, detail, is_bad)) }
    }
}

fn tile_link(address: &str, name: &str, number: &str, detail: &str, is_bad: bool) -> Markup {
    html! {
        a href=(address) { (name) strong { (number) } span .bad[is_bad] { (detail) } }
    }
}

fn clients_tile(number: usize) -> Markup {
    tile_link(
        "/clients",
        "Clients",
        &number.to_string(),
        "connected",
        false,
    )
}

/// How many clients are connected now.
pub(super) async fn clients(State(app): State<App>, _: Onlooker) -> Markup {
    clients_tile(app.gateway.status().clients.len())
}

fn last_calls(calls: &[Call]) -> Markup {
    html! {
        @if calls.is_empty() {
            p .none { "No client has called a tool since the gateway started." }
        } @else {
            table {
                thead { tr { th { "What" } th { "Server" } th { "Client" } th { "When" } th { "Outcome" } th .number { "Took" } } }
                tbody {
                    @for call in calls.iter().rev().take(CALLS) {
                        tr {
                            th scope="row" { (call.tool.as_deref().unwrap_or(&call.method)) }
                            td { (server(&call.server)) }
                            td { @match &call.client { Some(it) => (it), None => span .none { "–" } } }
                            td { (time(&call.time)) }
                            td { (badge(call.outcome.as_deref())) }
                            td .number { @match call.ms { Some(ms) => { (ms) " ms" }, None => span .none { "–" } } }
                        }
                    }
                }
            }
            p { a href="/calls" { "All calls" } }
        }
    }
}

/// What takes longer to find: secrets that expire, keys, and credentials in the files of clients.
pub(super) async fn findings(State(app): State<App>, _: Person) -> Result<Markup, Problem> {
    let found = app.in_turn(&app.checking, |home: &OpenHome| {
        Ok::<_, Problem>(Found::look(home))
    });
    let found = found.await?;
    let status = app.gateway.status();
    let is_well = status.config_problem.is_none()
        && status.store_problem.is_none()
        && !found.is_locked
        && status
            .servers
            .iter()
            .all(|it| it.state != ServerState::Failing);
    let now = Timestamp::now();
    Ok(html! {
        @if found.is_none() {
            @if is_well { p .well { "Nothing." } }
        } @else {
            ul .findings {
                @for it in &found.keys { (finding(it)) }
                @for it in found.due.iter().take(MOST_DUE) { (due_row(it, now)) }
                @if let Some(more) = found.due.len().checked_sub(MOST_DUE).filter(|it| *it > 0) {
                    li .warning { p { (count(more, "more secret")) ". All of them:" } pre .command { "mcplexer secret list --expiring 14d" } }
                }
                @for it in &found.plaintext { (plaintext_row(it)) }
            }
        }
        p { a href="/doctor" { "Check everything" } }
    })
}

/// What needs attention.
struct Found {
    is_locked: bool,
    keys: Vec<Finding>,
    due: Vec<DueRow>,
    plaintext: Vec<Plaintext>,
}

impl Found {
    fn look(home: &OpenHome) -> Self {
        let is_locked = locked::reason(home).is_some();
        let has_store = home.has_store();
        let by = Timestamp::from_micros(Timestamp::now().as_micros().saturating_add(SOON));
        let due = match has_store && !is_locked {
            true => due(None, by, home).map(|it| it.secrets).unwrap_or_default(),
            false => Vec::new(),
        };
        let keys = match has_store && !is_locked {
            true => Doctor::default().examine_keys(home).findings,
            false => Vec::new(),
        };
        let keys = keys.into_iter().filter(|it| it.severity != HowBad::Note);
        let mut directories = directories(|name| std::env::var_os(name));
        directories.project = None;
        Self {
            is_locked,
            keys: keys.map(Finding::from).collect(),
            due,
            plaintext: plaintext(&directories, &own_program(), home),
        }
    }

    fn is_none(&self) -> bool {
        self.keys.is_empty() && self.due.is_empty() && self.plaintext.is_empty()
    }
}

fn due_row(row: &DueRow, now: Timestamp) -> Markup {
    let (scope, key) = (row.scope.as_str(), row.secret.name.as_str());
    let (at, verbs) = match (row.secret.expires, row.secret.rotate_by) {
        (Some(expires), Some(rotate)) if rotate < expires => {
            (Some(rotate), ("was to be replaced", "is to be replaced"))
        }
        (None, rotate) => (rotate, ("was to be replaced", "is to be replaced")),
        (expires, _) => (expires, ("expired", "expires")),
    };
    html! {
        @if let Some(at) = at {
            li .error[at < now] .warning[at >= now] {
                p {
                    a href={ "/secrets/" (segment(scope)) "/" (segment(key)) } { (scope) "/" (key) } " "
                    (if at < now { verbs.0 } else { verbs.1 }) " " (time(&at.to_string())) "."
                }
            }
        }
    }
}

fn plaintext_row(row: &Plaintext) -> Markup {
    html! {
        li .warning {
            p {
                strong { (count(row.credentials, "credential")) " in plaintext" } " in the file of " (row.client) ": "
                code { (row.file.display()) }
            }
            @if row.is_adoptable {
                p { "This shows what can be moved into the store:" }
                pre .command { "mcplexer adopt " (quoted(&row.file)) }
            }
        }
    }
}

/// A path as a shell reads it.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let is_plain = |it: char| it.is_ascii_alphanumeric() || "/._-+@%,:=".contains(it);
    match path.chars().all(is_plain) {
        true => path,
        false => format!("'{}'", path.replace('\'', "'\\''")),
    }
}
