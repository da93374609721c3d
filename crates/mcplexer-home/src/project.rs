//! The project that a directory belongs to: its `mcplexer.yaml`, whether the user trusts it, and what its commands get.
//!
//! Anybody can put such a file into a repository that others clone. So it counts only as long as it, and the `.env` files
//! that it names, are to the byte what the user has trusted at this place.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use mcplexer_durable::{open_no_link, read_at_most};
use mcplexer_files::config::{MAX_CONFIG_LEN, Problem, Profile, Project, parse_project};
use mcplexer_files::dotenv::InvalidLine;
use rustix::process::geteuid;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::Home;
use crate::MAX_TEXT_LEN;
use crate::environment::{Choice, EnvFile, Error as EnvironmentError};

mod trust;

pub use trust::{TrustList, Verdict};

/// The name of the file.
pub const FILE_NAME: &str = "mcplexer.yaml";

/// Write permission for others than the owner.
const WRITE_OF_OTHERS: u32 = 0o022;

/// The file of a project, with the `.env` files that it names.
#[derive(Debug)]
pub struct ProjectFile {
    path: PathBuf,
    project: Project,
    env_files: BTreeMap<PathBuf, Zeroizing<Vec<u8>>>,
    fingerprint: String,
}

/// Why a project is of no use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be read.
    #[error("cannot read {}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file belongs to somebody else, or others can write to it.
    #[error("{} can be changed by other users", .path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Whether it belongs to this user.
        is_own: bool,
    },
    /// A `.env` file is not in the project.
    #[error("{} is not in the project's directory", .path.display())]
    Outside {
        /// The file.
        path: PathBuf,
    },
    /// The file has problems.
    #[error("{} has {} problems", .path.display(), .problems.len())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// All of them, at least one.
        problems: Vec<Problem>,
    },
    /// A `.env` file is invalid.
    #[error("{}, {source}", .path.display())]
    Dotenv {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: InvalidLine,
    },
    /// The project has no such profile.
    #[error("{} has no profile {name}", .path.display())]
    NoProfile {
        /// The file.
        path: PathBuf,
        /// The profile.
        name: String,
        /// Those that it has.
        known: Vec<String>,
    },
    /// The user has not trusted the file.
    #[error("{} is not trusted", .path.display())]
    NotTrusted {
        /// The file.
        path: PathBuf,
        /// Whether it was, with another content.
        was_changed: bool,
    },
    /// The list of trusted projects cannot be used.
    #[error("cannot use {}", .path.display())]
    List {
        /// The list.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// What the commands of a project get.
#[derive(Debug)]
pub struct Selected {
    /// The secrets of scopes.
    pub choice: Choice,
    /// The variables, and the `.env` file.
    pub files: Vec<EnvFile>,
}

/// Finds the file of the project that a directory belongs to: in it or above it, up to `top` or the root of the file
/// system. The directory and `top` are without symbolic links.
fn find(directory: &Path, top: Option<&Path>) -> Option<PathBuf> {
    for above in directory.ancestors() {
        let path = above.join(FILE_NAME);
        if fs::symlink_metadata(&path).is_ok() {
            return Some(path);
        }
        if Some(above) == top {
            break;
        }
    }
    None
}

/// Finds the file of the project that a directory belongs to, up to the home directory of the user.
///
/// # Errors
/// If the directory does not exist.
pub fn find_from(home: &Home, directory: &Path) -> io::Result<Option<PathBuf>> {
    let directory = directory.canonicalize()?;
    let top = home.user_home().and_then(|it| it.canonicalize().ok());
    Ok(find(&directory, top.as_deref()))
}

impl ProjectFile {
    /// Reads the file at a path that [`find_from`] has returned, and the `.env` files that it names.
    ///
    /// # Errors
    /// All but `NoProfile`, `NotTrusted` and `List`.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let bytes = read_own(path, MAX_CONFIG_LEN)?;
        let project = parse_project(&bytes).map_err(|problems| Error::Invalid {
            path: path.to_owned(),
            problems,
        })?;
        let directory = mcplexer_durable::directory_of(path);
        let mut hash = Sha256::new();
        let mut add = |part: &[u8]| {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        };
        add(&bytes);
        let mut env_files = BTreeMap::new();
        for name in project.env_files() {
            let file = directory.join(name);
            let above = mcplexer_durable::directory_of(&file);
            let real = above.canonicalize().map_err(|source| Error::Unreadable {
                path: file.clone(),
                source,
            })?;
            if !real.starts_with(directory) {
                return Err(Error::Outside { path: file });
            }
            let content = read_own(&file, MAX_TEXT_LEN)?;
            add(name.as_os_str().as_encoded_bytes());
            add(&content);
            env_files.insert(name.to_owned(), content);
        }
        let fingerprint = hash.finalize();
        let fingerprint = fingerprint.iter().map(|byte| format!("{byte:02x}"));
        Ok(Self {
            path: path.to_owned(),
            project,
            env_files,
            fingerprint: fingerprint.collect(),
        })
    }

    /// Returns the path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns what the file says.
    #[must_use]
    pub fn project(&self) -> &Project {
        &self.project
    }

    /// Returns the SHA-256 of the file and of the `.env` files, in hex.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Returns the `.env` files, as the project names them, and their variables.
    ///
    /// # Errors
    /// [`Error::Dotenv`] if one is invalid.
    pub fn env_files(&self) -> Result<Vec<(&Path, EnvFile)>, Error> {
        let names = self.env_files.keys();
        names
            .map(|name| Ok((name.as_path(), self.env_file(name)?)))
            .collect()
    }

    /// Returns what commands get with a profile.
    ///
    /// # Errors
    /// [`Error::NoProfile`], or [`Error::Dotenv`] if the `.env` file is invalid.
    pub fn select(&self, profile: Option<&str>, allowed: Vec<String>) -> Result<Selected, Error> {
        let Some(selected) = self.project.with(profile) else {
            return Err(Error::NoProfile {
                path: self.path.clone(),
                name: profile.unwrap_or_default().to_owned(),
                known: self.project.profiles.keys().cloned().collect(),
            });
        };
        let Profile {
            scopes,
            env,
            env_file,
        } = selected;
        let references = EnvFile::of_references(&self.path, &env);
        let mut files = vec![references.map_err(|error| self.not_read(error))?];
        if let Some(name) = env_file {
            files.push(self.env_file(&name)?);
        }
        Ok(Selected {
            choice: Choice {
                scopes: scopes.unwrap_or_default(),
                only: Vec::new(),
                renames: Vec::new(),
                allowed,
            },
            files,
        })
    }

    fn env_file(&self, name: &Path) -> Result<EnvFile, Error> {
        let path = mcplexer_durable::directory_of(&self.path).join(name);
        let content = self.env_files.get(name).map(|it| it.as_slice());
        let parsed = EnvFile::parse(path.display().to_string(), content.unwrap_or_default());
        parsed.map_err(|error| match error {
            EnvironmentError::Dotenv { source, .. } => Error::Dotenv { path, source },
            other => self.not_read(other),
        })
    }

    fn not_read(&self, error: EnvironmentError) -> Error {
        Error::Unreadable {
            path: self.path.clone(),
            source: io::Error::other(error),
        }
    }
}

/// Reads a regular file that belongs to this user, and that nobody else can write to. A link is not followed: it could
/// lead to the trusted file of another project.
fn read_own(path: &Path, limit: usize) -> Result<Zeroizing<Vec<u8>>, Error> {
    let unreadable = |source| Error::Unreadable {
        path: path.to_owned(),
        source,
    };
    let file = open_no_link(path, OpenOptions::new().read(true)).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(unreadable(io::Error::new(
            ErrorKind::Unsupported,
            "it is not a regular file",
        )));
    }
    let is_own = metadata.uid() == geteuid().as_raw();
    if !is_own || metadata.mode() & WRITE_OF_OTHERS != 0 {
        let path = path.to_owned();
        return Err(Error::Exposed { path, is_own });
    }
    read_at_most(limit, &file).map_err(unreadable)
}
