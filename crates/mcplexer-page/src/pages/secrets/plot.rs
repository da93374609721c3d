//! When the versions of a secret were stored, as a picture.

use maud::{Markup, html};
use mcplexer_home::scopes::VersionRow;
use mcplexer_secrets::Timestamp;

use crate::pages::words::time;

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
        svg .plot viewBox="0 0 620 28" role="img" aria-label=(label) {
            line .axis x1="10" x2="610" y1="14" y2="14" {}
            @for version in versions {
                circle .s1 cx=(place(version)) cy="14" r="5" { title { "version " (version.version) ", " (version.updated) } }
            }
        }
        p .aside { "From " (time(&oldest.updated.to_string())) " to now, with a dot where a version was stored." }
    }
}

#[cfg(test)]
mod tests {
    use mcplexer_secrets::{NewScope, PutMode, SecretStore, SecretValue};

    use super::*;

    #[test]
    fn versions_lie_between_the_oldest_one_and_now() {
        let directory = tempfile::tempdir().unwrap();
        let open = mcplexer_home::OpenHome::open(
            mcplexer_home::Home::at(directory.path().join("home")),
            |_: &mcplexer_secrets::keys::PassphraseRequest<'_>| None,
        );
        let open = open.unwrap();
        let (scope, name) = (NewScope::env("s".parse().unwrap()), "K".parse().unwrap());
        let put = |value: &str| {
            let value = SecretValue::new(value.into()).unwrap();
            open.store().put(&scope, &name, &value, PutMode::Overwrite)
        };
        put("1").unwrap();
        let list = || {
            mcplexer_home::scopes::history(&scope.id, &name, &open)
                .unwrap()
                .versions
        };
        let one = list();
        assert_eq!(versions(&one, one[0].updated).into_string(), "");
        put("2").unwrap();
        let two = list();
        let middle = two[0].updated.as_micros() * 2 - two[1].updated.as_micros();
        let shown = versions(&two, Timestamp::from_micros(middle)).into_string();
        assert!(shown.contains("cx=\"310\""), "{shown}");
        assert!(shown.contains("cx=\"10\""), "{shown}");
        // A clock that goes back.
        let shown = versions(&two, Timestamp::from_micros(0)).into_string();
        assert!(shown.contains("cx=\"10\""), "{shown}");
    }
}
