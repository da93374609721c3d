//! Which calls are wanted.

use std::str::FromStr;

use mcplexer_secrets::Timestamp;
use mcplexer_secrets::audit::AuditOutcome;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error as ValueError;

use super::Call;

/// Which calls are wanted. The default is all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Those to this server.
    pub server: Option<String>,
    /// Those to one of these servers.
    pub among: Option<Vec<String>>,
    /// Those of this client.
    pub client: Option<String>,
    /// Those of this tool, prompt or resource.
    pub object: Option<String>,
    /// Those that ended like this.
    pub ending: Option<Ending>,
    /// Whether a part of the names of a client and of an object is enough, in any case.
    pub is_part: bool,
    /// Those that began at this time or later.
    pub since: Option<Timestamp>,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// With this outcome.
    Is(AuditOutcome),
    /// With any other outcome than [`AuditOutcome::Ok`].
    Problem,
    /// Its end is not in the log.
    Open,
}

/// A text does not name an [`Ending`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an outcome is one of the audit log's, or problem, or open")]
pub struct InvalidEnding;

impl FromStr for Ending {
    type Err = InvalidEnding;

    fn from_str(text: &str) -> Result<Self, InvalidEnding> {
        match text {
            "problem" => Ok(Self::Problem),
            "open" => Ok(Self::Open),
            _ => {
                let outcome = AuditOutcome::deserialize(text.into_deserializer());
                outcome.map(Self::Is).map_err(|_: ValueError| InvalidEnding)
            }
        }
    }
}

impl Wanted {
    /// Returns whether a call is one of them, as far as `since` is not concerned.
    #[must_use]
    pub fn has(&self, call: &Call) -> bool {
        let fits = |wanted: &Option<String>, text: Option<&str>| match (wanted, text) {
            (None, _) => true,
            (Some(wanted), Some(text)) if self.is_part => {
                text.to_lowercase().contains(&wanted.to_lowercase())
            }
            (Some(wanted), text) => text == Some(wanted),
        };
        (self.server.is_none() || self.server.as_ref() == Some(&call.server))
            && self
                .among
                .as_ref()
                .is_none_or(|it| it.contains(&call.server))
            && fits(&self.client, call.client.as_deref())
            && fits(&self.object, call.object.as_deref())
            && self.ending.is_none_or(|it| it.is_of(call.outcome))
    }

    /// Whether a call, or anything older, began too early.
    pub(super) fn is_over(&self, call: &Call) -> bool {
        self.since
            .is_some_and(|since| call.time.parse().is_ok_and(|time: Timestamp| time < since))
    }
}

impl Ending {
    fn is_of(self, outcome: Option<AuditOutcome>) -> bool {
        match self {
            Self::Is(it) => outcome == Some(it),
            Self::Problem => outcome.is_some_and(|it| it != AuditOutcome::Ok),
            Self::Open => outcome.is_none(),
        }
    }
}
