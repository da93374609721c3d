//! What the command line lacks.

use std::env;
use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue};
use mcplexer_clients::standard_places;
use mcplexer_home::adoption::directories;
use mcplexer_secrets::ScopeId;

use super::{can_repeat, commands_until, text};
use crate::cli::positional;
use crate::text::typed;

/// The most files that hints name.
const MOST_FILES: usize = 3;

/// Names the arguments that are missing: `SCOPE and KEY are missing`.
pub(super) fn message(error: &clap::Error) -> Option<String> {
    let mut names = names(error)?;
    let last = names.pop()?;
    Some(match names.is_empty() {
        true => format!("{last} is missing"),
        false => format!("{} and {last} are missing", names.join(", ")),
    })
}

/// Names the option that has no value: `--expiring needs a value, such as 30d`.
pub(super) fn value(error: &clap::Error) -> Option<String> {
    let argument = text(error, ContextKind::InvalidArg)?;
    let given = text(error, ContextKind::InvalidValue).unwrap_or_default();
    let option = argument.split([' ', '=']).next()?;
    if !given.is_empty() || !option.starts_with("--") {
        return None;
    }
    let such_as = match argument.split(['<', '>']).nth(1).unwrap_or_default() {
        "WHEN" => ", such as 30d".to_owned(),
        "N" | "SECONDS" => ", such as 3".to_owned(),
        _ => match error.get(ContextKind::ValidValue) {
            Some(ContextValue::Strings(values)) if !values.is_empty() => {
                format!(": {}", values.join(", "))
            }
            _ => String::new(),
        },
    };
    Some(format!("{option} needs a value{such_as}"))
}

/// Says where to find what is missing.
pub(super) fn hints(error: &clap::Error) -> Vec<String> {
    let names = names(error).unwrap_or_default();
    let path = commands_until("");
    let path: Vec<_> = path.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["adopt"] => files(),
        ["secret", verb]
            if !["put", "generate"].contains(verb) && names.iter().any(|it| it == "KEY") =>
        {
            vec![match scope() {
                _ if names.iter().any(|it| it == "SCOPE") => {
                    "mcplexer secret list --all lists all secrets".to_owned()
                }
                Some(scope) => format!("mcplexer secret list {scope} shows its keys"),
                None => "mcplexer secret list SCOPE shows its keys".to_owned(),
            }]
        }
        _ => Vec::new(),
    }
}

fn names(error: &clap::Error) -> Option<Vec<String>> {
    let ContextValue::Strings(usages) = error.get(ContextKind::InvalidArg)? else {
        return None;
    };
    let name = |usage: &String| match usage.starts_with("--") {
        true => usage.split([' ', '=']).next().unwrap_or(usage).to_owned(),
        false => usage.replace(['<', '>', '[', ']'], "").replace("...", ""),
    };
    Some(usages.iter().map(name).collect())
}

/// Returns the scope on the command line, if a message can repeat it.
fn scope() -> Option<String> {
    let arguments: Vec<OsString> = env::args_os().collect();
    let word = positional(&arguments, 1, &[]).nth(2)?.1.to_str()?;
    let is_scope = word.parse::<ScopeId>().is_ok() && can_repeat(word);
    is_scope.then(|| word.to_owned())
}

/// Returns the commands for the files of AI clients that are there.
fn files() -> Vec<String> {
    let options = ["--gateway", "--write", "--undo"];
    let options = options
        .iter()
        .filter(|it| env::args_os().any(|word| word == **it));
    let options: Vec<_> = options.copied().collect();
    let options = options.join(" ");
    let places = standard_places(&directories(|name| env::var_os(name)));
    let files = places
        .into_iter()
        .map(|it| it.path)
        .filter(|it| it.is_file());
    let hints = files
        .take(MOST_FILES)
        .map(|it| format!("mcplexer adopt {} {options}", typed(&it)));
    let hints: Vec<_> = hints.collect();
    match hints.is_empty() {
        true => vec![format!("mcplexer adopt FILE {options}")],
        false => hints,
    }
}
