//! Looks where clients keep their configuration.

use std::collections::HashSet;

use mcplexer_clients::StandardPlace;
use serde::Serialize;

use super::client_file::ClientFile;
use super::report::FileReport;
use super::{Choice, Error};
use crate::open::OpenHome;

/// What was found in the usual places.
#[derive(Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Looked {
    /// The configuration files with servers, and what adopting each would do.
    pub files: Vec<FileReport>,
    /// Why the others could not be used.
    #[serde(skip)]
    pub failures: Vec<Error>,
}

/// Plans for each file in these places. A file that cannot be used does not stop the others.
#[must_use]
pub fn look(places: &[StandardPlace], choice: &Choice, program: &str, open: &OpenHome) -> Looked {
    let mut looked = Looked::default();
    let mut seen = HashSet::new();
    for place in places {
        // The working directory may be the home directory.
        let path = place.path.canonicalize();
        if !path.is_ok_and(|path| seen.insert(path)) {
            continue;
        }
        let planned = ClientFile::read_if_config(&place.path).and_then(|file| match file {
            None => Ok(None),
            Some(file) => file
                .plan(choice, program, open)
                .map(|plan| Some((file, plan))),
        });
        match planned {
            Ok(None) => {}
            Ok(Some((file, plan))) => looked.files.push(FileReport {
                client: Some(place.client),
                ..file.report(&plan)
            }),
            Err(error) => looked.failures.push(error),
        }
    }
    looked
}
