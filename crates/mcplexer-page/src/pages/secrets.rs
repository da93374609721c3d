//! Scopes and their secrets. A value goes in, and never comes out.

use axum::extract::{Path, State};
use maud::{Markup, html};

use super::words::{count, maybe, segment, time};
use crate::access::Person;
use crate::api::parsed;
use crate::api::scopes::{self, Scope, Secret};
use crate::problem::Problem;
use crate::site::App;

pub(super) async fn scopes(State(app): State<App>, _: Person) -> Result<Markup, Problem> {
    let scopes = scopes::all(&app).await?;
    Ok(html! {
        h1 { "Secrets" }
        @if scopes.is_empty() {
            section .state {
                p { "There are no secrets yet. A scope holds what one tool server needs." }
            }
        } @else {
            table {
                thead { tr { th { "Scope" } th { "Kind" } th .number { "Secrets" } th { "Created" } } }
                tbody { @for scope in &scopes { (scope_row(scope)) } }
            }
        }
        h2 { "New scope" }
        form data-method="POST" data-to="/api/v1/scopes" data-then="/secrets/{id}" {
            label { "Id" input name="id" required autocomplete="off" spellcheck="false" placeholder="github-token"; }
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

fn scope_row(scope: &Scope) -> Markup {
    html! {
        tr {
            th scope="row" {
                a href={ "/secrets/" (segment(&scope.id)) } { (scope.id) }
                @if let Some(name) = &scope.name { span .note { (name) } }
            }
            td { (scope.kind) }
            td .number { (scope.secrets) }
            td { (time(&scope.created)) }
        }
    }
}

pub(super) async fn scope(
    State(app): State<App>,
    _: Person,
    Path(scope): Path<String>,
) -> Result<Markup, Problem> {
    let found = scopes::one(&app, parsed(&scope)?).await?;
    let (scope, keys) = (found.scope, found.keys);
    let own = format!("/api/v1/scopes/{}", segment(&scope.id));
    Ok(html! {
        p .path { a href="/secrets" { "Secrets" } }
        h1 { (scope.id) }
        p .aside { (scope.kind) ", " (count(keys.len(), "secret")) ", created " (time(&scope.created)) }
        @if !keys.is_empty() {
            table {
                thead { tr { th { "Key" } th .number { "Version" } th { "Updated" } th { "Expires" } th { "Note" } th { span .hidden { "Acts" } } } }
                tbody { @for key in &keys { (key_row(&own, key)) } }
            }
        }
        h2 { "Store a value" }
        form data-method="PUT" data-to={ (own) "/secrets/{key}" } {
            label { "Key" input name="key" required autocomplete="off" spellcheck="false" placeholder="GITHUB_PERSONAL_ACCESS_TOKEN"; }
            label { "Value" input name="value" type="password" required autocomplete="off"; }
            label { "Note" input name="note" autocomplete="off"; }
            button { "Store" }
        }
        details {
            summary { "Delete this scope" }
            form .danger data-method="DELETE" data-to=(own) data-then="/secrets" {
                label { "Type " code { (scope.id) } " to delete it with " (count(keys.len(), "secret"))
                    input name="confirm" required autocomplete="off" spellcheck="false"; }
                button { "Delete the scope" }
            }
        }
    })
}

fn key_row(scope: &str, secret: &Secret) -> Markup {
    html! {
        tr {
            th scope="row" { (secret.key) }
            td .number { (secret.version) }
            td { (time(&secret.updated)) }
            td { (maybe(secret.expires.as_deref())) }
            td .text { (secret.note.as_deref().unwrap_or_default()) }
            td {
                details {
                    summary { "Delete" span .hidden { " " (secret.key) } }
                    form .danger data-method="DELETE" data-to={ (scope) "/secrets/" (segment(&secret.key)) } {
                        label { "Type " code { (secret.key) } " to delete it with all versions"
                            input name="confirm" required autocomplete="off" spellcheck="false"; }
                        button { "Delete" }
                    }
                }
            }
        }
    }
}
