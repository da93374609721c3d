//! `mcplexer init`

use crate::cli::Global;
use crate::failure::Failure;
use crate::session::Session;
use crate::text::shown;

pub(super) fn run(global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let store = session.store();
    let created = store.init().map_err(|error| session.explain(error))?;
    if created {
        session.tell_created();
        session.hint("mcplexer secret put SCOPE KEY stores a secret");
        session.hint("mcplexer adopt finds the credentials in the files of your AI clients");
        return Ok(());
    }
    // A store without its key is not ready: nothing is created then, since another key does not open it.
    store.unlock().map_err(|error| session.explain(error))?;
    let directory = shown(session.home().directory());
    session.tell(&format!("{directory} has a key and a store already"));
    Ok(())
}
