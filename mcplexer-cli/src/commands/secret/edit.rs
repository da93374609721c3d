mod value;

use mcplexer_secrets::{Change, SecretEdit};

use super::change;
use crate::cli::{Edit, Global};
use crate::failure::Failure;
use crate::session::Session;

pub(super) fn run(edit: &Edit, global: Global) -> Result<(), Failure> {
    let changes = SecretEdit {
        note: change_or_remove(edit.said.note.clone(), edit.no_note),
        expires: change_or_remove(edit.said.expires, edit.no_expires),
        rotate_every: change_or_remove(edit.said.rotate_every, edit.no_rotate_every),
    };
    if changes == SecretEdit::default() {
        return value::run(edit, global);
    }
    let session = Session::open(global)?;
    let edited = session.store().edit(&edit.scope, &edit.key, &changes);
    edited.map_err(|error| session.explain(error))?;
    session.tell(&format!("changed {}/{}", edit.scope, edit.key));
    Ok(())
}

fn change_or_remove<T>(given: Option<T>, remove: bool) -> Change<T> {
    match remove {
        true => Change::Remove,
        false => change(given),
    }
}
