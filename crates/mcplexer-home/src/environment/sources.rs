//! Where variables come from besides scopes: `.env` files, and references in the environment.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use mcplexer_durable::read_at_most;
use mcplexer_files::dotenv::{self, Variable};
use mcplexer_files::reference::{InvalidReference, Reference, SCHEME};
use mcplexer_files::template::Template;

use super::{Error, is_own};
use crate::MAX_TEXT_LEN;
use crate::credentials::Wanted;

/// The line of a variable that stands in another kind of file.
const NO_LINE: usize = 0;

/// A `.env` file that was read.
#[derive(Debug)]
pub struct EnvFile {
    /// What messages call it.
    name: String,
    pub(super) variables: Vec<Variable>,
}

impl EnvFile {
    /// Reads files. `-` is standard input.
    ///
    /// # Errors
    ///
    /// * `Unreadable` if a file cannot be read.
    /// * `Dotenv` if it is not a `.env` file.
    /// * `StdinTwice` if there is a second `-`, which would have nothing left to read.
    pub fn read_all(paths: &[PathBuf]) -> Result<Vec<Self>, Error> {
        let stdin = paths.iter().filter(|path| path.as_os_str() == "-");
        if stdin.count() > 1 {
            return Err(Error::StdinTwice);
        }
        paths.iter().map(|path| Self::read(path)).collect()
    }

    fn read(path: &Path) -> Result<Self, Error> {
        let is_stdin = path.as_os_str() == "-";
        let (name, path) = match is_stdin {
            true => ("standard input".to_owned(), PathBuf::from("/dev/stdin")),
            false => (path.display().to_string(), path.to_owned()),
        };
        // Not through the buffer of `io::stdin`, which is never wiped.
        let file = match is_stdin {
            true => io::stdin().as_fd().try_clone_to_owned().map(File::from),
            false => File::open(&path),
        };
        let bytes = match file.and_then(|file| read_at_most(MAX_TEXT_LEN, &file)) {
            Ok(bytes) => bytes,
            Err(source) => return Err(Error::Unreadable { path, source }),
        };
        Self::parse(name, &bytes)
    }

    /// Reads the text of a file that messages call `name`.
    pub(crate) fn parse(name: String, bytes: &[u8]) -> Result<Self, Error> {
        match dotenv::parse(bytes) {
            Ok(variables) => Ok(Self { name, variables }),
            Err(source) => Err(Error::Dotenv { file: name, source }),
        }
    }

    /// Makes variables of references that another file has.
    pub(crate) fn of_references(
        file: &Path,
        references: &BTreeMap<String, Reference>,
    ) -> Result<Self, Error> {
        let lines = references.iter().map(|(name, it)| format!("{name}={it}\n"));
        let lines: String = lines.collect();
        // Neither a name nor a reference has a character that a .env file reads otherwise.
        let mut file = Self::parse(file.display().to_string(), lines.as_bytes())?;
        for variable in &mut file.variables {
            variable.line = NO_LINE;
        }
        Ok(file)
    }

    /// Returns the names of the variables, as often as they are there.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.variables.iter().map(|it| it.name.as_str())
    }

    /// Returns where a value ends at a `#` that other programs take for a part of it.
    pub fn cut_at_hash(&self) -> impl Iterator<Item = String> {
        let cut = self.variables.iter();
        let cut = cut.filter(|variable| variable.value_with_hash().is_some());
        cut.map(|variable| self.place(variable))
    }

    /// Asks for the secrets that the file refers to to be opened.
    ///
    /// # Errors
    ///
    /// Fails with `Reference` if a reference is invalid.
    pub fn want(&self, wanted: &mut Wanted) -> Result<(), Error> {
        for variable in &self.variables {
            for (reference, _) in self.template(variable)?.references() {
                wanted.referred(reference, self.place(variable));
            }
        }
        Ok(())
    }

    pub(super) fn template<'a>(&self, variable: &'a Variable) -> Result<Template<'a>, Error> {
        Template::parse(variable.value()).map_err(|(_, source)| Error::Reference {
            place: self.place(variable),
            source,
        })
    }

    pub(super) fn place(&self, variable: &Variable) -> String {
        let Variable { line, name, .. } = variable;
        match *line {
            NO_LINE => format!("{} ({name})", self.name),
            _ => format!("{}, line {line} ({name})", self.name),
        }
    }
}

/// The variables of an environment whose value is a reference: the way a client's configuration names
/// the secrets of a tool server.
#[derive(Debug)]
pub struct References(BTreeMap<String, Reference>);

impl References {
    /// Finds the references among variables. Those of mcplexer's own are left out.
    ///
    /// # Errors
    ///
    /// Fails with `Reference` if a value begins like a reference and is not one.
    pub fn among(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Self, Error> {
        let mut references = BTreeMap::new();
        for (name, value) in variables {
            if !value.as_bytes().starts_with(SCHEME.as_bytes()) || is_own(&name) {
                continue;
            }
            let name = name.to_string_lossy().into_owned();
            let Some(Ok(reference)) = value.to_str().map(Reference::of_value) else {
                return Err(Error::Reference {
                    place: place_of(&name),
                    source: InvalidReference,
                });
            };
            references.insert(name, reference);
        }
        Ok(Self(references))
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Asks for the secrets that they refer to to be opened.
    pub fn want(&self, wanted: &mut Wanted) {
        for (name, reference) in &self.0 {
            wanted.referred(reference, place_of(name));
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Reference)> {
        let references = self.0.iter();
        references.map(|(name, reference)| (name.as_str(), reference))
    }
}

pub(super) fn place_of(variable: &str) -> String {
    format!("environment variable {variable}")
}
