//! Why a text of a server's entry is taken for a credential.

use super::server::{Place, Server, Text};
use mcplexer_detect::{self as detect, Reason};

/// The member, of Codex, whose own members are the names of variables that have header fields.
const NAMES_OF_VARIABLES: &str = "env_http_headers.";
/// What digests, commits and documents stand behind in an address, which look as random as tokens.
const BEFORE_NAMES: [&str; 9] = [
    "archive", "blob", "blobs", "commit", "commits", "d", "folders", "raw", "tree",
];

/// How many names may stand before a value, one within the other.
const MAX_NAMES: usize = 8;

/// Why the text at an index is taken for a credential, if it is.
pub(super) fn reason(server: &Server, at: usize, hints: &[&str]) -> Option<Reason> {
    let text = server.texts.get(at)?;
    let value = text.value.as_deref()?;
    match &text.place {
        Place::Env(name) | Place::Header(name) => detect::credential(name, value, hints),
        Place::Member(name) if name.starts_with(NAMES_OF_VARIABLES) => {
            detect::credential(&format!("{name}_env"), value, hints)
        }
        Place::Member(name) => {
            let (_, name) = name.rsplit_once('.').unwrap_or(("", name));
            detect::credential(name, value, hints).or_else(|| in_words("", value, hints))
        }
        Place::Argument(_) => {
            let before = at.checked_sub(1).and_then(|at| server.texts.get(at));
            let before = before.filter(|it| matches!(it.place, Place::Argument(_)));
            let before = before.map_or("", text_of);
            in_words(before, value, hints).or_else(|| by_itself(before, value, hints))
        }
        Place::Url => {
            let found = detect::find(value).map(|(_, reason)| reason);
            found.or_else(|| in_address(value))
        }
        Place::Elsewhere => detect::find(value).map(|(_, reason)| reason),
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
    let words: Vec<&str> = std::iter::once(before)
        .chain(text.split_whitespace())
        .collect();
    let mut places = 1..words.len();
    places
        .find_map(|at| {
            let (before, word) = (*words.get(at - 1)?, *words.get(at)?);
            let field = || in_field(words.get(at..)?, hints);
            in_word(before, word, hints).or_else(field)
        })
        .or_else(|| in_field(&words, hints).filter(|_| is_word(before)))
}

fn in_word(before: &str, word: &str, hints: &[&str]) -> Option<Reason> {
    // `--env=NAME=value` and `--header=Name:value`: the innermost name says what it is.
    let mut rest = word;
    for _ in 0..MAX_NAMES {
        let Some((name, value)) = rest.split_once(['=', ':']) else {
            break;
        };
        if value.starts_with("//") {
            return in_address(rest);
        }
        if let Some(reason) = named(name, value, hints) {
            return Some(reason);
        }
        rest = value;
    }
    let names_next = before.starts_with("--") && !before.contains('=') && !word.starts_with('-');
    let is_value = names_next && rest.len() == word.len();
    is_value.then(|| named(before, word, hints)).flatten()
}

/// `Name: value`, and `Name: scheme value` as header fields have it (RFC 9110, section 11.4).
fn in_field(words: &[&str], hints: &[&str]) -> Option<Reason> {
    let mut words = words.iter().copied();
    let (before, given) = words.next()?.split_once(':')?;
    let name = before.rsplit('=').next().unwrap_or(before);
    if name.is_empty() || given.starts_with("//") {
        return None;
    }
    let first = Some(given).filter(|it| !it.is_empty());
    let first = first.or_else(|| words.next())?;
    let is_scheme = first.chars().all(|c| c.is_ascii_alphabetic() || c == '-');
    let second = words.next().filter(|_| is_scheme);
    let is_last = words.next().is_none();
    let ends = |word: &str| is_last || word.ends_with(['"', '\'']);
    match second {
        Some(value) if detect::is_auth_scheme(first) || ends(value) => named(name, value, hints),
        _ => named(name, first, hints),
    }
}

fn named(name: &str, value: &str, hints: &[&str]) -> Option<Reason> {
    // The name of an image, or a directory, before a `:`.
    if name.contains('/') {
        return None;
    }
    let name = name.trim_start_matches(['-', '"', '\'']);
    let value = value.trim_matches(['"', '\'', ',']);
    let reason = detect::credential(name, value, hints)?;
    (reason != Reason::Random || !is_path(value)).then_some(reason)
}

/// Why an argument that is one word is taken for a credential though nothing names it, or an option
/// of a letter: if it looks random.
fn by_itself(before: &str, word: &str, hints: &[&str]) -> Option<Reason> {
    let names_next = before.starts_with('-') && !before.contains('=') && !word.starts_with('-');
    let name = if names_next { before } else { "" };
    is_word(word).then(|| named(name, word, hints)).flatten()
}

fn is_word(text: &str) -> bool {
    !text.contains(char::is_whitespace)
}

/// Whether a word that looks random is a path, in which there may be digests.
fn is_path(word: &str) -> bool {
    let is_base64 = word.ends_with('=') || word.contains('+');
    word.starts_with(['/', '.', '~']) || (word.contains('/') && !is_base64)
}

/// Why an address is taken for a credential: if a part of its path looks random, and is no digest.
fn in_address(text: &str) -> Option<Reason> {
    let (scheme, rest) = text.split_once("://")?;
    if !["http", "https", "ws", "wss"]
        .iter()
        .any(|it| scheme.ends_with(it))
    {
        return None;
    }
    let path = rest.split(['?', '#']).next().unwrap_or(rest);
    let mut before = "";
    path.split('/').skip(1).find_map(|part| {
        let is_digest = part.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_name = is_digest || part.contains('.') || BEFORE_NAMES.contains(&before);
        before = part;
        if is_name {
            return None;
        }
        detect::credential("", part, &[])
    })
}
