//! `mcplexer secret …`

mod delete;
mod edit;
mod generate;
mod get;
mod history;
pub(super) mod list;
mod moves;
mod put;
mod restore;

use mcplexer_secrets::Change;

use super::scope;
use crate::cli::{Global, List, Secret};
use crate::clock::Clock;
use crate::failure::Failure;

pub(super) fn run(command: Secret, global: Global) -> Result<(), Failure> {
    match command {
        Secret::Put(arguments) => put::run(arguments, global),
        Secret::Generate(arguments) => generate::run(&arguments, global),
        Secret::Get(arguments) => get::run(&arguments, global),
        Secret::Edit(arguments) => edit::run(&arguments, global),
        Secret::History {
            scope,
            key,
            utc,
            json,
        } => history::run(&scope, &key, utc, json, global),
        Secret::Restore {
            scope,
            key,
            version,
        } => restore::run(&scope, &key, version, global),
        Secret::List(List {
            scope,
            expiring: Some(by),
            json,
            ..
        }) => list::expiring(scope.as_ref(), by, json, global),
        Secret::List(List {
            all: true,
            long,
            utc,
            json,
            ..
        }) => list::all(clock(long, utc).as_ref(), json, global),
        Secret::List(List {
            scope: None, json, ..
        }) => scope::list::run(json, global),
        Secret::List(List {
            scope: Some(scope),
            long,
            utc,
            json,
            ..
        }) => list::run(&scope, clock(long, utc).as_ref(), json, global),
        Secret::Copy(arguments) => moves::copy(&arguments, global),
        Secret::Move(arguments) => moves::move_secret(&arguments, global),
        Secret::Rename(arguments) => moves::rename(arguments, global),
        Secret::Find {
            pattern,
            long,
            utc,
            json,
        } => list::find(&pattern, clock(long, utc).as_ref(), json, global),
        Secret::Delete { scope, key, force } => delete::run(&scope, &key, force, global),
    }
}

/// The clock of a long list.
fn clock(long: bool, utc: bool) -> Option<Clock> {
    long.then(|| Clock::new(utc))
}

/// What a given option changes; without it everything stays.
fn change<T>(given: Option<T>) -> Change<T> {
    given.map_or(Change::Keep, Change::Set)
}
