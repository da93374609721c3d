//! `mcplexer compact`

use std::fs;

use crate::cli::Global;
use crate::failure::Failure;
use crate::progress::Waiting;
use crate::session::Session;
use crate::text::thousands;

pub(super) fn run(global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let size = || {
        let file = session.home().store().file()?;
        let metadata = fs::metadata(file).ok();
        Some(thousands(metadata.map_or(0, |it| it.len()).div_ceil(1024)))
    };
    let before = size();
    let waiting = Waiting::new("compacting", global);
    session.store().compact()?;
    drop(waiting);
    let sizes = before.zip(size());
    let sizes = sizes.map(|(before, after)| format!(" from {before} to {after} KiB"));
    session.tell(&format!(
        "compacted the store{}; nothing deleted is left in it",
        sizes.unwrap_or_default()
    ));
    Ok(())
}
