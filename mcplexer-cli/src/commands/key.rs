//! `mcplexer key …`

mod accept;
mod add;
mod recovery;
mod rekey;
mod show;

use crate::cli::{Global, Key};
use crate::exit_code;
use crate::failure::Failure;
use crate::session::Session;
use crate::text;

pub(super) fn run(command: Key, global: Global) -> Result<(), Failure> {
    match command {
        Key::Init => init(global),
        Key::Show { json } => show::run(json, global),
        Key::List { json } => show::list(json, global),
        Key::Add(key) => add::run(&key, global),
        Key::Accept { older, json } => accept::run(older, json, global),
        Key::Remove { key, force, json } => rekey::remove(&key, force, json, global),
        Key::Rotate {
            keep_identity,
            json,
        } => rekey::rotate(keep_identity, json, global),
        Key::Recovery { reveal } => recovery::recovery(reveal, global),
        Key::Recover { lost, json } => recovery::recover(lost.as_deref(), json, global),
    }
}

fn init(global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let created = session.store().init();
    if !created.map_err(|error| session.explain(error))? {
        let store = text::shortened(session.home().store());
        return Err(Failure::new(format!("{store} already exists"))
            .with_hint("mcplexer key show shows which key opens it")
            .with_code(exit_code::CONFLICT));
    }
    session.tell_created();
    Ok(())
}

/// Shortens a long recipient in the middle.
fn short(recipient: &str) -> String {
    match recipient.len() {
        0..=70 => recipient.to_owned(),
        _ => shortened(recipient, 40, 12),
    }
}

/// Returns the start and the end of a text, enough to tell it from others.
fn shortened(text: &str, start: usize, end: usize) -> String {
    match (
        text.get(..start),
        text.get(text.len().saturating_sub(end)..),
    ) {
        (Some(start), Some(end)) => format!("{start}…{end}"),
        _ => text.to_owned(),
    }
}
