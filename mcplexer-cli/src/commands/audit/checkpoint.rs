//! `mcplexer audit checkpoint`

use crate::cli::Global;
use crate::failure::Failure;
use crate::output::print;
use crate::session::Session;

pub(super) fn run(global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    // A log that is off has no state to keep.
    session.audit_log()?;
    let checkpoint = session.store().checkpoint();
    let checkpoint = checkpoint.map_err(|error| session.explain(error))?;
    print(&format!("{checkpoint}\n"))
}
