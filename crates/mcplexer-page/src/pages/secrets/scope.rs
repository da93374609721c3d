//! One scope: its secrets, a hundred at a time, and what can be done with it.

use axum::extract::{Path, State};
use maud::{Markup, html};
use mcplexer_secrets::{Note, ScopeId, Timestamp};

use super::due::badges;
use super::forms::{self, Target};
use super::list::{Part, Wanted};
use super::locked;
use super::uses::Uses;
use crate::access::Person;
use crate::api::parsed;
use crate::api::scopes::{Kind, Scope, ScopeWithSecrets, Secret};
use crate::asked::Asked;
use crate::pages::words::{count, maybe, segment, time};
use crate::problem::Problem;
use crate::site::App;

pub(in crate::pages) async fn page(
    State(app): State<App>,
    _: Person,
    Path(scope): Path<String>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Markup, Problem> {
    let id: ScopeId = parsed(&scope)?;
    let found = app.with_home(move |home| {
        let report = mcplexer_home::scopes::show(&id, home)?;
        Ok::<_, mcplexer_secrets::Error>((report, Uses::of(home.home(), &id)))
    });
    let (mut report, uses) = found.await?;
    let locked = locked::of(&app).await?;
    // Only what is shown of a long list is made into text.
    let secrets = std::mem::take(&mut report.secrets);
    let ScopeWithSecrets { mut scope, .. } = report.into();
    scope.secrets = secrets.len();
    let part = Part::of(secrets, &wanted, |it| {
        let note = it.note.as_ref().map(Note::as_str);
        [it.name.as_str(), note.unwrap_or_default()]
    });
    let own = format!("/api/v1/scopes/{}", segment(&scope.id));
    let here = format!("/secrets/{}", segment(&scope.id));
    let now = Timestamp::now();
    let example = match scope.kind {
        Kind::Header => "Authorization",
        _ => "GITHUB_TOKEN",
    };
    Ok(html! {
        p .path { a href="/secrets" { "Secrets" } }
        h1 { (scope.id) }
        p .aside {
            @if let Some(name) = &scope.name { (name) ". " }
            (scope.kind) ", " (count(scope.secrets, "secret")) ", created " (time(&scope.created))
        }
        (locked)
        @if scope.secrets == 0 {
            section .state {
                h2 { "No secrets yet" }
                p { "Store the first one below, or drop a .env file. A server gets a value where its configuration says "
                    code { "mcplexer://" (scope.id) "/KEY" } "." }
            }
        } @else {
            (part.filter("keys", "Store a secret"))
            @if !part.rows.is_empty() {
                table {
                    thead { tr { th { "Key" } th .number { "Version" } th { "Stored" } th { "Expires" } th { "Used by" } th { "Note" } } }
                    tbody { @for secret in &part.rows { (row(&here, &Secret::of(secret), &uses, now)) } }
                }
            }
            (part.links())
        }
        div .columns {
            section {
                h2 #below tabindex="-1" { "Store a secret" }
                (forms::value(&Target::New { secrets: &format!("{own}/secrets"), then: &here, example }))
            }
            section {
                h2 { "Import a file" }
                import-file data-to={ (own) "/import" } {
                    label { "A .env, JSON or YAML file" input type="file"; }
                    p .aside { "Choose one, or drop it here. You see what would change before anything is stored." }
                }
            }
        }
        (settings(&own, &scope))
        (delete(&own, &scope, &uses))
    })
}

fn row(here: &str, secret: &Secret, uses: &Uses, now: Timestamp) -> Markup {
    html! {
        tr {
            th scope="row" { a href={ (here) "/" (segment(&secret.key)) } { (secret.key) } (badges(secret, now)) }
            td .number { (secret.version) }
            td { (time(&secret.updated)) }
            td { (maybe(secret.expires.as_deref())) }
            td { (uses.of_key(&secret.key)) }
            td .text { (secret.note.as_deref().unwrap_or_default()) }
        }
    }
}

fn settings(own: &str, scope: &Scope) -> Markup {
    html! {
        details {
            summary { "Name and versions" }
            form data-method="PATCH" data-to=(own) data-changed data-said="Scope {id} saved." {
                label { "Name" input name="name" maxlength="128" autocomplete="off" data-empty="null" value=[scope.name.as_deref()]; }
                label { "Earlier versions to keep of each secret"
                    input name="keep_versions" type="number" min="0" max="100" required data-type="number" value=(scope.keep_versions); }
                button { "Save" }
            }
        }
    }
}

fn delete(own: &str, scope: &Scope, uses: &Uses) -> Markup {
    html! {
        details {
            summary { "Delete this scope" }
            form .danger data-method="DELETE" data-to=(own) data-then="/secrets" data-said={ "Scope " (scope.id) " deleted." } {
                label { "Type " code { (scope.id) } " to delete it with " (count(scope.secrets, "secret"))
                    (uses.warning(None))
                    input name="confirm" required autocomplete="off" spellcheck="false"; }
                button { "Delete the scope" }
            }
        }
    }
}
