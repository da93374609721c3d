//! Advice on the environment and on opening a home directory.

use mcplexer_home::{Alternatives, EnvironmentError, Error, Exposed, KeySource, OwnFile, closest};

use super::Failure;
use crate::exit_code;
use crate::text::{sanitized, shown};

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Environment(error) => Self::from(error),
            Error::Exposed(exposed) => Self::of_several(exposed.iter().map(ToString::to_string))
                .with_hints(fixes(&exposed))
                .with_code(exit_code::KEY),
            Error::Store(error) => Self::from(error),
            other => Self::new(super::chain(&other)),
        }
    }
}

/// Returns what to do. Where another user's home is open to be used, that is all: taking over its files would lock that
/// user out.
fn fixes(exposed: &[Exposed]) -> Vec<String> {
    let all: Vec<_> = exposed.iter().flat_map(Exposed::fix).collect();
    match all.iter().find(|fix| fix.starts_with("sudo -u ")) {
        Some(as_owner) => vec![as_owner.clone()],
        None => all,
    }
}

impl From<EnvironmentError> for Failure {
    fn from(error: EnvironmentError) -> Self {
        let hint = match &error {
            EnvironmentError::NoHome => "set HOME or MCPLEXER_HOME",
            EnvironmentError::Relative { .. } => {
                "give a path that begins with / or ~/: any other would lead elsewhere from each directory"
            }
            EnvironmentError::NoUserHome { .. } => {
                "create it, or name a directory for the store with MCPLEXER_HOME"
            }
            EnvironmentError::TwoKeys => "unset one of them",
            EnvironmentError::IdentityAsPath { .. } => "give the identity in MCPLEXER_AGE_IDENTITY",
            EnvironmentError::StoreUrl => {
                "unset MCPLEXER_STORE to use the store in your home; MCPLEXER_HOME names another home"
            }
            EnvironmentError::StorePassword => {
                "others see it there: take it out of the URL, and set MCPLEXER_STORE_PASSWORD"
            }
            EnvironmentError::StoreCache => {
                "unset it to keep a copy of any age for when the server is away; off keeps none"
            }
            EnvironmentError::NoAuditDirectory { .. } => {
                "create the directory, or unset MCPLEXER_AUDIT to use the log of this home"
            }
            EnvironmentError::NotItsOwn { variable, .. } => {
                return Self::new(error.to_string())
                    .with_hint(format!(
                        "remove the link, or name another file with {variable}"
                    ))
                    .with_code(exit_code::USAGE);
            }
            EnvironmentError::NoAuditFile => "unset MCPLEXER_AUDIT to read the log of this home",
            _ => "mcplexer help lists the variables",
        };
        Self::new(error.to_string())
            .with_hint(hint)
            .with_code(exit_code::USAGE)
    }
}

impl From<OwnFile> for Failure {
    fn from(error: OwnFile) -> Self {
        Self::new(error.to_string())
            .with_hint("name another file: nothing writes over the files of a home")
            .with_code(exit_code::USAGE)
    }
}

impl Failure {
    /// Asks whether the name that is closest to what was typed was meant, if one is close.
    pub(crate) fn with_meant<'a>(
        self,
        typed: &str,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let meant = closest(typed, names).map(|it| format!("did you mean {}?", sanitized(it)));
        self.with_hints(meant)
    }

    /// Adds what to try instead of a name that was not found.
    pub(crate) fn with_alternatives(self, alternatives: &Alternatives) -> Self {
        match alternatives {
            Alternatives::Similar { name } => self.with_hint(format!("did you mean {name}?")),
            Alternatives::NoScopes { scope } => self.with_hint(format!(
                "the store has no scopes; mcplexer secret put {scope} KEY creates this one"
            )),
            Alternatives::Scopes => self.with_hint("mcplexer scope list shows the scopes"),
            Alternatives::Secrets { scope } => {
                self.with_hint(format!("mcplexer secret list {scope} shows its secrets"))
            }
            _ => self,
        }
    }
}

/// Returns where the key is, as the user knows it.
pub(crate) fn key_place(source: &KeySource) -> String {
    match source {
        KeySource::File(path) => shown(path),
        KeySource::Environment(variable) => (*variable).to_owned(),
        _ => "the key in use".to_owned(),
    }
}
