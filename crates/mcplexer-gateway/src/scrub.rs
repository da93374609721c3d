//! Takes the values of secrets out of what a server sends.

mod tokens;

use std::sync::{Arc, PoisonError, RwLock};

use mcplexer_mask::{Half, Masker};

use crate::json;
use tokens::{integers_len, is_escaped, said, string_len, token_len, with_quoted_labels};

/// How many versions of the values are replaced. Each takes a search of every message.
const VERSIONS: usize = 8;

/// Replaces known values in whole messages.
#[derive(Debug, Default)]
pub(crate) struct Scrubber(RwLock<Arc<[Masker]>>);

impl Scrubber {
    pub(crate) fn new(masker: Masker) -> Self {
        Self(RwLock::new([masker].into()))
    }

    /// Replaces other values from now on, and still those before them: an answer may be on its way that has them, for as
    /// long as a call takes.
    pub(crate) fn replace(&self, masker: Masker) {
        let mut maskers = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let before = maskers.iter().map(Masker::for_another_stream);
        *maskers = [masker].into_iter().chain(before).take(VERSIONS).collect();
    }

    /// Returns a text without the values, and how many there were. What ends like the beginning of a value, or begins like
    /// the end of one, is a part of it: the rest may be in the next text.
    pub(crate) fn text(&self, text: String) -> (String, u64) {
        let maskers = self.maskers();
        let (text, count) = self.masked(&text).unwrap_or((text, 0));
        match without_halves(&maskers, &text) {
            Some((text, more)) => (text, count + more),
            None => (text, count),
        }
    }

    /// Returns the label of the first value in a JSON text, as [`json`](Self::json) finds them.
    pub(crate) fn finds(&self, text: &str) -> Option<String> {
        let (scrubbed, count) = self.json(text.to_owned());
        if count == 0 {
            return None;
        }
        let maskers = self.maskers();
        let labels = || maskers.iter().flat_map(Masker::labels);
        let first = labels().filter_map(|label| {
            let shown = format!("[{label}]");
            // The text may have had labels in it before.
            let is_more = scrubbed.matches(&shown).count() > text.matches(&shown).count();
            let at = scrubbed.find(&shown).filter(|_| is_more)?;
            Some((at, label))
        });
        // A label in UTF-16 is in the place of a value, but not to be found.
        let first = first.min().map(|(_, label)| label);
        first.or_else(|| labels().next()).map(str::to_owned)
    }

    fn maskers(&self) -> Arc<[Masker]> {
        let maskers = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&maskers)
    }

    /// Returns a text without the values, and how many there were; `None` if there were none.
    fn masked(&self, text: &str) -> Option<(String, u64)> {
        self.maskers().iter().fold(None, |found, masker| {
            let (text, before) = found.as_ref().map_or((text, 0), |(it, count)| (it, *count));
            let masked = masked_by(masker, text);
            masked.map(|(it, count)| (it, count + before)).or(found)
        })
    }

    /// Returns a JSON text without the values, and how many there were. It stays JSON, and a value that is a number
    /// becomes a string.
    pub(crate) fn json(&self, text: String) -> (String, u64) {
        let (text, count) = match self.masked(&text) {
            Some((masked, count)) if json::is_valid(&masked) || !json::is_valid(&text) => {
                (masked, count)
            }
            // A value went over the bounds of a string, or was none.
            Some(_) => self.apart(&text),
            None => (text, 0),
        };
        match self.in_strings(&text) {
            Some((text, more)) => (text, count + more),
            None => (text, count),
        }
    }

    /// Replaces the values in strings whose letters are escaped: what they say may be a value in another form, which is not
    /// to be seen in the text. Then replaces the parts of values: in each string, or in all of a text that is not JSON.
    /// Returns `None` if it finds nothing.
    fn in_strings(&self, text: &str) -> Option<(String, u64)> {
        let maskers = self.maskers();
        let halves = |text: &str| without_halves(&maskers, text);
        if text.starts_with(['{', '[', '"']) {
            return replaced_in_strings(text, |string, inside| {
                replaced_twice(inside, |_| self.unescaped(string), halves)
            });
        }
        replaced_twice(
            text,
            |text| replaced_in_strings(text, |string, _| self.unescaped(string)),
            halves,
        )
    }

    /// Replaces the values in what a string says, which is in its quotes. Returns what is to be between them; `None` if it
    /// finds nothing.
    fn unescaped(&self, string: &str) -> Option<(String, u64)> {
        if !is_escaped(string) {
            return None;
        }
        // JSON in a string can have such strings in it again.
        let (scrubbed, count) = self.json(said(string)?);
        let written = (count > 0).then(|| json::string(&scrubbed))?;
        let inside = written.get(1..written.len() - 1)?;
        Some((inside.to_owned(), count))
    }

    /// Replaces the values in each string and each run of numbers of a JSON text by itself. One that went over the bounds
    /// of a string is no value.
    fn apart(&self, text: &str) -> (String, u64) {
        let mut scrubbed = String::with_capacity(text.len());
        let mut sum = 0;
        let mut rest = text;
        while !rest.is_empty() {
            // The bytes of a value can be the elements of an array.
            let integers = integers_len(rest);
            if integers > token_len(rest)
                && let Some((run, after)) = rest.split_at_checked(integers)
            {
                match self.masked(run) {
                    Some((masked, count)) => {
                        scrubbed.push_str(&with_quoted_labels(&masked));
                        sum += count;
                    }
                    None => scrubbed.push_str(run),
                }
                rest = after;
                continue;
            }
            let (token, after) = rest.split_at(token_len(rest));
            match self.masked(token) {
                Some((masked, count)) if json::is_valid(&masked) => {
                    scrubbed.push_str(&masked);
                    sum += count;
                }
                Some((masked, count)) => {
                    let masked = match said(token) {
                        Some(text) => self.text(text).0,
                        None => masked.trim_matches('"').to_owned(),
                    };
                    scrubbed.push_str(&json::string(&masked));
                    sum += count;
                }
                None => scrubbed.push_str(token),
            }
            rest = after;
        }
        (scrubbed, sum)
    }
}

/// Replaces something in a text, and something else in what that leaves. Returns `None` if it replaces nothing.
fn replaced_twice(
    text: &str,
    first: impl Fn(&str) -> Option<(String, u64)>,
    second: impl Fn(&str) -> Option<(String, u64)>,
) -> Option<(String, u64)> {
    let Some((text, count)) = first(text) else {
        return second(text);
    };
    match second(&text) {
        Some((text, more)) => Some((text, count + more)),
        None => Some((text, count)),
    }
}

/// Replaces what is in the strings of a JSON text, given with their quotes and without them. Returns `None` if it replaces
/// nothing.
fn replaced_in_strings(
    text: &str,
    replaced: impl Fn(&str, &str) -> Option<(String, u64)>,
) -> Option<(String, u64)> {
    let mut scrubbed: Option<(String, u64)> = None;
    let (mut done, mut at) = (0, 0);
    while let Some(quote) = memchr::memchr(b'"', text.as_bytes().get(at..)?) {
        let begin = at + quote + 1;
        let end = begin + string_len(text.get(begin..).unwrap_or_default());
        let string = text.get(begin - 1..(end + 1).min(text.len()));
        let inside = text.get(begin..end).unwrap_or_default();
        if let Some((inside, count)) = replaced(string.unwrap_or_default(), inside) {
            let (scrubbed, sum) = scrubbed.get_or_insert_default();
            scrubbed.push_str(text.get(done..begin).unwrap_or_default());
            scrubbed.push_str(&inside);
            *sum += count;
            done = end;
        }
        at = (end + 1).min(text.len());
    }
    let (mut scrubbed, count) = scrubbed?;
    scrubbed.push_str(text.get(done..).unwrap_or_default());
    Some((scrubbed, count))
}

/// Replaces the parts of values at the edges of words. Returns `None` if it finds no part.
fn without_halves(maskers: &[Masker], text: &str) -> Option<(String, u64)> {
    maskers.iter().fold(None, |found, masker| {
        let (text, mut count) = found.as_ref().map_or((text, 0), |(it, count)| (it, *count));
        let halves = masker.halves().find(text);
        if halves.is_empty() {
            return found;
        }
        let mut scrubbed = String::with_capacity(text.len());
        let mut done = 0;
        for Half { range, label, .. } in halves {
            scrubbed.push_str(text.get(done..range.start).unwrap_or_default());
            scrubbed.extend(["[", label, "]"]);
            done = range.end;
            count += 1;
        }
        scrubbed.push_str(text.get(done..).unwrap_or_default());
        Some((scrubbed, count))
    })
}

fn masked_by(masker: &Masker, text: &str) -> Option<(String, u64)> {
    // Most texts have none, and need no copy.
    if !masker.finds(text.as_bytes()) {
        return None;
    }
    let mut masked = Vec::with_capacity(text.len());
    let mut masker = masker.for_another_stream();
    masker.feed(text.as_bytes(), &mut masked);
    masker.flush(&mut masked);
    // A value need not be text, so that what is around it may not be text any more.
    let text = || String::from_utf8_lossy(&masked).into_owned();
    (masker.replaced() > 0).then(|| (text(), masker.replaced()))
}

#[cfg(test)]
mod tests;
