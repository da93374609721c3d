//! Servers as they were written in a file.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The servers of one map that are behind the gateway, as they were written.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandedMap {
    /// The text from the first server that is behind the gateway to the first one that stays behind it.
    pub(super) first: String,
    /// The servers that stay between others.
    pub(super) kept: Vec<Kept>,
    /// The names of the servers that are behind the gateway.
    #[serde(default)]
    pub(super) names: Vec<String>,
    /// The directory of their project, in a file that has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) project: Option<String>,
}

/// A server that stays, between others that do not.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// What separates it from the server before it.
    pub(super) gap: String,
    pub(super) name: String,
    /// The text from its end to the next server that stays.
    pub(super) behind: String,
}

impl HandedMap {
    /// Returns the text behind the last server that stays.
    pub(super) fn tail(&mut self) -> &mut String {
        match self.kept.last_mut() {
            Some(kept) => &mut kept.behind,
            None => &mut self.first,
        }
    }

    /// Returns all servers that do not stay, as they were written: each but the first has its separator before it.
    pub(super) fn without_kept(&self) -> String {
        let behind = self.kept.iter().map(|it| it.behind.as_str());
        [self.first.as_str()].into_iter().chain(behind).collect()
    }

    /// Returns whether it says which servers it has.
    pub(super) fn has_names(&self) -> bool {
        !self.names.is_empty()
    }

    /// Returns whether a text is in it.
    #[must_use]
    pub fn contains(&self, text: &str) -> bool {
        let behind = self.kept.iter().map(|it| &it.behind);
        [&self.first]
            .into_iter()
            .chain(behind)
            .any(|it| it.contains(text))
    }
}

impl fmt::Debug for HandedMap {
    /// Writes no text, which may have secrets in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HandedMap({} bytes)", self.without_kept().len())
    }
}
