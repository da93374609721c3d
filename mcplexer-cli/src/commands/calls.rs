//! `mcplexer calls`

use std::thread;
use std::time::Duration;

use mcplexer_home::calls::{Call, CallReader};
use serde::Serialize;

use super::audit::word;
use crate::cli::{Calls, Global};
use crate::failure::Failure;
use crate::output::{json_line, print, print_json, print_on};
use crate::session::Session;
use crate::text::{Columns, sanitized, table};

/// How often the log is looked at for more.
const INTERVAL: Duration = Duration::from_millis(200);

#[derive(Serialize)]
struct Document {
    calls: Vec<Call>,
}

pub(super) fn run(arguments: &Calls, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let path = &session.audit_log()?;
    if !path.exists() {
        // A log that is missing is another matter than one that has no lines yet.
        session.store().scope_names()?;
    }
    let last = usize::try_from(arguments.last).unwrap_or(usize::MAX);
    let mut reader = CallReader::open(path)?;
    let mut calls = match &mut reader {
        Some(reader) => reader.last(last)?,
        None => Vec::new(),
    };
    if !arguments.follow {
        return match arguments.json {
            true => print_json(&Document { calls }),
            false => print(&table(&rows(&calls))),
        };
    }
    let mut columns = Columns::default();
    loop {
        let text = match arguments.json {
            true => calls.iter().map(json_line).collect::<Result<_, _>>()?,
            false => columns.rows(&rows(&calls)),
        };
        if !print_on(&text)? {
            return Ok(());
        }
        calls = match &mut reader {
            Some(reader) => reader.ended()?,
            None => {
                reader = CallReader::open(path)?;
                let begun = reader.as_mut().map(|it| it.last(usize::MAX)).transpose()?;
                begun.unwrap_or_default()
            }
        };
        if calls.is_empty() {
            thread::sleep(INTERVAL);
        }
    }
}

fn rows(calls: &[Call]) -> Vec<Vec<String>> {
    calls.iter().map(row).collect()
}

fn row(call: &Call) -> Vec<String> {
    let object = call.object.as_deref();
    let what = match call.method.as_str() {
        "tools/call" => object.unwrap_or("-").to_owned(),
        method => [Some(method), object]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" "),
    };
    vec![
        sanitized(&call.time),
        sanitized(client(call)),
        match call.server.as_str() {
            "" => "-".to_owned(),
            server => sanitized(server),
        },
        sanitized(what),
        call.outcome.map_or_else(|| "-".to_owned(), word),
        call.ms
            .map_or_else(|| "-".to_owned(), |ms| format!("{ms} ms")),
    ]
}

/// Returns who called: the name of the client, or else its process.
fn client(call: &Call) -> String {
    match &call.client {
        Some(client) => client.clone(),
        None => format!("{}[{}]", call.program, call.pid),
    }
}
