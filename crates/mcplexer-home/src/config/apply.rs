//! Brings the scopes of a store in line with a configuration.

use mcplexer_secrets::{
    AppliedScope, Error as StoreError, NewScope, ScopeAction, ScopeId, ScopeKind,
};
use serde::Serialize;

use crate::open::OpenHome;

/// The scopes to apply.
#[derive(Debug)]
pub struct Apply {
    /// The scopes of the configuration.
    pub scopes: Vec<NewScope>,
    /// Delete the scopes that are not among them, with their secrets.
    pub prune: bool,
}

/// What applying a configuration would do.
#[derive(Debug)]
pub struct Plan {
    report: ApplyReport,
    pruned: Vec<AppliedScope>,
}

/// What applying a configuration did, or would do.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ApplyReport {
    /// Whether nothing was changed.
    pub dry_run: bool,
    /// Every scope of the store and of the configuration, by id.
    pub scopes: Vec<AppliedRow>,
}

/// A scope, and what happens to it.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct AppliedRow {
    /// Its id.
    pub scope: ScopeId,
    /// What happens to it.
    pub action: Action,
    /// How many secrets it holds, or held.
    pub secrets: usize,
    /// The kind that the configuration gives it.
    #[serde(skip)]
    pub kind: Option<ScopeKind>,
}

/// What happens to a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Action {
    /// It is created.
    Create,
    /// Its kind, display name or hints change.
    Update,
    /// It is as the configuration says.
    Same,
    /// It is deleted with its secrets.
    Delete,
    /// The configuration does not name it, and it is kept.
    Leave,
}

impl Apply {
    /// Returns what [`run`](Self::run) would do now. Changes nothing.
    ///
    /// # Errors
    /// If the store cannot be read, or cannot take these scopes.
    pub fn plan(&self, open: &OpenHome) -> Result<Plan, StoreError> {
        let planned = open.store().plan_scopes(&self.scopes)?;
        let others = planned
            .iter()
            .filter(|it| self.prune && it.action == ScopeAction::Leave);
        let pruned: Vec<_> = others.cloned().collect();
        let mut report = self.report(planned, true);
        for row in &mut report.scopes {
            if pruned.iter().any(|it| it.id == row.scope) {
                row.action = Action::Delete;
            }
        }
        Ok(Plan { report, pruned })
    }

    /// Carries out a plan, in one commit.
    ///
    /// # Errors
    /// [`StoreError::ScopeChanged`] if a scope to delete has changed since the plan; else as
    /// [`plan`](Self::plan). Nothing is changed then.
    pub fn run(&self, plan: &Plan, open: &OpenHome) -> Result<ApplyReport, StoreError> {
        let applied = open.store().apply_scopes(&self.scopes, &plan.pruned)?;
        Ok(self.report(applied, false))
    }

    fn report(&self, applied: Vec<AppliedScope>, dry_run: bool) -> ApplyReport {
        let rows = applied.into_iter().map(|it| AppliedRow {
            kind: self
                .scopes
                .iter()
                .find(|named| named.id == it.id)
                .map(|named| named.kind),
            action: Action::from(it.action),
            secrets: it.secrets,
            scope: it.id,
        });
        ApplyReport {
            dry_run,
            scopes: rows.collect(),
        }
    }
}

impl Plan {
    /// Returns what would happen.
    #[must_use]
    pub fn report(&self) -> &ApplyReport {
        &self.report
    }

    /// Consumes the plan and returns what would happen.
    #[must_use]
    pub fn into_report(self) -> ApplyReport {
        self.report
    }
}

impl ApplyReport {
    /// Iterates over the scopes to which this happens.
    pub fn with(&self, action: Action) -> impl Iterator<Item = &AppliedRow> {
        self.scopes.iter().filter(move |it| it.action == action)
    }
}

impl From<ScopeAction> for Action {
    fn from(action: ScopeAction) -> Self {
        match action {
            ScopeAction::Create => Self::Create,
            ScopeAction::Update => Self::Update,
            ScopeAction::Same => Self::Same,
            ScopeAction::Delete => Self::Delete,
            _ => Self::Leave,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open::tests::{opened, put};

    #[test]
    fn scopes_that_are_not_named_go_only_if_pruned() {
        let directory = tempfile::tempdir().unwrap();
        let home = opened(&directory);
        put(&home, "old", "A", "v");
        let scopes = || vec![NewScope::env("web".parse().unwrap())];
        let ids = |report: &ApplyReport, action| -> Vec<String> {
            report.with(action).map(|it| it.scope.to_string()).collect()
        };

        let apply = Apply {
            scopes: scopes(),
            prune: false,
        };
        let plan = apply.plan(&home).unwrap();
        assert_eq!(ids(plan.report(), Action::Create), ["web"]);
        assert_eq!(ids(plan.report(), Action::Leave), ["old"]);
        let apply = Apply {
            scopes: scopes(),
            prune: true,
        };
        let plan = apply.plan(&home).unwrap();
        assert_eq!(ids(plan.report(), Action::Delete), ["old"]);
        let applied = apply.run(&plan, &home).unwrap();
        assert_eq!(ids(&applied, Action::Delete), ["old"]);
        assert!(plan.into_report().dry_run && !applied.dry_run);
    }
}
