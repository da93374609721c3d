//! What is wrong, and the command that fixes it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::browser::Visit;
use crate::place::Place;

/// Returns the commands of the findings.
const FIXES: &str =
    "return [...document.querySelectorAll('.findings pre')].map((it) => it.innerText)";

#[test]
fn a_problem_comes_with_its_fix() {
    let place = Place::with_secret();
    fs::set_permissions(place.path(""), Permissions::from_mode(0o755)).unwrap();
    let Some(visit) = Visit::to(place) else {
        return;
    };
    let (browser, place) = (&visit.browser, &visit.place);
    browser.click("Doctor");
    browser.wait_for("2 problems");
    let fix = format!("chmod 700 {}", place.path("").display());
    let fix = fix.trim_end_matches('/');
    let fixes = browser.script(FIXES, &json!([]));
    // What is only worth knowing is not counted, and comes last.
    let backup = "mcplexer backup create mcplexer-backup.age";
    assert_eq!(fixes, json!([fix, "mcplexer key recovery", backup]));
    browser.press("Copy");
    let copied = browser.pasted();
    assert_eq!(copied, fix);
    let shell = place.command("/bin/sh").args(["-c", &copied]).status();
    assert!(shell.unwrap().success());
    browser.press("Check again");
    browser.wait(
        "[...document.querySelectorAll('main h2')].some((it) => it.innerText === '1 problem')",
    );
    let fixes = browser.script(FIXES, &json!([]));
    assert_eq!(fixes, json!(["mcplexer key recovery", backup]));
    let mut doctor = place.command(env!("CARGO_BIN_EXE_mcplexer"));
    let found = doctor.args(["doctor", "--json"]).output().unwrap().stdout;
    let found: Value = serde_json::from_slice(&found).unwrap();
    let found = found["findings"].as_array().unwrap();
    // A terminal has them in the order of the checks.
    let same: Vec<_> = found.iter().rev().map(|it| &it["fix"][0]).collect();
    assert_eq!(json!(same), fixes);
}

#[test]
fn the_fix_of_a_missing_secret_is_a_command_and_names_stay() {
    let place = Place::with_secret();
    let text = "servers:\n  missing:\n    command: [x]\n    env: {T: \"mcplexer://nope/T\"}\n";
    fs::write(place.path("config.yaml"), text).unwrap();
    let Some(visit) = Visit::to(place) else {
        return;
    };
    let browser = &visit.browser;
    visit.at("/doctor");
    browser.wait("document.body.innerText.includes(' missing refers to mcplexer://nope/T')");
    let fixes = browser.script(FIXES, &json!([]));
    assert_eq!(fixes[0], "mcplexer secret put nope T", "{fixes}");
}
