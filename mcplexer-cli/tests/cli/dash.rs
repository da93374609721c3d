//! `-` is standard input or output, never a file of that name.

use super::home::{Home, finish};

const VALUE: &str = "m4rked-S3cret-value-0123456789";

#[test]
fn what_is_written_to_a_dash_is_standard_output() {
    let home = Home::with_secret(VALUE);
    let template = b"t = mcplexer://github-token/TOKEN\n";
    let exported = home.run(["export", "github-token", "-o", "-"]).succeeded();
    assert_eq!(exported.text(), format!("TOKEN={VALUE}\n"));
    assert_eq!(exported.stderr, "");
    for filled in [
        home.pipe(["inject", "-o", "-"], template),
        home.pipe(["inject", "-i", "-"], template),
        home.pipe(["inject", "-i", "-", "-o", "-"], template),
    ] {
        assert_eq!(filled.succeeded().text(), format!("t = {VALUE}\n"));
    }
    home.run(["export", "github-token", "-o", "./-"])
        .succeeded();
    assert!(home.root().join("-").exists());
    std::fs::remove_file(home.root().join("-")).unwrap();
    // What a coding agent would read is refused as without -o.
    for command in [
        &["export", "github-token", "-o", "-"][..],
        &["inject", "-o", "-"],
    ] {
        finish(home.command().env("CLAUDECODE", "1").args(command))
            .failed(3, &["CLAUDECODE is set"]);
    }
    assert!(!home.root().join("-").exists());
}

#[test]
fn what_is_read_from_a_dash_is_standard_input() {
    let home = Home::new();
    let imported = home.pipe(
        ["import", "s", "-", "--format", "dotenv"],
        b"TOKEN=m4rked\n",
    );
    imported.succeeded();
    assert_eq!(home.get("s", "TOKEN"), b"m4rked");
    home.pipe(["import", "s", "-"], b"TOKEN=m4rked\n")
        .failed(2, &["standard input needs --format"]);
    let file = b"PORT=8080\nTOKEN=mcplexer://s/TOKEN\n";
    let print = [
        "run",
        "--env-file",
        "-",
        "sh",
        "-c",
        "echo $PORT $TOKEN; cat",
    ];
    assert_eq!(home.pipe(print, file).succeeded().text(), "8080 m4rked\n");
    let bad = home.pipe(print, b"TOKEN=mcplexer://s/NONE\n");
    bad.failed(
        4,
        &["standard input, line 1 (TOKEN): no secret NONE in scope s"],
    );
    home.pipe(print, b"m4rked line\n")
        .failed(2, &["standard input, line 1: expected NAME=value"]);
    home.pipe(["run", "--env-file", "-", "--env-file", "-", "true"], file)
        .failed(2, &["--env-file - is given twice"]);
    assert!(!home.root().join("-").exists());
}
