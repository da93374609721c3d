//! `doctor` finds each thing that can be wrong, and says how to fix it.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use redb::{Builder, ConcurrencyMode, ReadableTable, TableDefinition};
use test_support::{STANDARD_PATH, tool};

use super::built::crashing;
use super::home::{Home, Run, finish};

mod surroundings;

/// Creates a home in which `doctor` finds nothing.
fn healthy() -> Home {
    let home = Home::with_secret("v");
    home.run(["key", "recovery"]).succeeded();
    home.run(["backup", "create", "b.age"]).succeeded();
    assert_eq!(codes(&home.run(["doctor", "--json"]).succeeded()), [""; 0]);
    home
}

fn codes(run: &Run) -> Vec<String> {
    let report: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .map(|it| it["code"].as_str().unwrap().to_owned())
        .collect()
}

/// Checks that `doctor` finds exactly this, says what to do, and exits with 1 for an error. With `--strict`, it does so for
/// a warning as well.
#[track_caller]
fn finds(home: &Home, code: &str, said: &str) -> String {
    let strict = home.run(["doctor", "--strict", "--json"]);
    assert_eq!(codes(&strict), [code], "{strict:?}");
    let report: serde_json::Value = serde_json::from_slice(&strict.stdout).unwrap();
    let severity = report["findings"][0]["severity"].as_str().unwrap();
    let (exit, exit_if_strict, last) = match severity {
        "error" => (1, 1, "1 error\n"),
        "warning" => (0, 1, "1 warning\n"),
        _ => (0, 0, "no problems found\n"),
    };
    assert_eq!(strict.code, exit_if_strict, "{strict:?}");
    let run = home.run(["doctor"]);
    let text = run.text().to_owned();
    assert!(run.code == exit && run.stderr.is_empty(), "{run:?}");
    assert!(
        text.contains(said) && text.contains(&format!("[{code}]\n  ")),
        "{text}"
    );
    assert!(text.ends_with(last), "{text}");
    text
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn no_problems_are_found() {
    let home = Home::new();
    let run = home.run(["doctor"]).succeeded();
    assert!(run.text().contains("no store yet"), "{}", run.text());
    let run = healthy().run(["doctor"]).succeeded();
    insta::assert_snapshot!(run.text(), @r"
    ✓ home and key file are private
    ✓ the last backup is less than a day old
    ✓ 1 scope, 1 secret, all readable; audit log intact (5 lines)
    no problems found
    ");
}

#[test]
fn what_is_open_to_others_is_closed() {
    let home = healthy();
    let places = [
        ("", 0o755, "home-open"),
        ("secrets.redb", 0o640, "store-open"),
        ("audit.log", 0o644, "audit-open"),
    ];
    for (name, mode, code) in places {
        chmod(&home.path(name), mode);
        finds(&home, code, &format!("(mode {mode:04o})"));
        let fixed = home.run(["doctor", "--fix"]).succeeded();
        let mode = if name.is_empty() { "700" } else { "600" };
        let done = format!("\n  fixed: chmod {mode} ~/.mcplexer/{name}");
        let done = done.trim_end_matches('/');
        assert!(fixed.text().contains(done), "{}", fixed.text());
        home.run(["doctor"]).succeeded();
    }
    chmod(&home.path("age.key"), 0o604);
    let run = home.run(["doctor", "--json"]);
    assert_eq!(
        (run.code, codes(&run)),
        (1, vec!["key-open".into(), "locked".into()])
    );
    home.run(["doctor", "--fix"]).succeeded();
    assert_eq!(home.get("github-token", "TOKEN"), b"v");
}

#[test]
fn a_single_key_is_a_risk() {
    let home = Home::with_secret("v");
    home.run(["backup", "create", "b.age"]).succeeded();
    let text = finds(&home, "one-owner", "only one key opens this store");
    assert!(text.contains("\n  mcplexer key recovery\n"), "{text}");
    home.run(["key", "recovery"]).succeeded();
    home.run(["doctor"]).succeeded();
}

#[test]
fn a_key_in_a_git_work_tree_is_found_until_it_is_ignored() {
    let Some(git) = tool("git") else { return };
    let home = healthy();
    let git = |arguments: &[&str]| {
        let mut git = Command::new(&git);
        git.current_dir(home.root())
            .env("HOME", home.root())
            .args(arguments);
        assert!(git.output().unwrap().status.success(), "{arguments:?}");
    };
    git(&["init", "-q"]);
    let text = finds(&home, "in-git", "~/.mcplexer lies in a git work tree");
    assert!(
        text.contains("\n  echo .mcplexer/ >> ~/.gitignore\n"),
        "{text}"
    );
    fs::write(home.root().join(".gitignore"), ".mcplexer/\n").unwrap();
    home.run(["doctor"]).succeeded();
    git(&["add", "-f", ".mcplexer/age.key"]);
    finds(&home, "key-in-git", "mcplexer key rotate");
}

#[test]
fn a_store_that_nothing_opens_and_damage_are_found() {
    let home = healthy();
    fs::rename(home.path("age.key"), home.root().join("kept")).unwrap();
    finds(&home, "locked", "age.key does not exist");
    fs::rename(home.root().join("kept"), home.path("age.key")).unwrap();

    let whole = fs::read(home.path("secrets.redb")).unwrap();
    let magic = b"age-encryption.org/v1\n-> mcplexer-seal";
    let places = whole.windows(magic.len()).enumerate();
    let places: Vec<_> = places
        .filter(|(_, it)| it == magic)
        .map(|(at, _)| at)
        .collect();
    for at in places {
        let mut damaged = whole.clone();
        damaged[at + magic.len() + 3] ^= 1;
        fs::write(home.path("secrets.redb"), damaged).unwrap();
        let run = home.run(["doctor", "--json"]);
        // Some pages are unused.
        if run.code != 0 {
            assert_eq!(run.code, 1, "{run:?}");
            let codes = codes(&run);
            let known = ["tampered", "store", "audit"];
            assert!(
                codes.iter().all(|code| known.contains(&code.as_str())),
                "{codes:?}"
            );
        }
    }
    fs::write(home.path("secrets.redb"), "no database").unwrap();
    finds(&home, "store", "is not a redb database");
    fs::write(home.path("secrets.redb"), &whole).unwrap();
    set_format(&home, 2);
    finds(&home, "format", "in format version 2");
    fs::write(home.path("secrets.redb"), &whole).unwrap();

    let log = fs::read_to_string(home.path("audit.log")).unwrap();
    fs::write(
        home.path("audit.log"),
        log.replacen("\"put\"", "\"get\"", 1),
    )
    .unwrap();
    finds(&home, "audit", "line 1 of the audit log");
}

/// Changes the header to another format version.
fn set_format(home: &Home, version: u8) {
    let database = Builder::new()
        .set_concurrency_mode(ConcurrencyMode::MultiWriter)
        .open(home.path("secrets.redb"))
        .unwrap();
    let transaction = database.begin_write().unwrap();
    let table: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("meta");
    {
        let mut table = transaction.open_table(table).unwrap();
        let mut header = table
            .get(b"header".as_slice())
            .unwrap()
            .unwrap()
            .value()
            .to_vec();
        header[0] = version;
        table
            .insert(b"header".as_slice(), header.as_slice())
            .unwrap();
    }
    transaction.commit().unwrap();
}

#[test]
fn a_rotation_that_was_cut_short_is_finished() {
    let home = healthy();
    let mut at = 0;
    let is_between = |home: &Home| {
        let text = fs::read_to_string(home.path("age.key")).unwrap();
        text.matches("AGE-SECRET-KEY-1").count() == 2
    };
    while !is_between(&home) {
        at += 1;
        let mut command = crashing(&home, at);
        command.args(["-q", "key", "rotate"]);
        assert!(
            !command.status().unwrap().success(),
            "no death leaves two keys"
        );
    }
    finds(&home, "rotation-unfinished", "was interrupted");
    home.run(["doctor", "--fix"]).succeeded();
    assert!(!is_between(&home));
    assert_eq!(home.get("github-token", "TOKEN"), b"v");
}

#[test]
fn what_a_killed_command_left_is_removed() {
    let home = healthy();
    let left = home.path(".secrets.redb-x1y2z3.mcplexer-new");
    let file = File::create(&left).unwrap();
    home.run(["doctor"]).succeeded();
    file.set_modified(SystemTime::now() - Duration::from_secs(3600))
        .unwrap();
    finds(&home, "leftover", "was left by a command that was killed");
    let fixed = home.run(["doctor", "--fix"]).succeeded();
    assert!(
        fixed
            .text()
            .contains("\n  fixed: removed ~/.mcplexer/.secrets.redb-x1y2z3"),
        "{}",
        fixed.text()
    );
    assert!(!left.exists());
}

/// It says whose programs get secrets.
#[test]
fn the_list_of_trusted_projects_is_looked_at() {
    let home = healthy();
    let list = home.path("trusted");
    fs::write(&list, "{}\n").unwrap();
    chmod(&list, 0o644);
    home.run(["doctor", "--strict"]).succeeded();
    chmod(&list, 0o646);
    finds(&home, "trusted-open", "is writable by others (mode 0646)");
    let fixed = home.run(["doctor", "--fix"]).succeeded();
    let done = "fixed: chmod 600 ~/.mcplexer/trusted";
    assert!(fixed.text().contains(done), "{}", fixed.text());
    fs::write(&list, "{").unwrap();
    let text = finds(&home, "trusted", "cannot use ~/.mcplexer/trusted: EOF");
    let fix = "\n  mv ~/.mcplexer/trusted ~/.mcplexer/trusted.damaged; then mcplexer trust DIR";
    assert!(text.contains(fix), "{text}");
    fs::remove_file(&list).unwrap();
    symlink(home.path("elsewhere"), &list).unwrap();
    fs::write(home.path("elsewhere"), "{}").unwrap();
    chmod(&home.path("elsewhere"), 0o600);
    finds(&home, "trusted", "cannot use ~/.mcplexer/trusted");
}

/// What a hint says to run does only that, whatever the path contains.
#[test]
fn a_hint_names_a_path_as_one_word() {
    let home = Home::new();
    let directory = home.root().join("it's $(touch ran)");
    let run = |arguments: &[&str]| {
        let mut command = home.command();
        command.args(arguments).env("MCPLEXER_HOME", &directory);
        finish(&mut command)
    };
    let follow = |hint: &str| {
        let mut sh = home.command_of(Path::new("/bin/sh"));
        sh.args(["-c", hint]).env("PATH", STANDARD_PATH);
        finish(sh.current_dir(home.root())).succeeded();
        assert!(!home.root().join("ran").exists(), "{hint}");
    };
    run(&["secret", "put", "s", "K", "v"]).succeeded();
    let left = directory.join(".secrets.redb-x1y2z3.mcplexer-new");
    let hour = Duration::from_secs(3600);
    let file = File::create(&left).unwrap();
    file.set_modified(SystemTime::now() - hour).unwrap();
    let report: serde_json::Value =
        serde_json::from_slice(&run(&["doctor", "--json"]).stdout).unwrap();
    let mut findings = report["findings"].as_array().unwrap().iter();
    let leftover = findings.find(|it| it["code"] == "leftover").unwrap();
    follow(leftover["fix"][0].as_str().unwrap());
    assert!(!left.exists());
    chmod(&directory.join("age.key"), 0o644);
    let refused = run(&["secret", "get", "s", "K"]);
    let hint = refused.stderr.split_once("hint: ").unwrap().1;
    follow(hint.lines().next().unwrap());
    assert_eq!(run(&["secret", "get", "s", "K"]).succeeded().text(), "v");
    fs::write(directory.join("audit.log"), "not a log\n").unwrap();
    let refused = run(&["secret", "get", "s", "K"]);
    let hint = refused.stderr.split_once("mv ").unwrap().1;
    let hint = hint.split_once(", and ").unwrap().0;
    follow(&format!("mv {hint}"));
    assert!(!directory.join("audit.log").exists());
}

/// Without it, an adoption for the gateway cannot be undone.
#[test]
fn what_is_kept_of_a_clients_file_is_read() {
    let home = healthy();
    let directory = home.path("handed-over");
    fs::create_dir(&directory).unwrap();
    let kept = directory.join("0123456789abcdef0123456789abcdef.json");
    for damaged in ["", "{\"file\": \"/c.js", "[]", "{}"] {
        fs::write(&kept, damaged).unwrap();
        finds(&home, "handed-over", "0123456789abcdef.json is damaged: ");
    }
    let whole = r#"{"file": "/c.json", "client": "claude", "steps": [], "servers": []}"#;
    fs::write(&kept, whole).unwrap();
    home.run(["doctor"]).succeeded();
}

/// The key may be stored elsewhere: a link to it is followed.
#[test]
fn a_key_that_is_a_link_stays_one() {
    let home = Home::with_secret("v");
    let elsewhere = home.root().join("key");
    fs::rename(home.path("age.key"), &elsewhere).unwrap();
    symlink(&elsewhere, home.path("age.key")).unwrap();
    home.run(["key", "rotate"]).succeeded();
    assert!(home.path("age.key").is_symlink());
    assert_eq!(home.get("github-token", "TOKEN"), b"v");
}

/// If the key is lost, `doctor` suggests nothing that needs the key.
#[test]
fn a_lost_key_is_the_one_thing_to_be_told() {
    let home = Home::with_secret("v");
    fs::remove_file(home.path("age.key")).unwrap();
    let text = finds(&home, "locked", "no key opens this store");
    assert!(!text.contains("key recovery"), "{text}");
}

/// F07: `doctor` reports a missing store, and no new store replaces it. A backup restores it.
#[test]
fn a_store_that_is_gone_is_told_until_it_is_back() {
    let home = Home::with_secret("v");
    home.run(["secret", "put", "s", "K", "w"]).succeeded();
    home.run(["backup", "create", "backup.age"]).succeeded();
    fs::remove_file(home.path("secrets.redb")).unwrap();
    let gone = "belongs to a store that is missing or was replaced";
    let doctor = home.run(["doctor"]);
    assert_eq!(doctor.code, 1, "{}", doctor.text());
    assert!(doctor.text().contains(gone), "{}", doctor.text());
    let put = ["secret", "put", "s", "K", "v"];
    for arguments in [&put[..], &["audit", "verify"]] {
        home.run(arguments)
            .failed(6, &[gone, "audit.log", "mcplexer backup restore FILE"]);
    }
    assert!(!home.path("secrets.redb").exists());
    home.run(["backup", "restore", "backup.age"]).succeeded();
    home.run(["audit", "verify"]).succeeded();
    assert_eq!(home.get("s", "K"), b"w");
    home.run(put).succeeded();
    home.run(["audit", "verify"]).succeeded();
}

/// If the store is gone, moving the audit log away allows a fresh start.
#[test]
fn with_its_log_moved_away_a_store_that_is_gone_is_forgotten() {
    let home = Home::with_secret("v");
    home.run(["secret", "put", "s", "K", "w"]).succeeded();
    fs::remove_file(home.path("secrets.redb")).unwrap();
    fs::rename(home.path("audit.log"), home.path("old.log")).unwrap();
    home.run(["doctor"]).succeeded();
    home.run(["secret", "put", "s", "K", "new"]).succeeded();
    assert_eq!(home.get("s", "K"), b"new");
}

#[test]
fn a_broken_config_file_is_found() {
    let home = healthy();
    fs::write(home.path("config.yaml"), "servers:\n  a: {comand: [x]}\n").unwrap();
    let text = finds(&home, "config", "config.yaml:2:");
    assert!(text.contains("mcplexer config check"), "{text}");
    fs::write(home.path("config.yaml"), "servers: [").unwrap();
    finds(&home, "config", "config.yaml:1:");
    fs::write(home.path("config.yaml"), "servers: {a: {command: [x]}}\n").unwrap();
    let run = home.run(["doctor"]).succeeded();
    assert!(
        run.text()
            .contains("config.yaml has no problems (1 server)"),
        "{}",
        run.text()
    );
}

/// A server that refers to a secret which is not there would fail at its first call only.
#[test]
fn references_to_nothing_are_found() {
    let home = healthy();
    for (reference, meant) in [
        ("github-token/TOKNE", "did you mean TOKEN?"),
        ("github-tokne/TOKEN", "did you mean github-token?"),
    ] {
        let text = format!(
            "servers: {{a: {{command: [x], env: {{A: mcplexer://{reference}}}}}, b: {{command: [x], disabled: true, env: {{A: mcplexer://no/K}}}}}}\n"
        );
        fs::write(home.path("config.yaml"), text).unwrap();
        let said = format!("a refers to mcplexer://{reference}, which is not in the store");
        assert!(finds(&home, "reference", &said).contains(meant));
        let check = home.run(["config", "check"]).succeeded();
        assert!(
            check.text().ends_with("2 servers, 1 warning\n"),
            "{}",
            check.text()
        );
        assert!(
            check.stderr.contains(&said) && check.stderr.contains(meant),
            "{}",
            check.stderr
        );
        let check = home.run(["config", "check", "--json"]).succeeded();
        assert!(check.text().contains(&said), "{}", check.text());
        // Another file may be for another machine.
        let file = home.path("config.yaml");
        let check = home
            .run(["config", "check", file.to_str().unwrap()])
            .succeeded();
        assert!(check.text().ends_with("no problems\n"), "{}", check.text());
        let env = format!("A=mcplexer://{reference}");
        let added = home
            .run(["server", "add", "c", "--replace", "--env", &env, "--", "x"])
            .succeeded();
        assert!(added.stderr.contains(meant), "{}", added.stderr);
    }
}

/// A store that was copied from a read-only disk takes no secret.
#[test]
fn a_store_that_cannot_be_written_is_found_and_fixed() {
    let home = healthy();
    let store = home.path("secrets.redb");
    fs::set_permissions(&store, Permissions::from_mode(0o400)).unwrap();
    let said = "~/.mcplexer/secrets.redb is read-only (mode 0400)";
    let run = home.run(["doctor"]);
    let fix = "[read-only]\n  chmod 600 ~/.mcplexer/secrets.redb\n";
    // Only root can check it nevertheless.
    let code = i32::from(!rustix::process::geteuid().is_root());
    assert_eq!(run.code, code, "{}", run.text());
    let text = run.text();
    assert!(text.contains(said) && text.contains(fix), "{text}");
    let run = home.run(["doctor", "--fix"]).succeeded();
    assert!(
        run.text()
            .contains("fixed: chmod 600 ~/.mcplexer/secrets.redb"),
        "{}",
        run.text()
    );
    let mode = fs::metadata(&store).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
