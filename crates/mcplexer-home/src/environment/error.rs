//! Why an environment cannot be built.

use std::fmt;
use std::io;
use std::path::PathBuf;

use mcplexer_files::dotenv::InvalidLine;
use mcplexer_files::reference::InvalidReference;
use mcplexer_secrets::{Error as StoreError, NotCarried, ScopeId, ScopeKind, SecretName};

use super::ChosenKey;

/// A failure to build an environment.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A `.env` file cannot be read.
    #[error("cannot read {}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A `.env` file is invalid.
    #[error("{file}, {source}")]
    Dotenv {
        /// The file.
        file: String,
        /// What is wrong, and where.
        source: InvalidLine,
    },
    /// Standard input is to be read as two `.env` files.
    #[error("--env-file - is given twice")]
    StdinTwice,
    /// A variable has an invalid reference.
    #[error("{place}: {source}")]
    Reference {
        /// The variable.
        place: String,
        /// What is wrong.
        source: InvalidReference,
    },
    /// A variable refers to a secret that was not opened: a fault of this program.
    #[error("{place}: a reference was left out; nothing was done")]
    NotOpened {
        /// The variable.
        place: String,
    },
    /// A variable of a `.env` file has a value that no environment can hold.
    #[error("{place}: {reason}")]
    NotCarried {
        /// The variable.
        place: String,
        /// Why not.
        reason: NotCarried,
    },
    /// A secret has a value that no environment can hold.
    #[error(transparent)]
    Secret(StoreError),
    /// Secrets of this kind have no variable unless they are given one, and there is nothing else to pass, or
    /// they were asked for by name.
    #[error("no variable for {}", joined(.secrets, ", "))]
    NoVariables {
        /// The secrets: at least one.
        secrets: Vec<NoVariable>,
    },
    /// Secrets would be variables that take over the command.
    #[error("a secret would take over the command: {}", joined(.variables, "; "))]
    TakesOver {
        /// The variables: at least one.
        variables: Vec<Takeover>,
    },
    /// A secret has a value that no argument can hold.
    #[error("{place}: an argument cannot have a NUL byte")]
    NulInArgument {
        /// The argument.
        place: String,
    },
    /// A secret was chosen that no scope has.
    #[error("{} secret {key} to pass", have(.scopes))]
    NothingToPass {
        /// The secret.
        key: ChosenKey,
        /// The scopes.
        scopes: Vec<ScopeId>,
    },
    /// A secret was renamed that no scope has.
    #[error("{} secret {key} to rename", have(.scopes))]
    NothingToRename {
        /// The secret.
        key: ChosenKey,
        /// The scopes.
        scopes: Vec<ScopeId>,
    },
    /// A secret was renamed that was not chosen.
    #[error("--rename names {key}, which --only leaves out")]
    RenamedAndLeftOut {
        /// The secret.
        key: ChosenKey,
    },
    /// A secret was renamed twice.
    #[error("{scope}/{name} is renamed twice")]
    RenamedTwice {
        /// The scope.
        scope: ScopeId,
        /// The secret.
        name: SecretName,
    },
    /// A variable would be one of mcplexer's own, which are not passed on.
    #[error("{origin}: {variable} is mcplexer's own, and not passed on")]
    Own {
        /// The variable.
        variable: String,
        /// What would set it.
        origin: String,
    },
    /// Two sources set the same variable.
    #[error("{variable} is set twice: by {first} and by {second}")]
    SetTwice {
        /// The variable.
        variable: String,
        /// One source.
        first: String,
        /// The other source.
        second: String,
    },
}

/// A secret that has no variable, because it is one of HTTP or OAuth 2.0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoVariable {
    /// The scope.
    pub scope: ScopeId,
    /// The secret.
    pub name: SecretName,
    /// The kind of the scope.
    pub kind: ScopeKind,
}

impl NoVariable {
    /// Returns the secret as `--rename` names it: `scope/KEY`.
    #[must_use]
    pub fn reference(&self) -> String {
        format!("{}/{}", self.scope, self.name)
    }
}

impl fmt::Display for NoVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} scope)", self.reference(), self.kind)
    }
}

/// A secret that would be a variable that takes over the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Takeover {
    /// The variable.
    pub variable: String,
    /// What would set it.
    pub origin: String,
    /// What it does.
    pub does: &'static str,
}

impl fmt::Display for Takeover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            variable,
            origin,
            does,
        } = self;
        write!(f, "{variable}, from {origin}, {does}")
    }
}

fn joined(items: &[impl fmt::Display], separator: &str) -> String {
    let items: Vec<_> = items.iter().map(ToString::to_string).collect();
    items.join(separator)
}

/// `demo has no`, or `none of a, b has a`.
fn have(scopes: &[ScopeId]) -> String {
    match scopes {
        [scope] => format!("{scope} has no"),
        _ => {
            let scopes: Vec<_> = scopes.iter().map(ScopeId::as_str).collect();
            format!("none of {} has a", scopes.join(", "))
        }
    }
}
