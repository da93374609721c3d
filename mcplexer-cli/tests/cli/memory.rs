//! The memory of the command when it ends contains none of its secrets.
//!
//! The command is traced from outside. The kernel stops it at the moment it exits, with its memory
//! still in place (`PTRACE_O_TRACEEXIT`, ptrace(2)). So the test examines the command as it is
//! released, with nothing built in for the purpose. Reading the memory of a process that has made
//! itself non-dumpable needs `CAP_SYS_PTRACE`; without it, these tests are skipped.

#[path = "../../../mcplexer-secrets/tests/memory/keys.rs"]
mod keys;
#[path = "../../../mcplexer-secrets/tests/memory/scan.rs"]
mod scan;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use mcplexer_secrets::keys::Identity;
use nix::sys::ptrace::{self, Options};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use test_support::{Running, skip};

use self::keys::Secrets;
use self::scan::{Mappings, Wanted};
use super::home::{BINARY, Home, finish};

/// The capability to read any process's memory (capabilities(7)).
const CAP_SYS_PTRACE: u32 = 19;
const SIGABRT: i32 = 6;

fn may_look() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut lines = status.lines();
    let effective = lines.find_map(|line| line.strip_prefix("CapEff:"));
    let effective = effective.and_then(|it| u64::from_str_radix(it.trim(), 16).ok());
    let may = effective.is_some_and(|it| it & 1 << CAP_SYS_PTRACE != 0);
    if !may {
        skip("memory", "only root may look into the memory of others");
    }
    may
}

/// Returns 58 random characters.
fn random() -> String {
    Identity::generate().name()[4..].to_owned()
}

/// What the tracer saw of one command.
struct Traced {
    status: i32,
    /// The places where secrets were found at its end.
    left: Vec<String>,
    /// The number of bytes searched.
    bytes: u64,
    /// The maximum size of its core dump.
    core_limit: String,
    /// What was found while it worked.
    seen: BTreeSet<String>,
}

/// Runs the command and searches its memory for the wanted secrets, when it ends and, until
/// everything in `live` was seen, at each of its system calls. The wanted secrets are determined
/// each time, because a command may have created new keys.
fn trace(
    home: &Home,
    arguments: &[&str],
    input: &[u8],
    live: &[&str],
    wanted: &dyn Fn() -> Wanted,
) -> Traced {
    // The shell waits until it is traced, and then executes the command.
    let mut shell = home.command_of(Path::new("/bin/sh"));
    let shell = shell
        .args(["-c", "read -r go && exec \"$0\" \"$@\"", BINARY])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(File::create(home.root().join("stdout")).unwrap())
        .stderr(File::create(home.root().join("stderr")).unwrap());
    let mut child = Running::start(shell).unwrap();
    let id = child.id();
    let pid = Pid::from_raw(id.try_into().unwrap());
    let options =
        Options::PTRACE_O_TRACEEXIT | Options::PTRACE_O_TRACEEXEC | Options::PTRACE_O_TRACESYSGOOD;
    ptrace::seize(pid, options).unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&[b"go\n", input].concat()).unwrap();
    drop(stdin);

    let mut traced = Traced {
        status: -1,
        left: Vec::new(),
        bytes: 0,
        core_limit: String::new(),
        seen: BTreeSet::new(),
    };
    let wanted_live = wanted();
    let (mut is_command, mut looking) = (false, !live.is_empty());
    loop {
        let mut signal = None;
        match waitpid(pid, Some(WaitPidFlag::__WALL)).unwrap() {
            WaitStatus::Exited(_, status) => {
                traced.status = status;
                return traced;
            }
            WaitStatus::Signaled(..) => return traced,
            WaitStatus::PtraceEvent(_, _, event)
                if event == ptrace::Event::PTRACE_EVENT_EXEC as i32 =>
            {
                is_command = true;
            }
            WaitStatus::PtraceEvent(_, _, event)
                if event == ptrace::Event::PTRACE_EVENT_EXIT as i32 =>
            {
                assert!(is_command, "the shell did not become the command");
                let found = wanted().scan(id, Mappings::All).unwrap();
                traced.left = found.places;
                traced.bytes = found.bytes;
                let limits = fs::read_to_string(format!("/proc/{id}/limits")).unwrap();
                let core = limits
                    .lines()
                    .find_map(|line| line.strip_prefix("Max core file size"));
                let mut core = core.unwrap().split_whitespace();
                traced.core_limit = core.next().unwrap().to_owned();
            }
            WaitStatus::PtraceSyscall(_) => {
                let found = wanted_live.scan(id, Mappings::Writable).unwrap();
                traced.seen.extend(found.names);
                looking = !Wanted::all_in(&traced.seen, live);
            }
            WaitStatus::Stopped(_, sent) => signal = Some(sent),
            _ => {}
        }
        if is_command && looking {
            ptrace::syscall(pid, signal).unwrap();
        } else {
            ptrace::cont(pid, signal).unwrap();
        }
    }
}

/// Returns a home with three secrets in two scopes, and their values.
fn filled() -> (Home, Vec<String>) {
    let home = Home::new();
    let values: Vec<String> = (0..3).map(|_| random()).collect();
    for (value, (scope, key)) in values.iter().zip([("s", "K0"), ("s", "K1"), ("t", "K2")]) {
        home.pipe(["secret", "put", scope, key], value.as_bytes())
            .succeeded();
    }
    (home, values)
}

/// While a value is fetched, the search sees it and every key on the way to it. This shows that the
/// search below can find them.
#[test]
fn what_a_get_has_in_memory_is_seen_while_it_works_and_gone_at_its_end() {
    if !may_look() {
        return;
    }
    let (home, values) = filled();
    let secrets = Secrets::keys_of(&home.path("")).and_values(&values[..1]);
    let live = [
        "value 0",
        "root key",
        "scope key of s",
        "identity (",
        "identity text",
    ];
    let traced = trace(&home, &["secret", "get", "s", "K0"], b"", &live, &|| {
        Wanted::new(secrets.iter())
    });
    assert_eq!((traced.status, traced.core_limit.as_str()), (0, "0"));
    assert!(Wanted::all_in(&traced.seen, &live), "{:?}", traced.seen);
    assert!(traced.bytes > 1 << 20, "only {} bytes", traced.bytes);
    assert!(traced.left.is_empty(), "{:#?}", traced.left);
}

/// Searches all of the memory of each command that opens the store for any value and for any key
/// from before or after it.
#[test]
fn no_command_leaves_a_secret_in_its_memory() {
    if !may_look() {
        return;
    }
    let (home, mut values) = filled();
    values.extend((0..4).map(|_| random()));
    let outside = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| {
        let path = outside.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let env = file(
        "import.env",
        format!("K4={}\nK5=\"{}\"\n", values[4], values[5]),
    );
    let template = file("template", "token: mcplexer://s/K0\n".to_owned());
    let config = file(
        "client.json",
        format!(
            r#"{{"mcpServers":{{"x":{{"command":"x","env":{{"X_TOKEN":"{}"}}}}}}}}"#,
            values[6]
        ),
    );
    let injected = outside.path().join("injected");
    let injected = injected.to_str().unwrap();
    let commands: [(&[&str], &str); 22] = [
        (&["secret", "put", "s", "K3"], &values[3]),
        (&["secret", "get", "s", "K0"], ""),
        (&["secret", "restore", "s", "K0", "--version", "1"], ""),
        (&["secret", "get", "s", "K0", "--version", "1"], ""),
        (&["secret", "history", "s", "K0"], ""),
        (&["secret", "list", "s"], ""),
        (&["import", "s", &env], ""),
        (&["export", "s", "--reveal"], ""),
        (&["export", "t", "--reveal", "--format", "json"], ""),
        (&["inject", "-i", &template, "-o", injected], ""),
        (
            &[
                "run",
                "--scope",
                "s",
                "--mask",
                "--",
                "/usr/bin/printenv",
                "K0",
            ],
            "",
        ),
        (&["adopt", &config, "--write"], ""),
        (&["adopt", &config, "--undo"], ""),
        (&["backup", "create", "b.age"], ""),
        (&["backup", "verify", "b.age"], ""),
        (&["backup", "restore", "b.age", "--replace", "--force"], ""),
        (&["key", "recovery"], ""),
        (&["doctor"], ""),
        (&["audit", "verify"], ""),
        (&["compact"], ""),
        (&["key", "rotate"], ""),
        (&["secret", "delete", "s", "K1"], ""),
    ];
    for (arguments, input) in commands {
        let before = Secrets::keys_of(&home.path("")).and_values(&values);
        let traced = trace(&home, arguments, input.as_bytes(), &[], &|| {
            let now = Secrets::keys_of(&home.path(""));
            let mut secrets: Vec<_> = now.iter().chain(before.iter()).collect();
            let printed = fs::read(home.root().join("stdout")).unwrap();
            if arguments.ends_with(&["recovery"]) && !printed.is_empty() {
                secrets.push(("recovery code", &printed));
            }
            Wanted::new(secrets)
        });
        let stderr = fs::read_to_string(home.root().join("stderr")).unwrap();
        assert_eq!(traced.status, 0, "{arguments:?}: {stderr}");
        println!(
            "{arguments:?}: {} KiB, {} places",
            traced.bytes >> 10,
            traced.left.len()
        );
        assert!(
            traced.bytes > 1 << 20,
            "{arguments:?}: {} bytes",
            traced.bytes
        );
        assert!(traced.left.is_empty(), "{arguments:?}: {:#?}", traced.left);
        assert_eq!(traced.core_limit, "0", "{arguments:?}");
    }
}

/// Ends its parent as a fault would. (After SIGSEGV, the Rust runtime continues once, and the fault
/// recurs.)
const KILL_PARENT: &str = "kill -ABRT $PPID";

/// Returns the files in the home whose names suggest core dumps (core(5)).
fn dumps(home: &Home) -> Vec<PathBuf> {
    let files = fs::read_dir(home.root()).unwrap();
    let paths = files.map(|entry| entry.unwrap().path());
    let is_dump = |path: &PathBuf| path.file_name().unwrap().as_bytes().starts_with(b"core");
    paths.filter(is_dump).collect()
}

/// A fault dumps no core even though the limit was lifted: the command itself prevents it.
#[test]
fn a_fault_in_the_command_dumps_no_core() {
    let (home, _) = filled();
    let script = "ulimit -c unlimited || exit 99; \"$0\" \"$@\"; exit $?";
    let faulty = |command: &[&str]| {
        let mut shell = home.command_of(Path::new("/bin/sh"));
        finish(shell.args(["-c", script]).args(command))
    };
    // A shell that runs a second command stays, and can be killed. It shows where core dumps go on
    // this machine.
    let other = faulty(&[
        "/bin/sh",
        "-c",
        &format!("/bin/sh -c '{KILL_PARENT}'; exit 0"),
    ]);
    if other.code == 99 {
        return skip("core dumps", "the limit on core dumps cannot be lifted");
    }
    assert_eq!(other.code, 128 + SIGABRT, "{}", other.stderr);
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
    let is_here = !pattern.starts_with(['|', '/']) && pattern.starts_with("core");
    let dumped = dumps(&home);
    assert_eq!(!dumped.is_empty(), is_here, "{pattern}");
    for dump in dumped {
        fs::remove_file(dump).unwrap();
    }

    let run = ["run", "--scope", "s", "--mask", "--", "/bin/sh", "-c"];
    let killed = faulty(&[&[BINARY], &run[..], &[KILL_PARENT]].concat());
    assert_eq!(killed.code, 128 + SIGABRT, "{}", killed.stderr);
    assert_eq!(dumps(&home), Vec::<PathBuf>::new());
}
