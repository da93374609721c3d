//! `adopt --undo`, on files that were edited by hand.

use std::fs;

use super::{config, tokens};
use crate::home::Home;
use crate::outputs::{NOWHERE, in_shell};

/// Undoing keeps what was written by hand, including a command that already ran through mcplexer.
#[test]
fn undoing_leaves_what_was_written_by_hand() {
    let home = Home::new();
    fs::write(home.root().join("odd.json"), config("odd.json")).unwrap();
    home.run(["adopt", "odd.json", "--write"]).succeeded();
    let adopted = fs::read_to_string(home.root().join("odd.json")).unwrap();
    for (part, times) in [
        ("\"args\": [\"run\", \"srv\"]", 2),
        ("mcplexer://byhand/K_TOKEN\"", 2),
        ("mcplexer://by-hand-too/L_TOKEN?moved\"", 1),
        ("mcplexer://variable/PASSWORD?adopted\"", 1),
    ] {
        assert_eq!(adopted.matches(part).count(), times, "{part} in {adopted}");
    }
    // Undoing does not need the secret byhand/K_TOKEN.
    let run = home.run(["adopt", "--undo", "odd.json"]).succeeded();
    assert!(
        run.stderr.starts_with(
            "put 2 values back into odd.json, in plaintext; 1 server starts without mcplexer again\n"
        ),
        "{}",
        run.stderr
    );
    let undone = fs::read_to_string(home.root().join("odd.json")).unwrap();
    assert_eq!(undone, config("odd.json"));
}

#[test]
fn undoing_keeps_options_that_were_given_since() {
    let home = Home::new();
    fs::write(home.root().join("c.json"), config("minified.json")).unwrap();
    home.run(["adopt", "c.json", "--write"]).succeeded();
    let path = home.root().join("c.json");
    let text = fs::read_to_string(&path).unwrap();
    let edited = text.replace("\"run\", \"a-mcp\"", "\"run\", \"--mask\", \"a-mcp\"");
    assert_ne!(edited, text);
    fs::write(&path, edited).unwrap();
    let run = home.run(["adopt", "--undo", "c.json"]).succeeded();
    assert!(
        run.stderr.contains("a still starts through mcplexer run"),
        "{}",
        run.stderr
    );
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text.contains("--mask") && text.contains("\"command\":\"b-mcp\"}"),
        "{text}"
    );
    assert!(text.contains(&tokens()["github"]), "{text}");
    // A missing secret is an error, and nothing changes.
    fs::write(&path, config("minified.json")).unwrap();
    home.run(["adopt", "c.json", "--write"]).succeeded();
    home.run(["secret", "delete", "b", "B_TOKEN"]).succeeded();
    let text = fs::read_to_string(&path).unwrap();
    home.run(["adopt", "--undo", "c.json"]).failed(
        4,
        &["c.json, line 1, column", "no secret B_TOKEN in scope b"],
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    // The other server can still be undone.
    home.run(["adopt", "--undo", "c.json", "--server", "a"])
        .succeeded();
    assert!(
        fs::read_to_string(&path)
            .unwrap()
            .contains("\"command\":\"a-mcp\",\"args\":[\"-x\"]")
    );
}

/// If the list of what was moved cannot be printed, the error still says that the file was rewritten.
#[test]
fn a_change_whose_output_is_lost_is_told() {
    let home = Home::new();
    let file = home.root().join("a b.json");
    for line in NOWHERE {
        for json in [&[][..], &["--json"]] {
            fs::write(&file, config("minified.json")).unwrap();
            let all = |arguments: &[&'static str]| [arguments, json].concat();
            let plan = in_shell(&home, line, &all(&["adopt", "a b.json"]));
            let plan = plan.failed(1, &["cannot write to standard output"]);
            assert!(!plan.stderr.contains("--undo"), "{}", plan.stderr);
            let write = in_shell(&home, line, &all(&["adopt", "a b.json", "--write"]));
            assert_eq!(write.code, 1, "{}", write.stderr);
            for said in [
                "cannot write to standard output",
                "moved into the store nevertheless",
                "mcplexer adopt --undo 'a b.json' puts it back",
            ] {
                assert!(write.stderr.contains(said), "{}", write.stderr);
            }
            assert_ne!(fs::read_to_string(&file).unwrap(), config("minified.json"));
            let undo = in_shell(&home, line, &all(&["adopt", "--undo", "a b.json"]));
            if json.is_empty() {
                undo.succeeded();
            } else {
                undo.failed(1, &["a b.json was put back nevertheless"]);
            }
            assert_eq!(fs::read_to_string(&file).unwrap(), config("minified.json"));
        }
    }
}
