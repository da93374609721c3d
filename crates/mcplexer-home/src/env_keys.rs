//! Identities from an environment variable.

use std::ffi::OsString;
use std::fmt;

use mcplexer_secrets::keys::{Ask, Identity, InvalidKeyText, KeyError, KeyProvider};
use zeroize::Zeroizing;

/// Provides identities from an environment variable, as CI systems hand out secrets.
///
/// The variable holds what a key file would. It is read again each time, so that no copy of it
/// stays in memory.
pub struct EnvKeys {
    variable: &'static str,
    read: fn(&'static str) -> Option<OsString>,
}

impl EnvKeys {
    /// Creates a provider for the identities in the variable of this name.
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
        let text = (self.read)(variable).ok_or(KeyError::NotSet { variable })?;
        let invalid = |reason| KeyError::Invalid {
            origin: variable.to_owned(),
            reason,
        };
        let bytes = Zeroizing::new(text.into_encoded_bytes());
        let text = str::from_utf8(&bytes).map_err(|_| invalid(InvalidKeyText::NotText))?;
        Identity::parse_all(text).map_err(invalid)
    }

    fn begin_replacement(&self, _old: &str) -> Result<Identity, KeyError> {
        Err(KeyError::NotReplaceable {
            origin: self.variable.to_owned(),
        })
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
