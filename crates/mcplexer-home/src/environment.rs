//! Builds the environment of a command that gets secrets.

mod arguments;
mod choice;
mod error;
mod sources;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::process::Command;

use mcplexer_files::dotenv::Variable;
use mcplexer_files::template::Syntax;
use mcplexer_secrets::{Credential, NotCarried, ScopeKind, SecretValue};

pub use arguments::Arguments;
pub use choice::{Choice, ChosenKey, Rename};
pub use error::{Error, NoVariable, Takeover};
pub use mcplexer_detect::{takes_over, takes_over_a_shell};
pub use sources::{EnvFile, References};

use crate::credentials::Opened;

/// What every command needs and no credential is in: what the MCP SDKs pass on to a server, and the
/// variables for the language, the time zone and temporary files.
const CLEAN: [&str; 9] = [
    "HOME", "LANG", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER",
];

/// Variables to set, each from one source.
#[derive(Default)]
pub struct Environment {
    variables: BTreeMap<String, Given>,
    left_out: Vec<NoVariable>,
    takeovers: Vec<Takeover>,
}

struct Given {
    value: OsString,
    origin: String,
}

/// Prints names and origins; never values.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origins = self.variables.iter().map(|(name, it)| (name, &it.origin));
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
        let mut variables = environment.takeovers.clone();
        variables.retain(|it| !choice.allowed.contains(&it.variable));
        match variables.is_empty() {
            true => Ok(environment),
            false => Err(Error::TakesOver { variables }),
        }
    }

    /// Returns whether no variable is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.variables.is_empty()
    }

    /// Returns the variables, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &OsStr)> {
        let variables = self.variables.iter();
        variables.map(|(name, given)| (name.as_str(), given.value.as_os_str()))
    }

    /// Returns the secrets of the scopes that are not passed, because they have no variable.
    #[must_use]
    pub fn left_out(&self) -> &[NoVariable] {
        &self.left_out
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
                    let (scope, name) = (scope.clone(), name.clone());
                    self.left_out.push(NoVariable { scope, name, kind });
                    continue;
                }
            };
            let value = credential.env_value(variable);
            let value = value.map_err(Error::Secret)?.to_owned();
            let origin = format!("{scope}/{name}");
            self.note_takeover(variable, &origin);
            self.add(variable, value, origin)?;
        }
        // What was asked for by name is not left out.
        match choice.only.is_empty() || self.left_out.is_empty() {
            true => Ok(()),
            false => Err(Error::NoVariables {
                secrets: self.left_out.clone(),
            }),
        }
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
            let template = file.template(variable)?;
            let lookup = |reference: &_| opened.value(reference).map(SecretValue::expose);
            let Ok(filled) = template.fill(Syntax::Text, lookup) else {
                return Err(Error::NotOpened { place });
            };
            if template.references().next().is_some() {
                self.note_takeover(&variable.name, &place);
            }
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
            self.note_takeover(name, &reference.to_string());
            self.variables
                .entry(name.to_owned())
                .or_insert_with(|| Given {
                    value,
                    origin: reference.to_string(),
                });
        }
        Ok(())
    }

    /// Remembers a variable with a secret in it that takes over the command.
    fn note_takeover(&mut self, variable: &str, origin: &str) {
        if let Some(does) = takes_over(variable) {
            let (variable, origin) = (variable.to_owned(), origin.to_owned());
            self.takeovers.push(Takeover {
                variable,
                origin,
                does,
            });
        }
    }

    fn add(&mut self, variable: &str, value: OsString, origin: String) -> Result<(), Error> {
        if is_own(variable.as_ref()) {
            let variable = variable.to_owned();
            return Err(Error::Own { variable, origin });
        }
        if let Some(first) = self.variables.get(variable) {
            return Err(Error::SetTwice {
                variable: variable.to_owned(),
                first: first.origin.clone(),
                second: origin,
            });
        }
        self.variables
            .insert(variable.to_owned(), Given { value, origin });
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
        command.envs(
            self.variables
                .iter()
                .map(|(name, given)| (name, &given.value)),
        );
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
