use mcplexer_secrets::{NewScope, PutMode, ScopeId, SecretStore};

use crate::cli::{Global, Put};
use crate::config_file::ConfigFile;
use crate::failure::Failure;
use crate::input::ValueSource;
use crate::session::Session;

pub(super) fn run(mut put: Put, global: Global) -> Result<(), Failure> {
    let source = ValueSource::of(&mut put, global)?;
    let session = Session::open(global)?;
    let named = named_scope(&put.scope, &session)?;
    let value = source.read(&put, global)?;
    let mode = match (put.create, put.if_version) {
        (true, _) => PutMode::Create,
        (false, Some(version)) => PutMode::Replace { version },
        (false, None) => PutMode::Overwrite,
    };
    let stored = match &named {
        Some(scope) => session.store.put_into(scope, &put.key, &value, mode),
        None => session.store.put(&put.scope, &put.key, &value, mode),
    };
    let stored = stored.map_err(|error| session.explain(error))?;
    session.tell_what_was_made();
    if stored.scope_created {
        let kind = match &named {
            Some(scope) => format!("{}, from config.yaml", scope.kind),
            None => "env".to_owned(),
        };
        session.tell(&format!("made scope {} ({kind})", put.scope));
    }
    session.tell(&format!(
        "stored {}/{}, version {}",
        put.scope, put.key, stored.version
    ));
    Ok(())
}

/// The scope as config.yaml names it, if it has yet to be made. A file with something wrong in it
/// is a failure then: to make the scope of another kind would be a guess.
fn named_scope(id: &ScopeId, session: &Session) -> Result<Option<NewScope>, Failure> {
    let path = session.home.config();
    let none = matches!(path.try_exists(), Ok(false));
    if none
        || session
            .store
            .has_scope(id)
            .map_err(|error| session.explain(error))?
    {
        return Ok(None);
    }
    let config = ConfigFile::read(Some(&path))?.into_config()?;
    let mut scopes = config.scopes().into_iter();
    Ok(scopes.find(|scope| scope.id == *id))
}
