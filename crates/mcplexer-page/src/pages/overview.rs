//! What there is, and what needs attention.

use axum::extract::State;
use maud::{Markup, html};
use mcplexer_gateway::State as ServerState;

use super::words::{count, time};
use crate::access::Person;
use crate::api::scopes;
use crate::problem::Problem;
use crate::site::App;

pub(super) async fn page(State(app): State<App>, _: Person) -> Result<Markup, Problem> {
    let status = app.gateway.status();
    let scopes = scopes::all(&app).await?;
    let secrets: usize = scopes.iter().map(|it| it.secrets).sum();
    let failing: Vec<_> = status
        .servers
        .iter()
        .filter(|it| it.state == ServerState::Failing)
        .collect();
    Ok(html! {
        h1 { "Overview" }
        ul .tiles {
            li { a href="/secrets" { strong { (secrets) } span { "in " (count(scopes.len(), "scope")) } "Secrets" } }
            li { a href="/servers" { strong { (status.servers.len()) } span { (count(failing.len(), "failing").trim_end_matches('s')) } "Servers" } }
            li { a href="/clients" { strong { (status.clients.len()) } span { "connected" } "Clients" } }
        }
        h2 { "Needs attention" }
        @if failing.is_empty() && status.config_problem.is_none() {
            p .well { "Nothing." }
        }
        ul .findings {
            @if let Some(problem) = &status.config_problem {
                li { strong { "config.yaml is not used" } p { (problem) } }
            }
            @for server in failing {
                li {
                    strong { a href={ "/servers/" (server.name) } { (server.name) } " does not start" }
                    p { (server.reason.as_deref().unwrap_or_default()) }
                }
            }
        }
        p .aside { "mcplexer " (status.version) ", running since " (time(&status.since.to_string())) "." }
    })
}
