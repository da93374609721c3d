//! The commands that write, where they cannot: on a full disk, without inodes, on a file system that
//! may only be read, with few file descriptors, with little memory. It ends well, or with a documented
//! exit code and a message that names what could not be done; and everything that was there opens.

use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use mcplexer_secrets::keys::{FileKeys, Identity};
use mcplexer_secrets::{SecretStore, Store};
use test_support::STANDARD_PATH;

use crate::home::{BINARY, Home};
use crate::namespaces;

const SECRETS: [(&str, &str); 3] = [("s", "K1"), ("s", "K2"), ("t", "K3")];
/// The exit codes of failures that are nobody's fault: any other failure, the key, damage, busy.
const CODES: [i32; 2] = [1, 5];
const SIGABRT: i32 = 6;
const SIGSEGV: i32 = 11;
/// What stands in every file that a command is to replace.
const OLD: &str = "old\n";
const NO_SPACE: &str = "No space left on device";
const NO_MEMORY: &str = "out of memory";
/// What is typed for the commands that ask, where there is such a file.
const INPUT: &str = "input";

/// What a command runs in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// A home in use.
    Use,
    /// One that has the token of a client's configuration.
    Adopted,
    /// One whose key is lost, with its recovery code at hand.
    Lost,
    /// A home that is not there yet.
    First,
}

const COMMANDS: [(At, &[&str]); 25] = [
    (At::First, &["secret", "put", "s", "K1", "value of s/K1"]),
    (At::First, &["key", "init"]),
    (At::First, &["config", "apply", "scopes.yaml"]),
    (
        At::First,
        &["backup", "restore", "b.age", "--identity", "b.key"],
    ),
    (At::Use, &["secret", "put", "s", "NEW", "v"]),
    (
        At::Use,
        &["secret", "put", "s", "LARGE", "--file", "large.bin"],
    ),
    (At::Use, &["secret", "delete", "gone", "K"]),
    (At::Use, &["scope", "create", "new"]),
    (At::Use, &["scope", "delete", "gone", "--force"]),
    (At::Use, &["import", "new", "in.env"]),
    (At::Use, &["export", "s", "-o", "out.env"]),
    (At::Use, &["inject", "-i", "template", "-o", "out.txt"]),
    (At::Use, &["adopt", "client.json", "--write"]),
    (At::Use, &["config", "apply", "scopes.yaml"]),
    (At::Use, &["key", "rotate"]),
    (At::Use, &["key", "add", "RECIPIENT", "--label", "new"]),
    (At::Use, &["key", "remove", "bob"]),
    (At::Use, &["key", "recovery"]),
    (At::Lost, &["key", "recover", "--lost", "LOST"]),
    (At::Use, &["backup", "create", "new.age"]),
    (
        At::Use,
        &["backup", "restore", "b.age", "--replace", "--force"],
    ),
    (At::Use, &["backup", "restore", "b.age", "--merge"]),
    (At::Adopted, &["adopt", "client.json", "--undo"]),
    (At::Use, &["compact"]),
    (At::Use, &["doctor", "--fix"]),
];

/// The files of a home in use, and of what lies around it.
struct Template {
    files: Vec<(PathBuf, Vec<u8>)>,
    adopted: Vec<(PathBuf, Vec<u8>)>,
    lost: Vec<(PathBuf, Vec<u8>)>,
    recipient: String,
    lost_recipient: String,
}

impl Template {
    fn new() -> Self {
        let home = Home::new();
        for (scope, key) in SECRETS.into_iter().chain([("gone", "K")]) {
            let value = format!("value of {scope}/{key}");
            home.run(["secret", "put", scope, key, &value]).succeeded();
        }
        let bob = Identity::generate().name();
        home.run(["key", "add", &bob, "--label", "bob"]).succeeded();
        home.run(["backup", "create", "b.age"]).succeeded();
        fs::copy(home.path("age.key"), home.root().join("b.key")).unwrap();
        let token = format!("ghp_{}", "aB3dE5gH7jK9mN1pQ".repeat(3).split_at(36).0);
        let client = format!(
            "{{\"mcpServers\":{{\"github\":{{\"command\":\"npx\",\"env\":{{\"GITHUB_TOKEN\":\"{token}\"}}}}}}}}"
        );
        for (name, text) in [
            ("in.env", "A=one\nB=two\n"),
            ("template", "K1=mcplexer://s/K1\n"),
            ("large.bin", &"x".repeat(900 << 10)),
            ("out.env", OLD),
            ("out.txt", OLD),
            ("client.json", &client),
            (
                "scopes.yaml",
                "auth_scopes:\n  - id: s\n    name: S\n    type: env\n  - id: applied\n    type: header\n",
            ),
        ] {
            fs::write(home.root().join(name), text).unwrap();
        }
        let files = || -> Vec<_> {
            let files = home.files().into_iter().map(|(path, bytes)| {
                let name = path.strip_prefix(home.root()).unwrap();
                (name.to_owned(), bytes)
            });
            files.collect()
        };
        let used = files();
        home.run(["adopt", "client.json", "--write"]).succeeded();
        let adopted = files();
        let code = home.run(["key", "recovery"]).succeeded().stdout;
        fs::write(home.root().join(INPUT), code).unwrap();
        let key = fs::read_to_string(home.path("age.key")).unwrap();
        fs::remove_file(home.path("age.key")).unwrap();
        Self {
            files: used,
            adopted,
            lost: files(),
            recipient: Identity::generate().name(),
            lost_recipient: Identity::parse_all(&key).unwrap()[0].name(),
        }
    }

    fn home(&self, at: At) -> Home {
        let home = Home::new();
        let files = match at {
            At::Adopted => &self.adopted,
            At::Lost => &self.lost,
            At::Use | At::First => &self.files,
        };
        for (name, bytes) in files {
            let is_of_home = name.starts_with(".mcplexer");
            if is_of_home && at == At::First {
                continue;
            }
            let path = home.root().join(name);
            let _there = fs::create_dir(path.parent().unwrap());
            fs::write(&path, bytes).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        }
        if at != At::First {
            fs::set_permissions(home.path(""), Permissions::from_mode(0o700)).unwrap();
            // What doctor --fix mends.
            fs::set_permissions(home.path("audit.log"), Permissions::from_mode(0o644)).unwrap();
        }
        home
    }

    fn arguments<'a>(&'a self, arguments: &'a [&'a str]) -> Vec<&'a str> {
        let with_recipient = arguments.iter().map(|argument| match *argument {
            "RECIPIENT" => self.recipient.as_str(),
            "LOST" => self.lost_recipient.as_str(),
            other => other,
        });
        with_recipient.collect()
    }
}

/// How a command ended.
#[derive(Debug, PartialEq, Eq)]
enum Ended {
    Well,
    Failed,
    /// For want of memory, where nothing can be said any more.
    Aborted,
}

/// Judges how a command ended, and what it left, where the reason for a failure is one of these.
fn judge(home: &Home, at: At, arguments: &[&str], output: &Output, reasons: &[&str]) -> Ended {
    let signal = output.status.signal();
    let may_abort = reasons.contains(&NO_MEMORY);
    let stderr = String::from_utf8_lossy(&output.stderr);
    let what = format!("{arguments:?}: {:?}: {stderr}", output.status);
    let ended = match output.status.code() {
        Some(0) => Ended::Well,
        // Findings, of which one is that there is no recovery code.
        Some(1) if arguments[0] == "doctor" && stderr.is_empty() => Ended::Well,
        None if may_abort && signal == Some(SIGABRT) => {
            assert!(stderr.contains("memory allocation of"), "{what}");
            Ended::Aborted
        }
        // There was not even room to load it, or for its stack to grow.
        None if may_abort && signal == Some(SIGSEGV) => Ended::Aborted,
        Some(127) if stderr.contains("error while loading shared libraries") => Ended::Aborted,
        Some(code) => {
            assert!(CODES.contains(&code), "{what}");
            assert!(stderr.contains("mcplexer: error: "), "{what}");
            assert!(reasons.iter().any(|it| stderr.contains(it)), "{what}");
            let own = [
                "age.key",
                "secrets.redb",
                "audit.log",
                ".mcplexer",
                "standard input",
            ];
            let files = arguments.iter().filter(|it| it.contains('.'));
            assert!(
                own.iter().chain(files).any(|it| stderr.contains(it)),
                "no file: {what}"
            );
            Ended::Failed
        }
        None => panic!("{what}"),
    };
    assert!(!stderr.contains("panicked"), "{what}");
    if at == At::Lost && home.run(["secret", "get", "s", "K1"]).code != 0 {
        let again = command(home, Path::new(BINARY)).args(arguments).output();
        assert!(again.unwrap().status.success(), "again after {what}");
    }
    if at != At::First {
        let keys = FileKeys::new(home.path("age.key"));
        let store = Store::open(home.path("secrets.redb"), keys).unwrap();
        for (scope, key) in SECRETS {
            let found = store.get(&scope.parse().unwrap(), &key.parse().unwrap());
            let found = found.unwrap_or_else(|error| panic!("{error:?} after {what}"));
            let value = format!("value of {scope}/{key}");
            assert_eq!(found.expose(), value.as_bytes(), "{what}");
        }
        store.verify_audit(&home.path("audit.log")).unwrap();
        let written = |name| fs::read_to_string(home.root().join(name)).unwrap();
        assert!(
            [
                "old\n",
                "K1='value of s/K1'\nK2='value of s/K2'\n",
                "K1=\"value of s/K1\"\nK2=\"value of s/K2\"\n"
            ]
            .contains(&written("out.env").as_str()),
            "{what}: {}",
            written("out.env")
        );
        assert!(
            [OLD, "K1=value of s/K1\n"].contains(&written("out.txt").as_str()),
            "{what}"
        );
        let client: serde_json::Value = serde_json::from_str(&written("client.json")).unwrap();
        assert!(client["mcpServers"]["github"].is_object(), "{what}");
    } else {
        // The same again, with all it needs.
        let run = home.run(arguments);
        assert!(run.code == 0 || ended == Ended::Well, "{what}\n{run:?}");
        home.run(["secret", "put", "s", "K1", "v"]).succeeded();
        assert_eq!(home.get("s", "K1"), b"v", "{what}");
    }
    if ended == Ended::Failed {
        let left = home.files().into_iter().filter(|(path, _)| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.ends_with(".mcplexer-new")
        });
        assert_eq!(left.count(), 0, "{what}");
    }
    ended
}

/// Whether a command makes a file, in a home in use.
fn makes_files(command: &[&str]) -> bool {
    let names = ["export", "inject", "adopt", "backup", "compact"];
    let is_named = names.contains(&command[0]) && !command.contains(&"--merge");
    is_named
        || ["rotate", "remove", "recover"]
            .iter()
            .any(|it| command.contains(it))
}

/// A command has failed under some limit. Doctor tells of what it cannot mend instead.
fn some_fail(command: &[&str], [_, failed]: [usize; 2]) {
    assert!(
        failed > 0 || command[0] == "doctor",
        "{command:?} never failed"
    );
}

/// A command has failed under some limit and done its work under another.
fn some_work(command: &[&str], counts: [usize; 2]) {
    some_fail(command, counts);
    assert!(counts[0] > 0, "{command:?} never worked");
}

/// Runs every command under each of these limits, which are made for a home and undone. `ends` sees
/// how often each command did its work, and how often it did not.
fn under<L: Copy>(
    limits: &[L],
    reasons: &[&str],
    ends: impl Fn(&[&str], [usize; 2]),
    run: impl Fn(&Home, &[&str], L) -> Output,
) {
    let template = Template::new();
    for (at, command) in COMMANDS {
        let arguments = template.arguments(command);
        let mut count = [0; 3];
        for limit in limits {
            let home = template.home(at);
            let output = run(&home, &arguments, *limit);
            match judge(&home, at, &arguments, &output, reasons) {
                Ended::Well => count[0] += 1,
                Ended::Failed => count[1] += 1,
                Ended::Aborted => count[2] += 1,
            }
        }
        let [well, failed, aborted] = count;
        println!("{command:?}: {well} well, {failed} failed, {aborted} aborted");
        assert!(well + failed + aborted == limits.len());
        ends(command, [well, failed + aborted]);
    }
}

/// The command, or a shell that starts it, in a home.
fn command(home: &Home, program: &Path) -> Command {
    let mut command = home.command_of(program);
    if let Ok(input) = File::open(home.root().join(INPUT)) {
        command.stdin(input);
    }
    command
}

fn output(home: &Home, arguments: &[&str]) -> Output {
    let mut command = command(home, Path::new(BINARY));
    command.args(arguments).output().unwrap()
}

#[test]
fn every_command_on_a_full_disk() {
    namespaces::run_on_disk("size=4m,mode=0700", "limits::on_a_full_disk");
}

#[test]
#[ignore = "is run by the test above, on a disk of its own"]
fn on_a_full_disk() {
    if namespaces::mounted().is_none() {
        return;
    }
    let free = [0, 4, 8, 12, 16, 24, 48, 72, 96, 200, 400, 2400];
    under(&free, &[NO_SPACE], some_work, |home, arguments, free| {
        let path = home.root().join("filler");
        let mut file = File::create(&path).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
        let len = file.metadata().unwrap().len();
        file.set_len(len.saturating_sub(free << 10)).unwrap();
        let output = output(home, arguments);
        fs::remove_file(path).unwrap();
        output
    });
}

#[test]
fn every_command_without_inodes() {
    let options = "size=16m,nr_inodes=64,mode=0700";
    namespaces::run_on_disk(options, "limits::without_inodes");
}

#[test]
#[ignore = "is run by the test above, on a disk of its own"]
fn without_inodes() {
    if namespaces::mounted().is_none() {
        return;
    }
    // What makes no file goes on.
    let ends = |command: &[&str], counts: [usize; 2]| {
        if makes_files(command) {
            some_work(command, counts);
        }
    };
    under(
        &[0, 1, 2, 3, 4, 8],
        &[NO_SPACE],
        ends,
        |home, arguments, free| {
            let path = |number| home.root().join(format!("filler{number}"));
            let made = (0..).take_while(|number| File::create(path(*number)).is_ok());
            let made = made.count();
            (0..made.min(free)).for_each(|number| fs::remove_file(path(number)).unwrap());
            let output = output(home, arguments);
            (0..made).for_each(|number| drop(fs::remove_file(path(number))));
            output
        },
    );
}

#[test]
fn every_command_on_a_file_system_that_may_only_be_read() {
    namespaces::run_on_disk("size=16m,mode=0700", "limits::read_only");
}

#[test]
#[ignore = "is run by the test above, on a disk of its own"]
fn read_only() {
    let Some(mount) = namespaces::mounted() else {
        return;
    };
    under(
        &[()],
        &["Read-only file system"],
        some_fail,
        |home, arguments, ()| {
            remount(&mount, "ro");
            let output = output(home, arguments);
            remount(&mount, "rw");
            output
        },
    );
}

fn remount(mount: &Path, how: &str) {
    let mut command = Command::new("mount");
    command.env("PATH", STANDARD_PATH);
    let remounted = command.args(["-o", &format!("remount,{how}")]).arg(mount);
    assert!(remounted.status().unwrap().success());
}

/// Runs a command whose shell sets a limit first.
fn limited(home: &Home, limit: &str, arguments: &[&str]) -> Output {
    let script = format!("ulimit {limit} && exec \"$0\" \"$@\"");
    let mut shell = command(home, Path::new("/bin/sh"));
    shell
        .args(["-c", &script, BINARY])
        .args(arguments)
        .output()
        .unwrap()
}

#[test]
fn every_command_with_few_file_descriptors() {
    // What else runs here may have left some open to every child.
    let most: Vec<u32> = (4..13).chain([64]).collect();
    under(
        &most,
        &["Too many open files"],
        some_work,
        |home, arguments, most| limited(home, &format!("-n {most}"), arguments),
    );
}

#[test]
fn every_command_with_little_memory() {
    let template = Template::new();
    let home = template.home(At::Use);
    // The least with which the smallest command does its work.
    let works = |kib: u64| {
        limited(&home, &format!("-v {kib}"), &["secret", "list"])
            .status
            .success()
    };
    let mut steps = (1..4096).map(|step| step * 64);
    let enough = steps.find(|kib| works(*kib)).unwrap();
    println!("{enough} KiB are enough to list");
    let limits = (0..8).map(|step| enough - 64 + step * 32);
    let limits: Vec<_> = limits
        .chain((1..5).map(|mib| enough + mib * 1024))
        .collect();
    let reasons = ["Cannot allocate memory", NO_MEMORY];
    under(&limits, &reasons, some_fail, |home, arguments, kib| {
        limited(home, &format!("-v {kib}"), arguments)
    });
}
