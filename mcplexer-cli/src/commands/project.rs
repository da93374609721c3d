//! The project that the working directory belongs to.

use std::env;
use std::path::{Path, PathBuf};

use mcplexer_home::Home;
use mcplexer_home::project::{self, ProjectFile, Selected, TrustList};
use mcplexer_secrets::Error as StoreError;

use crate::failure::Failure;

/// Returns the path of the file of the project that a directory belongs to, or the working directory without one.
pub(super) fn find(home: &Home, directory: Option<&Path>) -> Result<Option<PathBuf>, Failure> {
    let directory = directory.unwrap_or(Path::new("."));
    project::find_from(home, directory).map_err(|source| {
        let path = directory.to_owned();
        let action = "find";
        Failure::from(StoreError::Io {
            action,
            path,
            source,
        })
    })
}

/// The variable that names a profile.
const PROFILE_VARIABLE: &str = "MCPLEXER_PROFILE";

/// Returns the profile that the environment names.
pub(super) fn profile() -> Option<String> {
    env::var(PROFILE_VARIABLE).ok().filter(|it| !it.is_empty())
}

/// Returns what the commands of the project here get; `None` if there is no project.
///
/// # Errors
///
/// Fails if the user does not trust it, or it cannot be used.
pub(super) fn selected(
    profile: Option<String>,
    allowed: &[String],
) -> Result<Option<Selected>, Failure> {
    let home = Home::from_env()?;
    let Some(path) = find(&home, None)? else {
        return Ok(None);
    };
    let file = ProjectFile::read(&path)?;
    TrustList::read(&home)?.check(&file)?;
    let profile = profile.or_else(self::profile);
    Ok(Some(file.select(profile.as_deref(), allowed.to_vec())?))
}
