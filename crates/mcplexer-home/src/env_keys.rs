//! Identities from an environment variable.

use std::ffi::OsString;
use std::fmt;

use mcplexer_secrets::keys::{Ask, Identity, InvalidKeyText, KeyError, KeyErrorKind, KeyProvider};
use zeroize::Zeroizing;

/// Reads identities from an environment variable, as CI systems hand out secrets. The variable holds
/// what a key file would, and is read each time.
pub struct EnvKeys {
    variable: &'static str,
    read: fn(&'static str) -> Option<OsString>,
}

/// Why the identities in an environment variable cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvKeyError {
    /// The variable is not set.
    #[error("{variable} is not set")]
    NotSet {
        /// The variable.
        variable: &'static str,
    },
    /// The variable holds something else.
    #[error("{variable} does not hold a key: {reason}")]
    Invalid {
        /// The variable.
        variable: &'static str,
        /// What is wrong with it.
        reason: InvalidKeyText,
    },
}

impl From<EnvKeyError> for KeyError {
    fn from(error: EnvKeyError) -> Self {
        let kind = match error {
            EnvKeyError::NotSet { .. } => KeyErrorKind::Absent,
            EnvKeyError::Invalid { .. } => KeyErrorKind::Unusable,
        };
        Self::provider(kind, error)
    }
}

impl EnvKeys {
    /// The identities in the variable with this name.
    #[must_use]
    pub fn new(variable: &'static str) -> Self {
        Self {
            variable,
            read: |variable| std::env::var_os(variable),
        }
    }
}

impl fmt::Debug for EnvKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EnvKeys({})", self.variable)
    }
}

impl KeyProvider for EnvKeys {
    fn identities(&self, _ask: Ask) -> Result<Vec<Identity>, KeyError> {
        let variable = self.variable;
        let text = (self.read)(variable).ok_or(EnvKeyError::NotSet { variable })?;
        let invalid = |reason| EnvKeyError::Invalid { variable, reason };
        let bytes = Zeroizing::new(text.into_encoded_bytes());
        let text = str::from_utf8(&bytes).map_err(|_| invalid(InvalidKeyText::NotText))?;
        Ok(Identity::parse_all(text).map_err(invalid)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(read: fn(&'static str) -> Option<OsString>) -> EnvKeys {
        EnvKeys {
            variable: "SOME_IDENTITY",
            read,
        }
    }

    #[test]
    fn the_variable_holds_what_a_key_file_would() {
        let keys = keys(|_| {
            Some(
                "# ci\nAGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33"
                    .into(),
            )
        });
        assert_eq!(keys.identities(Ask::Never).unwrap().len(), 1);
        assert_eq!(format!("{keys:?}"), "EnvKeys(SOME_IDENTITY)");
    }

    #[test]
    fn a_bad_variable_is_named_and_not_repeated() {
        let error = keys(|_| Some("hunter2".into())).identities(Ask::Never);
        let text = error.unwrap_err().to_string();
        assert!(
            text.contains("SOME_IDENTITY") && !text.contains("hunter2"),
            "{text}"
        );
        assert!(keys(|_| None).identities(Ask::Never).is_err());
    }
}
