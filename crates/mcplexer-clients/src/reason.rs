//! Why a text of a server's entry looks like a credential.

use std::collections::HashSet;
use std::iter;

use mcplexer_detect::{self as detect, Reason};

use crate::argument::without_references;
use crate::server::{Place, Server, Text};

/// The member in which Codex names the variables that hold header fields.
const NAMES_OF_VARIABLES: &str = "env_http_headers.";
/// How many names before a value are looked at, one within the other.
const MAX_NAMES: usize = 8;

/// Why a part of a text looks like a credential, and that part.
pub(crate) type Found<'t> = (Reason, &'t str);

/// Further names of variables and fields that hold a credential, from the store's scopes.
pub(crate) struct Hints(HashSet<String>);

impl Hints {
    pub(crate) fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        Self(names.map(str::to_ascii_lowercase).collect())
    }

    /// Returns why a value with this name looks like a credential. Costs the same with many hints.
    pub(crate) fn credential(&self, name: &str, value: &str) -> Option<Reason> {
        let is_hinted = !self.0.is_empty() && self.0.contains(&name.to_ascii_lowercase());
        let hint = is_hinted.then_some(name);
        detect::credential(name, value, hint.as_slice())
    }

    /// Returns why a server's text, given by its index, looks like a credential.
    pub(crate) fn reason(&self, server: &Server, at: usize) -> Option<Reason> {
        let text = server.texts.get(at)?;
        match &text.place {
            Place::Argument(_) => {
                let value = text.value.as_deref()?;
                let others = without_references(value);
                let value = others.as_deref().unwrap_or(value);
                let found = self.in_argument(before(server, at), value);
                found.map(|(reason, _)| reason)
            }
            _ => self.elsewhere(text),
        }
    }

    fn elsewhere(&self, text: &Text) -> Option<Reason> {
        let value = text.value.as_deref()?;
        match &text.place {
            Place::Env(name) | Place::Header(name) => self.credential(name, value),
            Place::Member(name) if name.starts_with(NAMES_OF_VARIABLES) => {
                self.credential(&format!("{name}_env"), value)
            }
            Place::Member(name) => {
                let (_, name) = name.rsplit_once('.').unwrap_or(("", name));
                let reason = self.credential(name, value);
                reason.or_else(|| self.in_words("", value).map(|(reason, _)| reason))
            }
            Place::Url => {
                let found = detect::find(value).or_else(|| detect::find_in_address(value));
                found.map(|(_, reason)| reason)
            }
            Place::Argument(_) | Place::Elsewhere | Place::EnvFile => {
                detect::find(value).map(|(_, reason)| reason)
            }
        }
    }

    /// Returns the first part of an argument that looks like a credential. `before` is the argument before it.
    pub(crate) fn in_argument<'t>(&self, before: &'t str, text: &'t str) -> Option<Found<'t>> {
        let is_value = before.starts_with("--") && !before.contains('=');
        if is_value && detect::is_named_id(before, text) {
            return None;
        }
        let given_value = text.split_once('=').map_or(text, |(_, value)| value);
        let mut json = given(before, text).filter(|(_, value)| is_json(value));
        let is_ordinary = |(name, value): (&str, &str)| {
            let name = name.trim_start_matches('-');
            self.credential(name, value).is_none()
        };
        let is_elsewhere = behind_names(text).any(detect::stands_for_another);
        let is_named = is_resource(text) || is_named_public(before, text);
        if is_elsewhere || is_named || json.any(is_ordinary) {
            let found = detect::find(text).or_else(|| detect::find_in_address(text));
            let (place, reason) = found?;
            return Some((reason, text.get(place)?));
        }
        let in_words = self.in_words(before, text).map(|(reason, found)| {
            // What a name makes a credential may have several words.
            let starts = |value: &&str| value.as_ptr() == found.as_ptr();
            let mut values = given(before, text).map(|(_, value)| value);
            let whole = values.find(starts).filter(|_| reason == Reason::Name);
            (reason, whole.unwrap_or(found))
        });
        in_words
            .or_else(|| {
                let mut words = given(before, text).filter(|(_, value)| are_words(value));
                words.find_map(|(name, value)| self.named(name, value))
            })
            .or_else(|| self.by_itself(before, text))
            .or_else(|| {
                let whole = [(before, text), (before, given_value)].into_iter();
                let mut texts = whole.chain(given(before, text));
                texts.find_map(|(name, it)| Some((detect::in_words(name, it)?, it)))
            })
    }

    /// Looks at an argument, which may be a whole command line, word by word: at known shapes, and
    /// at what an option, a variable or a header field is set to.
    fn in_words<'t>(&self, before: &'t str, text: &'t str) -> Option<Found<'t>> {
        if let Some((place, reason)) = detect::find(text) {
            return Some((reason, text.get(place)?));
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

    fn in_word<'t>(&self, before: &str, word: &'t str) -> Option<Found<'t>> {
        if let Some(found) = detect::find_by_option(before, word) {
            return Some(found);
        }
        // In `--env=NAME=value` and `--header=Name:value`, the innermost name counts.
        let mut rest = word;
        for _ in 0..MAX_NAMES {
            let Some((name, value)) = rest.split_once(['=', ':']) else {
                break;
            };
            if value.starts_with("//") {
                let (place, reason) = detect::find_in_address(rest)?;
                return Some((reason, rest.get(place)?));
            }
            if let Some(found) = self.named(name, value) {
                return Some(found);
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
    fn in_field<'t>(&self, words: &[&'t str]) -> Option<Found<'t>> {
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

    fn named<'t>(&self, name: &str, value: &'t str) -> Option<Found<'t>> {
        // With a slash it is not a name but an image or a directory before a `:`.
        if name.contains('/') {
            return None;
        }
        let name = name.trim_start_matches(['-', '"', '\'']);
        let value = value.trim_matches(['"', '\'', ',']);
        let reason = self.credential(name, value)?;
        (reason != Reason::Random || !is_path(value)).then_some((reason, value))
    }

    /// Looks at an argument of one word that has no name, or an option of one letter before it: it
    /// may look random.
    fn by_itself<'t>(&self, before: &str, word: &'t str) -> Option<Found<'t>> {
        let names_next = before.starts_with('-') && !before.contains('=') && !word.starts_with('-');
        let name = if names_next { before } else { "" };
        let may_be = is_word(word) && !is_option_of_words(word);
        may_be.then(|| self.named(name, word)).flatten()
    }
}

/// Returns whether a text is an option of words that begin with capitals: `--skipChromiumDownload`.
fn is_option_of_words(text: &str) -> bool {
    /// Fewest letters of such a word, on average.
    const LETTERS: usize = 4;
    let name = text.strip_prefix("--").unwrap_or_default();
    let capitals = name.bytes().filter(u8::is_ascii_uppercase).count();
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .bytes()
            .all(|it| it.is_ascii_alphabetic() || it == b'-')
        && (capitals + 1) * LETTERS <= name.len()
}

/// Returns the argument before another one of a server, or an empty string for the first.
pub(crate) fn before(server: &Server, at: usize) -> &str {
    let before = at.checked_sub(1).and_then(|at| server.texts.get(at));
    let before = before.filter(|it| matches!(it.place, Place::Argument(_)));
    before.map_or("", text_of)
}

fn text_of(text: &Text) -> &str {
    text.value.as_deref().map_or("", |it| it)
}

/// Returns the name and the value of an argument that is the value of an option, or that has an option or a variable
/// with its value: `--passphrase="correct horse"`. A line for a shell has several values.
fn given<'t>(before: &'t str, text: &'t str) -> impl Iterator<Item = (&'t str, &'t str)> {
    let named = text.split_once('=').filter(|(name, _)| {
        let is_option = name.starts_with('-') || (before.starts_with('-') && before != "-c");
        is_option && is_word(name)
    });
    // `--env=NAME=value`
    let named = named.map(|(option, text)| match text.split_once('=') {
        Some((name, value)) if option.starts_with('-') && is_variable(name) => (name, value),
        _ => (option, text),
    });
    let is_value = before.starts_with("--") && !before.contains('=');
    let value = is_value.then_some((before, text));
    named.into_iter().chain(value)
}

fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[']) && text.contains('"')
}

fn is_variable(text: &str) -> bool {
    let is_in_a_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !text.is_empty() && text.chars().all(is_in_a_name)
}

/// Returns whether an option, a variable or a field says that a value of one word is public. A colon in the value does
/// not end a name then.
fn is_named_public(before: &str, text: &str) -> bool {
    let is_option = before.starts_with("--") && !detect::takes_login(before);
    let is_value = is_option && !before.contains('=') && is_word(text);
    let within = |text: &str| {
        let pairs = [text.split_once('='), text.split_once(": ")];
        // Not the padding of base64.
        let is_value = |text: &str| is_word(text) && !text.trim_matches('=').is_empty();
        let is_it = |(name, value): (&str, &str)| is_value(value.trim()) && is_public(name);
        pairs.into_iter().flatten().any(is_it)
    };
    is_value && is_public(before)
        || within(text)
        || text
            .split_once('=')
            .is_some_and(|(option, text)| option.starts_with("--") && within(text))
}

fn is_public(name: &str) -> bool {
    is_word(name) && detect::is_public_name(name)
}

/// Returns whether an argument is the name of a resource, also behind an option, a variable or a field.
fn is_resource(text: &str) -> bool {
    detect::is_resource(text) || behind_names(text).any(detect::is_resource)
}

/// Returns what is behind each `=` and `:` of an argument up to which it is one word: `--env=NAME=value` has two.
fn behind_names(text: &str) -> impl Iterator<Item = &str> {
    let names = text.match_indices(['=', ':']);
    let names = names.take_while(|(at, _)| text.get(..*at).is_some_and(is_word));
    names.filter_map(|(at, _)| text.get(at + 1..))
}

fn are_words(text: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || c == ' ')
}

fn is_word(text: &str) -> bool {
    !text.contains(char::is_whitespace)
}

/// Returns whether a word that looks random is a path, which may contain digests.
fn is_path(word: &str) -> bool {
    let is_base64 = word.ends_with('=') || word.contains('+');
    word.starts_with(['/', '.', '~']) || (word.contains('/') && !is_base64)
}
