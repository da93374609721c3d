//! One secret: what is said about it, its versions, and what can be done with it.

use axum::extract::{Path, State};
use maud::{Markup, html};
use mcplexer_files::reference::Reference;
use mcplexer_home::scopes::{History, SecretRow, VersionRow, history};
use mcplexer_secrets::{ScopeId, SecretName, Timestamp};

use super::due::badges;
use super::forms::{self, Target};
use super::uses::{Uses, last_used};
use super::{locked, plot};
use crate::access::Person;
use crate::api::parsed;
use crate::api::scopes::Secret;
use crate::pages::words::{maybe, segment, time};
use crate::problem::Problem;
use crate::site::App;

pub(in crate::pages) async fn page(
    State(app): State<App>,
    _: Person,
    Path((scope, key)): Path<(String, String)>,
) -> Result<Markup, Problem> {
    let (id, name): (ScopeId, SecretName) = (parsed(&scope)?, parsed(&key)?);
    let found = app.with_home(move |home| {
        let info = home.store().secret_info(&id, &name)?;
        let history = history(&id, &name, home)?;
        Ok::<_, mcplexer_secrets::Error>((info, history, Uses::of(home.home(), &id)))
    });
    let (info, history, uses) = found.await?;
    let locked = locked::of(&app).await?;
    let secret = Secret::from(SecretRow::from(info));
    let now = Timestamp::now();
    let own = format!(
        "/api/v1/scopes/{}/secrets/{}",
        segment(&scope),
        segment(&key)
    );
    let next = Target::Next {
        secret: &own,
        version: secret.version,
        state: &secret.state,
    };
    Ok(html! {
        p .path { a href="/secrets" { "Secrets" } a href={ "/secrets/" (segment(&scope)) } { (scope) } }
        h1 { (key) (badges(&secret, now)) }
        (locked)
        @if let Some(note) = &secret.note { p { (note) } }
        div .columns {
            section {
                (facts(&secret, &uses, &last_used(&app.gateway.recent_calls(), &scope, &key)))
                (reference(&scope, &key))
            }
            section {
                h2 { "Replace the value" }
                (forms::value(&next))
            }
        }
        (versions(&own, &secret, &history, now))
        (edit(&own, &secret))
        (delete(&own, &scope, &key, &uses))
    })
}

fn facts(secret: &Secret, uses: &Uses, last_used: &Markup) -> Markup {
    html! {
        dl {
            dt { "Version" } dd { (secret.version) ", stored " (time(&secret.updated)) }
            dt { "Created" } dd { (time(&secret.created)) }
            dt { "Expires" } dd { (maybe(secret.expires.as_deref())) }
            dt { "To be replaced" } dd {
                (maybe(secret.rotate_by.as_deref()))
                @if let Some(days) = secret.rotate_every_days { span .note { " every " (days) " days" } }
            }
            dt { "Used by" } dd { (uses.of_key(&secret.key)) }
            dt { "Last used" } dd { (last_used) }
        }
    }
}

/// Shows what stands for the secret in a file. Some names of header fields have no such notation.
fn reference(scope: &str, key: &str) -> Markup {
    let reference = format!("mcplexer://{scope}/{key}");
    html! {
        @if reference.parse::<Reference>().is_ok() {
            h2 { "Refer to it" }
            pre .command data-name="the reference" { (reference) }
            p .aside { "In config.yaml and in the files of clients, this stands for the value." }
        }
    }
}

fn versions(own: &str, secret: &Secret, history: &History, now: Timestamp) -> Markup {
    let current = history.versions.first().map(|it| it.version);
    html! {
        h2 { "Versions" }
        (plot::versions(&history.versions, now))
        table {
            thead { tr { th { "Version" } th { "Stored" } th { span .hidden { "Acts" } } } }
            tbody { @for version in &history.versions { (version_row(own, secret, version, current)) } }
        }
    }
}

fn version_row(own: &str, secret: &Secret, row: &VersionRow, current: Option<u64>) -> Markup {
    html! {
        tr {
            th scope="row" { (row.version) }
            td { (time(&row.updated.to_string())) }
            td {
                @if current == Some(row.version) {
                    span class="badge good" { "current" }
                } @else {
                    form data-method="POST" data-to={ (own) "/restore" } data-said={ "Version " (row.version) " restored." } {
                        input type="hidden" name="version" value=(row.version) data-type="number";
                        input type="hidden" name="if_state" value=(secret.state);
                        button .quiet { "Restore" span .hidden { " version " (row.version) } }
                    }
                }
            }
        }
    }
}

fn edit(own: &str, secret: &Secret) -> Markup {
    html! {
        h2 { "Note, expiry, rotation" }
        form data-method="PATCH" data-to=(own) data-changed data-said="{key} saved." {
            input type="hidden" name="if_state" value=(secret.state);
            (forms::said(secret.note.as_deref(), secret.expires.as_deref(), secret.rotate_every_days))
            p .aside { "An empty field removes what it stands for." }
            button { "Save" }
        }
    }
}

fn delete(own: &str, scope: &str, key: &str, uses: &Uses) -> Markup {
    html! {
        details {
            summary { "Delete this secret" }
            form .danger data-method="DELETE" data-to=(own) data-then={ "/secrets/" (segment(scope)) } data-said={ (scope) "/" (key) " deleted." } {
                label { "Type " code { (key) } " to delete it with all versions" (uses.warning(Some(key)))
                    input name="confirm" required autocomplete="off" spellcheck="false"; }
                button { "Delete" }
            }
        }
    }
}
