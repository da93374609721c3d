//! `mcplexer audit verify`

use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

use mcplexer_secrets::{Checkpoint, Error};
use serde::Serialize;

use crate::cli::Global;
use crate::failure::{Failure, can_repeat};
use crate::output::{print, print_json};
use crate::progress::Waiting;
use crate::session::Session;
use crate::text::{count, shown};
use crate::{exit_code, input};

#[derive(Serialize)]
struct VerifyDocument<'a> {
    log: Cow<'a, str>,
    lines: u64,
    sealed: u64,
    earlier: u64,
    others: u64,
    not_committed: Vec<u64>,
    healed: u64,
    torn: u64,
}

pub(super) fn run(checkpoint: Option<&str>, json: bool, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let path = &session.audit_log()?;
    let checkpoint = checkpoint.map(parse).transpose()?;
    let waiting = Waiting::new("verifying", global);
    let report = session.store().verify_audit(path, checkpoint.as_ref())?;
    drop(waiting);
    if json {
        return print_json(&VerifyDocument {
            log: path.to_string_lossy(),
            lines: report.lines,
            sealed: report.sealed,
            earlier: report.earlier,
            others: report.others,
            not_committed: report.not_committed,
            healed: report.healed,
            torn: report.torn,
        });
    }
    let lines = count(report.lines, "line");
    let mut text = format!("{}: {lines}, an unbroken chain\n", shown(path));
    text.push_str(&match (report.sealed, report.lines) {
        (0, 0) => String::new(),
        (0, _) => "no line is sealed by the store: no change to it was recorded here\n".to_owned(),
        (line, _) => format!("sealed by the store up to line {line}\n"),
    });
    if report.earlier > 0 {
        text.push_str(&format!(
            "{} not here: on another machine, moved or deleted\n",
            match report.earlier {
                1 => "1 other log is".to_owned(),
                several => format!("{several} other logs are"),
            }
        ));
    }
    if report.others > 0 {
        text.push_str(&match report.others {
            1 => "1 log of another owner is kept on the machine of that owner\n".to_owned(),
            several => format!("{several} logs of other owners are kept on their machines\n"),
        });
    }
    for line in report.not_committed {
        text.push_str(&format!(
            "line {line} records a change that was not committed: a crash cut it short, or the store was put back to the state before it\n"
        ));
    }
    if report.torn > 0 {
        text.push_str(&format!(
            "an unfinished line of {} at the end, left by a crash; the next command removes it\n",
            count(report.torn, "byte")
        ));
    }
    if report.healed > 0 {
        text.push_str(&format!(
            "{} removed after crashes\n",
            count(report.healed, "unfinished line")
        ));
    }
    if let Some(checkpoint) = checkpoint {
        text.push_str(&format!(
            "store and log have everything up to the checkpoint (revision {}, line {})\n",
            checkpoint.revision(),
            checkpoint.line()
        ));
    }
    print(&text)
}

/// Parses a checkpoint, or reads it from a file.
fn parse(text: &str) -> Result<Checkpoint, Failure> {
    let path = Path::new(text);
    let line = match text.contains('=') || !(text.contains('/') || path.exists()) {
        _ if text == "-" => beginning_of(input::stdin()?).map_err(|error| {
            Failure::new(format!("cannot read standard input: {error}"))
                .with_hint("give the line itself, or a file with it")
        })?,
        true => text.to_owned(),
        false => read(path).map_err(|source| Error::Io {
            action: "read",
            path: path.to_owned(),
            source,
        })?,
    };
    line.trim().parse().map_err(|reason| {
        // A name without a slash, as of a file in this directory.
        let what = match line == text {
            true if can_repeat(text) => format!("there is no file {text}, and it is no checkpoint"),
            true => "neither a file nor a checkpoint".to_owned(),
            false => "not a checkpoint".to_owned(),
        };
        Failure::new(format!("{what}: {reason}"))
            .with_hint("mcplexer audit checkpoint prints one")
            .with_code(exit_code::USAGE)
    })
}

fn read(path: &Path) -> io::Result<String> {
    let file = mcplexer_durable::open_regular(path, OpenOptions::new().read(true))?;
    file.map_or(Ok(String::new()), beginning_of)
}

/// Reads the beginning of a file, which is longer than a checkpoint.
fn beginning_of(file: File) -> io::Result<String> {
    let mut text = String::new();
    file.take(4096).read_to_string(&mut text)?;
    Ok(text)
}
