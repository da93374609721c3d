//! `mcplexer calls`

use std::path::Path;
use std::thread;
use std::time::Duration;

use mcplexer_home::calls::{Call, CallReader, Ending, Seen, Wanted, unmatched};
use serde::Serialize;

use super::audit::{outcome_look, word};
use crate::cli::{Calls, Global};
use crate::clock::Clock;
use crate::exit_code;
use crate::failure::Failure;
use crate::output::{json_line, print, print_json, print_on, stdout_is_terminal};
use crate::session::Session;
use crate::style::Look;
use crate::table::{Columns, Screen};
use crate::text::{count, sanitized};

/// How often the log is looked at for more.
const INTERVAL: Duration = Duration::from_millis(200);

/// How many names of a log are said at most.
const MOST_NAMES: usize = 8;

/// Stands where a call has no end in the log.
const OPEN: &str = "open";

/// The column that says what was called.
const CALL: usize = 3;
/// The column that says how a call ended.
const OUTCOME: usize = 4;

#[derive(Serialize)]
struct Document {
    calls: Vec<Call>,
}

pub(super) fn run(arguments: &Calls, global: Global) -> Result<(), Failure> {
    // With --follow, that is to see what comes.
    if arguments.last == 0 && !arguments.follow {
        return Err(Failure::new("--last 0 shows no calls")
            .with_hint("give a number from 1 on, or --follow to see the next ones")
            .with_code(exit_code::USAGE));
    }
    let session = Session::open(global)?;
    let path = &session.audit_log()?;
    if !path.exists() {
        // A log that is missing is another matter than one that has no lines yet.
        session.store().scope_names()?;
    }
    let last = usize::try_from(arguments.last).unwrap_or(usize::MAX);
    let wanted = wanted(arguments);
    let open = || CallReader::open(path).map(|it| it.map(|it| it.only(wanted.clone())));
    let mut reader = open()?;
    let mut calls = match &mut reader {
        Some(reader) => reader.last(last)?,
        None => Vec::new(),
    };
    let mut columns = Calling::new(Clock::new(arguments.utc));
    if calls.is_empty() && !arguments.json {
        session.tell(&why_none(path, &wanted, last, &columns.clock)?);
    }
    if !arguments.follow {
        return match arguments.json {
            true => print_json(&Document { calls }),
            false => print(&columns.text(&calls)),
        };
    }
    loop {
        let text = match arguments.json {
            true => calls.iter().map(json_line).collect::<Result<_, _>>()?,
            false => columns.text(&calls),
        };
        if !print_on(&text)? {
            return Ok(());
        }
        calls = match &mut reader {
            Some(reader) => reader.ended()?,
            None => {
                reader = open()?;
                let begun = reader.as_mut().map(|it| it.last(usize::MAX)).transpose()?;
                begun.unwrap_or_default()
            }
        };
        if calls.is_empty() {
            thread::sleep(INTERVAL);
        }
    }
}

fn wanted(arguments: &Calls) -> Wanted {
    Wanted {
        server: arguments.server.clone(),
        client: arguments.client.clone(),
        ending: arguments.failed.then_some(Ending::Problem),
        since: arguments.since,
        ..Wanted::default()
    }
}

/// Says why no call is shown: which option leaves none.
fn why_none(path: &Path, wanted: &Wanted, last: usize, clock: &Clock) -> Result<String, Failure> {
    let found = unmatched(path, wanted)?;
    let Some(newest) = &found.last else {
        return Ok("no calls are in the log yet".to_owned());
    };
    if last == 0 {
        return Ok("--last 0 shows no call".to_owned());
    }
    let mut reasons = Vec::new();
    let named = |what: &str, name: &Option<String>, seen: &Seen| {
        let name = name.as_deref().unwrap_or_default();
        let mut names: Vec<_> = seen.iter().take(MOST_NAMES).map(sanitized).collect();
        if seen.len() > MOST_NAMES {
            names.push("…".to_owned());
        }
        let others = match names.is_empty() {
            true => String::new(),
            false => format!(", but {}", names.join(", ")),
        };
        format!("no call in the log is {what} {}{others}", sanitized(name))
    };
    if let Some(seen) = &found.server {
        reasons.push(named("to server", &wanted.server, seen));
    }
    if let Some(seen) = &found.client {
        reasons.push(named("of client", &wanted.client, seen));
    }
    if found.ending {
        reasons.push("no call in the log failed".to_owned());
    }
    if found.since {
        let newest = clock.of_line(newest);
        reasons.push(format!(
            "no call in the log is as new as --since asks; the last one was at {newest}"
        ));
    }
    if reasons.is_empty() {
        let parts = [
            wanted.since.map(|_| "--since"),
            wanted.server.as_ref().map(|_| "--server"),
            wanted.client.as_ref().map(|_| "--client"),
            wanted.ending.map(|_| "--failed"),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        reasons.push(format!(
            "{} in the log; each of {} leaves some, but no call fits all of them",
            count(found.calls, "call"),
            parts.join(", ")
        ));
    }
    Ok(reasons.join("\n"))
}

/// Calls as rows, one after the other. On a terminal, they have a head.
struct Calling {
    columns: Columns,
    clock: Clock,
    is_headed: bool,
}

impl Calling {
    fn new(clock: Clock) -> Self {
        Self {
            columns: Columns::new(Screen::stdout())
                .with_look(look)
                .with_name(CALL),
            clock,
            is_headed: !stdout_is_terminal(),
        }
    }

    fn text(&mut self, calls: &[Call]) -> String {
        let rows: Vec<_> = calls.iter().map(|it| row(it, &self.clock)).collect();
        if calls.is_empty() || std::mem::replace(&mut self.is_headed, true) {
            return self.columns.rows(&rows);
        }
        let head = ["TIME", "CLIENT", "SERVER", "CALL", "OUTCOME", "TOOK"];
        self.columns.headed(&head, &rows)
    }
}

fn look(column: usize, text: &str) -> Option<Look> {
    match (column, text) {
        (OUTCOME, _) => outcome_look(text),
        _ => None,
    }
}

fn row(call: &Call, clock: &Clock) -> Vec<String> {
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
        clock.of_line(&call.time),
        sanitized(client(call)),
        match call.server.as_str() {
            "" => "-".to_owned(),
            server => sanitized(server),
        },
        sanitized(what),
        call.outcome.map_or_else(|| OPEN.to_owned(), word),
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
