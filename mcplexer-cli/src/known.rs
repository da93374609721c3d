//! Secrets as the masker and the scanner know them.

use mcplexer_detect::is_everyday;
use mcplexer_mask::{Known, MIN_MASKED_LEN};
use mcplexer_secrets::{Credential, Credentials};

/// The secrets to look for, and those that every log and every project has anyway.
pub(crate) struct Wanted<'a> {
    pub(crate) known: Vec<Known<'a>>,
    /// The labels of secrets with an everyday value.
    everyday: Vec<String>,
}

impl<'a> Wanted<'a> {
    /// Labels secrets `SCOPE/KEY`.
    pub(crate) fn of(opened: impl Iterator<Item = &'a Credentials>) -> Self {
        let mut wanted = Self {
            known: Vec::new(),
            everyday: Vec::new(),
        };
        for Credential {
            scope, name, value, ..
        } in opened.flat_map(Credentials::iter)
        {
            let label = format!("{scope}/{name}");
            let value = value.expose();
            let text = str::from_utf8(value).unwrap_or_default();
            if value.len() >= MIN_MASKED_LEN && is_everyday(name.as_str(), text) {
                wanted.everyday.push(label);
            } else {
                wanted.known.push(Known { label, value });
            }
        }
        wanted
    }

    /// Takes the labels of the secrets that are left out for their everyday values.
    pub(crate) fn take_everyday(&mut self) -> Vec<String> {
        std::mem::take(&mut self.everyday)
    }
}

/// Returns a line for each reason why secrets are left out. `what` says what they are, such as `not masked`.
pub(crate) fn left_out(what: &str, too_short: &[String], everyday: &[String]) -> Vec<String> {
    let shorter = format!("shorter than {MIN_MASKED_LEN} bytes");
    let reasons = [(shorter.as_str(), too_short), ("everyday values", everyday)];
    let reasons = reasons.iter().filter(|(_, labels)| !labels.is_empty());
    let line =
        |(reason, labels): &(&str, &[String])| format!("{what} ({reason}): {}", labels.join(", "));
    reasons.map(line).collect()
}
