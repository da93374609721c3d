use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Ask, Identity, KeyError, KeyProvider, KeyWriter, Recipient, Unfinished};

/// Holds identities in memory, for tests and for programs that get them from elsewhere.
#[derive(Debug)]
pub struct FixedKeys(Mutex<Vec<Identity>>);

impl FixedKeys {
    /// Generates one random identity.
    #[must_use]
    pub fn generate() -> Self {
        Self::new(vec![Identity::generate()])
    }

    /// Uses these identities, in this order.
    #[must_use]
    pub fn new(identities: Vec<Identity>) -> Self {
        Self(Mutex::new(identities))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Identity>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeyProvider for FixedKeys {
    fn identities(&self, _ask: Ask) -> Result<Vec<Identity>, KeyError> {
        Ok(self.lock().clone())
    }

    fn writer(&self) -> Option<&dyn KeyWriter> {
        Some(self)
    }
}

impl KeyWriter for FixedKeys {
    fn identities_for_new_store(&self) -> Result<Vec<Identity>, KeyError> {
        self.identities(Ask::Allowed)
    }

    fn begin_replacement(&self, _old: &Recipient) -> Result<Identity, KeyError> {
        let identity = Identity::generate();
        self.lock().push(identity.clone());
        Ok(identity)
    }

    fn end_replacement(&self, gone: &Recipient) -> Result<(), KeyError> {
        let mut identities = self.lock();
        identities.retain(|identity| identity.recipient().as_ref() != Some(gone));
        Ok(())
    }

    fn unfinished(&self, _ask: Ask) -> Result<Vec<Unfinished>, KeyError> {
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_recipients_only() {
        let keys = FixedKeys::generate();
        let recipient = keys.lock()[0].name();
        let shown = format!("{keys:?}");
        assert!(
            shown.contains(&format!("[Identity({recipient})]")),
            "{shown}"
        );
    }
}
