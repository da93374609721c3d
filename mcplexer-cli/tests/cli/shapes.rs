//! `scan --shapes`: finds credentials by their shape, without a store.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use test_support::skip;

use super::home::{BINARY, Home, Run, finish, forms};
use super::scan::{assert_found, git, git_in, repository, work, write};

/// Of the shape of GitHub's tokens, and of a login to a database.
const TOKEN: &str = "ghp_Zq8Rt2Yw5Lk9Xc3Vb7Nm1Qp4Sd6Fg0Hj3KlM";
const OTHER: &str = "ghp_Hj3KlMZq8Rt2Yw5Lk9Xc3Vb7Nm1Qp4Sd6Fg0";
const PASSWORD: &str = "k1tten-tr3e";
const BASELINE: &str = "accepted.json";

/// Creates a home without a store, and a directory `work` in which the command runs.
fn empty() -> Home {
    let home = Home::new();
    fs::create_dir(work(&home)).unwrap();
    home
}

/// Runs in the directory, and checks that nothing of a value is printed and that no home comes to be.
#[track_caller]
fn shapes(home: &Home, arguments: &[&str]) -> Run {
    let mut command = home.command();
    let command = command.args(["scan", "--shapes"]).args(arguments);
    let run = finish(command.current_dir(work(home)));
    let said = format!("{}{}", String::from_utf8_lossy(&run.stdout), run.stderr);
    for value in [TOKEN, OTHER, PASSWORD] {
        assert!(!said.contains(&value[4..]), "{said}");
    }
    run
}

fn url() -> String {
    format!("DATABASE=postgres://me:{PASSWORD}@db.internal/shop\n")
}

#[test]
fn credentials_are_found_without_a_store() {
    let home = empty();
    write(
        &home,
        "src/a.rs",
        format!("x\nlet t = \"{TOKEN}\"; // {OTHER}\n"),
    );
    write(&home, ".env", url());
    write(&home, "clean", "nothing here\n");
    let run = shapes(&home, &[]);
    let found = ".env:1: password-in-a-url\nsrc/a.rs:2: github-token\nsrc/a.rs:2: github-token\n";
    assert_found(&run, found);
    assert!(
        run.stderr
            .starts_with("3 files: 3 matches\nmcplexer: hint: revoke"),
        "{}",
        run.stderr
    );
    assert!(!home.path("").exists());
    assert_found(&shapes(&home, &["clean"]), "");
    assert_found(
        &shapes(&home, &["src/a.rs", "./src/a.rs", "src"]),
        &found[25 + 1..],
    );
    let quiet = shapes(&home, &["-q", "clean"]).succeeded();
    assert_eq!(quiet.stderr, "");
    let missing = shapes(&home, &["clean", "missing"]);
    assert_eq!(missing.code, 1, "{}", missing.stderr);
    // Neither is a key asked for, nor a home looked at that others can write to.
    let mut command = home.command();
    command.args(["scan", "--shapes"]).current_dir(work(&home));
    assert_eq!(finish(command.env_remove("HOME")).code, 6);
}

/// Lines that begin like a key without being one. To search on to the end from each of them would take hours.
#[test]
fn what_only_begins_like_a_key_is_searched_once() {
    let home = empty();
    for line in [
        "PRIVATE KEY\n",
        "-----BEGIN PRIVATE KEY\n",
        "-----BEGIN PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY----- ",
    ] {
        write(
            &home,
            "file",
            line.repeat(2_000_000 / line.len()) + "\n" + TOKEN,
        );
        let run = shapes(&home, &["file"]);
        assert_eq!(run.code, 6, "{line}: {}", run.stderr);
        assert_eq!(run.text().lines().count(), 1, "{line}: {}", run.text());
    }
}

#[test]
fn what_git_ignores_is_not_searched_and_what_is_staged_is() {
    let Some(home) = repository() else { return };
    write(&home, ".gitignore", "ignored\n");
    write(&home, "ignored", TOKEN);
    assert_found(&shapes(&home, &[]), "");
    assert_found(
        &shapes(&home, &["--no-ignore", "ignored"]),
        "ignored:1: github-token\n",
    );
    write(&home, "sub/a", TOKEN);
    git(&home, &["add", "sub/a"]).succeeded();
    write(&home, "sub/a", "clean");
    assert_found(&shapes(&home, &[]), "");
    assert_found(&shapes(&home, &["--staged"]), "sub/a:1: github-token\n");
    // Paths of the baseline are those from its directory, wherever it is used from.
    write(&home, "sub/a", TOKEN);
    shapes(&home, &["--baseline", BASELINE, "--write-baseline"]).succeeded();
    write(&home, "sub/a", "clean");
    assert_found(&shapes(&home, &["--staged", "--baseline", BASELINE]), "");
    let mut command = home.command();
    command.args([
        "scan",
        "--shapes",
        "--staged",
        "--baseline",
        "../accepted.json",
    ]);
    finish(command.current_dir(work(&home).join("sub"))).succeeded();
}

#[test]
fn a_baseline_accepts_what_was_there_and_tells_nothing_about_it() {
    let home = empty();
    write(&home, "a", format!("{TOKEN}\n{}", url()));
    write(&home, "sub/b", TOKEN);
    let options = ["--baseline", BASELINE];
    let absent = shapes(&home, &options);
    assert_eq!(absent.code, 1, "{}", absent.stderr);
    assert!(
        absent.stderr.contains("--write-baseline creates it"),
        "{}",
        absent.stderr
    );
    let written = shapes(&home, &[&options[..], &["--write-baseline"]].concat()).succeeded();
    assert_eq!(
        written.stderr,
        "wrote accepted.json, which accepts 3 findings\n"
    );
    let text = fs::read_to_string(work(&home).join(BASELINE)).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let row = |file: &str, rule: &str| json!({ "file": file, "rule": rule, "count": 1 });
    let rows = [
        row("a", "github-token"),
        row("a", "password-in-a-url"),
        row("sub/b", "github-token"),
    ];
    assert_eq!(document, json!({ "version": 1, "accepted": rows }));
    for form in [TOKEN, OTHER, PASSWORD].iter().flat_map(|it| forms(it)) {
        assert!(!text.contains(&form), "{text}");
    }
    let run = shapes(&home, &options);
    assert_found(&run, "");
    assert_eq!(run.stderr, "3 files: no match, 3 accepted\n");
    // From elsewhere, and by another path.
    let directory = work(&home);
    let absolute = |name: &str| directory.join(name).to_str().unwrap().to_owned();
    assert_found(
        &shapes(
            &home,
            &["--baseline", &absolute(BASELINE), &absolute("sub/b"), "./a"],
        ),
        "",
    );
    // Lines may move. One more is found, together with what it may be.
    write(&home, "a", format!("\n\n{TOKEN}\n{}", url()));
    assert_found(&shapes(&home, &options), "");
    write(&home, "a", format!("{OTHER} {TOKEN}\n{}", url()));
    let run = shapes(&home, &options);
    assert_found(&run, "a:1: github-token\na:1: github-token\n");
    assert!(
        run.stderr.starts_with(
            "a: 2 of github-token, and the baseline accepts 1\n3 files: 2 matches, 2 accepted\n"
        ),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr
            .contains("--baseline accepted.json --write-baseline"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_baseline_that_is_none_is_refused() {
    let home = empty();
    for text in [
        "",
        "[]",
        "{\"version\":2,\"accepted\":[]}",
        "{\"version\":1}",
    ] {
        write(&home, BASELINE, text);
        let run = shapes(&home, &["--baseline", BASELINE]);
        assert_eq!(run.code, 2, "{}", run.stderr);
        assert!(
            run.stderr.contains("mcplexer: error: accepted.json: "),
            "{}",
            run.stderr
        );
    }
    for arguments in [
        &["--scope", "a"][..],
        &["--write-baseline"],
        &["--baseline", BASELINE, "--write-baseline", "--json"],
    ] {
        assert_eq!(shapes(&home, arguments).code, 2, "{arguments:?}");
    }
    let without = finish(home.command().args(["scan", "--baseline", BASELINE]));
    assert_eq!(without.code, 2, "{}", without.stderr);
}

/// A name typed wrong, or a link that a repository contains, costs nobody a file.
#[test]
fn a_baseline_replaces_nothing_else() {
    let home = empty();
    write(&home, "a", url());
    let at = |name: &str| work(&home).join(name);
    let options = |name| ["a", "--baseline", name, "--write-baseline"];
    for text in ["", "mine", "{\"version\":2,\"accepted\":[]}", "[]"] {
        write(&home, "notes", text);
        let run = shapes(&home, &options("notes"));
        run.failed(2, &["notes: it is no baseline"]);
        assert_eq!(fs::read_to_string(at("notes")).unwrap(), text);
    }
    shapes(&home, &options(BASELINE)).succeeded();
    let accepted = fs::read(at(BASELINE)).unwrap();
    shapes(&home, &options(BASELINE)).succeeded();
    for (link, target) in [
        ("to-notes", "notes"),
        ("to-baseline", BASELINE),
        ("to-nothing", "nothing"),
    ] {
        symlink(target, at(link)).unwrap();
        let run = shapes(&home, &options(link));
        run.failed(2, &[link, "symbolic link, which is not followed"]);
        assert!(at(link).is_symlink(), "{link}");
    }
    assert_eq!(fs::read_to_string(at("notes")).unwrap(), "[]");
    assert_eq!(fs::read(at(BASELINE)).unwrap(), accepted);
    assert!(!at("nothing").exists());
}

#[test]
fn a_part_that_cannot_be_read_is_not_accepted_unseen() {
    let home = empty();
    let run = shapes(
        &home,
        &["missing", "--baseline", BASELINE, "--write-baseline"],
    );
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(!work(&home).join(BASELINE).exists());
}

#[test]
fn json_and_sarif_say_where_and_not_what() {
    let home = empty();
    write(&home, "a b", format!("\n  {TOKEN} {OTHER}\n{}", url()));
    let json = shapes(&home, &["--json"]);
    assert_eq!(json.code, 6, "{}", json.stderr);
    let document: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(document["files"], 1);
    assert_eq!(document["accepted"], 0);
    assert_eq!(document["findings"].as_array().unwrap().len(), 3);
    let third = json!({
        "file": "a b", "line": 3, "column": 24, "rule": "password-in-a-url", "kind": "password in a URL",
    });
    assert_eq!(document["findings"][2], third);
    assert_eq!(shapes(&home, &["--format", "json"]).stdout, json.stdout);
    let sarif = shapes(&home, &["--format", "sarif", ".", "missing"]);
    assert_eq!(sarif.code, 6, "{}", sarif.stderr);
    let run = check_sarif(sarif.text());
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
    let of = |at: usize| {
        let result = &run["results"][at];
        let place = &result["locations"][0]["physicalLocation"];
        let region = place["region"].as_object().unwrap();
        assert_eq!(region.keys().collect::<Vec<_>>(), ["startLine"]);
        let number = &result["partialFingerprints"]["ruleFileNumber/v1"];
        (
            region["startLine"].as_u64().unwrap(),
            number.as_str().unwrap().to_owned(),
        )
    };
    assert_eq!(of(0), (2, "github-token:a%20b:1".to_owned()));
    assert_eq!(of(1), (2, "github-token:a%20b:2".to_owned()));
    assert_eq!(of(2), (3, "password-in-a-url:a%20b:1".to_owned()));
    let clean = shapes(&home, &["--format", "sarif", "/dev/null"]).succeeded();
    check_sarif(clean.text());
}

#[test]
fn values_of_the_store_are_printed_as_sarif_too() {
    let home = super::scan::home();
    write(&home, "a", super::scan::TOKEN);
    let run = super::scan::scan(&home, &["--format", "sarif"]);
    assert_eq!(run.code, 6, "{}", run.stderr);
    check_sarif(run.text());
    assert!(
        run.text().contains("the value of github-token/TOKEN."),
        "{}",
        run.text()
    );
}

/// Checks the members that the schema of SARIF 2.1.0 requires, and what is in them. Returns the run.
#[track_caller]
fn check_sarif(text: &str) -> Value {
    let mut log: Value = serde_json::from_str(text).unwrap();
    assert_eq!(log["version"], "2.1.0");
    assert_eq!(log["runs"].as_array().unwrap().len(), 1);
    let run = log["runs"][0].take();
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "mcplexer");
    let rules = driver["rules"].as_array().unwrap().iter();
    let rules: Vec<_> = rules.map(|it| it["id"].as_str().unwrap()).collect();
    assert!(run["invocations"][0]["executionSuccessful"].is_boolean());
    for result in run["results"].as_array().unwrap() {
        assert!(
            rules.contains(&result["ruleId"].as_str().unwrap()),
            "{text}"
        );
        assert!(result["message"]["text"].is_string());
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().unwrap();
        assert!(!uri.contains([' ', '\\']), "{uri}");
        assert!(place["region"]["startLine"].as_u64().unwrap() > 0);
    }
    run
}

/// The hooks of the repository, in the framework they are made for.
#[test]
fn the_hooks_of_pre_commit_keep_credentials_out() {
    let Some(place) = std::env::var_os("MCPLEXER_TEST_SERVERS").map(PathBuf::from) else {
        return skip("servers", "MCPLEXER_TEST_SERVERS names no directory");
    };
    let Some(home) = repository() else { return };
    let path = [
        Path::new(BINARY).parent().unwrap(),
        Path::new("/usr/bin"),
        Path::new("/bin"),
    ];
    let pre_commit = |arguments: &[&str]| {
        let mut command = home.command_of(&place.join("bin/pre-commit"));
        let command = command.args(arguments).current_dir(work(&home));
        finish(command.env("PATH", std::env::join_paths(path).unwrap()))
    };
    let hooks = home.root().join("hooks");
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.pre-commit-hooks.yaml");
    fs::create_dir(&hooks).unwrap();
    fs::copy(manifest, hooks.join(".pre-commit-hooks.yaml")).unwrap();
    for arguments in [
        &["init", "-q"][..],
        &["add", "."],
        &["commit", "-qm", "hooks"],
    ] {
        finish(git_in(&home, &hooks).args(arguments)).succeeded();
    }
    let head = finish(git_in(&home, &hooks).args(["rev-parse", "HEAD"])).succeeded();
    let config = format!(
        "repos: [{{ repo: {}, rev: {}, hooks: [{{ id: mcplexer-shapes, args: [--baseline, {BASELINE}] }}, \
         {{ id: mcplexer-values }}] }}]\n",
        hooks.display(),
        head.text().trim()
    );
    write(&home, ".pre-commit-config.yaml", config);
    write(&home, "accepted", TOKEN);
    shapes(&home, &["--baseline", BASELINE, "--write-baseline"]).succeeded();
    git(&home, &["add", "."]).succeeded();
    let clean = pre_commit(&["run"]);
    assert_eq!(clean.code, 0, "{}", clean.text());
    write(&home, "new file", OTHER);
    write(&home, "mine", super::scan::TOKEN);
    git(&home, &["add", "."]).succeeded();
    let found = pre_commit(&["run"]);
    assert_eq!(found.code, 1, "{}", found.text());
    for line in ["new file:1: github-token", "mine:1: github-token/TOKEN"] {
        assert!(found.text().contains(line), "{}", found.text());
    }
    assert!(!found.text().contains("accepted:1"), "{}", found.text());
}

/// The key file is where it belongs, and nobody revokes it.
#[test]
fn the_home_of_the_store_is_left_out_unless_it_is_named() {
    let home = Home::with_secret("v");
    let run = home.run(["scan", "--shapes", "."]);
    assert_eq!((run.code, run.text()), (0, ""), "{}", run.stderr);
    let run = home.run(["scan", "--shapes", ".mcplexer"]);
    assert_eq!(run.code, 6, "{}", run.stderr);
    assert!(
        run.text().starts_with(".mcplexer/age.key:"),
        "{}",
        run.text()
    );
}
