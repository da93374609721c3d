//! Forms into which a value goes, and those of what is said about it. The script `forms.js` sends them, and `secrets.js`
//! refuses what a field cannot hold.

use maud::{Markup, html};
use mcplexer_secrets::MAX_VALUE_LEN;

/// What a value is stored as.
pub(super) enum Target<'a> {
    /// A new secret of a scope, at this address of the API.
    New {
        secrets: &'a str,
        then: &'a str,
        /// A key as such scopes have it.
        example: &'a str,
    },
    /// The next version of a secret, at this address of the API.
    Next {
        secret: &'a str,
        version: u64,
        /// The state in which the secret was shown.
        state: &'a str,
    },
}

/// Shows the three ways to give a value.
pub(super) fn value(target: &Target<'_>) -> Markup {
    let ways = [
        ("Paste it", paste()),
        ("Generate", generate()),
        ("From a file", file()),
    ];
    html! {
        @for (at, (name, field)) in ways.into_iter().enumerate() {
            details name="way" open[at == 0] {
                summary { (name) }
                (form(target, &field))
            }
        }
    }
}

fn form(target: &Target<'_>, field: &Markup) -> Markup {
    html! {
        @match target {
            Target::New { secrets, then, example } => {
                form data-method="PUT" data-to={ (secrets) "/{key}" } data-then={ (then) "/{key}" } data-said="{scope}/{key} stored." {
                    input type="hidden" name="if_version" value="0" data-type="number";
                    label { "Key" input name="key" required autocomplete="off" spellcheck="false" placeholder=(example); }
                    (field)
                    details {
                        summary { "Note, expiry, rotation" }
                        (said(None, None, None))
                    }
                    button { "Store" }
                }
            },
            Target::Next { secret, version, state } => {
                form data-method="PUT" data-to=(secret) data-said="Version {version} stored." {
                    input type="hidden" name="if_state" value=(state);
                    (field)
                    button { "Store as version " (version.saturating_add(1)) }
                }
            },
        }
    }
}

fn paste() -> Markup {
    html! {
        label { "Value" textarea .veiled name="value" rows="1" required autocomplete="off" data-most=(MAX_VALUE_LEN) {} }
        p .aside data-lines="" role="status" {}
    }
}

fn generate() -> Markup {
    html! {
        label { "Letters and digits" input name="generate" type="number" min="8" max="512" value="32" required data-type="number"; }
        p .aside { "Nobody sees it. 32 of them are as hard to guess as a key of 190 bits." }
    }
}

fn file() -> Markup {
    html! {
        label { "File, up to 1 MiB" input name="base64" type="file" required data-as="base64" data-most=(MAX_VALUE_LEN); }
        p .aside { "Its bytes become the value, with every line end." }
    }
}

/// Shows the fields of what is said about a secret. One that is there and is emptied removes what it stands for.
pub(super) fn said(note: Option<&str>, expires: Option<&str>, days: Option<u32>) -> Markup {
    let empty = |is_there: bool| is_there.then_some("null");
    let date = expires.and_then(|it| it.get(..10));
    html! {
        label { "Note, which is not encrypted" input name="note" maxlength="200" autocomplete="off" data-empty=[empty(note.is_some())] value=[note]; }
        label { "Expires" input name="expires" type="date" min="1970-01-02" max="9999-12-29" data-empty=[empty(date.is_some())] value=[date]; }
        label { "Replace every so many days" input name="rotate_every_days" type="number" min="1" max="36500" data-type="number" data-empty=[empty(days.is_some())] value=[days]; }
    }
}
