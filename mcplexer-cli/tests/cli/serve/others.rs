//! Other users of the machine.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, chown};

use rustix::process::getuid;
use test_support::{skip, tools};

use super::super::home::BINARY;
use super::daemon::{status_with, stop};
use super::*;

/// A user who has nothing, on every system.
const NOBODY: u32 = 65534;

/// Begins a session on the socket, and shows what comes back.
const TALK: &str = r#"
import socket, sys
peer = socket.socket(socket.AF_UNIX)
peer.settimeout(60)
peer.connect(sys.argv[1])
try:
    peer.sendall(b'{"mcplexer":1}\n')
    peer.shutdown(socket.SHUT_WR)
    while data := peer.recv(65536):
        sys.stdout.write(data.decode())
except (BrokenPipeError, ConnectionResetError):
    pass
"#;

/// A command as another user.
fn as_user(home: &Home, uid: u32, program: &str) -> Command {
    let mut command = home.command_of(Path::new("setpriv"));
    let uid = uid.to_string();
    command.env("PATH", STANDARD_PATH).args([
        "--reuid",
        &uid,
        "--regid",
        &uid,
        "--clear-groups",
        program,
    ]);
    command
}

fn talk(home: &Home, uid: u32) -> String {
    let mut python = as_user(home, uid, "python3");
    python.args(["-c", TALK]).arg(home.path("run/gateway.sock"));
    let run = finish(&mut python).succeeded();
    String::from_utf8(run.stdout).unwrap()
}

/// Opens directories that are closed to others, so that nothing but the gateway keeps them out.
fn open_to_others(home: &Home) {
    for directory in [home.root().to_owned(), home.path(""), home.path("run")] {
        fs::set_permissions(directory, Permissions::from_mode(0o755)).unwrap();
    }
    let socket = home.path("run/gateway.sock");
    fs::set_permissions(socket, Permissions::from_mode(0o777)).unwrap();
}

fn can_be_another_user() -> bool {
    if getuid().as_raw() != 0 {
        skip("root", "only root becomes another user");
        return false;
    }
    tools(&["setpriv", "python3"])
}

#[test]
fn a_client_of_another_user_is_not_answered() {
    if !can_be_another_user() {
        return;
    }
    let home = home(&["plain"]);
    let client = Client::greeted(&home, &["connect"]);
    open_to_others(&home);
    assert_eq!(talk(&home, NOBODY), "");
    assert_eq!(talk(&home, 0), "\"ok\"\n");
    status_with(&home, |it| it["clients"].as_array().unwrap().len() == 1);
    assert_eq!(client.leave(), 0);
    stop(&home);
}

/// Root could read everything. That it is not answered keeps a command that was started by `sudo` from using another user's
/// secrets by mistake.
#[test]
fn root_is_not_answered_by_the_gateway_of_a_user() {
    if !can_be_another_user() {
        return;
    }
    let home = home(&["plain"]);
    let copy = home.root().join("mcplexer");
    // Copied by another process, as in `write_program`.
    let mut cp = home.command_of(Path::new("/bin/cp"));
    finish(cp.arg(BINARY).arg(&copy)).succeeded();
    let mut paths = vec![home.root().to_owned()];
    paths.extend(home.files().into_iter().map(|(path, _)| path));
    paths.extend([home.path(""), pipe(&home)]);
    for path in paths {
        chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let mut daemon = as_user(&home, NOBODY, copy.to_str().unwrap());
    daemon.args(["serve", "--http", "127.0.0.1:0"]);
    daemon.stdin(Stdio::null()).stderr(Stdio::piped());
    let mut daemon = Running::start(&mut daemon).unwrap();
    let mut lines = BufReader::new(daemon.stderr.take().unwrap()).lines();
    assert!(lines.any(|it| it.unwrap().contains("serving")));
    std::thread::spawn(move || lines.for_each(drop));
    assert_eq!(talk(&home, 0), "");
    assert_eq!(talk(&home, NOBODY), "\"ok\"\n");
    kill_process(Pid::from_child(&daemon), Signal::TERM).unwrap();
    assert!(daemon.wait().unwrap().success());
}
