//! What is kept of a client, and what it may do.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a client may do over `/api/v1`, beside connecting.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ApiAccess {
    /// Nothing.
    #[default]
    None,
    /// Read what there is. No answer has a value of a secret.
    Read,
    /// Change secrets and servers, too. Not clients: their tokens could do more than it can.
    Write,
}

impl ApiAccess {
    /// Returns its name: `none`, `read` or `write`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// There is no such access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the access has to be none, read or write")]
pub struct NoApiAccess;

impl FromStr for ApiAccess {
    type Err = NoApiAccess;

    fn from_str(text: &str) -> Result<Self, NoApiAccess> {
        let all = [Self::None, Self::Read, Self::Write];
        let found = all.into_iter().find(|it| it.as_str() == text);
        found.ok_or(NoApiAccess)
    }
}

/// What is kept of a token, as one text: its digest in hex, then a space and what it may do over the API. Without the
/// latter, it may do nothing there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Entry {
    pub(super) digest: String,
    pub(super) api: ApiAccess,
}

impl TryFrom<String> for Entry {
    type Error = NoApiAccess;

    fn try_from(text: String) -> Result<Self, NoApiAccess> {
        let (digest, api) = match text.split_once(' ') {
            Some((digest, api)) => (digest.to_owned(), api.parse()?),
            None => (text, ApiAccess::None),
        };
        Ok(Self { digest, api })
    }
}

impl From<Entry> for String {
    fn from(entry: Entry) -> Self {
        match entry.api {
            ApiAccess::None => entry.digest,
            api => format!("{} {}", entry.digest, api.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(text: &str) -> Result<Entry, serde_json::Error> {
        serde_json::from_value(serde_json::Value::String(text.to_owned()))
    }

    #[test]
    fn an_entry_without_access_has_none() {
        assert_eq!(entry("ab12").unwrap().api, ApiAccess::None);
        assert_eq!(entry("ab12 read").unwrap().api, ApiAccess::Read);
        assert_eq!(entry("ab12 write").unwrap().api, ApiAccess::Write);
        for text in ["ab12 ", "ab12 all", "ab12 read write"] {
            assert!(entry(text).is_err(), "{text}");
        }
    }
}
