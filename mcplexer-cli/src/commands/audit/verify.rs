//! `mcplexer audit verify`

use std::borrow::Cow;

use serde::Serialize;

use crate::cli::Global;
use crate::failure::Failure;
use crate::output::{print, print_json};
use crate::session::Session;
use crate::text::{count, shown};

#[derive(Serialize)]
struct VerifyDocument<'a> {
    log: Cow<'a, str>,
    lines: u64,
    sealed: u64,
    earlier: u64,
    healed: u64,
    torn: u64,
}

pub(super) fn run(json: bool, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let path = &session.audit_log()?;
    let report = session.store().verify_audit(path)?;
    if json {
        return print_json(&VerifyDocument {
            log: path.to_string_lossy(),
            lines: report.lines,
            sealed: report.sealed,
            earlier: report.earlier,
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
            "{} not here (moved or deleted)\n",
            match report.earlier {
                1 => "1 earlier log is".to_owned(),
                several => format!("{} are", count(several, "earlier log")),
            }
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
    print(&text)
}
