//! The names that complete an argument. What cannot be read has none.

use std::collections::BTreeSet;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use clap_complete::PathCompleter;
use clap_complete::engine::{CompletionCandidate, ValueCompleter};
use mcplexer_clients::{ClientConfig, MAX_CONFIG_LEN, Syntax, installable};
use mcplexer_durable::read_at_most;
use mcplexer_files::config::Config;
use mcplexer_files::reference::SCHEME;
#[cfg(feature = "serve")]
use mcplexer_gateway::HttpClients;
use mcplexer_home::calls::{Call, Wanted as CallsWanted, page};
use mcplexer_home::project::{ProjectFile, find_from};
use mcplexer_home::{AuditTarget, Home, Names, config};
use mcplexer_secrets::{ScopeId, SecretName};
use rustix::fs::{Access, access};

use super::kind::Kind;
use super::line::Line;
use crate::cli;

/// How many calls are looked at for names, so that Tab answers at once.
const MOST_CALLS: usize = 200;

/// In how many lines of the log they are looked for.
const MOST_LINES: usize = 1_000;

/// Completes an argument of one kind.
pub(super) struct Completer {
    kind: Kind,
    line: Arc<Line>,
}

impl Completer {
    pub(super) fn new(kind: Kind, line: Arc<Line>) -> Self {
        Self { kind, line }
    }
}

impl ValueCompleter for Completer {
    fn complete(&self, current: &OsStr) -> Vec<CompletionCandidate> {
        let Some(typed) = current.to_str() else {
            return Vec::new();
        };
        let files = match self.kind {
            Kind::Backup => PathCompleter::file().filter(is_backup),
            Kind::File => PathCompleter::file(),
            Kind::Command if self.line.given.is_empty() => return programs(typed),
            Kind::Command => PathCompleter::any(),
            Kind::ServerCommand if !self.line.are_options_over => return Vec::new(),
            Kind::ServerCommand if self.line.given.len() < 2 => return programs(typed),
            Kind::ServerCommand => PathCompleter::any(),
            _ => {
                let names = self.names(typed).unwrap_or_default();
                return beginning_with(typed, names);
            }
        };
        files.complete(current)
    }
}

impl Completer {
    fn names(&self, typed: &str) -> Option<Vec<String>> {
        Some(match self.kind {
            Kind::Scope => texts(scopes()?),
            Kind::ScopeOrSecret => scopes_or_secrets(typed)?,
            Kind::Secret if !typed.contains('/') => {
                scopes()?.into_iter().map(|it| format!("{it}/")).collect()
            }
            Kind::Secret => scopes_or_secrets(typed)?,
            Kind::FileServer => servers_in(Path::new(self.line.given.first()?))?,
            Kind::Key => texts(secrets(self.line.given.first()?.to_str()?, typed)?),
            Kind::ChosenKey => self.chosen(typed),
            Kind::RenamedKey if typed.contains('=') => Vec::new(),
            Kind::RenamedKey => {
                let keys = self.chosen(typed).into_iter();
                keys.map(|it| it + "=").collect()
            }
            Kind::Profile => profiles()?,
            Kind::Owner => names()?.owners().ok()?,
            Kind::Server => texts(config()?.servers.into_keys()),
            Kind::Client => texts(config()?.clients.into_keys()),
            Kind::CalledServer => {
                let servers = config().map(|it| texts(it.servers.into_keys()));
                with_calls(servers, |call| {
                    Some(call.server).filter(|it| !it.is_empty())
                })
            }
            Kind::CallingClient => {
                let clients = config().map(|it| texts(it.clients.into_keys()));
                with_calls(clients, |call| call.client)
            }
            Kind::HttpClient => http_clients()?,
            Kind::AiClient => texts(installable()),
            Kind::Page => self.pages()?,
            Kind::Backup | Kind::File | Kind::Command | Kind::ServerCommand => return None,
        })
    }

    /// Returns the secrets of the scopes of `--scope`, with the scope once a slash is typed.
    fn chosen(&self, typed: &str) -> Vec<String> {
        let mut all = BTreeSet::new();
        for scope in &self.line.scopes {
            let key = typed.rsplit_once('/').map_or(typed, |it| it.1);
            let keys = secrets(scope.as_str(), key).unwrap_or_default();
            all.extend(keys.into_iter().map(|key| match typed.contains('/') {
                true => format!("{scope}/{key}"),
                false => key.to_string(),
            }));
        }
        all.into_iter().collect()
    }

    /// Returns the commands below the one that is given.
    fn pages(&self) -> Option<Vec<String>> {
        pages(&self.line.given)
    }
}

/// Completes the words behind `help`.
pub(super) fn pages_for_help(given: &[OsString], typed: &str) -> Vec<CompletionCandidate> {
    beginning_with(typed, pages(given).unwrap_or_default())
}

/// Returns the commands below one.
fn pages(given: &[OsString]) -> Option<Vec<String>> {
    let whole = cli::whole();
    let mut given = given.iter();
    let command = given.try_fold(&whole, |it, word| it.find_subcommand(word))?;
    let shown = command.get_subcommands().filter(|it| !it.is_hide_set());
    let names = shown.map(|it| it.get_name().to_owned());
    Some(names.filter(|it| it != "help").collect())
}

/// Returns the servers in the file of an AI client.
fn servers_in(path: &Path) -> Option<Vec<String>> {
    let file = fs::File::open(path).ok()?;
    let text = read_at_most(usize::try_from(MAX_CONFIG_LEN).ok()?, &file).ok()?;
    let config = ClientConfig::parse(&text, Syntax::of(path)).ok()?;
    Some(texts(config.servers().iter().map(|it| it.name.clone())))
}

fn beginning_with(typed: &str, names: Vec<String>) -> Vec<CompletionCandidate> {
    let names = names.into_iter().filter(|it| it.starts_with(typed));
    // The engine would write the name of the argument for each of them.
    let tagged = names.map(|it| CompletionCandidate::new(it).tag(Some("names".into())));
    tagged.collect()
}

fn texts(names: impl IntoIterator<Item = impl ToString>) -> Vec<String> {
    names.into_iter().map(|it| it.to_string()).collect()
}

/// The profiles of the project here, whether it is trusted or not.
fn profiles() -> Option<Vec<String>> {
    let home = Home::from_env().ok()?;
    let path = find_from(&home, Path::new(".")).ok()??;
    let file = ProjectFile::read(&path).ok()?;
    Some(texts(file.project().profiles.keys()))
}

fn names() -> Option<Names> {
    Names::of(&Home::from_env().ok()?).ok()
}

fn scopes() -> Option<Vec<ScopeId>> {
    names()?.scopes().ok()
}

/// Returns the secrets whose names begin with what is typed: of 10,000, most are dropped before they cost more.
fn secrets(scope: &str, typed: &str) -> Option<Vec<SecretName>> {
    let mut all = names()?.secrets(&scope.parse().ok()?).ok()?;
    all.retain(|it| it.as_str().starts_with(typed));
    Some(all)
}

fn config() -> Option<Config> {
    config::of_home(&Home::from_env().ok()?).ok()?
}

/// Returns names, and those of the last calls.
fn with_calls(names: Option<Vec<String>>, name: fn(Call) -> Option<String>) -> Vec<String> {
    let calls = last_calls().unwrap_or_default().into_iter();
    let all = names.into_iter().flatten().chain(calls.filter_map(name));
    all.collect::<BTreeSet<_>>().into_iter().collect()
}

fn last_calls() -> Option<Vec<Call>> {
    let home = Home::from_env().ok()?;
    let path = match home.audit() {
        AuditTarget::Home => home.audit_log(),
        AuditTarget::File(path) => path.clone(),
        _ => return None,
    };
    let page = page(&path, &CallsWanted::default(), None, MOST_CALLS, MOST_LINES);
    let calls = page.ok()?.calls.into_iter();
    Some(calls.map(|it| it.call).collect())
}

#[cfg(feature = "serve")]
fn http_clients() -> Option<Vec<String>> {
    let clients = HttpClients::of(&Home::from_env().ok()?).list().ok()?;
    Some(texts(clients.into_iter().map(|it| it.name)))
}

#[cfg(not(feature = "serve"))]
fn http_clients() -> Option<Vec<String>> {
    None
}

/// Returns scopes; or secrets in one word, once a slash says that such a word is typed.
fn scopes_or_secrets(typed: &str) -> Option<Vec<String>> {
    let (scheme, rest) = match typed.strip_prefix(SCHEME) {
        Some(rest) => (SCHEME, rest),
        None => ("", typed),
    };
    if let Some((scope, key)) = rest.split_once('/') {
        let keys = secrets(scope, key)?.into_iter();
        return Some(keys.map(|it| format!("{scheme}{scope}/{it}")).collect());
    }
    let scopes = scopes()?.into_iter();
    if !scheme.is_empty() {
        return Some(scopes.map(|it| format!("{scheme}{it}/")).collect());
    }
    let scheme = Some(SCHEME.to_owned()).filter(|_| !typed.is_empty() && scopes.len() > 0);
    Some(scopes.map(|it| it.to_string()).chain(scheme).collect())
}

/// Returns the programs in PATH, or those at a path.
fn programs(typed: &str) -> Vec<CompletionCandidate> {
    if typed.contains('/') {
        let programs = PathCompleter::any().filter(is_program);
        return programs.complete(OsStr::new(typed));
    }
    let mut found = BTreeSet::new();
    for directory in env::split_paths(&env::var_os("PATH").unwrap_or_default()) {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let name = entry.file_name().into_string().unwrap_or_default();
            if name.starts_with(typed) && is_program(&entry.path()) {
                found.insert(name);
            }
        }
    }
    beginning_with(typed, found.into_iter().collect())
}

fn is_program(path: &Path) -> bool {
    path.is_file() && access(path, Access::EXEC_OK).is_ok()
}

fn is_backup(path: &Path) -> bool {
    path.is_file() && path.extension() == Some(OsStr::new("age"))
}
