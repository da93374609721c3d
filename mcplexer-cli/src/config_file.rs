//! The file that names the scopes, and everything that is wrong with it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use mcplexer_files::config::{self, Config, MAX_CONFIG_LEN, Problem};
use mcplexer_home::Home;
use mcplexer_secrets::{Error, NewScope, ScopeId};

use crate::failure::Failure;
use crate::output::{say, shortened, shown};
use crate::session::Session;
use crate::{exit_code, input};

/// A file that was read, whatever is in it.
pub(crate) struct ConfigFile {
    /// What to call it.
    pub(crate) name: String,
    /// Its path as it is; `-` for standard input.
    pub(crate) path: String,
    pub(crate) content: Result<Config, Vec<Problem>>,
}

impl ConfigFile {
    /// Reads this file, or the one beside the store. It must be done before the process is hardened
    /// if the file may be `/dev/fd/N`.
    pub(crate) fn read(file: Option<&Path>) -> Result<Self, Failure> {
        let path = match file {
            Some(path) => path.to_owned(),
            None => Home::from_env()?.config(),
        };
        let (name, bytes) = if path == Path::new("-") {
            let bytes = read_all(input::stdin()?).map_err(|error| {
                Failure::new(format!("cannot read standard input: {error}"))
                    .with_hint("name a file that is yours to read")
            })?;
            ("standard input".to_owned(), bytes)
        } else {
            (shown(&path), read_file(&path)?)
        };
        Ok(Self {
            name,
            path: path.display().to_string(),
            content: config::parse(&bytes),
        })
    }

    /// What it says, if nothing is wrong with it. Else every problem is told, and the last one is
    /// the failure.
    pub(crate) fn into_config(self) -> Result<Config, Failure> {
        let problems = match self.content {
            Ok(config) => return Ok(config),
            Err(problems) => problems,
        };
        let mut hints: Vec<String> = problems.iter().filter_map(instead).collect();
        hints.sort();
        hints.dedup();
        if hints.is_empty() {
            hints.push("mcplexer config schema prints what the file may hold".to_owned());
        }
        let mut lines = problems.iter().map(|it| format!("{}:{it}", self.name));
        let last = lines.next_back().unwrap_or_default();
        for line in lines {
            say(&format!("mcplexer: error: {}", shortened(line)));
        }
        let failure = Failure::new(last).with_code(exit_code::USAGE);
        Err(hints.into_iter().fold(failure, Failure::with_hint))
    }
}

/// A scope as it is made if it does not exist yet.
pub(crate) struct ScopeToMake {
    pub(crate) scope: NewScope,
    is_named: bool,
}

impl ScopeToMake {
    /// Says that it was made.
    pub(crate) fn made(&self) -> String {
        let from = if self.is_named {
            ", from config.yaml"
        } else {
            ""
        };
        format!("made scope {} ({}{from})", self.scope.id, self.scope.kind)
    }
}

/// A scope as config.yaml names it, if it has yet to be made; else one of kind env. A file with
/// something wrong in it is a failure then: to make the scope of another kind would be a guess.
pub(crate) fn scope_to_make(id: &ScopeId, session: &Session) -> Result<ScopeToMake, Failure> {
    let path = session.home().config();
    let explain = |error| session.explain(error);
    let is_asked = !matches!(path.try_exists(), Ok(false));
    let mut named = None;
    if is_asked && !session.store().has_scope(id).map_err(explain)? {
        let config = ConfigFile::read(Some(&path))?.into_config()?;
        named = config.scopes().into_iter().find(|scope| scope.id == *id);
    }
    Ok(ScopeToMake {
        is_named: named.is_some(),
        scope: named.unwrap_or_else(|| NewScope::env(id.clone())),
    })
}

/// The command that takes a value which has no place in the file.
pub(crate) fn instead(problem: &Problem) -> Option<String> {
    let place = problem.instead.as_ref()?;
    let scope = place.scope.as_ref().map_or("SCOPE", |it| it.as_str());
    let name = place.name.as_ref().map_or("KEY", |it| it.as_str());
    Some(format!("mcplexer secret put {scope} {name} stores a value"))
}

fn read_file(path: &Path) -> Result<Vec<u8>, Failure> {
    let read = File::open(path).and_then(read_all);
    read.map_err(|source| {
        if source.kind() == io::ErrorKind::NotFound {
            let path = shown(path);
            return Failure::new(format!("cannot read {path}: {source}"))
                .with_hint(format!("mcplexer config show > {path} makes one"));
        }
        Failure::from(Error::Io {
            action: "read",
            path: path.to_owned(),
            source,
        })
    })
}

/// One byte more than the file may have shows that it is too long.
fn read_all(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(MAX_CONFIG_LEN as u64 + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}
