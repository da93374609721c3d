//! Moves the credentials in AI clients' configuration files into the store, and back.

use std::path::{Path, PathBuf};

use mcplexer_clients::{
    AdoptError, Adoption, ChosenKey, HandOverError, InstallError, InvalidConfig,
    store as clients_store,
};
use mcplexer_durable::{FileReplacement, ReplaceError};
use mcplexer_files::config::ServerName;
use mcplexer_files::position::Position;
use mcplexer_secrets::Error as StoreError;

use crate::open::OpenHome;
use crate::{credentials, servers};

mod client_file;
mod environment;
mod gateway;
mod install;
mod kept;
mod look;
mod plaintext;
mod report;
mod undo;

pub(crate) use client_file::ClientFile;
pub use environment::{directories, own_program};
pub use gateway::{BehindGateway, GatewayReport, InFile, adopt_for_gateway, plan_for_gateway};
pub use install::{Change, InstallReport, install, installs, uninstall};
pub(crate) use kept::damaged as damaged_kept;
pub use look::{Looked, WithoutServers, by_client, look};
pub use plaintext::{Further, Plaintext, further, plaintext};
pub use report::{FileReport, FindingReport, Left};
pub use undo::{KeptServer, UndoReport, undo};

/// How often to plan again if other programs store other values under the same names meanwhile.
const ATTEMPTS: usize = 20;

/// Which credentials to move. All that are found, by default.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// Only those of these servers, if there are any here.
    pub servers: Vec<String>,
    /// Only these variables, if there are any here, even if they do not look like credentials.
    pub only: Vec<ChosenKey>,
    /// None of these variables.
    pub skip: Vec<ChosenKey>,
    /// Also what is in arguments, where other programs can see it while the server runs.
    pub allow_arguments: bool,
}

/// A failure to adopt a file or to undo that.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file is not a configuration with servers. Nothing of it is repeated.
    #[error("{}{} {source}", .file.display(), separator(.source))]
    Invalid {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        source: InvalidConfig,
    },
    /// The file is too long to be a configuration.
    #[error("{} is larger than 64 MiB", .file.display())]
    TooLarge {
        /// The file.
        file: PathBuf,
    },
    /// A server or a variable of the choice is not in the file.
    #[error("no {what} {name} in {}", .file.display())]
    NotFound {
        /// The file.
        file: PathBuf,
        /// `server` or `variable`.
        what: &'static str,
        /// Its name.
        name: String,
        /// The names of those that it has.
        others: Vec<String>,
    },
    /// The store cannot say or do what a file needs.
    #[error("{}: {source}", .file.display())]
    Plan {
        /// The file.
        file: PathBuf,
        /// Why not.
        source: AdoptError,
    },
    /// A secret to put back is not text.
    #[error("{}, {at}: {scope}/{name} is not UTF-8, so the file cannot hold it", .file.display())]
    NotText {
        /// The file.
        file: PathBuf,
        /// Where it refers to the secret.
        at: Position,
        /// The scope of the secret.
        scope: mcplexer_secrets::ScopeId,
        /// Its name.
        name: mcplexer_secrets::SecretName,
    },
    /// Other programs kept changing the scopes of the servers. The file is unchanged.
    #[error("other programs keep changing the scopes of these servers")]
    Busy,
    /// The servers of the file cannot go behind the gateway, or cannot come back.
    #[error("{}: {source}", .file.display())]
    HandOver {
        /// The file.
        file: PathBuf,
        /// Why not.
        source: HandOverError,
    },
    /// The file no longer has the server that connects to the gateway, whose place the servers take.
    #[error("{} does not connect to the gateway for {client} as it did when it was handed over", .file.display())]
    Disconnected {
        /// The file.
        file: PathBuf,
        /// The client.
        client: ServerName,
    },
    /// The file has its servers again, but they are in `config.yaml` too.
    #[error("{} has its servers again, and config.yaml still has them", .file.display())]
    NotRemoved {
        /// The file.
        file: PathBuf,
        /// Why they could not be removed there.
        source: Box<Self>,
    },
    /// There are credentials between the servers, such as in comments. They would have to be kept in plaintext.
    #[error("{}, line {}: a credential is between the servers", .file.display(), .lines.first().unwrap_or(&0))]
    Between {
        /// The file.
        file: PathBuf,
        /// The lines of the credentials; at least one.
        lines: Vec<usize>,
    },
    /// The servers of the file are behind the gateway, and only all of them can be put back.
    #[error("the servers of {} are behind the gateway; they are put back together", .file.display())]
    Together {
        /// The file.
        file: PathBuf,
    },
    /// No client with this name is known, or its directory is not.
    #[error("no client is called {client}")]
    UnknownClient {
        /// The name.
        client: String,
    },
    /// The server that connects to the gateway cannot be added to the file of a client, or be removed.
    #[error("{}: {source}", .file.display())]
    Install {
        /// The file.
        file: PathBuf,
        /// Why not.
        source: InstallError,
    },
    /// The server that connects to the gateway has taken the place of the others in the file.
    #[error("the servers of {} are behind the gateway", .file.display())]
    HandedOver {
        /// The file.
        file: PathBuf,
    },
    /// What is kept of a file for undoing is damaged.
    #[error("{} is damaged: {source}", .kept.display())]
    Kept {
        /// Where it is kept.
        kept: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// The servers cannot be written into `config.yaml`.
    #[error(transparent)]
    Servers(#[from] servers::Error),
    /// A secret to put back cannot be opened.
    #[error(transparent)]
    Credentials(#[from] credentials::Error),
    /// The credentials cannot be stored, or the file cannot be restored.
    #[error(transparent)]
    Adopt(#[from] AdoptError),
    /// The file cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file cannot be replaced.
    #[error(transparent)]
    Replace(#[from] ReplaceError),
}

/// A syntax error continues with its line, the others start a sentence.
fn separator(error: &InvalidConfig) -> char {
    match error {
        InvalidConfig::Syntax { .. } => ',',
        _ => ':',
    }
}

/// Returns what adopting a file would do. Changes nothing. `program` starts the servers afterwards.
///
/// # Errors
/// [`Error::Invalid`], [`Error::TooLarge`] or [`Error::Store`] if the file cannot be used;
/// [`Error::NotFound`] if it lacks what was chosen; [`Error::Plan`] if the store cannot be read.
pub fn plan(
    path: &Path,
    choice: &Choice,
    program: &str,
    open: &OpenHome,
) -> Result<FileReport, Error> {
    let file = ClientFile::read(path)?;
    file.check_names(choice)?;
    let adoption = file.plan(choice, &[], program, open)?;
    Ok(file.report(&adoption))
}

/// Adopts a file: stores its credentials, reads each back, and then replaces the file.
///
/// # Errors
/// As [`plan`]. [`Error::Busy`] if other programs keep storing other values under the same names.
/// The file is unchanged then. Either no secrets were stored, or all of them stay.
pub fn adopt(
    path: &Path,
    choice: &Choice,
    program: &str,
    open: &OpenHome,
) -> Result<FileReport, Error> {
    // A file that cannot be replaced is found out before anything is stored.
    let replacement = FileReplacement::begin(path)?;
    let file = ClientFile::read(path)?;
    file.check_names(choice)?;
    let plan = || file.plan(choice, &[], program, open);
    let mut adoption = plan()?;
    if adoption.moved() == 0 {
        return Ok(file.report(&adoption));
    }
    store(&mut adoption, &plan, open)?;
    let has_other_names = replacement.has_other_names();
    replacement.write_over(&file.bytes, adoption.text())?;
    Ok(FileReport {
        written: true,
        has_other_names,
        ..file.report(&adoption)
    })
}

/// Stores what is to be moved. If another program has stored another value under one of the names
/// since the plan, the credentials go to other scopes.
fn store(
    adoption: &mut Adoption,
    plan: &dyn Fn() -> Result<Adoption, Error>,
    open: &OpenHome,
) -> Result<(), Error> {
    for _ in 0..ATTEMPTS {
        match clients_store::save(adoption, open.store()) {
            Err(AdoptError::Store(StoreError::Conflicts { .. })) => *adoption = plan()?,
            stored => return Ok(stored?),
        }
    }
    Err(Error::Busy)
}
