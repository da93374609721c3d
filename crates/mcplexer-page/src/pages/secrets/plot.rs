//! When the versions of a secret were stored, as a picture.

use maud::{Markup, html};
use mcplexer_home::scopes::VersionRow;
use mcplexer_secrets::Timestamp;

/// The width of the line.
const WIDTH: u64 = 600;

/// Draws versions on a line from the oldest one to now. Nothing, if there is one only.
pub(super) fn versions(versions: &[VersionRow], now: Timestamp) -> Markup {
    let (Some(oldest), true) = (versions.last(), versions.len() > 1) else {
        return html! {};
    };
    let from = oldest.updated.as_micros();
    let span = now.as_micros().saturating_sub(from).max(1);
    let place = |it: &VersionRow| {
        let since = it.updated.as_micros().saturating_sub(from).min(span);
        let along = u128::from(since) * u128::from(WIDTH) / u128::from(span);
        u64::try_from(along).unwrap_or(WIDTH) + 10
    };
    let label = format!("When {} versions were stored", versions.len());
    html! {
        svg .plot viewBox="0 0 620 40" role="img" aria-label=(label) {
            line x1="10" x2="610" y1="14" y2="14" {}
            @for version in versions {
                circle cx=(place(version)) cy="14" r="5" { title { "version " (version.version) ", " (version.updated) } }
            }
            text x="10" y="36" { (oldest.updated.to_string().get(..10).unwrap_or_default()) }
            text x="610" y="36" text-anchor="end" { "now" }
        }
    }
}
