//! `import` stores all secrets of a file, or none.

mod chosen;
mod hash;
mod mistakes;

use std::fs;
use std::path::PathBuf;

use test_support::Running;

use super::home::Home;
use super::terminal::encrypt_key;

/// Returns every file of the home, except the audit log and files that the test created itself.
fn stored(home: &Home) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = home.files();
    files.retain(|(path, _)| path.starts_with(home.path("")) && !path.ends_with("audit.log"));
    files.sort();
    files
}

#[test]
fn conflicts_are_told_before_anything_is_stored() {
    let home = Home::new();
    for (key, value) in [("A", "old"), ("B", "old"), ("SAME", "same")] {
        home.run(["secret", "put", "s", key, value]).succeeded();
    }
    let file = b"NEW=n\nB=new\nA=new\nSAME=same\n";
    let import = |options: &[&str]| {
        fs::write(home.root().join("in.env"), file).unwrap();
        let run = home.run(["import", "s", "in.env"].iter().chain(options));
        fs::remove_file(home.root().join("in.env")).unwrap();
        run
    };
    import(&[]).failed(
        8,
        &[
            "error: s already has other values for B, A\n",
            "hint: nothing was imported\n",
            "hint: mcplexer import s in.env --overwrite replaces them\n",
            "hint: mcplexer import s in.env --skip-existing keeps them\n",
        ],
    );
    let listed = home.run(["secret", "list", "s"]).succeeded();
    assert_eq!(listed.text(), "A\nB\nSAME\n");
    assert_eq!(home.get("s", "A"), b"old");
    // A dry run does not even open the store for writing.
    let before = stored(&home);

    let planned = import(&["--dry-run"]).succeeded();
    let told = "add     s/NEW\nreplace s/B\nreplace s/A\nsame    s/SAME\n";
    assert_eq!(planned.text(), told);
    assert_eq!(
        planned.stderr,
        "would import 3 secrets into s (1 new, 2 replaced, 1 unchanged)\nmcplexer: hint: values differ, so the import needs --overwrite or --skip-existing\n"
    );
    let planned = import(&["--dry-run", "--skip-existing", "--json"]).succeeded();
    let document: serde_json::Value = serde_json::from_str(planned.text()).unwrap();
    assert_eq!(document["dry_run"], true);
    assert_eq!(document["scope"], "s");
    assert_eq!(document["scope_created"], false);
    assert_eq!(document["secrets"][1]["key"], "B");
    assert_eq!(document["secrets"][1]["action"], "keep");
    assert!(stored(&home) == before);

    let skipped = import(&["--skip-existing"]).succeeded();
    assert_eq!(
        skipped.stderr,
        "imported 1 secret into s (1 new, 2 kept, 1 unchanged)\n"
    );
    assert_eq!(home.get("s", "A"), b"old");
    let replaced = import(&["--overwrite", "--json"]).succeeded();
    assert_eq!(
        replaced.stderr,
        "imported 2 secrets into s (2 replaced, 2 unchanged)\n"
    );
    let document: serde_json::Value = serde_json::from_str(replaced.text()).unwrap();
    assert_eq!(document["dry_run"], false);
    assert_eq!(document["secrets"][2]["action"], "replace");
    assert_eq!(home.get("s", "A"), b"new");
    let again = import(&[]).succeeded();
    assert_eq!(again.stderr, "imported 0 secrets into s (4 unchanged)\n");
    let list = home.run(["secret", "list", "s", "--json"]).succeeded();
    let list: serde_json::Value = serde_json::from_str(list.text()).unwrap();
    let versions = list["secrets"].as_array().unwrap().iter();
    let versions: Vec<_> = versions.map(|it| it["version"].as_u64().unwrap()).collect();
    assert_eq!(versions, [2, 2, 1, 1]);
    import(&["--skip-existing", "--overwrite"]).failed(2, &["cannot be used with"]);
}

#[test]
fn a_dry_run_makes_no_store() {
    let home = Home::new();
    let planned = home
        .pipe(["import", "s", "--format", "dotenv", "--dry-run"], b"A=b")
        .succeeded();
    assert_eq!(planned.text(), "add     s/A\n");
    assert_eq!(planned.stderr, "would import 1 secret into s (1 new)\n");
    assert_eq!(home.files().len(), 0);
}

/// F18, F43: errors in names and values give the line, and one error stops the whole import.
#[test]
fn one_that_is_wrong_among_many_stops_all() {
    let home = Home::with_secret("v");
    let before = stored(&home);
    for (format, text, said) in [
        (
            "dotenv",
            "A=1\nB=2\nC-D=m4rked\nE=4\nF=5",
            "standard input, line 3: secret name in an env scope has '-' at character 2",
        ),
        (
            "dotenv",
            "A=1\nB=2\n9=m4rked\nE=4\nF=5",
            "standard input, line 3: secret name in an env scope has '9' at character 1",
        ),
        (
            "dotenv",
            "A=1\nB=2\nC=\nE=m4rked\nF=5",
            "standard input, line 3 (C): the value is empty",
        ),
        (
            "dotenv",
            "A=1\nB=2\nm4rked\nE=4\nF=5",
            "standard input, line 3: expected NAME=value",
        ),
        (
            "dotenv",
            "A=1\nB=2\nA=m4rked\n",
            "standard input, line 3 (A): duplicate name; the first is on line 1",
        ),
        (
            "json",
            "{\"A\":\"1\",\n\"m4rked =\":\"2\"}",
            "standard input, line 2: secret name has ' ' at character 7",
        ),
        (
            "json",
            "{\"A\":\"1\",\n\"B\":null}",
            "standard input, line 2, column 5 (B): null is not a value",
        ),
        (
            "json",
            "{\"A\":\"1\",\n\"B\":\"\"}",
            "standard input, line 2 (B): the value is empty",
        ),
        (
            "json",
            "[\"m4rked\"]",
            "standard input, line 1: expected one object",
        ),
        (
            "yaml",
            "A: 1\nB:\n  C: m4rked\n",
            "standard input, line 3, column 3 (B): expected a scalar value, found a sequence or a mapping",
        ),
        (
            "yaml",
            "A: 1\nB: &a m4rked\nC: *a\n",
            "standard input, line 2, column 7: anchors and aliases are not allowed",
        ),
        (
            "shell",
            "export A='m4rked'\n",
            "import reads dotenv, json and yaml: save NAME=value lines as a .env file",
        ),
        ("yaml", "\u{0}", "standard input is not text"),
        ("json", "{", "standard input, line 1, column 1: not JSON"),
        ("json", "", "nothing was read from standard input"),
        ("dotenv", "# nothing\n", "standard input has no secrets"),
    ] {
        let run = home.pipe(
            ["import", "github-token", "--format", format],
            text.as_bytes(),
        );
        assert!(!run.stderr.contains("m4rked"), "{}", run.stderr);
        run.failed(2, &[said]);
        assert!(stored(&home) == before, "{text:?}");
    }
    assert!(!home.root().join("m4rked").exists());
    home.assert_no_trace_of("m4rked");
    // A new scope is of kind env. Names are checked before the command asks for a passphrase.
    home.pipe(["import", "new", "--format", "dotenv"], b"A=1\nC-D=2")
        .failed(2, &["line 2", "--kind header"]);
    home.pipe(
        ["import", "new", "--format", "dotenv"],
        b"A=1\nC-D=2\nE=3\n9=4",
    )
    .failed(2, &["lines 2, 4: "]);
    encrypt_key(&home, "right");
    home.pipe(["import", "github-token", "--format", "dotenv"], b"C-D=2")
        .failed(2, &["line 1"]);
    home.pipe(["import", "github-token", "--format", "dotenv"], b"A=1")
        .failed(5, &["needs a passphrase"]);
}

#[test]
fn a_file_whose_format_is_not_known_is_a_usage_error() {
    let home = Home::new();
    fs::write(home.root().join("secrets.txt"), "A=m4rked").unwrap();
    home.run(["import", "s", "secrets.txt"]).failed(
        2,
        &[
            "cannot tell the format from the name secrets.txt",
            "mcplexer import s secrets.txt --format dotenv reads dotenv; there is json and yaml too",
        ],
    );
    home.pipe(["import", "s"], b"A=b").failed(
        2,
        &[
            "standard input needs --format",
            "--format dotenv reads dotenv",
        ],
    );
    home.run(["import", "s", "secrets.txt", "--format", "toml"])
        .failed(2, &["dotenv, json, yaml]"]);
    fs::write(home.root().join("secrets.sh"), "A=m4rked").unwrap();
    home.run(["import", "s", "secrets.sh"]).failed(
        2,
        &[
            "cannot tell the format from the name secrets.sh",
            "--format dotenv reads dotenv",
        ],
    );
    fs::remove_file(home.root().join("secrets.sh")).unwrap();
    home.run(["import", "s", "secrets.txt", "--format", "json"])
        .failed(2, &["secrets.txt, line 1, column 1: not JSON"]);
    home.run(["import", "s", "none.env"])
        .failed(1, &["cannot read none.env"]);
    home.run(["import", "S", "secrets.txt"])
        .failed(2, &["scope id has 'S'"]);
    assert_eq!(home.files().len(), 1, "something was made");
}

/// F01: several imports run at once, and none is lost.
#[test]
fn two_imports_at_once_both_count() {
    let home = Home::new();
    home.run(["key", "init"]).succeeded();
    let children: Vec<_> = (0..4)
        .map(|at| {
            let text: String = (0..20).map(|key| format!("K{at}_{key}=v\n")).collect();
            fs::write(home.root().join(format!("{at}.env")), text).unwrap();
            let mut command = home.command();
            command.args(["-q", "import", "s", &format!("{at}.env")]);
            Running::start(&mut command).unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let list = home.run(["secret", "list", "s"]).succeeded();
    assert_eq!(list.text().lines().count(), 80);
}

/// The second line of a value that was broken into lines is not a name, and the error does not repeat it.
#[test]
fn the_rest_of_a_value_is_no_name() {
    let home = Home::new();
    for (text, line) in [
        ("KEY=MC4CAQAw\n9xYzQwErTyUiOpAsDfGhJk==\n", 2),
        ("KEY=MC4CAQAw\nxYzQwErTyUiOpAsDfGhJk==\n", 2),
        ("KEY=MC4CAQAw\nxYzQwErTyUiOpAsDfGhJk=\n", 2),
    ] {
        let run = home.pipe(["import", "s", "--format", "dotenv"], text.as_bytes());
        let run = run.failed(2, &[&format!("line {line}")]);
        assert!(!run.stderr.contains("QwErTy"), "{}", run.stderr);
        home.run(["scope", "show", "s"]).failed(4, &[]);
    }
}

/// F17: a scope that config.yaml names is created as described there.
#[test]
fn an_import_makes_the_scope_that_the_config_names() {
    let home = Home::new();
    home.run(["key", "init"]).succeeded();
    let yaml = "auth_scopes:\n  - {id: web, name: The Web, type: header}\n";
    fs::write(home.path("config.yaml"), yaml).unwrap();
    let import = ["import", "web", "--format", "json"];
    let run = home.pipe(import, b"{\"X-Api-Key\": \"value\"}").succeeded();
    assert!(
        run.stderr
            .contains("created scope web (header, from config.yaml)"),
        "{}",
        run.stderr
    );
    assert_eq!(home.get("web", "X-Api-Key"), b"value");
}

/// Names that make a program run other code are stored, and warned of.
#[test]
fn a_name_that_takes_over_the_command_is_warned_of() {
    let home = Home::new();
    let warning = |key: &str| format!("mcplexer: warning: s/{key} takes over a command");
    for key in [
        "PATH",
        "LD_PRELOAD",
        "NODE_OPTIONS",
        "DYLD_INSERT_LIBRARIES",
    ] {
        let put = home.run(["secret", "put", "s", key, "m4rked"]).succeeded();
        assert!(put.stderr.contains(&warning(key)), "{}", put.stderr);
        assert!(!put.stderr.contains("m4rked"), "{}", put.stderr);
    }
    let file = b"TOKEN=abc\nLD_SDK_KEY=abc\nPYTHONSTARTUP=m4rked\nGIT_SSH_COMMAND=m4rked\n";
    fs::write(home.root().join("in.env"), file).unwrap();
    for (last, imported) in [("--dry-run", "would import"), ("--json", "imported")] {
        let run = home.run(["import", "s", "in.env", last]).succeeded();
        assert!(run.stderr.contains(imported), "{}", run.stderr);
        for key in ["PYTHONSTARTUP", "GIT_SSH_COMMAND"] {
            assert!(run.stderr.contains(&warning(key)), "{}", run.stderr);
        }
        assert_eq!(run.stderr.matches("warning").count(), 2, "{}", run.stderr);
        assert!(!run.stderr.contains("m4rked"), "{}", run.stderr);
    }
    fs::remove_file(home.root().join("in.env")).unwrap();
    // What is there already is not warned of again.
    let again = home
        .pipe(["import", "s", "--format", "dotenv"], file)
        .succeeded();
    assert_eq!(again.stderr, "imported 0 secrets into s (4 unchanged)\n");
    let quiet = home.run(["-q", "secret", "put", "s", "BASH_ENV", "m4rked"]);
    assert_eq!(quiet.succeeded().stderr, "");
}

#[test]
fn a_file_in_the_place_of_the_scope_and_the_file_of_a_client_are_recognised() {
    let home = Home::new();
    fs::write(home.root().join("bad.env"), "A=b\n").unwrap();
    home.run(["import", "bad.env", "shop"]).failed(
        2,
        &[
            "there is no file shop",
            "the scope comes first: mcplexer import shop bad.env",
        ],
    );
    let client = r#"{"mcpServers": {"a": {"command": "x"}}}"#;
    fs::write(home.root().join(".mcp.json"), client).unwrap();
    home.run(["import", "shop", ".mcp.json"])
        .failed(2, &["mcplexer adopt .mcp.json moves the tokens"]);
}

/// What follows a quote that is not closed would be stored with it.
#[test]
fn a_quote_that_is_not_closed_is_refused_with_its_line() {
    let home = Home::new();
    fs::write(home.root().join("u.env"), "K=\"m4rked-value\nL=1\n").unwrap();
    let run = home
        .run(["import", "s", "u.env"])
        .failed(2, &["u.env, line 1 (K): the quote \" is not closed"]);
    assert!(!run.stderr.contains("m4rked"), "{}", run.stderr);
    assert!(!home.path("secrets.redb").exists());
}
