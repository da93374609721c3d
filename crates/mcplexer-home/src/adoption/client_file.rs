//! A client's configuration file, read and parsed.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use mcplexer_clients::{
    Adoption, Choice as Chosen, ClientConfig, InvalidConfig, MAX_CONFIG_LEN, Syntax, Variables,
    store,
};
use mcplexer_durable::{open_regular, read_at_most};
use mcplexer_files::position::Position;
use mcplexer_secrets::Error as StoreError;
use rustix::io::Errno;
use zeroize::Zeroizing;

use super::report::FileReport;
use super::{Choice, Error};
use crate::git;
use crate::open::OpenHome;

pub(crate) struct ClientFile {
    pub(super) path: PathBuf,
    pub(super) bytes: Zeroizing<Vec<u8>>,
    pub(crate) config: ClientConfig,
    /// Whether git tracks the file.
    is_tracked: bool,
}

impl ClientFile {
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        Self::parse(path)?.map_err(|source| Error::Invalid {
            file: path.to_owned(),
            source,
        })
    }

    /// Reads a file that may have no servers, such as the settings of an editor: then returns where it
    /// has credentials.
    pub(super) fn read_if_config(path: &Path) -> Result<Result<Self, Vec<Position>>, Error> {
        match Self::parse(path)? {
            Ok(file) => Ok(Ok(file)),
            Err(InvalidConfig::NoServers { credentials }) => Ok(Err(credentials)),
            Err(source) => Err(Error::Invalid {
                file: path.to_owned(),
                source,
            }),
        }
    }

    fn parse(path: &Path) -> Result<Result<Self, InvalidConfig>, Error> {
        let bytes = read(path)?;
        let config = configured(path, &bytes);
        Ok(config.map(|config| Self {
            path: path.to_owned(),
            bytes,
            config,
            is_tracked: git::tracks(path),
        }))
    }

    /// Returns the configuration that another text of this file is.
    pub(super) fn with_text(&self, text: &[u8]) -> Result<ClientConfig, Error> {
        configured(&self.path, text).map_err(|source| Error::Invalid {
            file: self.path.clone(),
            source,
        })
    }

    /// Returns how the client starts this program. Colleagues have it elsewhere.
    pub(super) fn program<'p>(&self, program: &'p str) -> &'p str {
        if self.is_tracked { "mcplexer" } else { program }
    }

    /// Plans an adoption; with the header fields of these servers.
    pub(super) fn plan(
        &self,
        choice: &Choice,
        headers_of: &[usize],
        program: &str,
        open: &OpenHome,
    ) -> Result<Adoption, Error> {
        let program = self.program(program);
        let chosen = Chosen {
            servers: &choice.servers,
            only: &choice.only,
            skip: &choice.skip,
            allow_arguments: choice.allow_arguments,
            headers_of,
        };
        let planned = store::plan(&self.config, open.store(), program, &chosen);
        planned.map_err(|source| Error::Plan {
            file: self.path.clone(),
            source,
        })
    }

    pub(super) fn report(&self, adoption: &Adoption) -> FileReport {
        FileReport {
            tracked: self.is_tracked,
            ..FileReport::of(&self.path, &self.config, adoption)
        }
    }

    /// A server or a variable that was chosen and is not in the file is a mistake.
    pub(super) fn check_names(&self, choice: &Choice) -> Result<(), Error> {
        let servers = self.config.servers();
        let not_found = |what, name: &str| {
            let server = servers.iter().map(|it| it.name.clone());
            Error::NotFound {
                file: self.path.clone(),
                what,
                name: name.to_owned(),
                others: match what {
                    "server" => server.collect(),
                    _ => Vec::new(),
                },
            }
        };
        let keys = || choice.only.iter().chain(&choice.skip);
        let named = choice.servers.iter();
        let mut named = named.chain(keys().filter_map(|key| key.server.as_ref()));
        let exists = |name: &&String| self.config.servers().iter().any(|it| it.is_named(name));
        if let Some(name) = named.find(|name| !exists(name)) {
            return Err(not_found("server", name));
        }
        match keys().find(|key| !self.config.has_variable(key)) {
            Some(key) => Err(not_found("variable", &key.name)),
            None => Ok(()),
        }
    }
}

fn configured(path: &Path, bytes: &[u8]) -> Result<ClientConfig, InvalidConfig> {
    let config = ClientConfig::parse(bytes, Syntax::of(path))?;
    let whole = std::path::absolute(path);
    let variables = Variables::of(whole.as_deref().unwrap_or(path));
    let config = config.with_variables(variables);
    let home = std::env::var_os("HOME").map(PathBuf::from);
    Ok(config.with_home(home).with_programs(Path::exists))
}

pub(super) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    let read = || {
        // Reading a pipe would wait for its writer.
        let file = open_regular(path, OpenOptions::new().read(true))?;
        let limit = usize::try_from(MAX_CONFIG_LEN).unwrap_or(usize::MAX);
        read_at_most(limit, &file.ok_or(Errno::NOENT)?)
    };
    read().map_err(|source| match source.kind() {
        ErrorKind::FileTooLarge => Error::TooLarge {
            file: path.to_owned(),
        },
        _ => Error::Store(StoreError::Io {
            action: "read",
            path: path.to_owned(),
            source,
        }),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use mcplexer_clients::ChosenKey;

    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("c.json");
        fs::write(&path, text).unwrap();
        (directory, path)
    }

    #[test]
    fn a_choice_that_the_file_lacks_is_an_error() {
        let (_directory, path) =
            file(r#"{"mcpServers": {"a": {"command": "x", "env": {"K": "v"}}}}"#);
        let file = ClientFile::read(&path).unwrap();
        let key = |server: Option<&str>, name: &str| ChosenKey {
            server: server.map(str::to_owned),
            name: name.to_owned(),
        };
        let only = |key| Choice {
            only: vec![key],
            ..Choice::default()
        };
        assert!(file.check_names(&Choice::default()).is_ok());
        assert!(file.check_names(&only(key(None, "K"))).is_ok());
        let wrong = file.check_names(&only(key(None, "L"))).unwrap_err();
        assert!(wrong.to_string().starts_with("no variable L in "));
        let wrong = file.check_names(&only(key(Some("b"), "K"))).unwrap_err();
        assert!(wrong.to_string().starts_with("no server b in "));
    }

    #[test]
    fn settings_without_servers_are_no_error_where_they_are_expected() {
        let (_directory, path) = file("{}");
        let credentials = ClientFile::read_if_config(&path).unwrap().err();
        assert_eq!(credentials, Some(Vec::new()));
        assert!(matches!(
            ClientFile::read(&path),
            Err(Error::Invalid { .. })
        ));
    }
}
