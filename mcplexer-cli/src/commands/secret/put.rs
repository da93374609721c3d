use std::io::{self, IsTerminal};

use mcplexer_home::config::ScopeToMake;
use mcplexer_secrets::{PutMode, SecretStore};

use crate::cli::{Global, Put};
use crate::failure::Failure;
use crate::input::ValueSource;
use crate::session::Session;

pub(super) fn run(mut put: Put, global: Global) -> Result<(), Failure> {
    let source = ValueSource::of(&mut put, global)?;
    let session = Session::open(global)?;
    let new = ScopeToMake::find(&put.scope, &session).map_err(|error| session.explain(error))?;
    let is_argument = matches!(source, ValueSource::Argument(_));
    let value = source.read(&put)?;
    let mode = match (put.create, put.if_version) {
        (true, _) => PutMode::Create,
        (false, Some(version)) => PutMode::Replace { version },
        (false, None) => PutMode::Overwrite,
    };
    let stored = session.store().put(&new.scope, &put.key, &value, mode);
    let stored = stored.map_err(|error| session.explain(error))?;
    session.tell_created();
    if stored.scope_created {
        session.tell_scope(&new);
    }
    session.tell(&format!(
        "stored {}/{}, version {}",
        put.scope, put.key, stored.version
    ));
    if is_argument && io::stderr().is_terminal() {
        session.hint(
            "values in arguments are visible in ps and shell history; leave it out to be asked",
        );
    }
    Ok(())
}
