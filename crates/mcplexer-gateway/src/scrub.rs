//! Takes the values of secrets out of what a server sends.

use std::sync::{Arc, PoisonError, RwLock};

use mcplexer_mask::Masker;
use serde_json::Value;

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
        let Some(masked) = self.masked(&text) else {
            return (text, false);
        };
        if json::is_valid(&masked) || !json::is_valid(&text) {
            return (masked, true);
        }
        // A value went over the bounds of a string, or was none. Taken apart, the text loses its spelling.
        match serde_json::from_str(&text) {
            Ok(value) => (self.value(value).to_string(), true),
            Err(_) => ("null".to_owned(), true),
        }
    }

    fn value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text).0),
            Value::Array(elements) => elements.into_iter().map(|it| self.value(it)).collect(),
            Value::Object(members) => {
                let members = members.into_iter();
                let members = members.map(|(name, value)| (self.text(name).0, self.value(value)));
                Value::Object(members.collect())
            }
            other => match self.text(other.to_string()) {
                (text, true) => Value::String(text),
                (_, false) => other,
            },
        }
    }
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
