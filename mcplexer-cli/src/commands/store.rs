//! `mcplexer store …`

use std::ffi::OsStr;
use std::path::Path;

use mcplexer_home::transfer::{self, Left, MoveReport};
use mcplexer_home::{EnvironmentError, STORE_PASSWORD_VARIABLE, STORE_VARIABLE, StorePlace};
use mcplexer_secrets::{Error, PlaceHas};

use crate::cli::{self, Global};
use crate::failure::{Failure, repeated_path};
use crate::output::{print, print_json};
use crate::progress::Bar;
use crate::session::Session;
use crate::text::{count, shortened, shown, thousands, word};
use crate::{exit_code, input};

pub(super) fn run(command: cli::Store, global: Global) -> Result<(), Failure> {
    match command {
        cli::Store::Move { to, json } => move_to(&to, json, global),
        cli::Store::Keep { lost, force } => keep(lost, force, global),
        cli::Store::DeleteMoved { place, force } => delete_moved(&place, force, global),
    }
}

fn move_to(to: &OsStr, json: bool, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let to = place(to, &session)?;
    let bar = Bar::new("checking", global);
    let report = transfer::move_to(&to, &session, &mut |progress| bar.show(progress));
    drop(bar);
    let report = report?;
    tell(&report, &session);
    match json {
        true => print_json(&report),
        false => Ok(()),
    }
}

fn tell(report: &MoveReport, session: &Session) {
    let to = shortened(&report.to);
    session.tell(&match report.was_done {
        true => format!("nothing to move: the store was moved to {to} before"),
        false => format!("moved the store to {to}"),
    });
    session.tell(&format!(
        "{} and {} bytes, compared; {}, {}, all readable there",
        count(report.records, "record"),
        thousands(report.bytes),
        count(report.scopes, "scope"),
        count(report.secrets, "secret"),
    ));
    session.hint(&match report.to.file() {
        Some(_) => format!("on this machine: unset {STORE_VARIABLE}"),
        None => format!(
            "on each machine that uses it: export {STORE_VARIABLE}={}",
            word(&report.to.to_string())
        ),
    });
    session.hint(&format!(
        "{} takes no changes any more; once no machine uses it, {}",
        shortened(&report.from),
        deletion(&report.from)
    ));
}

/// Says how to delete what a move has left at a place.
fn deletion(place: &StorePlace) -> String {
    let command = "mcplexer store delete-moved";
    match place.file() {
        Some(_) => format!("{command} file deletes it"),
        None => {
            let url = word(&place.to_string());
            format!("{command} {url} prints the statement that deletes it")
        }
    }
}

fn keep(is_lost: bool, force: bool, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let here = session.place();
    let given_up = match transfer::keep(&session) {
        Err(error) if is_lost && lost(&error).is_some() => {
            if !force {
                let about = lost(&error).unwrap_or_default();
                input::confirm(&about, &format!("take changes {here} again?"), global)?;
            }
            transfer::keep_over_loss(&session)?;
            session.tell(&format!("the store {here} takes changes again"));
            return Ok(());
        }
        given_up => given_up?,
    };
    match given_up {
        Some(to) => {
            session.tell(&format!("the store {here} takes changes again"));
            session.hint(&format!(
                "what was copied is still at {}; {}",
                shortened(&to),
                deletion(&to)
            ));
        }
        None => {
            session.tell(&format!("nothing to do: the store {here} was not moved"));
            session.hint(
                "if a move was interrupted while it copied: mcplexer store delete-moved, with its new place",
            );
        }
    }
    Ok(())
}

/// Says what is lost if the store goes on where it was moved from; `None` if the new place has it, or another error is in the way.
fn lost(error: &transfer::Error) -> Option<String> {
    let place = match error {
        transfer::Error::NotAsked { place, .. } => place,
        transfer::Error::Store(Error::Place { place, has }) if *has == PlaceHas::Gone => place,
        _ => return None,
    };
    Some(format!(
        "{}.\n\
         What was changed there since the move is lost.\n\
         If {} has the store after all, everybody who uses it there goes on writing there, apart from this one.\n",
        shortened(error),
        shortened(place),
    ))
}

fn delete_moved(old: &OsStr, force: bool, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let old = place(old, &session)?;
    let is_left = old != *session.home().store();
    if !force && is_left && old.file().is_some_and(Path::exists) {
        let question = format!("delete {}?", shortened(&old));
        input::confirm("", &question, global)?;
    }
    match transfer::delete_moved(&old, &session)? {
        Left::OnServer(command) => {
            session.tell("this deletes what a move has left there:");
            print(&format!("{command}\n"))
        }
        Left::Deleted(path) => {
            session.tell(&format!("deleted {}", shown(&path)));
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Parses a place. Of one that is wrong, repeats only what is plainly a path: there may be a password in it.
fn place(text: &OsStr, session: &Session) -> Result<StorePlace, Failure> {
    StorePlace::parse(text, session.home()).map_err(|error| {
        match error {
            EnvironmentError::StorePassword => Failure::new("the URL has a password in it")
                .with_hint(format!(
                    "others see it there: take it out, and set {STORE_PASSWORD_VARIABLE}"
                )),
            _ => {
                let can_separate = |it: &Path| it.to_string_lossy().contains(['@', ':']);
                let typed =
                    Some(Path::new(text)).filter(|it| it.is_absolute() && !can_separate(it));
                let typed = typed.map_or("this".into(), |it| repeated_path(it, "this"));
                Failure::new(format!(
                    "{typed} is not the place of a store: postgres://…, etcd://… or file"
                ))
                .with_hint("file is the one in your home; a server is named as in MCPLEXER_STORE")
            }
        }
        .with_code(exit_code::USAGE)
    })
}
