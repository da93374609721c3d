//! What is wrong, and the commands that fix it.

use axum::extract::State;
use maud::{Markup, html};

use super::words::count;
use crate::access::Person;
use crate::api::doctor::{self, Finding, Severity};
use crate::problem::Problem;
use crate::sight::Sight;
use crate::site::App;

/// Says what is going to be checked; the checks take a while.
pub(super) async fn page(_: Person) -> Markup {
    html! {
        h1 { "Doctor" }
        p .aside { "Checks the files, every secret, the audit log and the keys. It changes nothing: run a fix in a terminal." }
        div data-part="/parts/doctor/findings" data-later="" { p .loading { "Checking…" } }
    }
}

pub(super) async fn findings(State(app): State<App>, _: Person) -> Result<Markup, Problem> {
    let mut checked = doctor::examine(&app, &Sight::default()).await?;
    // What is worse comes first.
    checked.findings.sort_by_key(|it| it.severity);
    let is_problem = |it: &&Finding| it.severity != Severity::Note;
    let problems = checked.findings.iter().filter(is_problem).count();
    Ok(html! {
        @if problems == 0 {
            p .well { "No problems found." }
        } @else {
            h2 { (count(problems, "problem")) }
        }
        @if !checked.findings.is_empty() {
            ul .findings { @for it in &checked.findings { (finding(it)) } }
        }
        @if !checked.well.is_empty() {
            h2 { "In order" }
            @for line in &checked.well { p .well { (sentence(line)) } }
        }
        p { button type="button" data-again="" { "Check again" } }
    })
}

/// A problem with its fix.
pub(super) fn finding(finding: &Finding) -> Markup {
    let (class, name, badge) = match finding.severity {
        Severity::Error => ("error", "Error", "bad"),
        Severity::Warning => ("warning", "Warning", "warn"),
        Severity::Note => ("plain", "Note", "plain"),
    };
    // Such a message begins with the name of a server.
    let message = match finding.code.as_str() {
        "reference" => ended(&finding.message),
        _ => sentence(&finding.message),
    };
    html! {
        li class=(class) {
            p { span class={ "badge " (badge) } { (name) } " " (message) " " code { (finding.code) } }
            @for fix in &finding.fix {
                @if is_command(fix) { pre .command { (fix) } } @else { p .hint { (ended(fix)) } }
            }
        }
    }
}

/// Whether a fix can be typed into a shell: the others are advice.
fn is_command(fix: &str) -> bool {
    const PROGRAMS: [&str; 9] = [
        "mcplexer", "chmod", "chown", "sudo", "rm", "git", "echo", "mkdir", "ulimit",
    ];
    let first = fix.split(' ').next().unwrap_or_default();
    PROGRAMS.contains(&first)
}

/// The text with an end.
fn ended(text: &str) -> String {
    let end = if text.ends_with(['.', '?']) { "" } else { "." };
    format!("{text}{end}")
}

/// The text as a sentence. A name that it begins with stays as it is, such as that of a file.
pub(super) fn sentence(text: &str) -> String {
    let word = text.split(' ').next().unwrap_or_default();
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if word.chars().all(char::is_alphabetic) => {
            ended(&format!("{}{}", first.to_uppercase(), letters.as_str()))
        }
        _ => ended(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_does_not_change_a_name() {
        for (text, expected) in [
            ("only one key opens it", "Only one key opens it."),
            (
                "config.yaml has no problems.",
                "config.yaml has no problems.",
            ),
            ("~/.mcplexer is open", "~/.mcplexer is open."),
            ("1 scope", "1 scope."),
            ("", "."),
        ] {
            assert_eq!(sentence(text), expected);
        }
    }
}
