//! Which files of clients have credentials in them.

use std::path::PathBuf;

use mcplexer_clients::{Directories, standard_places};

use super::{Choice, look};
use crate::open::OpenHome;

/// A client's file that has credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plaintext {
    /// The client's name.
    pub client: &'static str,
    /// The file.
    pub file: PathBuf,
    /// How many credentials it has.
    pub credentials: usize,
    /// Whether `adopt` would move some of them.
    pub is_adoptable: bool,
}

/// Returns the files with credentials in the usual places. A file that cannot be read is left out.
#[must_use]
pub fn plaintext(directories: &Directories, program: &str, open: &OpenHome) -> Vec<Plaintext> {
    let places = standard_places(directories);
    let looked = look(&places, &Choice::default(), program, open);
    let with_servers = looked.files.into_iter().map(|it| Plaintext {
        client: it.client.unwrap_or_default(),
        credentials: it.moved + it.left,
        is_adoptable: it.moved > 0,
        file: it.file,
    });
    let others = looked.without_servers.into_iter().map(|it| Plaintext {
        client: it.client,
        credentials: it.lines.len(),
        is_adoptable: false,
        file: it.file,
    });
    let all = with_servers.chain(others);
    all.filter(|it| it.credentials > 0).collect()
}
