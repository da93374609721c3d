//! A store that cannot be opened: its names can be read, and nothing can be done with its values.

use maud::{Markup, html};
use mcplexer_home::OpenHome;

use crate::problem::Problem;
use crate::site::App;

/// Returns why the store cannot be opened. `None` if it can, or if no store exists yet.
pub(in crate::pages) fn reason(home: &OpenHome) -> Option<Problem> {
    let opened = home.has_store().then(|| home.store().unlock());
    opened.and_then(Result::err).map(Problem::from)
}

/// Says why the store cannot be opened, and what to do. Empty if it can, or if no store exists yet.
pub(super) async fn of(app: &App) -> Result<Markup, Problem> {
    let reason = app.with_home(|home| Ok::<_, Problem>(reason(home)));
    Ok(html! {
        @if let Some(problem) = reason.await? {
            section .state.locked role="alert" {
                h2 { "The store cannot be opened" }
                p { (problem.title) }
                @for hint in &problem.hints { p .hint { (hint) } }
            }
        }
    })
}
