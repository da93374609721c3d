//! Why a text of a server's entry looks like a credential.

mod options;

use std::collections::HashSet;
use std::iter;

use mcplexer_detect::{self as detect, Reason};

use crate::server::{Place, Server, Text};

/// The member in which Codex names the variables that hold header fields.
const NAMES_OF_VARIABLES: &str = "env_http_headers.";
/// How many names before a value are looked at, one within the other.
const MAX_NAMES: usize = 8;

/// Further names of variables and fields that hold a credential, from the store's scopes.
pub(crate) struct Hints(HashSet<String>);

impl Hints {
    pub(crate) fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        Self(names.map(str::to_ascii_lowercase).collect())
    }

    /// Returns why a value of this name looks like a credential. Costs the same with many hints.
    pub(crate) fn credential(&self, name: &str, value: &str) -> Option<Reason> {
        let is_hinted = !self.0.is_empty() && self.0.contains(&name.to_ascii_lowercase());
        let hint = is_hinted.then_some(name);
        detect::credential(name, value, hint.as_slice())
    }

    /// Returns why a server's text, given by its index, looks like a credential.
    pub(crate) fn reason(&self, server: &Server, at: usize) -> Option<Reason> {
        let text = server.texts.get(at)?;
        let value = text.value.as_deref()?;
        match &text.place {
            Place::Env(name) | Place::Header(name) => self.credential(name, value),
            Place::Member(name) if name.starts_with(NAMES_OF_VARIABLES) => {
                self.credential(&format!("{name}_env"), value)
            }
            Place::Member(name) => {
                let (_, name) = name.rsplit_once('.').unwrap_or(("", name));
                let reason = self.credential(name, value);
                reason.or_else(|| self.in_words("", value))
            }
            Place::Argument(_) => {
                let before = at.checked_sub(1).and_then(|at| server.texts.get(at));
                let before = before.filter(|it| matches!(it.place, Place::Argument(_)));
                let before = before.map_or("", text_of);
                let reason = self.in_words(before, value);
                let reason = reason.or_else(|| self.by_itself(before, value));
                let given = value
                    .split_once('=')
                    .map_or(value.as_str(), |(_, given)| given);
                reason.or_else(|| detect::phrase(given))
            }
            Place::Url => {
                let found = detect::find(value).or_else(|| detect::find_in_address(value));
                found.map(|(_, reason)| reason)
            }
            Place::Elsewhere | Place::EnvFile => detect::find(value).map(|(_, reason)| reason),
        }
    }

    /// Looks at an argument, which may be a whole command line, word by word: at known shapes, and
    /// at what an option, a variable or a header field is set to.
    fn in_words(&self, before: &str, text: &str) -> Option<Reason> {
        if let Some((_, reason)) = detect::find(text) {
            return Some(reason);
        }
        let words: Vec<&str> = iter::once(before).chain(text.split_whitespace()).collect();
        let mut places = 1..words.len();
        places
            .find_map(|at| {
                let (before, word) = (*words.get(at - 1)?, *words.get(at)?);
                let field = || self.in_field(words.get(at..)?);
                self.in_word(before, word).or_else(field)
            })
            .or_else(|| {
                let is_split = is_word(before) && before.ends_with(':');
                is_split.then(|| self.in_field(&words)).flatten()
            })
    }

    fn in_word(&self, before: &str, word: &str) -> Option<Reason> {
        if let Some(reason) = options::reason(before, word) {
            return Some(reason);
        }
        // In `--env=NAME=value` and `--header=Name:value`, the innermost name counts.
        let mut rest = word;
        for _ in 0..MAX_NAMES {
            let Some((name, value)) = rest.split_once(['=', ':']) else {
                break;
            };
            if value.starts_with("//") {
                return detect::find_in_address(rest).map(|(_, reason)| reason);
            }
            if let Some(reason) = self.named(name, value) {
                return Some(reason);
            }
            rest = value;
        }
        let names_next =
            before.starts_with("--") && !before.contains('=') && !word.starts_with('-');
        let is_value = names_next && rest.len() == word.len();
        is_value.then(|| self.named(before, word)).flatten()
    }

    /// Looks at `Name: value`, and at the `Name: scheme value` of header fields (RFC 9110, section
    /// 11.4).
    fn in_field(&self, words: &[&str]) -> Option<Reason> {
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
            Some(value) if detect::is_auth_scheme(first) || ends(value) => self.named(name, value),
            _ => self.named(name, first),
        }
    }

    fn named(&self, name: &str, value: &str) -> Option<Reason> {
        // With a slash it is not a name but an image or a directory before a `:`.
        if name.contains('/') {
            return None;
        }
        let name = name.trim_start_matches(['-', '"', '\'']);
        let value = value.trim_matches(['"', '\'', ',']);
        let reason = self.credential(name, value)?;
        (reason != Reason::Random || !is_path(value)).then_some(reason)
    }

    /// Looks at an argument of one word that has no name, or an option of one letter before it: it
    /// may look random.
    fn by_itself(&self, before: &str, word: &str) -> Option<Reason> {
        let names_next = before.starts_with('-') && !before.contains('=') && !word.starts_with('-');
        let name = if names_next { before } else { "" };
        is_word(word).then(|| self.named(name, word)).flatten()
    }
}

fn text_of(text: &Text) -> &str {
    text.value.as_deref().map_or("", |it| it)
}

fn is_word(text: &str) -> bool {
    !text.contains(char::is_whitespace)
}

/// Returns whether a word that looks random is a path, which may contain digests.
fn is_path(word: &str) -> bool {
    let is_base64 = word.ends_with('=') || word.contains('+');
    word.starts_with(['/', '.', '~']) || (word.contains('/') && !is_base64)
}
