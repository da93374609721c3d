//! A store that cannot be opened: its names can be read, and nothing can be done with its values.

use maud::{Markup, html};

use crate::problem::Problem;
use crate::site::App;

/// Says why the store cannot be opened, and what to do. Nothing if it can, or there is none yet.
pub(super) async fn of(app: &App) -> Result<Markup, Problem> {
    let opened = app.with_home(|home| {
        let opened = home.home().store().exists().then(|| home.store().unlock());
        Ok::<_, Problem>(opened.and_then(Result::err).map(Problem::from))
    });
    Ok(html! {
        @if let Some(problem) = opened.await? {
            section .state.locked role="alert" {
                h2 { "The store cannot be opened" }
                p { (problem.title) }
                @for hint in &problem.hints { p .hint { (hint) } }
            }
        }
    })
}
