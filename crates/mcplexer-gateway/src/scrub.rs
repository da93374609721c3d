//! Takes the values of secrets out of what a server sends.

use std::sync::{Arc, PoisonError, RwLock};

use mcplexer_mask::Masker;

use crate::json;

/// Replaces known values in whole messages.
#[derive(Debug, Default)]
pub(crate) struct Scrubber(RwLock<Arc<[Masker]>>);

impl Scrubber {
    pub(crate) fn new(masker: Masker) -> Self {
        Self(RwLock::new([masker].into()))
    }

    /// Replaces other values from now on, and still those before them: an answer may be on its way that has them.
    pub(crate) fn replace(&self, masker: Masker) {
        let mut maskers = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let before = maskers.first().map(Masker::for_another_stream);
        *maskers = [masker].into_iter().chain(before).collect();
    }

    /// Returns a text without the values, and whether there were any.
    pub(crate) fn text(&self, text: String) -> (String, bool) {
        match self.masked(&text) {
            Some(masked) => (masked, true),
            None => (text, false),
        }
    }

    /// Returns the label of the first value in a text.
    pub(crate) fn finds(&self, text: &str) -> Option<String> {
        let masked = self.masked(text)?;
        let same = text.bytes().zip(masked.bytes());
        let same = same.take_while(|(text, masked)| text == masked).count();
        // The value may begin with a bracket, as its label does.
        let from = masked.get(..=same)?.rfind('[')? + 1;
        let label = masked.get(from..)?.split(']').next()?;
        Some(label.to_owned())
    }

    fn masked(&self, text: &str) -> Option<String> {
        let maskers = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let maskers = Arc::clone(&maskers);
        maskers.iter().fold(None, |found, masker| {
            let masked = masked_by(masker, found.as_deref().unwrap_or(text));
            masked.or(found)
        })
    }

    /// Returns a JSON text without the values, and whether there were any. It stays JSON, and a value that is a number
    /// becomes a string.
    pub(crate) fn json(&self, text: String) -> (String, bool) {
        let (text, was_found) = match self.masked(&text) {
            Some(masked) if json::is_valid(&masked) || !json::is_valid(&text) => (masked, true),
            // A value went over the bounds of a string, or was none.
            Some(_) => (self.apart(&text), true),
            None => (text, false),
        };
        match self.unescaped(&text) {
            Some(scrubbed) => (scrubbed, true),
            None => (text, was_found),
        }
    }

    /// Replaces the values in strings whose letters are escaped: what they say may be a value in another form, which
    /// is not to be seen in the text. Returns nothing if no value is found.
    fn unescaped(&self, text: &str) -> Option<String> {
        if !is_escaped(text) {
            return None;
        }
        let mut scrubbed = String::with_capacity(text.len());
        let mut was_found = false;
        let mut rest = text;
        while !rest.is_empty() {
            let (token, after) = rest.split_at(token_len(rest));
            let said = match is_escaped(token) {
                true => json::Value::new(token).as_str(),
                false => None,
            };
            // JSON in a string can have such strings in it again.
            match said.map(|it| self.json(it.into_owned())) {
                Some((said, true)) => {
                    scrubbed.push_str(&json::string(&said));
                    was_found = true;
                }
                _ => scrubbed.push_str(token),
            }
            rest = after;
        }
        was_found.then_some(scrubbed)
    }

    /// Replaces the values in each string and each number of a JSON text by itself.
    fn apart(&self, text: &str) -> String {
        let mut scrubbed = String::with_capacity(text.len());
        let mut rest = text;
        while !rest.is_empty() {
            let (token, after) = rest.split_at(token_len(rest));
            match self.masked(token) {
                Some(masked) if json::is_valid(&masked) => scrubbed.push_str(&masked),
                Some(masked) => {
                    let masked = match json::Value::new(token).as_str() {
                        Some(text) => self.text(text.into_owned()).0,
                        None => masked.trim_matches('"').to_owned(),
                    };
                    scrubbed.push_str(&json::string(&masked));
                }
                None => scrubbed.push_str(token),
            }
            rest = after;
        }
        scrubbed
    }
}

/// Whether a JSON text has letters in it that are written as escapes: those of JSON, or within a string those of other
/// languages, whose backslash is escaped then; or JSON in JSON in JSON.
fn is_escaped(text: &str) -> bool {
    ["\\u00", "\\\\x", "\\\\u{", "\\\\\\\\"]
        .iter()
        .any(|it| memchr::memmem::find(text.as_bytes(), it.as_bytes()).is_some())
}

/// Returns the length of the first token of a JSON text: a string, a number or a word, or else one character.
fn token_len(text: &str) -> usize {
    if text.starts_with('"') {
        let mut is_escaped = false;
        let end = text.bytes().skip(1).position(|byte| {
            let is_end = byte == b'"' && !is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
            is_end
        });
        return end.map_or(text.len(), |it| it + 2);
    }
    let is_word = |it: char| it.is_ascii_alphanumeric() || matches!(it, '+' | '-' | '.');
    let word = text.find(|it| !is_word(it)).unwrap_or(text.len());
    let first = text.chars().next().map_or(0, char::len_utf8);
    word.max(first)
}

fn masked_by(masker: &Masker, text: &str) -> Option<String> {
    let mut masked = Vec::with_capacity(text.len());
    let mut masker = masker.for_another_stream();
    masker.feed(text.as_bytes(), &mut masked);
    masker.flush(&mut masked);
    // A value need not be text, so that what is around it may not be text any more.
    (masked != text.as_bytes()).then(|| String::from_utf8_lossy(&masked).into_owned())
}

#[cfg(test)]
mod tests {
    use mcplexer_mask::Known;

    use super::*;

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
            let (found, had_any) = scrubber().json(text.to_owned());
            assert_eq!((found.as_str(), had_any), (scrubbed, text != scrubbed));
        }
    }

    #[test]
    fn the_values_before_the_last_are_replaced_as_well() {
        let scrubber = Scrubber::default();
        assert_eq!(scrubber.text("one".to_owned()), ("one".to_owned(), false));
        for value in ["hunter-one", "hunter-two", "hunter-three"] {
            let label = format!("s/{}", value.len());
            let value = value.as_bytes();
            scrubber.replace(Masker::new([Known { label, value }]));
        }
        let text = "hunter-three hunter-two".to_owned();
        assert_eq!(scrubber.text(text), ("[s/12] [s/10]".to_owned(), true));
    }
}
