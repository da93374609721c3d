//! `mcplexer compact`

use std::fs;

use crate::cli::Global;
use crate::failure::Failure;
use crate::progress::Waiting;
use crate::session::Session;
use crate::text::thousands;

pub(super) fn run(global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let path = session.home().store();
    let size = || fs::metadata(&path).map_or(0, |metadata| metadata.len());
    let before = size();
    let waiting = Waiting::new("compacting", global);
    session.store().compact()?;
    drop(waiting);
    session.tell(&format!(
        "compacted the store from {} to {} KiB; nothing deleted is left in it",
        thousands(before.div_ceil(1024)),
        thousands(size().div_ceil(1024)),
    ));
    Ok(())
}
