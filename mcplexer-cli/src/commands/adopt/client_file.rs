//! A configuration file of a client, read and planned for.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use mcplexer_clients::{
    Adoption, Choice, ChosenKey, ClientConfig, InvalidConfig, MAX_CONFIG_LEN, Syntax, Variables,
};
use mcplexer_secrets::Error;
use zeroize::Zeroizing;

use crate::cli::{Adopt, Variable};
use crate::exit_code;
use crate::failure::Failure;
use crate::output::{sanitized, shown};
use crate::session::Session;

pub(super) struct ClientFile {
    /// As people write it.
    pub(super) name: String,
    pub(super) path: String,
    pub(super) bytes: Zeroizing<Vec<u8>>,
    pub(super) config: ClientConfig,
}

impl ClientFile {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        Self::parse(path)?.map_err(|error| explain(path, &error))
    }

    /// The same; `None` if it has no tool servers, as the settings of an editor may.
    pub(super) fn read_if_config(path: &Path) -> Result<Option<Self>, Failure> {
        match Self::parse(path)? {
            Ok(file) => Ok(Some(file)),
            Err(InvalidConfig::NoServers) => Ok(None),
            Err(error) => Err(explain(path, &error)),
        }
    }

    fn parse(path: &Path) -> Result<Result<Self, InvalidConfig>, Failure> {
        let bytes = read(path)?;
        let config = ClientConfig::parse(&bytes, Syntax::of(path));
        let whole = std::path::absolute(path);
        let variables = Variables::of(whole.as_deref().unwrap_or(path));
        let config = config.map(|config| config.with_variables(variables));
        Ok(config.map(|config| Self {
            name: shown(path),
            path: path.display().to_string(),
            bytes,
            config,
        }))
    }

    pub(super) fn plan(&self, adopt: &Adopt, session: &Session) -> Result<Adoption, Failure> {
        let keys = |variables: &[Variable]| -> Vec<ChosenKey> {
            variables.iter().map(|it| it.0.clone()).collect()
        };
        let choice = Choice {
            servers: &adopt.server,
            only: &keys(&adopt.only),
            skip: &keys(&adopt.skip),
        };
        let planned = self.config.plan(&session.store(), &choice);
        planned.map_err(|error| session.explain(error).at(&self.name))
    }

    /// A server or a variable that was named and is not there is a mistake.
    pub(super) fn check_names(&self, adopt: &Adopt) -> Result<(), Failure> {
        let not_found = |what: &str, name: &str| {
            Failure::new(format!("no {what} {} in {}", sanitized(name), self.name))
                .with_hint("without --server, --only and --skip it lists what is there")
                .with_code(exit_code::NOT_FOUND)
        };
        let keys = || adopt.only.iter().chain(&adopt.skip).map(|key| &key.0);
        let named = adopt.server.iter();
        let mut named = named.chain(keys().filter_map(|key| key.server.as_ref()));
        let is_there = |name: &&String| self.config.servers().iter().any(|it| it.name == **name);
        if let Some(name) = named.find(|name| !is_there(name)) {
            return Err(not_found("server", name));
        }
        match keys().find(|key| !self.config.has_variable(key)) {
            Some(key) => Err(not_found("variable", &key.name)),
            None => Ok(()),
        }
    }
}

fn explain(path: &Path, error: &InvalidConfig) -> Failure {
    let separator = match error {
        InvalidConfig::Syntax { .. } => ",",
        _ => ":",
    };
    let hint = match error {
        InvalidConfig::NotUtf8 => "save it as UTF-8",
        InvalidConfig::NoServers => {
            "mcplexer adopt without a file looks where clients keep their configuration"
        }
        _ => "nothing was changed; it must be JSON, with or without comments, or TOML",
    };
    Failure::new(format!("{}{separator} {error}", shown(path)))
        .with_hint(hint)
        .with_code(exit_code::USAGE)
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let read = || {
        let metadata = fs::metadata(path)?;
        if !metadata.is_file() {
            // A pipe would be waited for.
            return Err(io::Error::new(
                ErrorKind::Unsupported,
                "it is not a regular file",
            ));
        }
        let length = usize::try_from(metadata.len().min(MAX_CONFIG_LEN)).unwrap_or(0);
        let mut bytes = Zeroizing::new(Vec::with_capacity(length + 1));
        let file = File::open(path)?;
        file.take(MAX_CONFIG_LEN + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|source| Error::Io {
        action: "read",
        path: path.to_owned(),
        source,
    })?;
    if bytes.len() as u64 > MAX_CONFIG_LEN {
        let problem = format!("{} is larger than 64 MiB", shown(path));
        return Err(Failure::new(problem)
            .with_hint("name the configuration file of an AI client")
            .with_code(exit_code::USAGE));
    }
    Ok(bytes)
}
