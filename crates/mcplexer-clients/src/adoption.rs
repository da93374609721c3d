//! The plan for adopting a configuration.

use std::collections::HashSet;
use std::fmt;

use mcplexer_files::reference::Reference;
use mcplexer_secrets::{ScopeId, SecretName, SecretValue};
use zeroize::Zeroizing;

use crate::finding::{Finding, Outcome};
use crate::scopes::Planned;

/// What adopting a configuration does.
pub struct Adoption {
    /// Each variable, and each other text that looks like a credential, in the order of the file.
    pub findings: Vec<Finding>,
    /// The references to look up in the store, each with the index of its finding.
    pub(crate) references: Vec<(usize, Reference)>,
    pub(crate) planned: Planned,
    pub(crate) text: Zeroizing<Vec<u8>>,
}

impl Adoption {
    /// Returns how many credentials move to the store.
    #[must_use]
    pub fn moved(&self) -> usize {
        self.moves().count()
    }

    /// Returns how many credentials stay in the file.
    #[must_use]
    pub fn left(&self) -> usize {
        let is_left =
            |it: &&Finding| matches!(it.outcome, Outcome::Stays(_)) && it.reason.is_some();
        self.findings.iter().filter(is_left).count()
    }

    /// Returns from how many servers credentials move to the store.
    #[must_use]
    pub fn servers(&self) -> usize {
        let names = self.moves().map(|it| (&it.project, &it.server));
        let servers: HashSet<_> = names.collect();
        servers.len()
    }

    /// Returns the bytes of the rewritten file.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Returns the credentials to store, by scope. No scope has two of one name.
    pub fn secrets(&self) -> impl Iterator<Item = (&ScopeId, &[(SecretName, SecretValue)])> {
        self.planned.iter()
    }

    fn moves(&self) -> impl Iterator<Item = &Finding> {
        let is_moved = |it: &&Finding| matches!(it.outcome, Outcome::Secret(_));
        self.findings.iter().filter(is_moved)
    }
}

impl fmt::Debug for Adoption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adoption")
            .field("findings", &self.findings)
            .finish_non_exhaustive()
    }
}
