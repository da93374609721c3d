//! T6: a home that somebody else could change is not used, as OpenSSH does not use such keys.

use std::fs;
use std::os::unix::fs::{chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use test_support::{STANDARD_PATH, skip};

use super::access::{NOBODY, Unprivileged, is_superuser, mode, set_mode};
use super::home::{Home, Run, finish};

/// One command of each kind that opens the home.
const COMMANDS: [&[&str]; 14] = [
    &["secret", "get", "github-token", "TOKEN"],
    &["secret", "put", "github-token", "TOKEN", "x"],
    &["secret", "list"],
    &["scope", "list"],
    &["run", "--scope", "github-token", "touch", "started"],
    &["export", "github-token", "-o", "exported.json"],
    &["scan", "."],
    &["key", "list"],
    &["key", "show"],
    &["key", "rotate"],
    &["backup", "create", "backup.age"],
    &["compact"],
    &["audit", "show"],
    &["audit", "verify"],
];

/// Checks that no command uses the home, that each says this, and that no file changes.
#[track_caller]
fn assert_refused(home: &Home, run: impl Fn(&[&str]) -> Run, said: &[&str]) {
    let before = home.files();
    for arguments in COMMANDS {
        run(arguments).failed(5, said);
    }
    assert!(home.files() == before, "a file was changed");
}

/// Returns the commands that a failure, or `doctor`, advises.
fn hints(run: &Run) -> Vec<String> {
    let hints = run.stderr.lines();
    let hints = hints.filter_map(|line| line.strip_prefix("mcplexer: hint: "));
    hints.map(str::to_owned).collect()
}

/// Runs a hint, as a person would type it.
fn follow(home: &Home, hint: &str) {
    let mut shell = Command::new("/bin/sh");
    shell.env("PATH", STANDARD_PATH).env("HOME", home.root());
    assert!(
        shell.args(["-c", hint]).status().unwrap().success(),
        "{hint}"
    );
}

#[test]
fn what_others_can_write_is_refused_until_the_hint_is_followed() {
    for (name, bits) in [
        ("", 0o720),
        ("", 0o1777),
        ("secrets.redb", 0o602),
        ("audit.log", 0o660),
        ("age.key", 0o620),
    ] {
        let home = Home::with_secret("v");
        set_mode(&home.path(name), bits);
        let said = format!("{} is writable by others (mode {bits:04o})", shown(name));
        assert_refused(&home, |it| home.run(it), &[&said]);
        let hints = hints(&home.run(["secret", "list"]));
        assert_eq!(hints.len(), 1, "{hints:?}");
        follow(&home, &hints[0]);
        assert_eq!(home.get("github-token", "TOKEN"), b"v");
    }
}

/// The path of a file of the home, as messages show it.
fn shown(name: &str) -> String {
    format!("~/.mcplexer/{name}")
        .trim_end_matches('/')
        .to_owned()
}

/// Returns a directory below the user's home, and one in it.
fn nested(home: &Home) -> (PathBuf, PathBuf) {
    let above = home.root().join("shared place");
    let inner = above.join("inner");
    fs::create_dir_all(&inner).unwrap();
    set_mode(&above, 0o755);
    set_mode(&inner, 0o700);
    (above, inner)
}

fn run_with(home: &Home, variable: &str, path: &Path, arguments: &[&str]) -> Run {
    finish(home.command().env(variable, path).args(arguments))
}

/// T6: a key with mode 0600 in a directory of mode 0777 can be replaced by anyone.
#[test]
fn a_directory_above_that_others_can_write_is_refused() {
    for (variable, name, what) in [
        ("MCPLEXER_HOME", "", "the store"),
        ("MCPLEXER_AGE_KEY", "age.key", "the key"),
        ("MCPLEXER_AUDIT", "audit.log", "the audit log"),
    ] {
        let home = Home::new();
        let (above, inner) = nested(&home);
        let place = inner.join(name);
        let run = |arguments: &[&str]| run_with(&home, variable, &place, arguments);
        run(&["secret", "put", "github-token", "TOKEN", "v"]).succeeded();
        set_mode(&above, 0o775);
        let said = format!("shared place is writable by others (mode 0775), and {what} is in it");
        let hint = r"hint: chmod go-w ~/shared\ place";
        assert_refused(
            &home,
            run,
            &[&said, hint, &format!("{variable} names another")],
        );
        let doctor = run(&["doctor"]);
        assert!(
            doctor.code == 1 && doctor.text().contains(&said),
            "{doctor:?}"
        );
        assert!(!doctor.text().contains("private"), "{}", doctor.text());

        // Nobody can replace another user's files in a sticky directory.
        set_mode(&above, 0o1777);
        run(&["secret", "get", "github-token", "TOKEN"]).succeeded();
        set_mode(&above, 0o775);
        follow(&home, r"chmod go-w ~/shared\ place");
        run(&["secret", "get", "github-token", "TOKEN"]).succeeded();
    }
}

#[test]
fn the_walk_ends_at_the_home_directory() {
    let home = Home::new();
    let (above, inner) = nested(&home);
    let put = ["secret", "put", "s", "K", "v"];
    set_mode(&inner, 0o755);
    set_mode(&above, 0o777);
    run_with(&home, "HOME", &inner, &put).succeeded();
    set_mode(&inner, 0o775);
    run_with(&home, "HOME", &inner, &put).failed(5, &["inner is writable by others"]);
}

#[test]
fn the_real_path_of_a_link_counts() {
    let home = Home::with_secret("v");
    let (above, inner) = nested(&home);
    let key = inner.join("age.key");
    fs::rename(home.path("age.key"), &key).unwrap();
    symlink(&key, home.path("age.key")).unwrap();
    assert_eq!(home.get("github-token", "TOKEN"), b"v");
    set_mode(&above, 0o777);
    home.run(["secret", "get", "github-token", "TOKEN"]).failed(
        5,
        &["shared place is writable by others", "the key is in it"],
    );
}

/// A home is refused before anything is created in it.
#[test]
fn nothing_is_made_where_others_can_write() {
    let home = Home::new();
    let (_, inner) = nested(&home);
    set_mode(&inner, 0o777);
    let new = inner.join("new");
    for arguments in [
        &["secret", "put", "s", "K", "v"][..],
        &["key", "init"],
        &["secret", "list"],
    ] {
        run_with(&home, "MCPLEXER_HOME", &new, arguments)
            .failed(5, &["inner is writable by others (mode 0777)"]);
    }
    assert!(!new.exists());
}

/// Every flaw is named at once.
#[test]
fn each_part_has_its_hint() {
    let home = Home::with_secret("v");
    set_mode(home.root(), 0o770);
    set_mode(&home.path("secrets.redb"), 0o666);
    set_mode(&home.path("age.key"), 0o666);
    let run = home.run(["secret", "list"]);
    let hints = hints(&run);
    assert_eq!(run.stderr.matches("error: ").count(), 3, "{}", run.stderr);
    assert!(
        hints.contains(&"chmod 600 ~/.mcplexer/secrets.redb".to_owned()),
        "{hints:?}"
    );
    assert!(
        hints.contains(&"chmod 600 ~/.mcplexer/age.key".to_owned()),
        "{hints:?}"
    );
    home.run(["doctor", "--fix"]);
    set_mode(home.root(), 0o700);
    assert_eq!(home.get("github-token", "TOKEN"), b"v");
}

#[test]
fn an_existing_home_is_closed_when_the_store_is_made() {
    let home = Home::new();
    let directory = home.path("");
    fs::create_dir(&directory).unwrap();
    set_mode(&directory, 0o755);
    home.run(["secret", "list"]).succeeded();
    assert_eq!(mode(&directory), 0o755, "nothing was made");
    home.run(["secret", "put", "s", "K", "v"]).succeeded();
    assert_eq!(mode(&directory), 0o700);
    // Others could not write to it, so it is in use with this mode, too.
    set_mode(&directory, 0o755);
    assert_eq!(home.get("s", "K"), b"v");
    home.run(["secret", "put", "s", "K", "w"]).succeeded();
    assert_eq!(mode(&directory), 0o755);
}

/// T6: a store or a log that another user owns is refused.
#[test]
fn a_file_of_another_owner_is_refused() {
    if !is_superuser() {
        return skip("root", "only root can give a file away");
    }
    for name in ["secrets.redb", "audit.log"] {
        let home = Home::with_secret("v");
        let path = home.path(name);
        chown(&path, Some(NOBODY), None).unwrap();
        let said = format!("{} belongs to another user (uid 65534)", shown(name));
        let hint = format!("hint: chown 0 {}", shown(name));
        assert_refused(&home, |it| home.run(it), &[&said, &hint]);
        let doctor = home.run(["doctor", "--fix"]);
        assert!(
            doctor.code == 1 && doctor.text().contains(&said),
            "{doctor:?}"
        );
        chown(&path, Some(0), None).unwrap();
        assert_eq!(home.get("github-token", "TOKEN"), b"v");
    }
}

/// Root in another user's home would leave files that their owner cannot read: `compact` a new store, and the
/// first `list` a log.
#[test]
fn root_does_not_use_the_home_of_another_user() {
    if !is_superuser() {
        return skip("root", "only root is in the way of another user");
    }
    let user = Unprivileged::new();
    let hint = "hint: sudo -u '#65534' mcplexer …";
    user.home
        .run(["secret", "list"])
        .failed(5, &["belongs to another user (uid 65534)", hint]);
    user.home
        .run(["secret", "put", "s", "K", "v"])
        .failed(5, &[hint]);
    assert!(!user.home.path("").exists());

    user.run(&["secret", "put", "github-token", "TOKEN", "v"])
        .succeeded();
    assert_refused(&user.home, |it| user.home.run(it), &["(uid 65534)", hint]);
    user.home.run(["doctor", "--fix"]);
    let get = user.run(&["secret", "get", "github-token", "TOKEN"]);
    assert_eq!(get.succeeded().stdout, b"v");
    user.run(&["compact"]).succeeded();

    // A file that root has left is named.
    chown(user.home.path("audit.log"), Some(0), Some(0)).unwrap();
    user.run(&["secret", "list"]).failed(
        5,
        &[
            "audit.log belongs to another user (uid 0)",
            "hint: sudo chown 65534 ~/.mcplexer/audit.log",
        ],
    );
}
