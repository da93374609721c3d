//! Why a text of a server's entry is taken for a credential.

use super::server::{Place, Server, Text};
use crate::detect::{self, Reason};

/// Why the text at an index is taken for a credential, if it is.
pub(super) fn reason(server: &Server, at: usize, hints: &[&str]) -> Option<Reason> {
    let text = server.texts.get(at)?;
    let value = text.value.as_deref()?;
    match &text.place {
        Place::Env(name) | Place::Header(name) => detect::credential(name, value, hints),
        Place::Member(name) => {
            let (_, name) = name.rsplit_once('.').unwrap_or(("", name));
            detect::credential(name, value, hints).or_else(|| in_words("", value, hints))
        }
        Place::Argument(_) => {
            let before = at.checked_sub(1).and_then(|at| server.texts.get(at));
            let before = before.filter(|it| matches!(it.place, Place::Argument(_)));
            in_words(before.map_or("", text_of), value, hints)
        }
        Place::Url | Place::Elsewhere => detect::find(value).map(|(_, reason)| reason),
    }
}

fn text_of(text: &Text) -> &str {
    text.value.as_deref().map_or("", |it| it)
}

/// Why an argument, or a whole command line, is taken for a credential: by what it is, or by the name
/// of the option, the variable or the header field that it gives a value to.
fn in_words(before: &str, text: &str, hints: &[&str]) -> Option<Reason> {
    if let Some((_, reason)) = detect::find(text) {
        return Some(reason);
    }
    let mut before = before;
    for word in text.split_whitespace() {
        if let Some(reason) = in_word(before, word, hints) {
            return Some(reason);
        }
        before = word;
    }
    None
}

fn in_word(before: &str, word: &str, hints: &[&str]) -> Option<Reason> {
    let named = |name: &str, value: &str| {
        let name = name.trim_start_matches('-');
        let value = value.trim_matches(['"', '\'', ',']);
        detect::credential(name, value, hints)
    };
    // `--env=NAME=value` and `--header=Name:value`: the innermost name says what it is.
    let mut rest = word;
    while let Some((name, value)) = rest.split_once(['=', ':']) {
        if value.starts_with("//") {
            return None;
        }
        if let Some(reason) = named(name, value) {
            return Some(reason);
        }
        rest = value;
    }
    let names_next = before.starts_with("--") && !before.contains('=') && !word.starts_with('-');
    let names_field = before.len() > 1 && before.ends_with(':');
    match (names_next && rest.len() == word.len(), names_field) {
        (true, _) => named(before, word),
        (_, true) => named(before.trim_end_matches(':'), word),
        _ => None,
    }
}
