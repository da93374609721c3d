//! `mcplexer doctor`

use mcplexer_home::doctor::{Doctor, Finding, Report, Severity, Surroundings};
use mcplexer_home::{Home, harden};

use crate::cli::Global;
use crate::failure::{Context, Failure};
use crate::output::{print, print_json};
use crate::progress::Bar;
use crate::scratch::Abandoned;
use crate::session::Terminal;
use crate::style::{Look, Paint};
use crate::text::{count, sanitized, shortened};
use crate::{exit_code, prompt};

pub(super) fn run(fix: bool, strict: bool, json: bool, global: Global) -> Result<(), Failure> {
    harden();
    let home = Home::from_env()?;
    let bar = Bar::new("opening", global);
    let surroundings = Surroundings::of(|name| std::env::var_os(name));
    let doctor = Doctor { fix, surroundings };
    let report = doctor.examine(home.clone(), Terminal::new(global), &mut |it| bar.show(it));
    drop(bar);
    let mut report = report?;
    add_failing(&home, &mut report);
    for left in Abandoned::find() {
        report.add_left_value(left.path(), fix && left.erase().is_ok());
    }
    let context = Context::new(Some(&home), prompt::was_left());
    let report = advised(report, &context);
    match json {
        true => print_json(&report)?,
        false => print(&text(&report, Paint::stdout()))?,
    }
    let (errors, warnings) = (report.open(Severity::Error), report.open(Severity::Warning));
    match errors == 0 && !(strict && warnings > 0) {
        true => Ok(()),
        false => Err(Failure::silent(exit_code::FAILURE)),
    }
}

/// Adds the servers of a gateway that do not work. Without a gateway, nothing has tried to start them.
#[cfg(feature = "serve")]
fn add_failing(home: &Home, report: &mut Report) {
    use mcplexer_gateway::{Control, State};
    // Others could have put a gateway of their own there.
    if report
        .findings
        .iter()
        .any(|it| it.severity == Severity::Error)
    {
        return;
    }
    let Ok(status) = Control::of(home).status() else {
        return;
    };
    for server in status
        .servers
        .iter()
        .filter(|it| it.state == State::Failing)
    {
        report.add_failing(&server.name, server.reason.as_deref());
    }
}

#[cfg(not(feature = "serve"))]
fn add_failing(_: &Home, _: &mut Report) {}

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
                finding.done = finding.done.take().map(shortened);
            }
        }
    }
    report
}

fn text(report: &Report, paint: Paint) -> String {
    let mut text = String::new();
    for line in &report.well {
        let mark = paint.text(Look::Good, "✓");
        text.push_str(&format!("{mark} {}\n", sanitized(line)));
    }
    for finding in &report.findings {
        add(finding, paint, &mut text);
    }
    let open = [
        count(report.open(Severity::Error), "error"),
        count(report.open(Severity::Warning), "warning"),
    ];
    let open: Vec<_> = open
        .into_iter()
        .filter(|it| !it.starts_with("0 "))
        .collect();
    text.push_str(&match open.is_empty() {
        true => "no problems found\n".to_owned(),
        false => format!("{}\n", open.join(", ")),
    });
    text
}

fn add(finding: &Finding, paint: Paint, text: &mut String) {
    let mark = match (finding.fixed, finding.severity) {
        (true, _) => paint.text(Look::Good, "✓"),
        (_, Severity::Error) => paint.text(Look::Error, "✗"),
        (_, Severity::Warning) => paint.text(Look::Warning, "!"),
        _ => "·".to_owned(),
    };
    let message = sanitized(&finding.message);
    text.push_str(&format!("{mark} {message}   [{}]\n", finding.code));
    if let Some(done) = &finding.done {
        text.push_str(&format!("  fixed: {}\n", sanitized(done)));
        return;
    }
    for fix in &finding.fix {
        text.push_str(&format!("  {}\n", sanitized(fix)));
    }
}
