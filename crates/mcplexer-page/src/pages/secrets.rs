//! Scopes and their secrets. A value goes in, and never comes out.

mod due;
mod forms;
mod list;
pub(super) mod locked;
mod plot;
pub(super) mod scope;
pub(super) mod secret;
mod uses;

use axum::extract::State;
use maud::{Markup, html};
use mcplexer_home::scopes::DueRow;
use mcplexer_secrets::Timestamp;

use self::list::{Part, Wanted};
use super::words::{count, maybe, segment, time};
use crate::access::Person;
use crate::api::scopes::{self, Scope, Secret};
use crate::asked::Asked;
use crate::problem::Problem;
use crate::site::App;

/// How many of the secrets that are due are shown.
const MOST_DUE: usize = 20;

pub(super) async fn scopes(
    State(app): State<App>,
    _: Person,
    Asked(wanted): Asked<Wanted>,
) -> Result<Markup, Problem> {
    let scopes = scopes::all(&app).await?;
    let locked = locked::of(&app).await?;
    let now = Timestamp::now();
    let due = match scopes.is_empty() {
        true => Vec::new(),
        false => due(&app, now).await?,
    };
    let is_empty = scopes.is_empty();
    let part = Part::of(scopes, &wanted, |it| {
        [&it.id, it.name.as_deref().unwrap_or_default()]
    });
    Ok(html! {
        h1 { "Secrets" }
        (locked)
        @if is_empty {
            section .state {
                h2 { "No secrets yet" }
                p { "A scope holds what one tool server needs. Create one below, or take over what the files of your clients hold:" }
                pre .command { "mcplexer adopt" }
            }
        } @else {
            (due_table(&due, now))
            (part.filter("scopes", "New scope"))
            @if !part.rows.is_empty() {
                table {
                    thead { tr { th { "Scope" } th { "Kind" } th .number { "Secrets" } th { "Created" } } }
                    tbody { @for scope in &part.rows { (scope_row(scope)) } }
                }
            }
            (part.links())
        }
        h2 #below tabindex="-1" { "New scope" }
        form data-method="POST" data-to="/api/v1/scopes" data-then="/secrets/{id}" data-said="Scope {id} created." {
            label { "Id" input name="id" required autocomplete="off" spellcheck="false" placeholder="github"; }
            label { "Name" input name="name" maxlength="128" autocomplete="off"; }
            label { "Kind"
                select name="kind" {
                    option value="env" { "env: environment variables" }
                    option value="header" { "header: HTTP header fields" }
                }
            }
            button { "Create" }
        }
    })
}

/// Returns what has expired, expires soon, or is to be replaced; what comes first is first.
async fn due(app: &App, now: Timestamp) -> Result<Vec<DueRow>, Problem> {
    let by = due::soon(now);
    let list = app.with_home(move |home| mcplexer_home::scopes::due(None, by, home));
    let mut due = list.await?.secrets;
    let is_shown = |it: &DueRow| {
        let rotate = it.secret.rotate_by.filter(|it| *it <= now);
        it.secret.expires.filter(|it| *it <= by).or(rotate)
    };
    due.retain(|it| is_shown(it).is_some());
    due.sort_by_key(is_shown);
    Ok(due)
}

fn due_table(due: &[DueRow], now: Timestamp) -> Markup {
    html! {
        @if !due.is_empty() {
            h2 { "Needs a new value" }
            table {
                thead { tr { th { "Secret" } th { "Expires" } th { "To be replaced" } } }
                tbody { @for row in due.iter().take(MOST_DUE) { (due_row(row, now)) } }
            }
            @if let Some(more) = due.len().checked_sub(MOST_DUE).filter(|it| *it > 0) {
                p .aside { "And " (more) " more: " code { "mcplexer secret list --expiring 30d" } }
            }
            h2 { "Scopes" }
        }
    }
}

fn due_row(row: &DueRow, now: Timestamp) -> Markup {
    let scope = row.scope.as_str();
    let key = row.secret.name.as_str();
    let secret = Secret::of(&row.secret);
    html! {
        tr {
            th scope="row" {
                a href={ "/secrets/" (segment(scope)) "/" (segment(key)) } { (scope) "/" (key) }
                (due::badges(&secret, now))
            }
            td { (maybe(secret.expires.as_deref())) }
            td { (maybe(secret.rotate_by.as_deref())) }
        }
    }
}

fn scope_row(scope: &Scope) -> Markup {
    html! {
        tr {
            th scope="row" {
                a href={ "/secrets/" (segment(&scope.id)) } { (scope.id) }
                @if let Some(name) = &scope.name { " " span .note { (name) } }
            }
            td { (scope.kind) }
            td .number title=(count(scope.secrets, "secret")) { (scope.secrets) }
            td { (time(&scope.created)) }
        }
    }
}
