mod clip;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use clap::ValueEnum;
use mcplexer_secrets::{Note, ScopeId, SecretInfo, SecretName, SecretStore, SecretValue};
use serde::Serialize;

use crate::cli::{Clip, Get, Global};
use crate::failure::Failure;
use crate::output::stdout_is_terminal;
use crate::session::Session;
use crate::{agent, exit_code, output};

pub(super) fn run(get: &Get, global: Global) -> Result<(), Failure> {
    let [key, others @ ..] = &get.key[..] else {
        return Err(refused("no secret was named"));
    };
    if !others.is_empty() && get.version.is_some() {
        return Err(refused("--version is for one secret")
            .with_hint("each secret counts its own: get them one by one"));
    }
    if !others.is_empty() && !get.json {
        // The option takes its value behind `=` only, since keys follow it.
        let last = others.last().filter(|_| get.clip.is_some());
        if let Some(place) = last.and_then(|it| Clip::from_str(it.as_str(), false).ok()) {
            let place = place.to_possible_value();
            let place = place.map_or_else(String::new, |it| it.get_name().to_owned());
            return Err(refused("--clip copies one secret")
                .with_hint(format!("did you mean --clip={place}?")));
        }
        if get.clip.is_some() {
            return Err(refused("--clip copies one secret")
                .with_hint("copy one, paste it, and then copy the next one"));
        }
        return Err(
            refused("several values on standard output could not be told apart")
                .with_hint("--json prints each with its name"),
        );
    }
    let (scope, keys) = (&get.scope, text_of(&get.key));
    let instead =
        format!("mcplexer run --scope {scope} --only {keys} -- COMMAND gives it to a command");
    // An agent reads what a terminal is sent, and nothing of what the desktop's clipboard holds.
    if get.clip != Some(Clip::Desktop) {
        agent::guard(get.reveal, &instead)?;
    }
    let target = get.clip.map(|clip| clip::Target::find(clip, get));
    let target = target.transpose()?;
    let session = Session::open(global)?;
    if get.json {
        return json(get, key, &session);
    }
    let value = value(scope, key, get.version, &session)?;
    match target {
        Some(target) => target.copy(get, &value, &session),
        None => print(&value),
    }
}

fn text_of(keys: &[SecretName]) -> String {
    let keys: Vec<_> = keys.iter().map(SecretName::as_str).collect();
    keys.join(",")
}

fn refused(message: &str) -> Failure {
    Failure::new(message).with_code(exit_code::USAGE)
}

fn value(
    scope: &ScopeId,
    key: &SecretName,
    version: Option<u64>,
    session: &Session,
) -> Result<SecretValue, Failure> {
    let value = match version {
        None => session.store().get(scope, key),
        Some(version) => session.store().get_version(scope, key, version),
    };
    let value = value.map_err(|error| session.explain(error))?;
    // The value is there: a secret that was deleted just now needs no warning.
    if version.is_none()
        && let Ok(info) = session.store().secret_info(scope, key)
    {
        session.warn_if_due(scope, &info);
    }
    Ok(value)
}

fn print(value: &SecretValue) -> Result<(), Failure> {
    output::write(value.expose())?;
    match stdout_is_terminal() {
        true => output::write(b"\n"),
        false => Ok(()),
    }
}

/// Values, with what is said about them. Has no `Debug`.
#[derive(Serialize)]
struct Values<'a> {
    secrets: Vec<Row<'a>>,
}

/// A value, with what is said about it.
#[derive(Serialize)]
struct Row<'a> {
    scope: &'a ScopeId,
    key: &'a SecretName,
    version: u64,
    updated: String,
    note: Option<&'a Note>,
    expires: Option<String>,
    /// The value, if it is text.
    value: Option<&'a str>,
    /// The value, if it is not.
    base64: Option<String>,
}

impl<'a> Row<'a> {
    fn new(scope: &'a ScopeId, info: &'a SecretInfo, value: &'a SecretValue) -> Self {
        let text = str::from_utf8(value.expose()).ok();
        let bytes = text.is_none().then(|| value.expose());
        Self {
            scope,
            key: &info.name,
            version: info.version,
            updated: info.updated.to_string(),
            note: info.note.as_ref(),
            expires: info.expires.map(|it| it.to_string()),
            value: text,
            base64: bytes.map(|bytes| BASE64_STANDARD.encode(bytes)),
        }
    }
}

fn json(get: &Get, key: &SecretName, session: &Session) -> Result<(), Failure> {
    let (scope, store) = (&get.scope, session.store());
    let opened = match get.version {
        None => store.get_all(scope, &get.key),
        Some(version) => store.get_version(scope, key, version).and_then(|value| {
            let mut info = store.secret_info(scope, key)?;
            let versions = store.history(scope, key)?;
            let stored = versions.iter().find(|it| it.version == version);
            info.updated = stored.map_or(info.updated, |it| it.updated);
            info.version = version;
            Ok(vec![(info, value)])
        }),
    };
    let opened = opened.map_err(|error| session.explain(error))?;
    let rows = opened.iter().map(|(info, value)| {
        if get.version.is_none() {
            session.warn_if_due(scope, info);
        }
        Row::new(scope, info, value)
    });
    let mut secrets: Vec<_> = rows.collect();
    match secrets.pop_if(|_| get.key.len() == 1) {
        Some(row) => output::write_json(&row),
        None => output::write_json(&Values { secrets }),
    }
}
