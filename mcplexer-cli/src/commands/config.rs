//! `mcplexer config …`

use mcplexer_files::config::{self, AuthScope, Problem};
use mcplexer_secrets::{AppliedScope, NewScope, ScopeAction, ScopeId, SecretStore};
use serde::Serialize;

use crate::cli::{Config, ConfigFrom, Global};
use crate::config_file::{ConfigFile, instead};
use crate::exit_code;
use crate::failure::Failure;
use crate::input;
use crate::output::{count, print, print_json};
use crate::session::Session;

pub(super) fn run(command: Config, global: Global) -> Result<(), Failure> {
    match command {
        Config::Check { from, json } => check(&from, json),
        Config::Apply {
            from,
            prune,
            force,
            dry_run,
            json,
        } => {
            let file = ConfigFile::read(from.file.as_deref())?;
            let name = file.name.clone();
            let scopes = file.into_config()?.scopes();
            let apply = Apply {
                session: Session::open(global)?,
                file: name,
                scopes,
            };
            apply.run(prune, force, dry_run, json)
        }
        Config::Show { json } => show(json, global),
        Config::Schema => print(&config::schema()),
    }
}

#[derive(Serialize)]
struct CheckDocument<'a> {
    file: &'a str,
    scopes: Option<usize>,
    problems: Vec<ProblemRow<'a>>,
}

#[derive(Serialize)]
struct ProblemRow<'a> {
    line: usize,
    column: usize,
    path: &'a str,
    message: &'a str,
    hint: Option<String>,
}

impl<'a> From<&'a Problem> for ProblemRow<'a> {
    fn from(problem: &'a Problem) -> Self {
        Self {
            line: problem.line,
            column: problem.column,
            path: &problem.path,
            message: &problem.message,
            hint: instead(problem),
        }
    }
}

fn check(from: &ConfigFrom, json: bool) -> Result<(), Failure> {
    let file = ConfigFile::read(from.file.as_deref())?;
    if json {
        let (config, problems) = match &file.content {
            Ok(config) => (Some(config), &[][..]),
            Err(problems) => (None, &problems[..]),
        };
        print_json(&CheckDocument {
            file: &file.path,
            scopes: config.map(|config| config.auth_scopes.len()),
            problems: problems.iter().map(ProblemRow::from).collect(),
        })?;
        return match config {
            Some(_) => Ok(()),
            None => Err(Failure::silent(exit_code::USAGE)),
        };
    }
    let name = file.name.clone();
    let scopes = file.into_config()?.auth_scopes.len() as u64;
    print(&format!("{name}: {}, all well\n", count(scopes, "scope")))
}

/// Scopes on their way into the store.
struct Apply {
    session: Session,
    file: String,
    scopes: Vec<NewScope>,
}

#[derive(Serialize)]
struct ApplyDocument<'a> {
    dry_run: bool,
    scopes: Vec<AppliedRow<'a>>,
}

#[derive(Serialize)]
struct AppliedRow<'a> {
    scope: &'a ScopeId,
    action: &'static str,
    secrets: usize,
}

impl Apply {
    fn run(&self, prune: bool, force: bool, dry_run: bool, json: bool) -> Result<(), Failure> {
        let store = &self.session.store();
        let explain = |error| self.session.explain(error);
        let mut applied = store.plan_scopes(&self.scopes).map_err(explain)?;
        let others = applied
            .iter()
            .filter(|it| prune && it.action == ScopeAction::Leave);
        let others: Vec<_> = others.cloned().collect();
        if dry_run {
            for scope in applied.iter_mut().filter(|it| others.contains(it)) {
                scope.action = ScopeAction::Delete;
            }
        } else {
            if !others.is_empty() && !force {
                self.confirm(&others)?;
            }
            applied = store.apply_scopes(&self.scopes, &others).map_err(explain)?;
        }
        self.session.tell_created();
        self.tell(&applied, dry_run);
        if !json {
            return Ok(());
        }
        print_json(&ApplyDocument {
            dry_run,
            scopes: applied.iter().map(AppliedRow::from).collect(),
        })
    }

    fn confirm(&self, others: &[AppliedScope]) -> Result<(), Failure> {
        let rows = others.iter().map(|it| {
            let secrets = count(it.secrets as u64, "secret");
            format!("  {} with {secrets}\n", it.id)
        });
        let about = format!("not in {}:\n{}", self.file, rows.collect::<String>());
        let secrets: usize = others.iter().map(|it| it.secrets).sum();
        let question = format!(
            "delete {} and {}?",
            count(others.len() as u64, "scope"),
            count(secrets as u64, "secret")
        );
        input::confirm(&about, &question, self.session.global)
    }

    fn tell(&self, applied: &[AppliedScope], dry_run: bool) {
        let (made, changed, deleted) = match dry_run {
            false => ("made", "changed", "deleted"),
            true => ("would make", "would change", "would delete"),
        };
        let mut nothing = true;
        for scope in applied {
            let AppliedScope { id, secrets, .. } = scope;
            let wanted = self.scopes.iter().find(|it| it.id == *id);
            let kind = wanted.map_or("", |it| it.kind.as_str());
            let line = match scope.action {
                ScopeAction::Create => format!("{made} scope {id} ({kind})"),
                ScopeAction::Update => format!("{changed} scope {id} ({kind})"),
                ScopeAction::Delete => {
                    let secrets = count(*secrets as u64, "secret");
                    format!("{deleted} scope {id} with {secrets}")
                }
                _ => continue,
            };
            nothing = false;
            self.session.tell(&line);
        }
        if nothing {
            let file = &self.file;
            self.session
                .tell(&format!("all is as {file} says; nothing to change"));
        }
        let left = applied.iter().filter(|it| it.action == ScopeAction::Leave);
        match left.count() as u64 {
            0 => {}
            left => self.session.tell(&format!(
                "left alone: {} that the file does not name; --prune deletes such",
                count(left, "scope")
            )),
        }
    }
}

impl<'a> From<&'a AppliedScope> for AppliedRow<'a> {
    fn from(scope: &'a AppliedScope) -> Self {
        Self {
            scope: &scope.id,
            action: match scope.action {
                ScopeAction::Create => "create",
                ScopeAction::Update => "update",
                ScopeAction::Same => "same",
                ScopeAction::Delete => "delete",
                _ => "leave",
            },
            secrets: scope.secrets,
        }
    }
}

fn show(json: bool, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let scopes = session.store().scopes();
    let scopes = scopes.map_err(|error| session.explain(error))?;
    let config = config::Config {
        auth_scopes: scopes.into_iter().map(AuthScope::from).collect(),
    };
    match json {
        true => print_json(&config),
        false => print(&config.to_string()),
    }
}
