//! Builds the environment of a command that gets secrets.

mod choice;
mod sources;
mod takeover;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::process::Command;

use mcplexer_files::dotenv::{InvalidLine, Variable};
use mcplexer_files::reference::InvalidReference;
use mcplexer_secrets::{
    Credential, Error as StoreError, NotCarried, ScopeId, ScopeKind, SecretName, SecretValue,
};

pub use choice::{Choice, ChosenKey, Rename};
pub use sources::{EnvFile, References};
pub use takeover::takes_over;

use crate::credentials::Opened;

/// What every command needs and no credential is in: what the MCP SDKs pass on to a server, and the
/// variables for the language, the time zone and temporary files.
const CLEAN: [&str; 9] = [
    "HOME", "LANG", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER",
];

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
    #[error("{}, {source}", .path.display())]
    Dotenv {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        source: InvalidLine,
    },
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
    /// A secret of this kind has no variable unless it is given one.
    #[error("{scope} is {article} {kind} scope: {name} needs --rename {name}=NAME, or --only to leave it out", article = article(*.kind))]
    NotAVariable {
        /// The scope.
        scope: ScopeId,
        /// The secret.
        name: SecretName,
        /// The kind of the scope.
        kind: ScopeKind,
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

fn article(kind: ScopeKind) -> &'static str {
    match kind {
        ScopeKind::Header => "a",
        _ => "an",
    }
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

/// Variables to set, each from one source.
#[derive(Default)]
pub struct Environment(BTreeMap<String, Given>);

struct Given {
    value: OsString,
    origin: String,
}

/// Prints names and origins; never values.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origins = self.0.iter().map(|(name, it)| (name, &it.origin));
        f.debug_map().entries(origins).finish()
    }
}

impl Environment {
    /// Builds the environment from the chosen secrets, `.env` files and references in the inherited
    /// environment. The latter give way to the former.
    ///
    /// # Errors
    ///
    /// Fails if a secret is missing or cannot be passed as asked, or if two sources set one variable.
    pub fn build(
        choice: &Choice,
        files: &[EnvFile],
        references: &References,
        opened: &Opened,
    ) -> Result<Self, Error> {
        let mut environment = Self::default();
        environment.add_scopes(choice, opened)?;
        for file in files {
            environment.add_file(file, opened)?;
        }
        environment.add_references(references, opened)?;
        Ok(environment)
    }

    /// Adds the secrets of the scopes, as they were chosen and renamed.
    fn add_scopes(&mut self, choice: &Choice, opened: &Opened) -> Result<(), Error> {
        let scopes = choice.distinct_scopes();
        let given: Vec<(Credential<'_>, ScopeKind)> = scopes
            .iter()
            .filter_map(|scope| opened.scope(scope))
            .flat_map(|it| it.iter().map(|credential| (credential, it.kind())))
            .filter(|(it, _)| choice.has(it.scope, it.name))
            .collect();
        choice.check(|key| given.iter().any(|(it, _)| key.is(it.scope, it.name)))?;
        for (credential, kind) in given {
            let (scope, name) = (credential.scope, credential.name);
            let variable = match (choice.rename_of(scope, name)?, kind.gives_variables()) {
                (Some(to), _) => to.as_str(),
                (None, Ok(())) => name.as_str(),
                (None, Err(_)) => {
                    return Err(Error::NotAVariable {
                        scope: scope.clone(),
                        name: name.clone(),
                        kind,
                    });
                }
            };
            let value = credential.env_value(variable);
            let value = value.map_err(Error::Secret)?.to_owned();
            self.add(variable, value, format!("{scope}/{name}"))?;
        }
        Ok(())
    }

    /// Adds the variables of a file, with the secrets that they refer to. The last one of a name counts,
    /// as in other programs.
    fn add_file(&mut self, file: &EnvFile, opened: &Opened) -> Result<(), Error> {
        let mut last: BTreeMap<&str, &Variable> = BTreeMap::new();
        for variable in &file.variables {
            last.insert(&variable.name, variable);
        }
        for variable in last.into_values() {
            let place = file.place(variable);
            let lookup = |reference: &_| opened.value(reference).map(SecretValue::expose);
            let Some(filled) = file.template(variable)?.fill(lookup) else {
                return Err(Error::NotOpened { place });
            };
            let value = filled.expose();
            if value.contains(&0) {
                return Err(Error::NotCarried {
                    place,
                    reason: NotCarried::Nul,
                });
            }
            let value = OsString::from_vec(value.to_vec());
            self.add(&variable.name, value, place)?;
        }
        Ok(())
    }

    /// Replaces references in the inherited environment with their secrets, unless an earlier source sets
    /// the variable.
    fn add_references(&mut self, references: &References, opened: &Opened) -> Result<(), Error> {
        for (name, reference) in references.iter() {
            let Some(credential) = opened.credential(reference) else {
                let place = sources::place_of(name);
                return Err(Error::NotOpened { place });
            };
            let value = credential.env_value(name);
            let value = value.map_err(Error::Secret)?.to_owned();
            self.0.entry(name.to_owned()).or_insert_with(|| Given {
                value,
                origin: reference.to_string(),
            });
        }
        Ok(())
    }

    fn add(&mut self, variable: &str, value: OsString, origin: String) -> Result<(), Error> {
        if is_own(variable.as_ref()) {
            let variable = variable.to_owned();
            return Err(Error::Own { variable, origin });
        }
        if let Some(first) = self.0.get(variable) {
            return Err(Error::SetTwice {
                variable: variable.to_owned(),
                first: first.origin.clone(),
                second: origin,
            });
        }
        self.0.insert(variable.to_owned(), Given { value, origin });
        Ok(())
    }

    /// Sets the environment of a command, which inherits the variables named `inherited`: all but
    /// mcplexer's own (F19), or if `clean` only those that every command needs.
    pub fn apply(
        &self,
        command: &mut Command,
        inherited: impl IntoIterator<Item = OsString>,
        clean: bool,
    ) {
        for name in inherited {
            let is_clean = name.as_bytes().starts_with(b"LC_")
                || CLEAN.iter().any(|it| name == OsStr::new(it));
            if is_own(&name) || (clean && !is_clean) {
                command.env_remove(name);
            }
        }
        command.envs(self.0.iter().map(|(name, given)| (name, &given.value)));
    }
}

/// Returns whether a variable is mcplexer's own, which no command gets.
fn is_own(variable: &OsStr) -> bool {
    variable.as_bytes().starts_with(b"MCPLEXER_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_prints_no_value() {
        let mut environment = Environment::default();
        let added = environment.add("TOKEN", "hunter2".into(), "s/K".to_owned());
        added.unwrap();
        assert_eq!(format!("{environment:?}"), r#"{"TOKEN": "s/K"}"#);
    }
}
