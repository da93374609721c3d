//! Which secrets of a file are imported: those that are named, and no blank ones.

use crate::home::Home;

/// A blank variable refused the whole file, and nothing left it out.
#[test]
fn what_is_blank_is_left_out_if_asked_to() {
    for (format, file, line) in [
        (
            "dotenv",
            "TOKEN=abc12345xyz\nDEBUG=\n",
            "line 2 (DEBUG): the value is empty",
        ),
        (
            "dotenv",
            "TOKEN=abc12345xyz\nDEBUG=''\n",
            "line 2 (DEBUG): the value is empty",
        ),
        (
            "json",
            "{\"TOKEN\": \"abc12345xyz\",\n\"DEBUG\": \"\"}",
            "line 2 (DEBUG): the value is empty",
        ),
        (
            "json",
            "{\"TOKEN\": \"abc12345xyz\",\n\"DEBUG\": null}",
            "(DEBUG): null is not a value",
        ),
        (
            "yaml",
            "TOKEN: abc12345xyz\nDEBUG:\n",
            "(DEBUG): null is not a value",
        ),
        (
            "yaml",
            "TOKEN: abc12345xyz\nDEBUG: ''\n",
            "line 2 (DEBUG): the value is empty",
        ),
    ] {
        let home = Home::new();
        let import = |option: &str, value: &str| {
            home.pipe(
                ["import", "s", "--format", format, option, value],
                file.as_bytes(),
            )
        };
        for refused in [
            home.pipe(["import", "s", "--format", format], file.as_bytes()),
            import("--blank", "error"),
        ] {
            refused.failed(
                2,
                &[
                    line,
                    "--blank skip leaves out every blank value",
                    "--skip DEBUG leaves out this one",
                ],
            );
        }
        let skipped = import("--blank", "skip").succeeded();
        assert!(
            skipped
                .stderr
                .contains("imported 1 secret into s (1 new)\nleft out because blank: DEBUG\n"),
            "{}",
            skipped.stderr
        );
        assert_eq!(home.get("s", "TOKEN"), b"abc12345xyz");
        for (option, value) in [("--skip", "DEBUG"), ("--only", "TOKEN")] {
            let run = import(option, value).succeeded();
            assert_eq!(run.stderr, "imported 0 secrets into s (1 unchanged)\n");
        }
        let json = home.pipe(
            [
                "import", "s", "--format", format, "--blank", "skip", "--json",
            ],
            file.as_bytes(),
        );
        let json: serde_json::Value = serde_json::from_str(json.succeeded().text()).unwrap();
        assert_eq!(json["blank"], serde_json::json!(["DEBUG"]));
        import("--only", "DEBUG").failed(2, &[line]);
    }
}

#[test]
fn what_is_named_is_taken_or_left_out() {
    let home = Home::new();
    let file = b"{\"A\": \"1\", \"B\": [1], \"my key\": {}, \"C\": \"3\", \"D\": \"4\"}";
    let import = |options: [&str; 4]| {
        let [a, b, c, d] = options;
        home.pipe(["import", "s", "--format", "json", a, b, c, d], file)
    };
    let refused = home.pipe(["import", "s", "--format", "json"], file);
    // Another name has a mistake, and is not repeated: --skip B alone would not do.
    assert!(!refused.stderr.contains("--skip"), "{}", refused.stderr);
    refused.failed(2, &["(B): expected a string"]);
    import(["--only", "A,C", "--skip", "C"]).succeeded();
    let list = || {
        home.run(["secret", "list", "s"])
            .succeeded()
            .text()
            .to_owned()
    };
    assert_eq!(list(), "A\n");
    import(["--skip", "B,my key", "--skip", "A,D"]).succeeded();
    assert_eq!(list(), "A\nC\n");
    import(["--only", "A,NONE", "--skip", "B"]).failed(
        4,
        &[
            "standard input has no NONE",
            "--only and --skip name secrets of the file",
        ],
    );
    import(["--only", "A", "--skip", "none"]).failed(4, &["standard input has no none"]);
    import(["--only", "A", "--skip", "A"]).failed(2, &["standard input has no secrets"]);
    // A name that is there twice is left out with both.
    let twice = b"A=1\nB=2\nB=3\n";
    home.pipe(["import", "t", "--format", "dotenv"], twice)
        .failed(2, &["line 3 (B): duplicate name", "--skip B"]);
    home.pipe(["import", "t", "--format", "dotenv", "--skip", "B"], twice)
        .succeeded();
    assert_eq!(home.get("t", "A"), b"1");
}
