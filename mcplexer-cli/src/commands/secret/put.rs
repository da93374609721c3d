use std::io::{self, IsTerminal};

use mcplexer_home::config::ScopeToMake;
use mcplexer_secrets::{Error, PutMode, ScopeId, SecretEdit, SecretName, SecretValue, Stored};

use super::change;
use crate::cli::{Global, Put, Said};
use crate::exit_code;
use crate::failure::{Failure, can_repeat};
use crate::input::ValueSource;
use crate::session::Session;
use crate::text;

pub(super) fn run(mut put: Put, global: Global) -> Result<(), Failure> {
    let source = ValueSource::of(&mut put, global)?;
    let session = Session::open(global)?;
    let new = ScopeToMake::find(&put.scope, &session).map_err(|error| session.explain(error))?;
    let is_argument = matches!(source, ValueSource::Argument(_));
    let value = source.read(&put)?;
    let mode = mode(put.create, put.if_version);
    store(&new, &put.key, &value, mode, &put.said, &session)?;
    if is_argument && io::stderr().is_terminal() {
        session.hint(
            "values in arguments are visible in ps and shell history; leave the value out, and you are asked for it",
        );
    }
    Ok(())
}

pub(super) fn mode(create: bool, if_version: Option<u64>) -> PutMode {
    match (create, if_version) {
        (true, _) => PutMode::Create,
        (false, Some(version)) => PutMode::Replace { version },
        (false, None) => PutMode::Overwrite,
    }
}

/// Stores a value, and tells the user.
pub(super) fn store(
    new: &ScopeToMake,
    key: &SecretName,
    value: &SecretValue,
    mode: PutMode,
    said: &Said,
    session: &Session,
) -> Result<(), Failure> {
    let edit = SecretEdit {
        note: change(said.note.clone()),
        expires: change(said.expires),
        rotate_every: change(said.rotate_every),
    };
    let stored = session
        .store()
        .put_with(&new.scope, key, value, mode, &edit);
    let stored = stored.map_err(|error| match (&error, with_underscores(key)) {
        (Error::InvalidName(_), Some(meant)) => Failure::new(error.to_string())
            .with_hint(format!("did you mean {meant}?"))
            .with_hint(
                "mcplexer scope create SCOPE --kind header creates a scope for HTTP field names",
            )
            .with_code(exit_code::USAGE),
        _ => session.explain(error),
    })?;
    tell_stored(new, key, &stored, session);
    Ok(())
}

/// Returns the name that is like this one and fits a variable, if a message can repeat it.
fn with_underscores(key: &SecretName) -> Option<String> {
    let name = key.as_str();
    (name.contains('-') && can_repeat(name)).then(|| name.replace('-', "_"))
}

/// Tells the user what was stored, and what follows from it.
pub(super) fn tell_stored(new: &ScopeToMake, key: &SecretName, stored: &Stored, session: &Session) {
    let scope = &new.scope.id;
    session.tell_created();
    if stored.scope_created {
        session.tell_scope(new);
    }
    session.tell(&format!("stored {scope}/{key}, version {}", stored.version));
    tell_expiry(scope, key, stored, session);
    session.warn_of_takeovers(scope, [key]);
}

/// Tells the user about an expiry that went with the value before.
pub(super) fn tell_expiry(scope: &ScopeId, key: &SecretName, stored: &Stored, session: &Session) {
    if let Some(expired) = stored.expiry_dropped {
        session.tell(&format!(
            "removed the expiry of the value before, {}",
            text::date(expired)
        ));
        session.hint(&format!(
            "mcplexer secret edit {scope} {key} --expires WHEN gives this value one"
        ));
    }
}
