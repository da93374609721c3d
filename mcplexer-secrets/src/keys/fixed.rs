use super::{Ask, Identity, KeyError, KeyProvider};

/// Identities held in memory, for tests and for programs that get them elsewhere.
#[derive(Debug)]
pub struct FixedKeys(Vec<Identity>);

impl FixedKeys {
    /// One new random identity.
    #[must_use]
    pub fn generate() -> Self {
        Self(vec![Identity::generate()])
    }

    /// These identities, tried in this order.
    #[must_use]
    pub fn new(identities: Vec<Identity>) -> Self {
        Self(identities)
    }
}

impl KeyProvider for FixedKeys {
    fn identities(&self, _ask: Ask) -> Result<Vec<Identity>, KeyError> {
        Ok(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_recipients_only() {
        let keys = FixedKeys::generate();
        let recipient = keys.0[0].recipient();
        assert_eq!(
            format!("{keys:?}"),
            format!("FixedKeys([Identity({recipient})])")
        );
    }
}
