//! The environment that a command starts with.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::process::Command;

use mcplexer_secrets::dotenv::{self, Variable};
use mcplexer_secrets::reference::Template;
use mcplexer_secrets::{Credential, Error, NotCarried, ScopeKind};
use zeroize::Zeroizing;

use crate::cli::{ChosenKey, Run};
use crate::credentials::{Opened, Wanted};
use crate::exit_code;
use crate::failure::Failure;
use crate::output::shown;

/// What every command needs and no credential is in: what the MCP SDKs pass on to a server, and
/// what tells the language, the time zone and the place of temporary files.
const CLEAN: [&str; 9] = [
    "HOME", "LANG", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER",
];

/// Wants what `--scope` and `--only` name.
pub(super) fn want(run: &Run, wanted: &mut Wanted) {
    let several = run
        .scope
        .iter()
        .any(|scope| Some(scope) != run.scope.first());
    for scope in &run.scope {
        if run.only.is_empty() {
            wanted.all_of(scope);
        }
        for key in run.only.iter().filter(|key| key.may_be_in(scope)) {
            if several && key.scope.is_none() {
                wanted.if_there(scope, &key.name);
            } else {
                wanted.required(scope, &key.name);
            }
        }
    }
}

/// A `.env` file that was read.
pub(super) struct EnvFile {
    path: String,
    variables: Vec<Variable>,
}

impl EnvFile {
    pub(super) fn read_all(paths: &[PathBuf]) -> Result<Vec<Self>, Failure> {
        paths.iter().map(Self::read).collect()
    }

    fn read(path: &PathBuf) -> Result<Self, Failure> {
        let bytes = fs::read(path)
            .map(Zeroizing::new)
            .map_err(|source| Error::Io {
                action: "read",
                path: path.clone(),
                source,
            })?;
        let variables = dotenv::parse(&bytes).map_err(|error| {
            Failure::new(format!("{}, {error}", shown(path)))
                .with_hint("a value of several lines stands in quotes")
                .with_code(exit_code::USAGE)
        })?;
        Ok(Self {
            path: shown(path),
            variables,
        })
    }

    fn place(&self, variable: &Variable) -> String {
        format!("{}, line {} ({})", self.path, variable.line, variable.name)
    }

    fn template<'a>(&self, variable: &'a Variable) -> Result<Template<'a>, Failure> {
        Template::parse(variable.value()).map_err(|(_, error)| {
            Failure::new(error.to_string())
                .at(&self.place(variable))
                .with_hint("mcplexer secret list SCOPE shows the keys of a scope")
                .with_code(exit_code::USAGE)
        })
    }

    /// Wants what the file refers to.
    pub(super) fn want(&self, wanted: &mut Wanted) -> Result<(), Failure> {
        for variable in &self.variables {
            for (reference, _) in self.template(variable)?.references() {
                wanted.referred(reference, self.place(variable));
            }
        }
        Ok(())
    }
}

/// Variables to set, each from one place.
#[derive(Default)]
pub(super) struct Environment(BTreeMap<String, Given>);

struct Given {
    value: OsString,
    origin: String,
}

impl Environment {
    /// Adds the secrets of the scopes that were named, as they were chosen and renamed.
    pub(super) fn add_scopes(&mut self, run: &Run, opened: &Opened) -> Result<(), Failure> {
        let mut scopes: Vec<_> = run.scope.iter().collect();
        scopes.sort();
        scopes.dedup();
        let given: Vec<(Credential<'_>, ScopeKind)> = scopes
            .iter()
            .filter_map(|scope| opened.scope(scope))
            .flat_map(|it| it.iter().map(|credential| (credential, it.kind())))
            .filter(|(it, _)| {
                run.only.is_empty() || run.only.iter().any(|key| key.is(it.scope, it.name))
            })
            .collect();
        let renamed = run.rename.iter().map(|rename| &rename.from);
        for key in run.only.iter().chain(renamed) {
            if !given.iter().any(|(it, _)| key.is(it.scope, it.name)) {
                return Err(not_given(key, run));
            }
        }
        for (credential, kind) in given {
            let rename = run
                .rename
                .iter()
                .find(|it| it.from.is(credential.scope, credential.name));
            let variable = match (rename, kind.gives_variables()) {
                (Some(rename), _) => rename.to.as_str(),
                (None, Ok(())) => credential.name.as_str(),
                (None, Err(reason)) => {
                    return Err(Failure::new(format!(
                        "{}/{} {reason}",
                        credential.scope, credential.name
                    ))
                    .with_hint(format!(
                        "--rename {}=NAME gives it as a variable",
                        credential.name
                    ))
                    .with_code(exit_code::USAGE));
                }
            };
            let value = credential.env_value(variable)?.to_owned();
            let origin = format!("{}/{}", credential.scope, credential.name);
            self.add(variable, value, origin)?;
        }
        Ok(())
    }

    /// Adds the variables of a file, their references resolved. Of a name that is there twice the
    /// last one counts, as in other programs.
    pub(super) fn add_file(&mut self, file: &EnvFile, opened: &Opened) -> Result<(), Failure> {
        let mut last: BTreeMap<&str, &Variable> = BTreeMap::new();
        for variable in &file.variables {
            last.insert(&variable.name, variable);
        }
        for variable in last.into_values() {
            let lookup = |reference: &_| {
                opened
                    .value(reference)
                    .map(mcplexer_secrets::SecretValue::expose)
            };
            let filled = file.template(variable)?.fill(lookup);
            let filled = filled.ok_or_else(Opened::lacks_one)?;
            let value = filled.expose();
            if value.contains(&0) {
                return Err(Failure::new(NotCarried::Nul.to_string())
                    .at(&file.place(variable))
                    .with_hint("mcplexer inject writes it into a file")
                    .with_code(exit_code::USAGE));
            }
            let value = OsString::from_vec(value.to_vec());
            self.add(&variable.name, value, file.place(variable))?;
        }
        Ok(())
    }

    fn add(&mut self, variable: &str, value: OsString, origin: String) -> Result<(), Failure> {
        if let Some(first) = self.0.get(variable) {
            return Err(Failure::new(format!(
                "{variable} is given twice: by {} and by {origin}",
                first.origin
            ))
            .with_hint("--only leaves one out, --rename SCOPE/KEY=NAME gives one another name")
            .with_code(exit_code::USAGE));
        }
        self.0.insert(variable.to_owned(), Given { value, origin });
        Ok(())
    }

    /// Gives the command its environment. What is mcplexer's own is not passed on (F19).
    pub(super) fn apply(&self, command: &mut Command, clean: bool) {
        for (name, _) in std::env::vars_os() {
            let bytes = name.as_encoded_bytes();
            let is_clean =
                bytes.starts_with(b"LC_") || CLEAN.iter().any(|it| name == OsStr::new(it));
            if bytes.starts_with(b"MCPLEXER_") || (clean && !is_clean) {
                command.env_remove(name);
            }
        }
        command.envs(self.0.iter().map(|(name, given)| (name, &given.value)));
    }
}

fn not_given(key: &ChosenKey, run: &Run) -> Failure {
    let scopes: Vec<_> = run
        .scope
        .iter()
        .map(mcplexer_secrets::ScopeId::as_str)
        .collect();
    let hint = match &run.scope[..] {
        [scope] => format!("mcplexer secret list {scope} shows what there is"),
        _ => "mcplexer secret list SCOPE shows what there is".to_owned(),
    };
    Failure::new(format!(
        "no secret {key} among those of {}",
        scopes.join(", ")
    ))
    .with_hint(hint)
    .with_code(exit_code::NOT_FOUND)
}
