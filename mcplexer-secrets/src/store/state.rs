//! The state of a secret, by which a caller recognizes that nobody has changed it since.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use super::secret::SecretInfo;
use crate::record::Entry;
use crate::{Error, ScopeId, SecretName};

/// Stands for the current version of a secret and for what is said about it. It changes with each of them, also if the secret was
/// deleted and created again with the same number of versions. It says nothing about the value.
///
/// It is displayed as 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretState([u8; 16]);

/// The error for a text that is not the state of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the state of a secret is 32 hexadecimal digits")]
pub struct InvalidState;

impl SecretInfo {
    /// Returns the state of the secret.
    #[must_use]
    pub fn state(&self) -> SecretState {
        let times = [self.created.as_micros(), self.updated.as_micros()];
        let mut hash = Sha256::new();
        for number in [self.version, self.revision].into_iter().chain(times) {
            hash.update(number.to_be_bytes());
        }
        // Each of them begins with whether it is there, and the note, whose length differs, is the last one.
        let expires = self.expires.map(|it| it.as_micros().to_be_bytes());
        hash.update([u8::from(expires.is_some())]);
        hash.update(expires.unwrap_or_default());
        let days = self.rotate_every.map(|it| it.days().to_be_bytes());
        hash.update([u8::from(days.is_some())]);
        hash.update(days.unwrap_or_default());
        if let Some(note) = &self.note {
            hash.update(note.as_str());
        }
        let hash = hash.finalize();
        let mut state = [0; 16];
        for (to, from) in state.iter_mut().zip(hash) {
            *to = from;
        }
        SecretState(state)
    }
}

impl SecretState {
    /// Fails unless the secret is there, and still in this state.
    pub(super) fn check(
        self,
        scope: &ScopeId,
        name: &SecretName,
        found: Option<&Entry>,
    ) -> Result<(), Error> {
        match found.is_some_and(|entry| entry.info().state() == self) {
            true => Ok(()),
            false => Err(Error::SecretsChanged {
                scope: scope.clone(),
                names: vec![name.clone()],
            }),
        }
    }
}

impl fmt::Display for SecretState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base16ct::lower::encode_string(&self.0))
    }
}

impl FromStr for SecretState {
    type Err = InvalidState;

    fn from_str(text: &str) -> Result<Self, InvalidState> {
        let mut state = [0; 16];
        match base16ct::lower::decode(text, &mut state) {
            Ok(decoded) if decoded.len() == 16 => Ok(Self(state)),
            _ => Err(InvalidState),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    fn info() -> SecretInfo {
        SecretInfo::new("K".parse().unwrap(), Timestamp::from_micros(7))
    }

    #[test]
    fn the_state_changes_with_everything_that_can_change() {
        let mut states = vec![info().state()];
        let changes: [fn(&mut SecretInfo); 8] = [
            |it| it.version = 2,
            |it| it.revision = 2,
            |it| it.created = Timestamp::from_micros(8),
            |it| it.updated = Timestamp::from_micros(8),
            |it| it.expires = Some(Timestamp::from_micros(0)),
            |it| it.rotate_every = Some("1d".parse().unwrap()),
            |it| it.note = Some("a".parse().unwrap()),
            |it| it.note = Some("b".parse().unwrap()),
        ];
        for change in changes {
            let mut info = info();
            change(&mut info);
            states.push(info.state());
        }
        let count = states.len();
        states.sort_unstable();
        states.dedup();
        assert_eq!(states.len(), count);
    }

    #[test]
    fn a_state_is_read_as_it_is_written() {
        let state = info().state();
        assert_eq!(state.to_string().parse(), Ok(state));
        for bad in ["", "00", &"0".repeat(31), &"0".repeat(34), &"g".repeat(32)] {
            assert_eq!(bad.parse::<SecretState>(), Err(InvalidState), "{bad}");
        }
    }
}
