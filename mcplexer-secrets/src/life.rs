//! What is said about a secret besides its value: a note, and how often to replace it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Longest note, in characters.
pub const MAX_NOTE_LEN: usize = 200;
/// Longest interval between two values of a secret, in days.
pub const MAX_ROTATE_EVERY: u32 = 36_500;

const MICROS_PER_DAY: u64 = 24 * 60 * 60 * 1_000_000;

/// A note about a secret, for people: one line of 1 to 200 characters, none of them a control character.
///
/// It is not encrypted.
///
/// ```
/// use mcplexer_secrets::Note;
/// let note: Note = "read-only token of the build machine".parse()?;
/// assert!("two\nlines".parse::<Note>().is_err());
/// # Ok::<(), mcplexer_secrets::InvalidNote>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Note(String);

impl Note {
    /// Returns the note as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Note {
    type Error = InvalidNote;

    fn try_from(text: String) -> Result<Self, InvalidNote> {
        let len = text.chars().count();
        match (1..=MAX_NOTE_LEN).contains(&len) && !text.chars().any(char::is_control) {
            true => Ok(Self(text)),
            false => Err(InvalidNote),
        }
    }
}

impl FromStr for Note {
    type Err = InvalidNote;

    fn from_str(text: &str) -> Result<Self, InvalidNote> {
        Self::try_from(text.to_owned())
    }
}

impl From<Note> for String {
    fn from(note: Note) -> Self {
        note.0
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The error for a text that is not a note. It does not repeat the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a note is one line of 1 to 200 characters, none of them a control character")]
pub struct InvalidNote;

/// How often to replace the value of a secret: every 1 to 36,500 days. Displayed as `90d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct RotateEvery(u32);

impl RotateEvery {
    /// Returns the number of days.
    #[must_use]
    pub fn days(self) -> u32 {
        self.0
    }

    /// Returns when a value stored at `updated` is to be replaced.
    #[must_use]
    pub fn after(self, updated: Timestamp) -> Timestamp {
        let micros = u64::from(self.0).saturating_mul(MICROS_PER_DAY);
        Timestamp::from_micros(updated.as_micros().saturating_add(micros))
    }
}

impl TryFrom<u32> for RotateEvery {
    type Error = InvalidInterval;

    fn try_from(days: u32) -> Result<Self, InvalidInterval> {
        match days {
            1..=MAX_ROTATE_EVERY => Ok(Self(days)),
            _ => Err(InvalidInterval),
        }
    }
}

impl FromStr for RotateEvery {
    type Err = InvalidInterval;

    /// Parses a number of days or weeks: `90d`, `12w`.
    fn from_str(text: &str) -> Result<Self, InvalidInterval> {
        let (number, days) = match (text.strip_suffix('d'), text.strip_suffix('w')) {
            (Some(number), _) => (number, 1),
            (_, Some(number)) => (number, 7),
            (None, None) => return Err(InvalidInterval),
        };
        if !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(InvalidInterval);
        }
        let number: u32 = number.parse().map_err(|_| InvalidInterval)?;
        Self::try_from(number.checked_mul(days).ok_or(InvalidInterval)?)
    }
}

impl From<RotateEvery> for u32 {
    fn from(every: RotateEvery) -> Self {
        every.0
    }
}

impl fmt::Display for RotateEvery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}d", self.0)
    }
}

/// The error for a text or a number that is not an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an interval is 1 to 36500 days, such as 90d or 12w")]
pub struct InvalidInterval;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_one_line_of_1_to_200_characters() {
        for good in ["x", "für das Büro", &"ü".repeat(MAX_NOTE_LEN)] {
            assert_eq!(good.parse::<Note>().unwrap().as_str(), good);
        }
        for bad in ["", "a\nb", "a\x1b[31m", &"x".repeat(MAX_NOTE_LEN + 1)] {
            assert_eq!(bad.parse::<Note>(), Err(InvalidNote), "{bad:?}");
        }
    }

    #[test]
    fn an_interval_is_days_or_weeks() {
        for (text, days) in [("1d", 1), ("90d", 90), ("12w", 84), ("36500d", 36_500)] {
            let every: RotateEvery = text.parse().unwrap();
            assert_eq!(every.days(), days);
            assert_eq!(every.to_string(), format!("{days}d"));
        }
        for bad in [
            "",
            "d",
            "0d",
            "90",
            "-1d",
            "+1d",
            "1h",
            "36501d",
            "9999999999w",
        ] {
            assert_eq!(bad.parse::<RotateEvery>(), Err(InvalidInterval), "{bad}");
        }
    }

    #[test]
    fn an_interval_counts_days_from_the_last_time_stored() {
        let every: RotateEvery = "2d".parse().unwrap();
        let updated: Timestamp = "2026-05-28T20:26:40Z".parse().unwrap();
        let due = every.after(updated).to_string();
        assert_eq!(due, "2026-05-30T20:26:40.000000Z");
        let last = Timestamp::from_micros(u64::MAX);
        assert_eq!(every.after(last), last);
    }
}
