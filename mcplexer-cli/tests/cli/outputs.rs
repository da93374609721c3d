//! Where output goes: not over the files of the home, through links, and never to nowhere without a word.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use mcplexer_secrets::keys::Identity;
use test_support::STANDARD_PATH;

use super::home::{BINARY, Home, Run, finish};

/// The commands that write a file, each with a place for its name.
const WRITERS: [&[&str]; 4] = [
    &["export", "github-token", "-o", "FILE"],
    &["inject", "-i", "t", "-o", "FILE"],
    &["backup", "create", "--force", "FILE"],
    &["backup", "create", "FILE"],
];

fn write_to(command: &mut Command, arguments: &[&str], file: &Path) -> Run {
    let arguments = arguments.iter().map(|it| match *it {
        "FILE" => file.as_os_str(),
        other => other.as_ref(),
    });
    finish(command.args(arguments))
}

/// Public faults: age#491, scrypt#427.
#[test]
fn no_output_replaces_a_file_of_the_home() {
    let home = Home::with_secret("v");
    fs::write(home.root().join("t"), "text").unwrap();
    for name in [
        "age.key",
        "secrets.redb",
        "audit.log",
        "config.yaml",
        "pins",
    ] {
        let path = home.path(name);
        let is_new = !path.exists();
        if is_new {
            fs::write(&path, "").unwrap();
        }
        let before = fs::read(&path).unwrap();
        let (soft, hard) = (home.root().join("soft"), home.root().join("hard"));
        symlink(&path, &soft).unwrap();
        fs::hard_link(&path, &hard).unwrap();
        for file in [
            &path,
            &soft,
            &hard,
            &home.root().join(".mcplexer/../.mcplexer").join(name),
        ] {
            for arguments in WRITERS {
                write_to(&mut home.command(), arguments, file)
                    .failed(2, &["of this home", "name another file"]);
            }
        }
        if name != "audit.log" {
            assert!(fs::read(&path).unwrap() == before, "{name}");
        }
        fs::remove_file(soft).unwrap();
        fs::remove_file(hard).unwrap();
        if is_new {
            fs::remove_file(&path).unwrap();
            write_to(&mut home.command(), WRITERS[0], &path).failed(2, &["of this home"]);
            assert!(!path.exists(), "{name}");
        }
    }
    assert_eq!(home.get("github-token", "TOKEN"), b"v");
}

/// The key and the log in use, wherever they are.
#[test]
fn no_output_replaces_the_key_or_the_log_in_use() {
    let home = Home::new();
    let (key, log) = (home.root().join("k"), home.root().join("log"));
    let command = || {
        let mut command = home.command();
        command.env("MCPLEXER_AGE_KEY", &key);
        command.env("MCPLEXER_AUDIT", &log);
        command
    };
    finish(command().args(["secret", "put", "github-token", "TOKEN", "v"])).succeeded();
    fs::write(home.root().join("t"), "text").unwrap();
    let other = home.path("age.key");
    for (file, what) in [
        (&key, "key file"),
        (&log, "audit log"),
        (&other, "key file"),
    ] {
        for arguments in WRITERS {
            write_to(&mut command(), arguments, file).failed(2, &[what]);
        }
    }
    let get = finish(command().args(["secret", "get", "github-token", "TOKEN"]));
    assert_eq!(get.succeeded().stdout, b"v");
    finish(command().args(["audit", "verify"])).succeeded();
}

/// `>>` in place of `-o` is no way around that.
#[test]
fn no_result_is_printed_into_a_file_of_the_home() {
    let home = Home::with_secret("v");
    for name in ["age.key", "secrets.redb", "audit.log"] {
        let before = fs::read(home.path(name)).unwrap();
        for arguments in [
            "export github-token",
            "secret get github-token TOKEN",
            "key recovery",
            "audit show",
            "run --scope github-token -- true",
        ] {
            let file = File::options().append(true).open(home.path(name)).unwrap();
            let mut command = home.command();
            command.args(arguments.split(' ')).stdout(file);
            finish(&mut command).failed(2, &["of this home"]);
            assert!(
                fs::read(home.path(name)).unwrap() == before,
                "{name}: {arguments}"
            );
        }
    }
}

/// A variable that names another file of the home would make the command write over it, or wait for itself.
#[test]
fn a_key_and_a_log_are_files_of_their_own() {
    for (variable, name, what) in [
        ("MCPLEXER_AGE_KEY", "secrets.redb", "the store"),
        ("MCPLEXER_AGE_KEY", "audit.log", "the audit log"),
        ("MCPLEXER_AGE_KEY", "config.yaml", "the configuration"),
        ("MCPLEXER_AUDIT", "age.key", "the key file"),
        ("MCPLEXER_AUDIT", "secrets.redb", "the store"),
        ("MCPLEXER_AUDIT", "pins", "the list of accepted stores"),
    ] {
        let home = Home::new();
        let path = home.path(name);
        let mut command = home.command();
        command.env(variable, &path);
        finish(command.args(["secret", "put", "s", "K", "v"])).failed(2, &[variable, what]);
        assert!(!path.exists(), "{name}");
    }
}

/// Public fault: curl#6882.
#[test]
fn a_backup_goes_through_a_link() {
    let home = Home::with_secret("v");
    let root = home.root();
    fs::create_dir(root.join("nas")).unwrap();
    fs::write(root.join("nas/latest.age"), "old").unwrap();
    symlink("nas/latest.age", root.join("near.age")).unwrap();
    symlink("near.age", root.join("far.age")).unwrap();
    symlink("nowhere", root.join("dangling.age")).unwrap();
    for link in ["near.age", "far.age"] {
        fs::write(root.join("nas/latest.age"), "old").unwrap();
        home.run(["backup", "create", link])
            .failed(8, &["already exists"]);
        home.run(["backup", "create", "--force", link]).succeeded();
        assert!(root.join(link).is_symlink(), "{link}");
        home.run(["backup", "verify", "nas/latest.age"]).succeeded();
    }
    for force in [
        &["backup", "create", "dangling.age"][..],
        &["backup", "create", "--force", "dangling.age"],
    ] {
        home.run(force)
            .failed(1, &["a link to a file that does not exist"]);
        assert!(root.join("dangling.age").is_symlink());
    }
}

#[test]
fn a_backup_replaces_only_files() {
    let home = Home::with_secret("v");
    let make = |program: &str, arguments: &[&str]| {
        let mut command = home.command_of(program.as_ref());
        command.env("PATH", STANDARD_PATH).args(arguments);
        finish(&mut command).code == 0
    };
    assert!(make("mkfifo", &["pipe"]));
    symlink("pipe", home.root().join("to-pipe")).unwrap();
    fs::create_dir(home.root().join("directory")).unwrap();
    let mut names = vec!["pipe", "to-pipe", "directory"];
    // Only root makes a device, here with the numbers of /dev/null.
    if make("mknod", &["device", "c", "1", "3"]) {
        names.push("device");
    }
    for name in names {
        home.run(["backup", "create", "--force", name])
            .failed(1, &[name, "not a regular file"]);
        let kind = fs::metadata(home.root().join(name)).unwrap().file_type();
        assert!(
            kind.is_fifo() || kind.is_dir() || kind.is_char_device(),
            "{name}"
        );
    }
}

/// Runs a command line of the shell, in which `"$@"` is the command.
pub(crate) fn in_shell(home: &Home, line: &str, arguments: &[&str]) -> Run {
    let mut shell = home.command_of("/bin/sh".as_ref());
    finish(shell.args(["-c", line, "sh", BINARY]).args(arguments))
}

pub(crate) const NOWHERE: [&str; 3] = [
    "exec \"$@\" >&-",
    "exec \"$@\" >/dev/full",
    "exec \"$@\" 1</dev/null",
];

/// Without a standard output, Rust opens /dev/null in its place.
#[test]
fn a_result_that_cannot_be_written_is_an_error() {
    let home = Home::with_secret("v");
    fs::write(home.root().join("t"), "mcplexer://github-token/TOKEN").unwrap();
    home.run(["backup", "create", "b.age"]).succeeded();
    for line in NOWHERE {
        for arguments in [
            &["secret", "get", "github-token", "TOKEN"][..],
            &["secret", "list"],
            &["secret", "list", "github-token", "--json"],
            &["secret", "history", "github-token", "TOKEN"],
            &["export", "github-token"],
            &["inject", "-i", "t"],
            &["scope", "show", "github-token"],
            &["key", "list"],
            &["key", "show", "--json"],
            &["backup", "verify", "b.age"],
            &["config", "show"],
            &["config", "schema"],
            &["audit", "show"],
            &["audit", "checkpoint"],
            &["completions", "bash"],
            &["man"],
            &["--help"],
            &["exit-codes"],
        ] {
            in_shell(&home, line, arguments).failed(1, &["cannot write to standard output"]);
        }
        // What prints nothing needs no standard output.
        in_shell(&home, line, &["secret", "put", "s", "K", "w"]).succeeded();
    }
}

/// `/dev/null` is not a closed stream, however it was opened.
#[test]
fn a_result_may_be_thrown_away() {
    let home = Home::with_secret("v");
    for how in [
        OpenOptions::new().write(true),
        OpenOptions::new().read(true).write(true),
    ] {
        let mut command = home.command();
        command.args(["secret", "get", "github-token", "TOKEN"]);
        let null = how.open("/dev/null").unwrap();
        finish(command.stdout(null)).succeeded();
    }
    let mut command = home.command();
    command.args(["secret", "get", "github-token", "TOKEN"]);
    assert!(command.stdout(Stdio::null()).status().unwrap().success());
}

/// Public fault: open-keychain#2120.
#[test]
fn a_recovery_code_that_nobody_saw_does_not_count() {
    let home = Home::with_secret("v");
    let list = || home.run(["key", "list"]).succeeded();
    let closed_pipe = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = home.command();
        command.args(["key", "recovery"]).stdout(writer);
        finish(&mut command)
    };
    let runs = NOWHERE
        .iter()
        .map(|line| in_shell(&home, line, &["key", "recovery"]));
    for run in runs.chain([closed_pipe()]) {
        assert_eq!((run.code, &*run.stdout), (1, &b""[..]), "{}", run.stderr);
        assert!(
            run.stderr.contains("the store has no recovery code"),
            "{}",
            run.stderr
        );
        assert!(!list().text().contains("recovery"));
        let doctor = home.run(["doctor"]);
        assert!(!doctor.text().contains("all is well"), "{}", doctor.text());
    }
    let file = home.root().join("code");
    let mut command = home.command();
    command
        .args(["key", "recovery"])
        .stdout(File::create(&file).unwrap());
    finish(&mut command).succeeded();
    let code = fs::read(&file).unwrap();
    fs::remove_file(home.path("age.key")).unwrap();
    home.pipe(["key", "recover"], &code).succeeded();
    assert_eq!(home.get("github-token", "TOKEN"), b"v");
    let other = Identity::generate().name();
    home.run(["key", "add", &other]).succeeded();
}
