//! Labels of slots, and references to slots.

use std::fmt;
use std::str::FromStr;

use super::recipient::SSH_TYPES;
use crate::{Error, SlotInfo};

const MAX_LABEL_LEN: usize = 64;

/// The label of a slot, for people: 1 to 64 characters without control characters, which do not look like
/// a recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotLabel(String);

/// Why a text cannot be the label of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidLabel {
    /// It is empty or too long, or has control characters.
    #[error("a label is 1 to 64 characters without control characters")]
    Form,
    /// It looks like a recipient, or like the beginning of one, by which a slot is found as well.
    #[error("a label must not look like a public key: it could be taken for that key")]
    Recipient,
}

impl SlotLabel {
    /// Returns the label as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SlotLabel {
    type Err = InvalidLabel;

    fn from_str(text: &str) -> Result<Self, InvalidLabel> {
        match text.chars().count() {
            1..=MAX_LABEL_LEN if !text.chars().any(char::is_control) => {}
            _ => return Err(InvalidLabel::Form),
        }
        match begins_like_recipient(text) {
            true => Err(InvalidLabel::Recipient),
            false => Ok(Self(text.to_owned())),
        }
    }
}

/// Returns whether a recipient may begin so.
fn begins_like_recipient(text: &str) -> bool {
    let text = text.trim_start().to_ascii_lowercase();
    let word = text.split_whitespace().next().unwrap_or_default();
    word.starts_with("age1") || SSH_TYPES.contains(&word)
}

impl fmt::Display for SlotLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Refers to an existing slot: by its label, its recipient, or a prefix of its recipient that no
/// other recipient shares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotRef(String);

impl SlotRef {
    /// Refers to the slot with this label or recipient, or whose recipient begins with this text.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// Returns the slot referred to.
    ///
    /// # Errors
    /// * [`Error::SlotNotFound`] if no slot matches.
    /// * [`Error::SlotAmbiguous`] if several slots match.
    pub fn find<'a>(&self, slots: &'a [SlotInfo]) -> Result<&'a SlotInfo, Error> {
        let names = slots.iter().map(|it| (&*it.label, &*it.recipient));
        let at = self.position(names)?;
        slots.get(at).ok_or_else(|| self.not_found())
    }

    /// Returns the index of the slot referred to, among the labels and recipients of all.
    pub(crate) fn position<'a>(
        &self,
        slots: impl Iterator<Item = (&'a str, &'a str)> + Clone,
    ) -> Result<usize, Error> {
        let meant = self.0.as_str();
        // A recipient is one key's for sure. Older versions allowed labels that look like one.
        let is_recipient = |(_, recipient): (&str, &str)| recipient == meant;
        let is_label = |(label, _): (&str, &str)| label == meant;
        let found = slots.clone().position(is_recipient);
        if let Some(at) = found.or_else(|| slots.clone().position(is_label)) {
            return Ok(at);
        }
        let begins = |(_, (_, recipient)): &(usize, (&str, &str))| recipient.starts_with(meant);
        let found: Vec<_> = match meant {
            "" => Vec::new(),
            _ => slots.enumerate().filter(begins).collect(),
        };
        match found.as_slice() {
            [(at, _)] => Ok(*at),
            [] => Err(self.not_found()),
            several => Err(Error::SlotAmbiguous {
                labels: several
                    .iter()
                    .map(|(_, (label, _))| (*label).to_owned())
                    .collect(),
            }),
        }
    }

    fn not_found(&self) -> Error {
        Error::SlotNotFound {
            slot: self.0.clone(),
        }
    }
}

impl fmt::Display for SlotRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&SlotInfo> for SlotRef {
    fn from(slot: &SlotInfo) -> Self {
        Self(slot.recipient.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_found_by_label_recipient_or_the_only_one_that_begins_so() {
        let slots = [
            ("laptop", "age1qqa"),
            ("age1qq", "age1qqb"),
            ("bob", "age1xyz"),
            ("age1xyz", "age1abc"),
        ];
        let position = |meant: &str| SlotRef::new(meant).position(slots.into_iter());
        assert_eq!(position("bob").unwrap(), 2);
        assert_eq!(position("age1qqb").unwrap(), 1);
        assert_eq!(position("age1x").unwrap(), 2);
        assert_eq!(position("age1xyz").unwrap(), 2, "a recipient comes first");
        assert_eq!(position("age1qq").unwrap(), 1, "a label comes first");
        let Err(Error::SlotAmbiguous { labels }) = position("age1q") else {
            unreachable!("two begin so");
        };
        assert_eq!(labels, ["laptop", "age1qq"]);
        for meant in ["", "alice", "age1xyzz"] {
            let error = position(meant).unwrap_err();
            assert!(matches!(error, Error::SlotNotFound { .. }), "{error}");
        }
    }

    #[test]
    fn a_label_is_short_and_printable() {
        assert!("Ann's laptop".parse::<SlotLabel>().is_ok());
        for text in ["", "a\nb", &"x".repeat(65)] {
            assert_eq!(text.parse::<SlotLabel>(), Err(InvalidLabel::Form));
        }
        for text in [
            "age1",
            "AGE1QL3Z7HJY54PW3HYWW5AYYFG7ZQGVC7W3J2ELW8ZMRJ2KG5SFN9AQMCAC8P",
            " age1ql3z7",
            "ssh-ed25519",
            "ssh-rsa AAAAB3Nz",
        ] {
            assert_eq!(text.parse::<SlotLabel>(), Err(InvalidLabel::Recipient));
        }
        for text in ["age", "age-1", "pages1", "ssh-laptop", "my ssh-rsa key"] {
            assert!(text.parse::<SlotLabel>().is_ok(), "{text}");
        }
    }
}
