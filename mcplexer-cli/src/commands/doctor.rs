//! `mcplexer doctor`

use mcplexer_home::doctor::{Doctor, Finding, Report, Severity};
use mcplexer_home::{Home, harden};

use crate::cli::Global;
use crate::failure::{Context, Failure};
use crate::output::{print, print_json};
use crate::progress::Bar;
use crate::session::Terminal;
use crate::text::{count, sanitized, shortened};
use crate::{exit_code, prompt};

pub(super) fn run(fix: bool, json: bool, global: Global) -> Result<(), Failure> {
    harden();
    let home = Home::from_env()?;
    let bar = Bar::new("opening", global);
    let doctor = Doctor { fix };
    let report = doctor.examine(home.clone(), Terminal::new(global), &mut |it| bar.show(it));
    drop(bar);
    let context = Context::new(Some(&home), prompt::was_left());
    let report = advised(report?, &context);
    match json {
        true => print_json(&report)?,
        false => print(&text(&report))?,
    }
    match report.open() {
        0 => Ok(()),
        _ => Err(Failure::silent(exit_code::FAILURE)),
    }
}

/// Adds advice on errors of the store, and shortens paths for people.
fn advised(mut report: Report, context: &Context) -> Report {
    for line in &mut report.well {
        *line = shortened(&*line);
    }
    for finding in &mut report.findings {
        match finding.cause.take() {
            Some(cause) => {
                let words = Failure::from(cause).words(context);
                (finding.message, finding.fix) = (words.message, words.hints);
            }
            None => {
                finding.message = shortened(&finding.message);
                finding.fix = finding.fix.iter().map(shortened).collect();
            }
        }
    }
    report
}

fn text(report: &Report) -> String {
    let mut text = String::new();
    for line in &report.well {
        text.push_str(&format!("✓ {}\n", sanitized(line)));
    }
    report
        .findings
        .iter()
        .for_each(|finding| add(finding, &mut text));
    text.push_str(&match report.open() {
        0 => "no problems found\n".to_owned(),
        open => format!("{}\n", count(open, "problem")),
    });
    text
}

fn add(finding: &Finding, text: &mut String) {
    let mark = match (finding.fixed, finding.severity) {
        (true, _) => '✓',
        (_, Severity::Error) => '✗',
        (_, Severity::Warning) => '!',
        _ => '·',
    };
    let fixed = if finding.fixed { ": fixed" } else { "" };
    let message = sanitized(&finding.message);
    text.push_str(&format!("{mark} {message}{fixed}   [{}]\n", finding.code));
    if !finding.fixed {
        for fix in &finding.fix {
            text.push_str(&format!("  {}\n", sanitized(fix)));
        }
    }
}
