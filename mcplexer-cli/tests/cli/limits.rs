//! The commands that write, where writing fails: on a full disk, without inodes, on a read-only file
//! system, with few file descriptors, with little memory. Each succeeds, or ends with a documented exit
//! code and a message that names what failed. All stored secrets can still be read.

mod commands;
mod verdict;

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

use test_support::STANDARD_PATH;

use self::commands::{At, COMMANDS, Template};
use self::verdict::{Ended, judge};
use crate::home::{BINARY, Home};
use crate::namespaces;

const SECRETS: [(&str, &str); 3] = [("s", "K1"), ("s", "K2"), ("t", "K3")];
/// The text of every file that a command is to replace.
const OLD: &str = "old\n";
const NO_SPACE: &str = "No space left on device";
const NO_MEMORY: &str = "out of memory";
/// The file with the input for commands that ask, if there is one.
const INPUT: &str = "input";

/// Returns whether a command creates a file in a home in use.
fn makes_files(command: &[&str]) -> bool {
    let names = ["export", "inject", "adopt", "backup", "compact"];
    let is_named = names.contains(&command[0]) && !command.contains(&"--merge");
    is_named
        || ["rotate", "remove", "recover"]
            .iter()
            .any(|it| command.contains(it))
}

/// Checks that a command failed under some limit. `doctor` instead reports what it cannot fix.
fn some_fail(command: &[&str], [_, failed]: [usize; 2]) {
    assert!(
        failed > 0 || command[0] == "doctor",
        "{command:?} never failed"
    );
}

/// Checks that a command failed under some limit and did its work under another.
fn some_work(command: &[&str], counts: [usize; 2]) {
    some_fail(command, counts);
    assert!(counts[0] > 0, "{command:?} never worked");
}

/// Runs every command under each of these limits, which are set for one home and then lifted. `ends`
/// gets how often each command did its work, and how often it did not.
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

/// Sets up the command, or a shell that starts it, in a home.
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
    // Commands that create no file still work.
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
    // The test environment may pass some open descriptors on to every child.
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
    // The least memory with which the smallest command does its work.
    let works = |kib: u64| {
        limited(&home, &format!("-v {kib}"), &["secret", "list"])
            .status
            .success()
    };
    let mut steps = (1..4096).map(|step| step * 64);
    let enough = steps.find(|kib| works(*kib)).unwrap();
    println!("{enough} KiB are enough to list");
    // How much a command needs differs a little from run to run: with that much less, none works.
    let limits = (0..12).map(|step| enough - 256 + step * 32);
    let limits: Vec<_> = limits
        .chain((1..5).map(|mib| enough + mib * 1024))
        .collect();
    let reasons = ["Cannot allocate memory", NO_MEMORY];
    under(&limits, &reasons, some_fail, |home, arguments, kib| {
        limited(home, &format!("-v {kib}"), arguments)
    });
}
