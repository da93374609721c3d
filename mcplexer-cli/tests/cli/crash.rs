//! After SIGKILL at any moment, the secrets can be read, and running the same command again succeeds.

use std::fs;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use mcplexer_secrets::keys::{FileKeys, Identity};
use mcplexer_secrets::{SecretStore, Store};
use test_support::Running;

use crate::built::crashing;
use crate::home::Home;

const KILLED: i32 = 9;
/// More operations than any command performs.
const MOST_POINTS: u32 = 5000;

/// A home that is copied for each kill: four secrets in three scopes, two keys and a recovery code.
struct Template {
    home: Home,
    code: Vec<u8>,
}

const SECRETS: [(&str, &str); 4] = [("a", "K1"), ("a", "K2"), ("b", "K1"), ("c", "K3")];

fn value(scope: &str, key: &str) -> String {
    format!("value of {scope}/{key}")
}

impl Template {
    fn new() -> Self {
        let home = Home::new();
        for (scope, key) in SECRETS {
            let value = value(scope, key);
            home.run(["secret", "put", scope, key, &value]).succeeded();
        }
        let bob = Identity::generate().name();
        home.run(["key", "add", &bob, "--label", "bob"]).succeeded();
        let code = home.run(["key", "recovery"]).succeeded().stdout;
        Self { home, code }
    }

    fn copy(&self) -> Home {
        let copy = Home::new();
        copy_files(&self.home.path(""), &copy.path(""));
        copy
    }
}

pub(crate) fn copy_files(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let from = entry.unwrap().path();
        fs::copy(&from, to.join(from.file_name().unwrap())).unwrap();
    }
}

/// Runs a command that is killed after this many operations.
fn run(home: &Home, arguments: &[&str], input: &[u8], crash_at: Option<u32>) -> ExitStatus {
    let mut command = match crash_at {
        Some(at) => crashing(home, at),
        None => home.command(),
    };
    command.args(arguments).stdin(Stdio::piped());
    let command = command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = Running::start(command).unwrap();
    let _unread = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    let died = output.status.signal() == Some(KILLED);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(died || output.status.success(), "{arguments:?}: {stderr}");
    output.status
}

/// Checks that the key file in its present state opens every secret.
fn assert_all_open(home: &Home, when: &str) {
    let keys = FileKeys::new(home.path("age.key"));
    let store = Store::open(home.path("secrets.redb"), keys).unwrap();
    for (scope, key) in SECRETS {
        let found = store.get(&scope.parse().unwrap(), &key.parse().unwrap());
        let found = found.unwrap_or_else(|error| panic!("{when}: {scope}/{key}: {error:?}"));
        assert_eq!(found.expose(), value(scope, key).as_bytes(), "{when}");
    }
}

/// Checks that `key rotate` succeeds from any state, and leaves one identity and no other file.
fn assert_rotates(home: &Home, when: &str) {
    home.run(["key", "rotate"]).succeeded();
    assert_all_open(home, when);
    let text = fs::read_to_string(home.path("age.key")).unwrap();
    assert_eq!(
        Identity::parse_all(&text).unwrap().len(),
        1,
        "{when}: {text}"
    );
    let mut files: Vec<_> = fs::read_dir(home.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, ["age.key", "audit.log", "secrets.redb"], "{when}");
    home.run(["audit", "verify"]).succeeded();
}

/// Kills a command after its first operation, then after its second, and so on until it finishes.
/// `check` runs after each kill.
fn die_everywhere(
    arguments: &[&str],
    prepare: impl Fn() -> (Home, Vec<u8>),
    check: impl Fn(&Home, &str),
) {
    for at in 1..MOST_POINTS {
        let (home, input) = prepare();
        let status = run(&home, arguments, &input, Some(at));
        let when = format!("{arguments:?} killed after operation {at}");
        home.assert_no_trace_of(&value("a", "K1"));
        check(&home, &when);
        if status.success() {
            println!("{arguments:?} died after each of {} operations", at - 1);
            assert!(at > 20, "{arguments:?} has no more than {at} operations");
            return;
        }
    }
    panic!("{arguments:?} never ends");
}

/// F28: at every moment of a rotation, the key file opens the store.
#[test]
fn a_rotation_can_die_after_any_operation() {
    let template = Template::new();
    let prepare = || (template.copy(), Vec::new());
    die_everywhere(&["key", "rotate"], prepare, |home, when| {
        assert_all_open(home, when);
        assert_rotates(home, when);
    });
    let keep = ["key", "rotate", "--keep-identity"];
    die_everywhere(&keep, prepare, assert_all_open);
}

#[test]
fn a_removal_can_die_after_any_operation() {
    let template = Template::new();
    let prepare = || (template.copy(), Vec::new());
    die_everywhere(&["key", "remove", "bob"], prepare, |home, when| {
        assert_all_open(home, when);
        let list = home.run(["key", "list"]).succeeded();
        if list.text().contains("bob") {
            home.run(["key", "remove", "bob"]).succeeded();
        }
        assert_rotates(home, when);
    });
}

/// At every moment of a recovery, the code and the store are enough to open it.
#[test]
fn a_recovery_can_die_after_any_operation() {
    let template = Template::new();
    let prepare = || {
        let home = template.copy();
        fs::remove_file(home.path("age.key")).unwrap();
        (home, template.code.clone())
    };
    let lost = template.home.run(["key", "list", "--json"]).succeeded();
    let lost: serde_json::Value = serde_json::from_slice(&lost.stdout).unwrap();
    let label = lost["keys"][0]["label"].as_str().unwrap();
    let arguments = ["key", "recover", "--lost", label];
    die_everywhere(&arguments, prepare, |home, when| {
        let moved = home.run(["secret", "get", "a", "K1"]).code == 0;
        if !moved {
            run(home, &arguments, &template.code, None);
        }
        assert_all_open(home, when);
        assert_rotates(home, when);
    });
}

#[test]
fn a_restore_can_die_after_any_operation() {
    let template = Template::new();
    let backup = template.home.root().join("b.age");
    let backup = backup.to_str().unwrap();
    template.home.run(["backup", "create", backup]).succeeded();
    for (scope, key) in [("a", "K1"), ("d", "K9")] {
        template
            .home
            .run(["secret", "put", scope, key, "later"])
            .succeeded();
    }
    template
        .home
        .run(["secret", "delete", "b", "K1"])
        .succeeded();
    let list = || {
        template
            .home
            .run(["secret", "list", "--json"])
            .succeeded()
            .stdout
    };
    let before = list();
    for mode in ["--replace", "--merge"] {
        let arguments = ["backup", "restore", backup, mode, "--force"];
        let prepare = || (template.copy(), Vec::new());
        die_everywhere(&arguments, prepare, |home, when| {
            // All of the backup was restored, or nothing.
            let now = home.run(["secret", "list", "--json"]).succeeded().stdout;
            let get = |scope, key| home.run(["secret", "get", scope, key]);
            if now == before {
                assert_eq!(get("a", "K1").stdout, b"later", "{when}");
                assert_eq!(get("b", "K1").code, 4, "{when}");
                run(home, &arguments, b"", None);
            }
            assert_eq!(get("b", "K1").stdout, b"value of b/K1", "{when}");
            let kept = if mode == "--merge" { 0 } else { 4 };
            assert_eq!(get("d", "K9").code, kept, "{when}");
            home.run(["key", "rotate"]).succeeded();
        });
    }
    // Restore into an empty home.
    let key = template.home.path("age.key");
    let arguments = [
        "backup",
        "restore",
        backup,
        "--identity",
        key.to_str().unwrap(),
    ];
    die_everywhere(
        &arguments,
        || (Home::new(), Vec::new()),
        |home, when| {
            if home.run(["secret", "list"]).stdout.is_empty() {
                run(home, &arguments, b"", None);
            }
            assert_all_open(home, when);
        },
    );
}

/// All scopes are as the file says, or all are unchanged. Applying again makes them as the file says.
#[test]
fn an_application_of_a_config_can_die_after_any_operation() {
    let template = Template::new();
    let put = ["secret", "put", "old", "K", "x"];
    template.home.run(put).succeeded();
    let before = template.home.run(["config", "show"]).succeeded().stdout;
    let config = "auth_scopes:
  - id: a
    name: A
    type: oauth2
    redaction_hints: [SESSION]
  - id: b
    type: env
  - id: c
    type: env
  - id: d
    type: header
";
    fs::write(template.home.path("config.yaml"), config).unwrap();
    let prepare = || (template.copy(), Vec::new());
    let arguments = ["config", "apply", "--prune", "--force"];
    die_everywhere(&arguments, prepare, |home, when| {
        let show = || home.run(["config", "show"]).succeeded().stdout;
        if show() == before {
            run(home, &arguments, b"", None);
        }
        assert_eq!(String::from_utf8(show()).unwrap(), config, "{when}");
        assert_all_open(home, when);
        home.run(["audit", "verify"]).succeeded();
    });
}

#[test]
fn a_compaction_can_die_after_any_operation() {
    let template = Template::new();
    let prepare = || (template.copy(), Vec::new());
    die_everywhere(&["compact"], prepare, |home, when| {
        assert_all_open(home, when);
        home.run(["compact"]).succeeded();
        assert_all_open(home, when);
    });
}

/// The backup gets its name only when it is complete.
#[test]
fn a_backup_can_die_after_any_operation() {
    let template = Template::new();
    let prepare = || (template.copy(), Vec::new());
    die_everywhere(&["backup", "create", "b.age"], prepare, |home, when| {
        if home.root().join("b.age").exists() {
            home.run(["backup", "verify", "b.age"]).succeeded();
        }
        assert_all_open(home, when);
        home.run(["backup", "create", "b.age", "--force"])
            .succeeded();
    });
}

/// F28 again, at arbitrary moments.
#[test]
fn a_rotation_can_die_at_any_moment() {
    let template = Template::new();
    let start = Instant::now();
    run(&template.copy(), &["key", "rotate"], b"", None);
    let longest = start.elapsed().mul_f32(1.2);
    let mut deaths = 0;
    for round in 0..200_u32 {
        let home = template.copy();
        let mut command = home.command();
        let mut rotation = Running::start(command.args(["-q", "key", "rotate"])).unwrap();
        // Spread the kills over the whole run; the assertions hold at any moment.
        let moment = longest * (round * 73 % 200) / 200;
        spin(moment);
        rotation.kill().unwrap();
        let status = rotation.wait().unwrap();
        deaths += u32::from(status.signal() == Some(KILLED));
        let when = format!("killed after {moment:?}");
        assert_all_open(&home, &when);
        assert_rotates(&home, &when);
    }
    println!("{deaths} of 200 rotations were killed in time");
    assert!(deaths > 0, "none of 200 was killed in time");
}

fn spin(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        std::hint::spin_loop();
    }
}
