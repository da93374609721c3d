//! `config.yaml`: scopes by name and kind, and never a value.

mod apply;
mod servers;

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;

use test_support::STANDARD_PATH;

use super::home::{Home, Run, finish};

const VALUE: &str = "m4rked-S3cret-value-0123456789";

const SCOPES: &str = "\
auth_scopes:
  - id: api
    name: 'The API: \"v2\"'
    type: header
    redaction_hints: [X-Session]
  - id: github-token
    type: env
  - id: '007'
    type: oauth2
";

/// Creates a home with this text as its config.yaml.
fn with_config(text: &str) -> Home {
    let home = Home::new();
    home.run(["key", "init"]).succeeded();
    fs::write(home.path("config.yaml"), text).unwrap();
    home
}

/// Creates a file outside the home, so that the home can be searched for its contents.
fn outside(text: &str) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("scopes.yaml");
    fs::write(&path, text).unwrap();
    (directory, path)
}

fn document(run: &Run) -> Value {
    serde_json::from_slice(&run.stdout).unwrap()
}

fn scopes(home: &Home) -> Vec<String> {
    let list = home.run(["scope", "list"]).succeeded();
    list.text().lines().map(str::to_owned).collect()
}

/// F17: a put creates the scope as the file describes it.
#[test]
fn a_put_makes_the_scope_that_the_file_names() {
    let home = with_config(SCOPES);
    let put = home.run(["secret", "put", "api", "X-Api-Key", "v"]);
    assert_eq!(
        put.succeeded().stderr,
        "created scope api (header, from config.yaml)\nstored api/X-Api-Key, version 1\n"
    );
    let shown = document(&home.run(["scope", "show", "api", "--json"]).succeeded());
    assert_eq!(shown["name"], "The API: \"v2\"");
    assert_eq!(shown["redaction_hints"], json!(["X-Session"]));
    let put = home.run(["secret", "put", "other", "K", "v"]).succeeded();
    assert!(
        put.stderr.starts_with("created scope other (env)\n"),
        "{}",
        put.stderr
    );
    // Existing scopes do not change, and their kind decides which names are valid.
    home.run(["secret", "put", "github-token", "X-Api-Key", "v"])
        .failed(2, &["secret name in an env scope"]);
    home.run(["secret", "put", "007", "X-Api-Key", "v"])
        .failed(2, &["secret name in an oauth2 scope"]);
    assert_eq!(scopes(&home), ["api", "other"]);
}

/// F17: an invalid file is an error, not ignored. It does not matter for scopes that already exist.
#[test]
fn a_put_into_a_new_scope_needs_a_file_that_is_well() {
    let home = with_config(SCOPES);
    home.run(["secret", "put", "api", "K", "v"]).succeeded();
    fs::write(
        home.path("config.yaml"),
        "auth_scopes:\n  - id: web\n    tipe: header\n",
    )
    .unwrap();
    home.run(["secret", "put", "web", "K", "v"]).failed(
        2,
        &["error: ~/.mcplexer/config.yaml:3:5: auth_scopes[0]: unknown field; the fields are id, "],
    );
    assert_eq!(scopes(&home), ["api"]);
    home.run(["secret", "put", "api", "K", "w"]).succeeded();
    assert_eq!(home.get("api", "K"), b"w");
}

/// F17, F22: a value in the file is refused, and appears in no message, no store and no log.
#[test]
fn a_value_in_the_file_is_refused_and_not_repeated() {
    let home = Home::with_secret("v");
    let files = [
        (
            format!("    token: {VALUE}"),
            "3:12: auth_scopes[0].token: values are not allowed in this file",
        ),
        (
            format!("    env:\n      TOKEN: {VALUE}"),
            "4:7: auth_scopes[0].env: values are not allowed in this file",
        ),
        (
            format!("    {VALUE}: x"),
            "3:5: auth_scopes[0]: unknown field",
        ),
        (
            format!("    type: {VALUE}"),
            "3:11: auth_scopes[0].type: invalid type",
        ),
        (
            format!("    name: [{VALUE}]"),
            "3:11: auth_scopes[0].name: expected text",
        ),
        (
            format!("  - id: {VALUE}"),
            "3:9: auth_scopes[1].id: invalid scope id",
        ),
        (format!("    name: \"{VALUE}"), "3:11: not YAML"),
        (
            format!("    # ghp_0123456789abcdefghijABCDEFGHIJ012345 {VALUE}"),
            "3:7: credentials are not allowed in this file",
        ),
    ];
    for (line, said) in files {
        let (_directory, path) = outside(&format!("auth_scopes:\n  - id: web\n{line}\n"));
        let path = path.to_str().unwrap();
        for arguments in [
            &["config", "check", path][..],
            &["config", "apply", path],
            &["config", "apply", path, "--prune", "--force"],
        ] {
            let run = home.run(arguments);
            assert!(!run.stderr.contains("m4rked"), "{}", run.stderr);
            run.failed(2, &[&format!("error: {path}:{said}")]);
        }
        let run = home.run(["config", "check", path, "--json"]);
        assert_eq!(run.code, 2);
        assert!(!String::from_utf8_lossy(&run.stdout).contains("m4rked"));
        home.assert_no_trace_of(VALUE);
    }
    let named = "auth_scopes:\n  - id: web\n    token: x\n    password: y\n";
    home.pipe(["config", "check", "-"], named.as_bytes())
        .failed(
            2,
            &[
                "error: standard input:3:12: auth_scopes[0].token: ",
                "error: standard input:4:15: auth_scopes[0].password: ",
                "hint: mcplexer secret put web TOKEN stores a value",
                "hint: mcplexer secret put web PASSWORD stores a value",
            ],
        );
    assert_eq!(scopes(&home), ["github-token"]);
}

#[test]
fn json_of_config_has_the_documented_shapes() {
    let home = with_config(SCOPES);
    let check = |text: &[u8]| home.pipe(["config", "check", "-", "--json"], text);
    let well = json!({ "file": "-", "scopes": 0, "servers": 0, "problems": [], "warnings": [] });
    assert_eq!(document(&check(b"auth_scopes: []").succeeded()), well);
    let wrong = check(b"auth_scopes: []\ntoken: x");
    assert_eq!((wrong.code, wrong.stderr.as_str()), (2, ""));
    let problem = json!({
        "line": 2,
        "column": 8,
        "path": "token",
        "message": "values are not allowed in this file",
        "hint": "mcplexer secret put SCOPE TOKEN stores a value",
    });
    let expected = json!({ "file": "-", "scopes": null, "servers": null, "problems": [problem], "warnings": [] });
    assert_eq!(document(&wrong), expected);

    let applied = home.run(["config", "apply", "--dry-run", "--json"]);
    let applied = document(&applied.succeeded());
    assert_eq!(applied["dry_run"], true);
    let first = json!({ "scope": "007", "action": "create", "secrets": 0 });
    assert_eq!(applied["scopes"][0], first);
    home.run(["config", "apply"]).succeeded();
    let shown = document(&home.run(["config", "show", "--json"]).succeeded());
    let expected = json!({
        "id": "api",
        "name": "The API: \"v2\"",
        "type": "header",
        "redaction_hints": ["X-Session"],
    });
    assert_eq!(shown["auth_scopes"][1], expected);
    assert_eq!(shown["auth_scopes"].as_array().unwrap().len(), 3);
}

/// F35: the error names the path that was tried.
#[test]
fn a_file_that_cannot_be_read_is_named() {
    let home = Home::new();
    for command in ["check", "apply"] {
        home.run(["config", command]).failed(
            1,
            &[
                "cannot read ~/.mcplexer/config.yaml: No such file",
                "mcplexer config show > scopes.yaml && mv scopes.yaml ~/.mcplexer/config.yaml",
            ],
        );
        home.run(["config", command, "."])
            .failed(1, &["cannot read ."]);
        home.pipe(["config", command, "-"], b"\xff")
            .failed(2, &["standard input:1:1: not UTF-8 text"]);
    }
    assert_eq!(home.files().len(), 0, "asking made something");
}

#[test]
fn the_documented_file_is_one() {
    let document = include_str!("../../../docs/config.md");
    let (_, file) = document.split_once("```yaml\n").unwrap();
    let (file, _) = file.split_once("```").unwrap();
    let home = Home::new();
    let applied = home.pipe(["config", "apply", "-"], file.as_bytes());
    applied.succeeded();
    assert_eq!(scopes(&home), ["drive", "github-token", "search-api"]);
    let with_value = "auth_scopes:\n  - id: github-token\n    token: x\n";
    fs::write(home.path("config.yaml"), with_value).unwrap();
    let refused = home.run(["config", "check"]);
    assert!(document.contains(&refused.stderr), "{}", refused.stderr);
}

#[test]
fn the_schema_is_printed() {
    let schema = Home::new().run(["config", "schema"]).succeeded();
    let documented = include_str!("../../../crates/mcplexer-files/src/config/schema.json");
    assert_eq!(schema.text(), documented);
}

/// An access token is not passed as a variable on its own, but `run` can be asked to pass it as one.
#[test]
fn an_oauth2_scope_gives_its_token_under_the_name_asked_for() {
    let home = Home::new();
    let create = ["scope", "create", "o", "--kind", "oauth2"];
    home.run(create).succeeded();
    for name in ["ACCESS_TOKEN", "REFRESH_TOKEN"] {
        home.run(["secret", "put", "o", name, name]).succeeded();
    }
    home.run(["run", "--scope", "o", "--", "true"]).failed(
        2,
        &[
            "no variable for o/ACCESS_TOKEN (oauth2 scope), o/REFRESH_TOKEN (oauth2 scope)",
            "--rename o/ACCESS_TOKEN=NAME",
        ],
    );
    let mut run = vec!["run", "--scope", "o", "--only", "ACCESS_TOKEN"];
    run.extend(["--rename", "ACCESS_TOKEN=T", "--", "printenv", "T"]);
    let mut command = home.command();
    command.env("PATH", STANDARD_PATH).args(run);
    let given = finish(&mut command).succeeded();
    assert_eq!(given.text(), "ACCESS_TOKEN\n");
}

/// The shell has emptied config.yaml by then: nothing is printed into it that lacks the servers.
#[test]
fn the_file_of_the_home_is_not_printed_into_itself() {
    let home = with_config("servers: {}\n");
    let path = home.path("config.yaml");
    let show = |file: fs::File| finish(home.command().args(["config", "show"]).stdout(file));
    let appended = fs::OpenOptions::new().append(true).open(&path).unwrap();
    show(appended).failed(
        2,
        &[
            "standard output is ~/.mcplexer/config.yaml itself",
            "mcplexer config show > scopes.yaml writes another file",
        ],
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "servers: {}\n");
    show(fs::File::create(&path).unwrap())
        .failed(2, &["the shell has emptied ~/.mcplexer/config.yaml"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), "");
    let other = home.path("scopes.yaml");
    show(fs::File::create(&other).unwrap()).succeeded();
    assert_eq!(fs::read_to_string(&other).unwrap(), "auth_scopes: []\n");
}
