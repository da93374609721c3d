//! `mcplexer.yaml`: which secrets the commands of a project get. It never holds a value.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use mcplexer_secrets::ScopeId;
use serde::Deserialize;

use super::field::{Fields, Kind, List, Named, Required, Shape, check_name};
use super::problem::Problem;
use super::read;
use super::server_fields::check_variable;
use crate::reference::Reference;

/// The file of a project.
///
/// ```yaml
/// scopes: [github]
/// env:
///   DATABASE_URL: mcplexer://shop/DATABASE_URL
/// env_file: .env
/// profiles:
///   prod:
///     env:
///       DATABASE_URL: mcplexer://shop-prod/DATABASE_URL
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct Project {
    /// What commands get without a profile.
    #[serde(flatten)]
    pub base: Profile,
    /// What is different with a profile, by its name.
    #[serde(default)]
    pub profiles: BTreeMap<String, Profile>,
}

/// What commands get.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct Profile {
    /// Scopes whose secrets are variables under their own names.
    #[serde(default)]
    pub scopes: Option<Vec<ScopeId>>,
    /// Variables, and the secret that each of them is.
    #[serde(default)]
    pub env: BTreeMap<String, Reference>,
    /// A `.env` file in the project's directory or below it.
    #[serde(default)]
    pub env_file: Option<PathBuf>,
}

impl Project {
    /// Returns what commands get with a profile, or `None` if there is no such profile. Its `scopes` and `env_file` take
    /// the place of those of the project, and its `env` adds to that of the project.
    #[must_use]
    pub fn with(&self, profile: Option<&str>) -> Option<Profile> {
        let Some(name) = profile else {
            return Some(self.base.clone());
        };
        let own = self.profiles.get(name)?.clone();
        let base = self.base.clone();
        let mut env = base.env;
        env.extend(own.env);
        Some(Profile {
            scopes: own.scopes.or(base.scopes),
            env,
            env_file: own.env_file.or(base.env_file),
        })
    }

    /// Returns the `.env` files that the file names, each once.
    #[must_use]
    pub fn env_files(&self) -> Vec<&Path> {
        let profiles = [&self.base].into_iter().chain(self.profiles.values());
        let mut files: Vec<_> = profiles.filter_map(|it| it.env_file.as_deref()).collect();
        files.sort_unstable();
        files.dedup();
        files
    }
}

/// Reads the file of a project.
///
/// # Errors
/// Everything that is wrong with the file, as [`parse`](super::parse) reports it.
pub fn parse_project(bytes: &[u8]) -> Result<Project, Vec<Problem>> {
    read(bytes, &PROJECT, |_| true)
}

/// Returns the JSON Schema (draft 2020-12) of the file, for editors.
#[must_use]
pub fn project_schema() -> String {
    include_str!("project.schema.json").to_owned()
}

const SCOPES: Shape = Shape::List(&List::of(
    Shape::Text(check_name::<ScopeId>),
    "ids of scopes",
));

const ENV: Shape = Shape::Named(&Named {
    of: "variables",
    name: check_variable,
    value: Shape::Text(check_reference),
    is_shown: false,
});

static PROJECT: Kind = Kind {
    shape: Shape::Map(&Fields {
        all: &[
            ("scopes", SCOPES),
            ("env", ENV),
            ("env_file", Shape::Text(check_env_file)),
            (
                "profiles",
                Shape::Named(&Named {
                    of: "profiles",
                    name: check_profile,
                    value: Shape::Map(&Fields {
                        all: &[
                            ("scopes", SCOPES),
                            ("env", ENV),
                            ("env_file", Shape::Text(check_env_file)),
                        ],
                        required: Required::Any(&["scopes", "env", "env_file"]),
                    }),
                    is_shown: false,
                }),
            ),
        ],
        required: Required::Any(&["scopes", "env", "env_file", "profiles"]),
    }),
    absent: "the file names no secrets; use `scopes: [SCOPE]`",
    hint: "",
    has_servers: false,
};

fn check_reference(text: &str) -> Result<(), String> {
    let reference = text.parse::<Reference>();
    reference
        .map(drop)
        .map_err(|_| "expected mcplexer://SCOPE/KEY; other variables go into env_file".to_owned())
}

/// The file belongs to the project: what is outside of it is not trusted with it.
fn check_env_file(text: &str) -> Result<(), String> {
    let mut parts = Path::new(text).components();
    match !text.is_empty() && parts.all(|it| matches!(it, Component::Normal(_))) {
        true => Ok(()),
        false => Err("expected a file in this directory or below it, without . and ..".to_owned()),
    }
}

fn check_profile(text: &str) -> Result<(), String> {
    let is_plain = |it: u8| it.is_ascii_alphanumeric() || b"-_".contains(&it);
    match (1..=64).contains(&text.len()) && text.bytes().all(is_plain) {
        true => Ok(()),
        false => Err("invalid name: 1 to 64 letters, digits, - and _".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "scopes: [github]\nenv:\n  URL: mcplexer://shop/URL\nenv_file: .env\nprofiles:\n  prod:\n    scopes: []\n    env:\n      URL: mcplexer://prod/URL\n      KEY: mcplexer://prod/KEY\n";

    #[test]
    fn a_profile_takes_the_place_of_what_it_names() {
        let project = parse_project(FILE.as_bytes()).unwrap();
        let base = project.with(None).unwrap();
        assert_eq!(
            base.scopes.as_deref(),
            Some(&["github".parse().unwrap()][..])
        );
        let prod = project.with(Some("prod")).unwrap();
        assert_eq!(prod.scopes.as_deref(), Some(&[][..]));
        let env: Vec<_> = prod
            .env
            .iter()
            .map(|(name, it)| format!("{name} {it}"))
            .collect();
        assert_eq!(env, ["KEY mcplexer://prod/KEY", "URL mcplexer://prod/URL"]);
        assert_eq!(prod.env_file, base.env_file);
        assert_eq!(project.with(Some("dev")), None);
        assert_eq!(project.env_files(), [Path::new(".env")]);
    }

    #[test]
    fn problems_have_their_place_and_repeat_nothing() {
        let token = "x9Kq2mWvT4rZ8pLc".to_owned();
        for (file, expected) in [
            ("", "1:1: the file names no secrets"),
            (
                "scope: [a]\n",
                "1:1: unknown field; the fields are scopes, env, env_file, profiles; did you mean scopes?",
            ),
            ("scopes: [A b]\n", "1:10: scopes[0]: invalid"),
            (
                "env:\n  A: s3cr3t\n",
                "2:6: env: expected mcplexer://SCOPE/KEY",
            ),
            (
                "env:\n  PATH: mcplexer://s/K\n",
                "2:3: env: a variable that",
            ),
            (
                "env:\n  MCPLEXER_HOME: mcplexer://s/K\n",
                "2:3: env: the variables MCPLEXER_",
            ),
            (
                "env_file: ../.env\n",
                "1:11: env_file: expected a file in this directory",
            ),
            (
                "env_file: /etc/environment\n",
                "1:11: env_file: expected a file in this directory",
            ),
            (
                "profiles:\n  p r:\n    scopes: [a]\n",
                "2:3: profiles: invalid name",
            ),
            (
                "profiles:\n  p:\n    profiles: {}\n",
                "3:5: profiles: unknown field",
            ),
            (
                &format!("scopes: [a] # password: {token}\n"),
                "credentials are not allowed in this file",
            ),
            (
                &format!("env:\n  A: postgres://u:{token}@db/x\n"),
                "credentials are not allowed in this file",
            ),
        ] {
            let problems = parse_project(file.as_bytes()).unwrap_err();
            let said: Vec<_> = problems.iter().map(ToString::to_string).collect();
            assert!(
                said.iter().any(|it| it.contains(expected)),
                "{file}: {said:?}"
            );
            assert!(!said.concat().contains("s3cr3t") && !said.concat().contains(&token));
        }
    }
}
