//! Advice on staged files that cannot be searched.

use std::io::ErrorKind;

use super::Failure;
use crate::exit_code;
use crate::scan::StagedError;

impl From<StagedError> for Failure {
    fn from(error: StagedError) -> Self {
        match error {
            StagedError::NoGit(source) => {
                let failure = Self::new(format!("cannot start git: {source}"));
                match source.kind() {
                    ErrorKind::NotFound => {
                        failure.with_hint("is it installed, and its directory in PATH?")
                    }
                    _ => failure,
                }
            }
            StagedError::NotAWorkTree(reason) => Self::new(format!(
                "cannot list the staged files: {reason}"
            ))
            .with_hint(
                "run it in the work tree of a repository, or search files with mcplexer scan PATH",
            )
            .with_code(exit_code::USAGE),
            StagedError::BadOutput => Self::new("cannot parse the output of git diff --raw"),
            StagedError::Unreadable(source) => {
                Self::new(format!("cannot read the staged files from git: {source}"))
                    .with_hint("check the repository with git fsck")
            }
        }
    }
}
