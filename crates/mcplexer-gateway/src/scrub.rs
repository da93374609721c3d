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
        let (text, count) = match self.unescaped(&text) {
            Some((text, more)) => (text, count + more),
            None => (text, count),
        };
        match self.without_halves_in_strings(&text) {
            Some((text, more)) => (text, count + more),
            None => (text, count),
        }
    }

    /// Replaces the parts of values in each string. Returns nothing if there are none.
    fn without_halves_in_strings(&self, text: &str) -> Option<(String, u64)> {
        let maskers = self.maskers();
        if !text.starts_with(['{', '[', '"']) {
            return without_halves(&maskers, text);
        }
        let mut scrubbed: Option<(String, u64)> = None;
        let (mut done, mut at) = (0, 0);
        while let Some(quote) = memchr::memchr(b'"', text.as_bytes().get(at..)?) {
            let begin = at + quote + 1;
            let end = begin + string_len(text.get(begin..).unwrap_or_default());
            let inside = text.get(begin..end).unwrap_or_default();
            if let Some((inside, count)) = without_halves(&maskers, inside) {
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

    /// Replaces the values in strings whose letters are escaped: what they say may be a value in another form, which
    /// is not to be seen in the text. Returns nothing if no value is found.
    fn unescaped(&self, text: &str) -> Option<(String, u64)> {
        if !is_escaped(text) {
            return None;
        }
        let mut scrubbed = String::with_capacity(text.len());
        let mut sum = 0;
        let mut rest = text;
        while !rest.is_empty() {
            let (token, after) = rest.split_at(token_len(rest));
            let said = match is_escaped(token) {
                true => said(token),
                false => None,
            };
            // JSON in a string can have such strings in it again.
            match said.map(|it| self.json(it)) {
                Some((said, count)) if count > 0 => {
                    scrubbed.push_str(&json::string(&said));
                    sum += count;
                }
                _ => scrubbed.push_str(token),
            }
            rest = after;
        }
        (sum > 0).then_some((scrubbed, sum))
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

/// Replaces the parts of values at the edges of words. Returns nothing if there are none.
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
    let mut masked = Vec::with_capacity(text.len());
    let mut masker = masker.for_another_stream();
    masker.feed(text.as_bytes(), &mut masked);
    masker.flush(&mut masked);
    // A value need not be text, so that what is around it may not be text any more.
    let text = || String::from_utf8_lossy(&masked).into_owned();
    (masker.replaced() > 0).then(|| (text(), masker.replaced()))
}

#[cfg(test)]
mod tests {
    use mcplexer_mask::Known;

    use super::*;

    const TOKEN: &str = "hunter2hunter2";

    fn scrubber() -> Scrubber {
        let known = |label: &str, value| Known {
            label: label.to_owned(),
            value,
        };
        Scrubber::new(Masker::new([
            known("s/TOKEN", b"hunter2hunter2"),
            known("s/PIN", b"8675309123"),
            known("s/ODD", br#"x","isError":true,"y":"#),
        ]))
    }

    #[test]
    fn the_first_value_has_its_label() {
        for (text, label) in [
            ("a hunter2hunter2 8675309123", Some("s/TOKEN")),
            (r#"["8675309123"]"#, Some("s/PIN")),
            (r#"[["ü",8675309123]]"#, Some("s/PIN")),
            ("hunter2hunter2", Some("s/TOKEN")),
            ("hunter2hunter3", None),
            ("[s/TOKEN]", None),
        ] {
            assert_eq!(scrubber().finds(text).as_deref(), label, "{text}");
        }
    }

    #[test]
    fn a_message_stays_json() {
        for (text, scrubbed) in [
            (r#"{"a":1.50,"a":"b"}"#, r#"{"a":1.50,"a":"b"}"#),
            (
                r#"{"a":1.50,"b":"-hunter2hunter2-"}"#,
                r#"{"a":1.50,"b":"-[s/TOKEN]-"}"#,
            ),
            (r#"{"a":[8675309123]}"#, r#"{"a":["[s/PIN]"]}"#),
            (
                r#"{"hunter2hunter2":8675309123}"#,
                r#"{"[s/TOKEN]":"[s/PIN]"}"#,
            ),
            // `hunter2hunter2` in hex, and a digit as an escape.
            (
                r#"{"a":"\u00368756e7465723268756e74657232","b":"\u0061"}"#,
                r#"{"a":"[s/TOKEN]","b":"\u0061"}"#,
            ),
            (
                r#"["b'\\x38\\x36\\x37\\x35\\x33\\x30\\x39\\x31\\x32\\x33'"]"#,
                r#"["b'[s/PIN]'"]"#,
            ),
            // What has no value in it stays as it is written, also if no number type or text can hold it.
            (
                r#"{"n":8675309123 ,"a":1e400,"b":1.50,"c":"\ud800\"" , "hunter2hunter2\ud800":-0}"#,
                r#"{"n":"[s/PIN]" ,"a":1e400,"b":1.50,"c":"\ud800\"" , "[s/TOKEN]\ud800":-0}"#,
            ),
        ] {
            let (found, count) = scrubber().json(text.to_owned());
            let labels = scrubbed.matches("[s/").count() as u64;
            assert_eq!((found.as_str(), count), (scrubbed, labels));
        }
    }

    /// Each says `hunter2hunter2`: as the elements of an array, in octal, and beside half of a surrogate pair.
    #[test]
    fn a_value_has_its_label_however_a_message_writes_it() {
        let bytes: Vec<String> = TOKEN.bytes().map(|it| it.to_string()).collect();
        let (list, lines) = (bytes.join(","), bytes.join(",\n  "));
        let octal: String = TOKEN.bytes().map(|it| format!("\\\\{it:03o}")).collect();
        let hex = r"\u00368756e7465723268756e74657232";
        for (text, scrubbed) in [
            (
                format!(r#"{{"type":"Buffer","data":[{list}]}}"#),
                r#"{"type":"Buffer","data":["[s/TOKEN]"]}"#,
            ),
            (
                format!(r#"{{"a":[[1, 2,{lines} , 3],[{list}]],"b":1}}"#),
                r#"{"a":[[1, 2,"[s/TOKEN]" , 3],["[s/TOKEN]"]],"b":1}"#,
            ),
            (
                format!(r#"["a", {list}, 8675309123, 1.5,-2, {list}, 1.5]"#),
                r#"["a", "[s/TOKEN]", "[s/PIN]", 1.5,-2, "[s/TOKEN]", 1.5]"#,
            ),
            (
                format!(r#"{{"json":"{{\"a\":[{list}]}}"}}"#),
                r#"{"json":"{\"a\":[[s/TOKEN]]}"}"#,
            ),
            (format!(r#"["it is {octal}"]"#), r#"["it is [s/TOKEN]"]"#),
            (format!(r#"["\ud800 {hex}"]"#), "[\"\u{fffd} [s/TOKEN]\"]"),
            (
                format!(r#"["\udfff\ud83d\ude00\"{hex}"]"#),
                "[\"\u{fffd}\u{1f600}\\\"[s/TOKEN]\"]",
            ),
        ] {
            let (found, count) = scrubber().json(text.clone());
            let labels = scrubbed.matches("[s/").count() as u64;
            assert_eq!((found.as_str(), count), (scrubbed, labels), "{text}");
        }
    }

    /// `hunter2` is too short for a part of `hunter2hunter2`.
    #[test]
    fn a_string_with_the_larger_part_of_a_value_has_its_label() {
        for (text, scrubbed) in [
            (
                r#"{"a":"hunter2hun","b":["nter2hunter2"]}"#,
                r#"{"a":"[s/TOKEN]","b":["[s/TOKEN]"]}"#,
            ),
            (
                r#"{"hunter2hunte":1,"it is unter2hunter2":2}"#,
                r#"{"[s/TOKEN]":1,"it is [s/TOKEN]":2}"#,
            ),
            (
                r#"["it is\nhunter2h\"","\\hunter2hu"]"#,
                r#"["it is\n[s/TOKEN]\"","\\[s/TOKEN]"]"#,
            ),
            (
                r#"{"json":"{\"a\":\"hunter2hunte\"}"}"#,
                r#"{"json":"{\"a\":\"[s/TOKEN]\"}"}"#,
            ),
            // In hex, in base64, and as escapes.
            (
                r#"["68756e7465723268756e","aHVudGVyMmh1bnRlcg=="]"#,
                r#"["[s/TOKEN]","[s/TOKEN]"]"#,
            ),
            (
                r#"["\u0068unter2hunt","b'\\x68unter2hun'"]"#,
                r#"["[s/TOKEN]","b'\\x68unter2hun'"]"#,
            ),
            ("hunter2hun", "[s/TOKEN]"),
            (
                r#"["hunter2","2hunter2","hunter2hunx","xnter2hunter2"]"#,
                r#"["hunter2","[s/TOKEN]","hunter2hunx","xnter2hunter2"]"#,
            ),
            (
                r#"{"hunter2h":"hunter2hunter2"}"#,
                r#"{"[s/TOKEN]":"[s/TOKEN]"}"#,
            ),
        ] {
            let (found, count) = scrubber().json(text.to_owned());
            let labels = scrubbed.matches("[s/").count() as u64;
            assert_eq!((found.as_str(), count), (scrubbed, labels), "{text}");
        }
        let text = "ü hunter2hunt unter2hunter2 ü hunter2hunte".to_owned();
        assert_eq!(
            scrubber().text(text),
            ("ü [s/TOKEN] [s/TOKEN] ü [s/TOKEN]".to_owned(), 3)
        );
        let line = scrubber().text("it is hunter2hunt".to_owned());
        assert_eq!(line, ("it is [s/TOKEN]".to_owned(), 1));
    }

    /// What is not in a message may be in a request all the same.
    #[test]
    fn what_would_be_replaced_is_found() {
        let bytes: Vec<String> = TOKEN.bytes().map(|it| it.to_string()).collect();
        let octal: String = TOKEN.bytes().map(|it| format!("\\\\{it:03o}")).collect();
        for text in [
            r#"{"a":"\u00368756e7465723268756e74657232"}"#.to_owned(),
            r#"{"a":"[s/PIN] \u0061","b":"hunter2hun"}"#.to_owned(),
            format!(r#"{{"a":[{}]}}"#, bytes.join(",")),
            format!(r#"{{"a":"{octal}"}}"#),
        ] {
            assert_eq!(
                scrubber().finds(&text).as_deref(),
                Some("s/TOKEN"),
                "{text}"
            );
        }
    }

    #[test]
    fn the_last_values_are_replaced_as_well() {
        let scrubber = Scrubber::default();
        assert_eq!(scrubber.text("one".to_owned()), ("one".to_owned(), 0));
        for number in 0..=VERSIONS {
            let label = format!("s/{number}");
            let value = format!("hunter-{number}");
            let value = value.as_bytes();
            scrubber.replace(Masker::new([Known { label, value }]));
        }
        let text = "hunter-8 hunter-7 hunter-1 hunter-0".to_owned();
        assert_eq!(
            scrubber.text(text),
            ("[s/8] [s/7] [s/1] hunter-0".to_owned(), 3)
        );
    }
}
