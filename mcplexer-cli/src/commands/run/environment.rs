//! The environment that a command starts with.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::process::Command;

use mcplexer_files::dotenv::{self, Variable};
use mcplexer_files::reference::{self, Reference, Template};
use mcplexer_home::credentials::{Opened, Wanted};
use mcplexer_secrets::{Credential, Error, NotCarried, ScopeKind};
use zeroize::Zeroizing;

use crate::cli::{ChosenKey, Run};
use crate::exit_code;
use crate::failure::Failure;
use crate::output::{sanitized, shown};

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
        // It must exist, even if none of its secrets is wanted.
        wanted.scope(scope);
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

/// The variables of this process's environment whose value is a reference: so a client's configuration
/// names the secrets of a tool server where it would have had them.
pub(super) struct Inherited(BTreeMap<String, Reference>);

impl Inherited {
    pub(super) fn read() -> Result<Self, Failure> {
        let mut references = BTreeMap::new();
        for (name, value) in std::env::vars_os() {
            if !value.as_bytes().starts_with(reference::SCHEME.as_bytes()) || is_own(&name) {
                continue;
            }
            let name = name.to_string_lossy().into_owned();
            let parsed = value.to_str().map(Reference::of_value);
            let Some(Ok(reference)) = parsed else {
                return Err(Failure::new(reference::InvalidReference.to_string())
                    .at(&place_of(&name))
                    .with_hint("mcplexer secret list SCOPE shows the keys of a scope")
                    .with_code(exit_code::USAGE));
            };
            references.insert(name, reference);
        }
        Ok(Self(references))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Wants what they refer to.
    pub(super) fn want(&self, wanted: &mut Wanted) {
        for (name, reference) in &self.0 {
            wanted.referred(reference, place_of(name));
        }
    }
}

fn place_of(variable: &str) -> String {
    format!("environment variable {}", sanitized(variable))
}

/// Whether a variable is mcplexer's own, which no command gets.
fn is_own(variable: &OsStr) -> bool {
    variable.as_bytes().starts_with(b"MCPLEXER_")
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
            let mut renames = run
                .rename
                .iter()
                .filter(|it| it.from.is(credential.scope, credential.name));
            let rename = renames.next();
            if renames.next().is_some() {
                let secret = format!("{}/{}", credential.scope, credential.name);
                return Err(Failure::new(format!("{secret} is renamed twice"))
                    .with_hint("--rename gives a secret one other name")
                    .with_code(exit_code::USAGE));
            }
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
            let filled = filled.ok_or_else(Failure::of_missing_reference)?;
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

    /// Puts the secrets in the place of the references in the environment. What was added before goes
    /// before these, as before any other variable of the environment.
    pub(super) fn add_inherited(
        &mut self,
        inherited: &Inherited,
        opened: &Opened,
    ) -> Result<(), Failure> {
        for (name, reference) in &inherited.0 {
            let credential = opened.credential(reference);
            let credential = credential.ok_or_else(Failure::of_missing_reference)?;
            let value = credential.env_value(name)?.to_owned();
            self.0.entry(name.clone()).or_insert_with(|| Given {
                value,
                origin: reference.to_string(),
            });
        }
        Ok(())
    }

    fn add(&mut self, variable: &str, value: OsString, origin: String) -> Result<(), Failure> {
        if is_own(variable.as_ref()) {
            return Err(
                Failure::new(format!("{variable} is mcplexer's own, and not passed on"))
                    .at(&origin)
                    .with_hint("give it another name")
                    .with_code(exit_code::USAGE),
            );
        }
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
            let is_clean = name.as_bytes().starts_with(b"LC_")
                || CLEAN.iter().any(|it| name == OsStr::new(it));
            if is_own(&name) || (clean && !is_clean) {
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
