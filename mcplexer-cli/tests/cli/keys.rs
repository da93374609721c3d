//! Every kind of key that opens a store, in real key files.

mod owners;
mod plugins;
mod recovery;
mod several;
mod spelling;
mod ssh;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use rexpect::session::{PtySession, spawn_command};

use super::built::built;
use super::home::{Home, Run, finish};
use super::terminal::end;

const PLUGIN: &str = "age-plugin-mcplexertest";

/// The directory of the test plugin.
static PLUGINS: LazyLock<PathBuf> = LazyLock::new(|| built(PLUGIN));

/// Returns a command in this home, with this key file and with the test plugin in `PATH`.
fn command(home: &Home, key: &Path, arguments: &[impl AsRef<OsStr>]) -> Command {
    let mut command = home.command();
    command
        .env("MCPLEXER_AGE_KEY", key)
        .env("PATH", &*PLUGINS)
        .args(arguments);
    command
}

fn run_with(home: &Home, key: &Path, arguments: &[&str]) -> Run {
    finish(&mut command(home, key, arguments))
}

/// Starts the same on a terminal.
fn start_with(home: &Home, key: &Path, arguments: &[&str]) -> PtySession {
    let mut command = command(home, key, arguments);
    command.env("TERM", "dumb").stdin(Stdio::inherit());
    spawn_command(command, Some(crate::terminal::PATIENCE)).unwrap()
}

fn answer(session: &mut PtySession, question: &str, answer: &str) {
    session.exp_string(question).unwrap();
    session.send_line(answer).unwrap();
}

#[track_caller]
fn ends_well(session: PtySession) -> String {
    let (text, code) = end(session);
    assert_eq!(code, 0, "{text}");
    text
}

/// Writes a key file that only its owner can read.
pub(crate) fn write_key(home: &Home, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = home.root().join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// Checks that this key opens the store without asking, and that the store can be written and re-keyed.
#[track_caller]
fn assert_opens(home: &Home, key: &Path) {
    let get = run_with(home, key, &["secret", "get", "github-token", "TOKEN"]);
    assert_eq!(get.succeeded().stdout, b"v");
    run_with(home, key, &["secret", "put", "s", "K", "w"]).succeeded();
    run_with(home, key, &["key", "rotate", "--keep-identity"]).succeeded();
    let get = run_with(home, key, &["secret", "get", "github-token", "TOKEN"]);
    assert_eq!(get.succeeded().stdout, b"v");
}

#[test]
fn an_age_key_file_with_several_identities() {
    let home = Home::with_secret("v");
    let own = fs::read_to_string(home.path("age.key")).unwrap();
    let mut text = "# others\n".to_owned();
    for name in ["a.key", "b.key"] {
        let other = Home::with_secret("x");
        let key = fs::read_to_string(other.path("age.key")).unwrap();
        text.push_str(key.lines().last().unwrap());
        text.push_str(&format!("\n# after {name}\n"));
    }
    let key = write_key(&home, "several", format!("{text}{own}"));
    assert_opens(&home, &key);
    // Only the identity in use is replaced; the file keeps the rest.
    run_with(&home, &key, &["key", "rotate"]).succeeded();
    let now = fs::read_to_string(&key).unwrap();
    assert!(now.ends_with(&text), "{now}");
    assert!(!now.contains(own.lines().last().unwrap()));
    assert_opens(&home, &key);
}

/// A rotation keeps identities that mcplexer did not create: they may open other things.
#[test]
fn an_identity_from_elsewhere_is_not_thrown_away() {
    let home = Home::new();
    let other = Home::with_secret("x");
    let made = fs::read_to_string(other.path("age.key")).unwrap();
    let theirs = format!("# created: 2024\n{}\n", made.lines().last().unwrap());
    let key = write_key(&home, "keys.txt", &theirs);
    run_with(
        &home,
        &key,
        &["secret", "put", "github-token", "TOKEN", "v"],
    )
    .succeeded();
    let rotated = run_with(&home, &key, &["key", "rotate"]).succeeded();
    assert!(
        rotated.stderr.contains("keys.txt keeps age1"),
        "{}",
        rotated.stderr
    );
    assert!(fs::read_to_string(&key).unwrap().ends_with(&theirs));
    assert_opens(&home, &key);
    let alone = write_key(&home, "alone", &theirs);
    run_with(&home, &alone, &["secret", "get", "github-token", "TOKEN"])
        .failed(5, &["no key opens"]);
}

/// F36: after a wrong passphrase, the command asks again. F38: it asks for the right one only once,
/// even in a rotation, and the file keeps its passphrase.
#[test]
fn an_age_key_file_with_a_passphrase() {
    for armored in [true, false] {
        let home = Home::with_secret("v");
        let plain = fs::read(home.path("age.key")).unwrap();
        let mut recipient = age::scrypt::Recipient::new("right".to_owned().into());
        recipient.set_work_factor(2);
        let sealed = match armored {
            true => age::encrypt_and_armor(&recipient, &plain)
                .unwrap()
                .into_bytes(),
            false => age::encrypt(&recipient, &plain).unwrap(),
        };
        let key = write_key(&home, "sealed.key", &sealed);
        let get = ["secret", "get", "github-token", "TOKEN"];
        let mut session = start_with(&home, &key, &get);
        answer(&mut session, "passphrase for ~/sealed.key: ", "wrong");
        answer(&mut session, "that was wrong; passphrase", "right");
        assert!(ends_well(session).contains('v'));

        let mut session = start_with(&home, &key, &["key", "rotate"]);
        answer(&mut session, "passphrase for ~/sealed.key: ", "right");
        let text = ends_well(session);
        assert!(
            text.contains("re-encrypted 1 secret") && !text.contains("passphrase"),
            "{text}"
        );
        let now = fs::read(&key).unwrap();
        assert_ne!(now, sealed);
        assert_eq!(now.starts_with(b"-----BEGIN AGE"), armored);
        let mode = fs::metadata(&key).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
        let mut session = start_with(&home, &key, &get);
        answer(&mut session, "passphrase for ~/sealed.key: ", "right");
        assert!(ends_well(session).contains('v'));
        run_with(&home, &home.path("age.key"), &get).failed(5, &["no key opens this store"]);
        run_with(&home, &key, &get).failed(5, &["sealed.key needs a passphrase"]);
    }
}

/// Editors of Windows begin a file with a mark, and a mail with an empty line.
#[test]
fn a_key_file_with_something_before_its_first_line() {
    let home = Home::with_secret("v");
    let plain = fs::read(home.path("age.key")).unwrap();
    let mark = "\u{feff}".as_bytes();
    let key = write_key(&home, "mark.key", [mark, &plain].concat());
    assert_opens(&home, &key);
    run_with(&home, &key, &["key", "rotate"]).succeeded();
    assert_opens(&home, &key);
    let identity = fs::read_to_string(&key).unwrap();
    let mut inline = home.command();
    inline.env("MCPLEXER_AGE_IDENTITY", format!("\u{feff}{identity}"));
    finish(inline.args(["secret", "get", "github-token", "TOKEN"])).succeeded();

    let mut recipient = age::scrypt::Recipient::new("right".to_owned().into());
    recipient.set_work_factor(2);
    let sealed = age::encrypt_and_armor(&recipient, identity.as_bytes()).unwrap();
    for (name, before) in [
        ("blank", "\n"),
        ("spaces", " \r\n\n"),
        ("marked", "\u{feff}\n"),
    ] {
        let key = write_key(&home, name, format!("{before}{sealed}"));
        let get = ["secret", "get", "github-token", "TOKEN"];
        let mut session = start_with(&home, &key, &get);
        answer(&mut session, &format!("passphrase for ~/{name}: "), "right");
        assert!(ends_well(session).contains('v'), "{name}");
    }
}
