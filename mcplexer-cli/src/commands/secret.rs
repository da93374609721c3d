//! `mcplexer secret …`

mod delete;
mod get;
pub(super) mod list;
mod put;

use super::scope;
use crate::cli::{Global, Secret};
use crate::failure::Failure;

pub(super) fn run(command: Secret, global: Global) -> Result<(), Failure> {
    match command {
        Secret::Put(arguments) => put::run(arguments, global),
        Secret::Get { scope, key, reveal } => get::run(&scope, &key, reveal, global),
        Secret::List { scope: None, json } => scope::list::run(json, global),
        Secret::List {
            scope: Some(scope),
            json,
        } => list::run(&scope, json, global),
        Secret::Delete { scope, key } => delete::run(&scope, &key, global),
    }
}
