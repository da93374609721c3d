//! Marks of secrets that expire, or whose values are to be replaced.

use maud::{Markup, html};
use mcplexer_secrets::Timestamp;

use crate::api::scopes::Secret;

/// What expires within this many days is marked.
pub(super) const SOON: u64 = 30;

const MICROS_PER_DAY: u64 = 24 * 60 * 60 * 1_000_000;

/// What a secret needs, if anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Expired,
    ExpiresSoon,
    ToRotate,
}

/// Returns the moment until which "soon" lasts.
pub(super) fn soon(now: Timestamp) -> Timestamp {
    let micros = SOON.saturating_mul(MICROS_PER_DAY);
    Timestamp::from_micros(now.as_micros().saturating_add(micros))
}

impl Due {
    /// Returns what a secret needs now.
    pub(super) fn of(secret: &Secret, now: Timestamp) -> Vec<Self> {
        let time = |it: &Option<String>| it.as_deref()?.parse::<Timestamp>().ok();
        let expiry = time(&secret.expires).and_then(|expires| match expires {
            it if it <= now => Some(Self::Expired),
            it if it <= soon(now) => Some(Self::ExpiresSoon),
            _ => None,
        });
        let rotate = time(&secret.rotate_by).filter(|it| *it <= now);
        let rotate = rotate.map(|_| Self::ToRotate);
        expiry.into_iter().chain(rotate).collect()
    }

    /// Shows it.
    fn badge(self) -> Markup {
        html! {
            @match self {
                Self::Expired => span class="badge bad" { "expired" },
                Self::ExpiresSoon => span class="badge warn" { "expires soon" },
                Self::ToRotate => span class="badge warn" { "to be replaced" },
            }
        }
    }
}

/// Shows what a secret needs.
pub(super) fn badges(secret: &Secret, now: Timestamp) -> Markup {
    html! { @for due in Due::of(secret, now) { " " (due.badge()) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(expires: Option<&str>, rotate_by: Option<&str>) -> Secret {
        Secret {
            key: "KEY".to_owned(),
            version: 1,
            state: String::new(),
            created: String::new(),
            updated: String::new(),
            note: None,
            expires: expires.map(str::to_owned),
            rotate_every_days: None,
            rotate_by: rotate_by.map(str::to_owned),
        }
    }

    #[test]
    fn what_is_due_is_marked() {
        let now: Timestamp = "2026-06-15T12:00:00Z".parse().unwrap();
        let (day, month, year) = (
            Some("2026-06-15T12:00:00Z"),
            Some("2026-07-15T12:00:00Z"),
            Some("2026-07-15T12:00:01Z"),
        );
        for (expires, rotate_by, expected) in [
            (None, None, &[][..]),
            (day, None, &[Due::Expired]),
            (month, None, &[Due::ExpiresSoon]),
            (year, None, &[]),
            (None, day, &[Due::ToRotate]),
            (None, month, &[]),
            (day, day, &[Due::Expired, Due::ToRotate]),
        ] {
            let found = Due::of(&secret(expires, rotate_by), now);
            assert_eq!(found, expected, "{expires:?} {rotate_by:?}");
        }
        let shown = badges(&secret(day, None), now).into_string();
        assert!(shown.contains("class=\"badge bad\""), "{shown}");
    }
}
