//! The secrets of a file, stored in one scope. What they would change can be seen before.

use std::collections::BTreeMap;
use std::path::Path as FilePath;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use mcplexer_files::exchange::{Format, ReadError};
use mcplexer_home::MAX_TEXT_LEN;
use mcplexer_home::environment::takes_over;
use mcplexer_home::import::{
    Action, Blank, Error, Hash, Import, ImportReport, ImportRow, MOST_MISTAKES, Reading, Secrets,
};
use mcplexer_secrets::{OnConflict, ScopeId, SecretName, SecretState};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::confidential::Confidential;
use super::{environment, parsed, parsed_field};
use crate::access::Writer;
use crate::problem::Problem;
use crate::site::App;

/// The longest body: as long as a file may be, with escapes.
const MOST: usize = 2 * MAX_TEXT_LEN;

/// What errors call the file: its name is not repeated, since it comes from outside.
const FILE: &str = "the file";

/// A file to import, and how.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FileToImport {
    /// Its name, which says how it is written: `.env`, `.env.local`, `prod.env`, `a.json`, `a.yaml` or `a.yml`.
    file: String,
    /// What is in it, at most 16 MiB.
    #[schema(value_type = String)]
    text: Zeroizing<String>,
    /// Changes nothing: the answer says what would be done.
    #[serde(default)]
    dry_run: bool,
    /// What to do with secrets that the store has with another value.
    #[serde(default)]
    on_conflict: IfDifferent,
    /// Leaves out these secrets of the file. Each has to be in it.
    #[serde(default)]
    skip: Vec<String>,
    /// Leaves blank values out, which no secret can be, instead of importing nothing.
    #[serde(default)]
    skip_blank: bool,
    /// What a `#` right behind a value in a `.env` file begins.
    #[serde(default)]
    hash: AfterHash,
    /// Imports nothing unless each secret is still in the state that the answer to a dry run has; one without a state there must still
    /// be new. The names are the keys, and the states the values.
    if_states: Option<BTreeMap<String, String>>,
}

/// What to do with secrets that the store has with another value.
#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum IfDifferent {
    /// Import nothing at all. For a client, values that are the same count as well.
    #[default]
    Fail,
    /// Import the others.
    Skip,
    /// Replace them. For a client, values that are the same as well: each becomes a new version.
    Overwrite,
}

/// What a `#` right behind a value in a `.env` file begins, without a space or quotes.
#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum AfterHash {
    /// A part of the value, as for python-dotenv, docker and shells.
    #[default]
    Keep,
    /// A comment, as for the npm package `dotenv`.
    Cut,
}

/// What an import did, or would do. No values.
#[derive(Serialize, ToSchema)]
pub(super) struct Imported {
    /// The scope.
    scope: String,
    /// Whether nothing was changed.
    dry_run: bool,
    /// Whether the scope is created.
    scope_created: bool,
    /// The secrets, in the order of the file.
    secrets: Vec<ImportedSecret>,
    /// The names that are left out because their values are blank.
    blank: Vec<String>,
    /// Where a `#` right behind a value may be a part of it, or begin a comment: `line 3 (PASSWORD)`.
    unclear_hashes: Vec<String>,
}

/// A secret of the file.
#[derive(Serialize, ToSchema)]
struct ImportedSecret {
    /// Its name.
    key: String,
    /// What happens to it.
    action: ImportAction,
    /// Stands for what the store had before, and changes whenever that is changed; missing if the secret is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    /// What a variable with its name does to a command that gets it, if it takes the command over, as `PATH` does.
    #[serde(skip_serializing_if = "Option::is_none")]
    takes_over: Option<&'static str>,
}

/// What happens to a secret that is imported.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum ImportAction {
    /// It is new.
    Add,
    /// Its value replaces the one in the store.
    Replace,
    /// The store keeps another value.
    Keep,
    /// The store has this value already. A client is not told so, since it could find out a value by trying.
    Same,
}

/// Stores the secrets of a file in a scope: all of them in one commit, or none. A scope that does not exist is created.
#[utoipa::path(
    post,
    path = "/api/v1/scopes/{scope}/import",
    operation_id = "import_secrets",
    tag = "secrets",
    params(("scope" = String, Path, description = "The id of the scope")),
    request_body = FileToImport,
    responses((status = 200, body = Imported), (status = 409, description = "The store holds something else, or config.yaml has problems", body = Problem))
)]
pub(super) async fn import(
    State(app): State<App>,
    writer: Writer,
    path: Result<Path<String>, PathRejection>,
    Confidential(body): Confidential<FileToImport, MOST>,
) -> Result<Json<Imported>, Problem> {
    let Path(scope) = path?;
    let scope: ScopeId = parsed(&scope)?;
    if body.text.len() > MAX_TEXT_LEN {
        return Err(Problem::too_long(MAX_TEXT_LEN));
    }
    let format = format(&body.file)?;
    let done = app.with_home(move |home| {
        let secrets = Secrets::read(FILE, body.text.as_bytes(), format, &reading(&body))?;
        let is_client = writer.client.is_some();
        let mut states = body.if_states.as_ref().map(states).transpose()?;
        let import = |on_conflict, states, dry_run| Import {
            scope: scope.clone(),
            on_conflict,
            states,
            dry_run,
        };
        if is_client {
            let report = import(OnConflict::Overwrite, None, true).run(&secrets, home)?;
            let is_new = |it: &&ImportRow| matches!(it.action, Action::Add);
            let (new, there): (Vec<_>, Vec<_>) = report.secrets.iter().partition(is_new);
            environment::check(&writer, &scope, new.iter().map(|it| &it.key), home)?;
            if let (IfDifferent::Fail, Some(first)) = (body.on_conflict, there.first()) {
                return Err(there_already(&first.key));
            }
            // What was checked is what is stored.
            states.get_or_insert_with(|| {
                let seen = there.iter().map(|it| (it.key.clone(), it.state));
                seen.filter_map(|(key, state)| Some((key, state?)))
                    .collect()
            });
        }
        let on_conflict = match (is_client, body.on_conflict) {
            // A version that is not made would tell that the value is the stored one.
            (true, IfDifferent::Overwrite) => OnConflict::Rewrite,
            (_, on_conflict) => on_conflict.into(),
        };
        let report = import(on_conflict, states, body.dry_run).run(&secrets, home)?;
        let imported = Imported::new(report, secrets.hashes());
        Ok(match is_client {
            true => imported.without_same(body.on_conflict),
            false => imported,
        })
    });
    Ok(Json(done.await?))
}

fn format(file: &str) -> Result<Format, Problem> {
    let format = Format::of_path(FilePath::new(file));
    let format = format.filter(|it| Format::READ.contains(it));
    format.ok_or_else(|| Problem::invalid("unknown file type: use .env, .json or .yaml"))
}

/// Reads the states that a dry run has answered.
fn states(given: &BTreeMap<String, String>) -> Result<BTreeMap<SecretName, SecretState>, Problem> {
    let read = |(key, state): (&String, &String)| {
        let read = (
            parsed_field("if_states", key)?,
            parsed_field("if_states", state)?,
        );
        Ok::<_, Problem>(read)
    };
    given.iter().map(read).collect()
}

fn reading(body: &FileToImport) -> Reading {
    Reading {
        skip: body.skip.clone(),
        blank: match body.skip_blank {
            true => Blank::Skip,
            false => Blank::Error,
        },
        hash: match body.hash {
            AfterHash::Keep => Hash::Keep,
            AfterHash::Cut => Hash::Cut,
        },
        ..Reading::default()
    }
}

impl Imported {
    fn new(report: ImportReport, hashes: &[String]) -> Self {
        let secrets = report.secrets.into_iter().map(|row| ImportedSecret {
            key: row.key.to_string(),
            action: row.action.into(),
            state: row.state.map(|it| it.to_string()),
            takes_over: takes_over(row.key.as_str()),
        });
        Self {
            scope: report.scope.to_string(),
            dry_run: report.dry_run,
            scope_created: report.scope_created,
            secrets: secrets.collect(),
            blank: report.blank,
            unclear_hashes: hashes.to_vec(),
        }
    }

    /// Says the same of a value that the store has as of any other.
    fn without_same(mut self, on_conflict: IfDifferent) -> Self {
        for secret in &mut self.secrets {
            if let ImportAction::Same = secret.action {
                secret.action = match on_conflict {
                    IfDifferent::Overwrite => ImportAction::Replace,
                    IfDifferent::Fail | IfDifferent::Skip => ImportAction::Keep,
                };
            }
        }
        self
    }
}

fn there_already(name: &SecretName) -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        format!("the store has {name} already"),
    )
    .with_hint("on_conflict: skip leaves out what the store has, and overwrite replaces it")
}

/// Says everything that is wrong with a file.
fn of_mistakes(file: &str, first: &ReadError, more: &[ReadError]) -> Problem {
    let problem = Problem {
        more: more.iter().map(ToString::to_string).collect(),
        ..Problem::invalid(format!("{file}, {first}"))
    };
    match more.len() + 1 >= MOST_MISTAKES {
        true => problem.with_hint("what is wrong behind that is not listed"),
        false => problem,
    }
}

impl From<IfDifferent> for OnConflict {
    fn from(it: IfDifferent) -> Self {
        match it {
            IfDifferent::Fail => Self::Fail,
            IfDifferent::Skip => Self::Skip,
            IfDifferent::Overwrite => Self::Overwrite,
        }
    }
}

impl From<Action> for ImportAction {
    fn from(action: Action) -> Self {
        match action {
            Action::Add => Self::Add,
            Action::Replace => Self::Replace,
            Action::Keep => Self::Keep,
            _ => Self::Same,
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Config(error) => error.into(),
            Error::Store(error) => error.into(),
            Error::Blank { file, source, more } => {
                of_mistakes(&file, &source, &more).with_hint("skip_blank leaves blank values out")
            }
            Error::Unreadable { file, source, more } => of_mistakes(&file, &source, &more),
            error => Self::invalid(error.to_string()),
        }
    }
}
