//! The API does what its description says, whatever it is sent: schemathesis makes up the requests.

use std::path::PathBuf;

use test_support::skip;

use super::place::Place;

/// What must be as documented. That every odd body is refused, and every fitting one accepted, is not told by a schema: a name
/// has a rule of its own.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,\
                      response_headers_conformance,unsupported_method,ignored_auth";

/// Finds what `.ci/servers` has installed.
pub(super) fn installed(name: &str) -> Option<PathBuf> {
    let place = std::env::var_os("MCPLEXER_TEST_SERVERS").map(PathBuf::from);
    let found = place.map(|it| it.join(name)).filter(|it| it.exists());
    if found.is_none() {
        skip("servers", &format!("no {name} in MCPLEXER_TEST_SERVERS"));
    }
    found
}

fn check(examples: u32) {
    let Some(program) = installed("bin/st") else {
        return;
    };
    let place = Place::with_secret();
    let opened = place.ui();
    let token = opened.token();
    // What ends the session would end the rest of the requests.
    let output = place
        .command(program)
        .args(["run", &format!("{}/api/v1/openapi.json", opened.origin)])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .args(["--exclude-path", "/api/v1/session"])
        // A stream goes on until its reader leaves.
        .args(["--exclude-path-regex", "/stream$"])
        .args(["--checks", CHECKS, "--phases", "examples,coverage,fuzzing"])
        .args(["--max-examples", &examples.to_string(), "--seed", "1"])
        .args(["--continue-on-failure", "--warnings", "off", "--no-color"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    // How many requests it made.
    let summary = said.split_once("= SUMMARY =");
    println!("{}", summary.map_or(&*said, |(_, it)| it));
    assert_eq!(
        opened.asked(&token, "GET", "/api/v1/scopes").status,
        200,
        "{said}"
    );
}

#[test]
fn every_answer_is_documented() {
    check(8);
}

#[test]
#[ignore = "minutes"]
fn every_answer_to_many_requests_is_documented() {
    check(500);
}
