//! Labels of slots, and references to slots.

use std::fmt;
use std::str::FromStr;

use crate::{Error, SlotInfo};

const MAX_LABEL_LEN: usize = 64;

/// The label of a slot, for people: 1 to 64 characters without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotLabel(String);

/// The error for a text that cannot be the label of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a label is 1 to 64 characters without control characters")]
#[non_exhaustive]
pub struct InvalidLabel;

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
            1..=MAX_LABEL_LEN if !text.chars().any(char::is_control) => Ok(Self(text.to_owned())),
            _ => Err(InvalidLabel),
        }
    }
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
        let is_it = |(label, recipient): (&str, &str)| label == meant || recipient == meant;
        if let Some(at) = slots.clone().position(is_it) {
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
        ];
        let position = |meant: &str| SlotRef::new(meant).position(slots.into_iter());
        assert_eq!(position("bob").unwrap(), 2);
        assert_eq!(position("age1qqb").unwrap(), 1);
        assert_eq!(position("age1x").unwrap(), 2);
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
            assert_eq!(text.parse::<SlotLabel>(), Err(InvalidLabel));
        }
    }
}
