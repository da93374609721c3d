use mcplexer_files::reference::Reference;
use mcplexer_home::moves;
use mcplexer_secrets::{Error as StoreError, PutMode};

use crate::cli::{Copy, Global, Move, Over, Rename};
use crate::commands::references;
use crate::failure::Failure;
use crate::session::Session;
use crate::text;

pub(super) fn copy(copy: &Copy, global: Global) -> Result<(), Failure> {
    let (from, to) = (&copy.from, &copy.to);
    let session = Session::open(global)?;
    let copied = moves::copy(from, to, mode(copy.force), &session);
    let (stored, new) = copied.map_err(|error| explain(error, from, to, &session))?;
    if stored.scope_created {
        session.tell_scope(&new);
    }
    session.tell(&format!(
        "copied {} to {}, version {}",
        place(from),
        place(to),
        stored.version
    ));
    session.warn_of_takeovers(&to.scope, [&to.name]);
    Ok(())
}

pub(super) fn rename(rename: Rename, global: Global) -> Result<(), Failure> {
    let to = Reference {
        scope: rename.scope.clone(),
        name: rename.new,
    };
    let from = Reference {
        scope: rename.scope,
        name: rename.key,
    };
    let over = rename.over;
    move_secret(&Move { from, to, over }, global)
}

pub(super) fn move_secret(arguments: &Move, global: Global) -> Result<(), Failure> {
    let Move { from, to, over } = arguments;
    let Over {
        force,
        leave_references,
    } = *over;
    let session = Session::open(global)?;
    let references = references(leave_references);
    let moved = moves::move_secret(from, to, mode(force), references, &session);
    let (moved, new) = moved.map_err(|error| explain(error, from, to, &session))?;
    if moved.scope_created {
        session.tell_scope(&new);
    }
    let earlier = match moved.earlier {
        0 => String::new(),
        count => format!(", with {}", text::count(count as u64, "earlier version")),
    };
    session.tell(&format!(
        "moved {} to {}, version {}{earlier}",
        place(from),
        place(to),
        moved.version
    ));
    if moved.left_out > 0 {
        let left_out = text::count(moved.left_out as u64, "earlier version");
        session.tell(&format!(
            "{left_out} more than scope {} keeps: deleted",
            to.scope
        ));
    }
    session.warn_of_takeovers(&to.scope, [&to.name]);
    session.hint(&format!(
        "what refers to mcplexer://{}, such as a client's configuration, needs the new name",
        place(from)
    ));
    Ok(())
}

fn mode(force: bool) -> PutMode {
    match force {
        true => PutMode::Overwrite,
        false => PutMode::Create,
    }
}

fn place(secret: &Reference) -> String {
    format!("{}/{}", secret.scope, secret.name)
}

fn explain(error: moves::Error, from: &Reference, to: &Reference, session: &Session) -> Failure {
    let exists = matches!(error, moves::Error::Store(StoreError::SecretExists { .. }));
    let failure = session.explain(error);
    match exists && from != to {
        true => failure.with_hint("--force replaces it"),
        false => failure,
    }
}
