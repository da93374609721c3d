//! Every kind of key that opens a store, in real key files.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use mcplexer_secrets::keys::Identity;
use rexpect::session::{PtySession, spawn_command};
use test_support::tool;

use super::built::built;
use super::home::{Home, Run, finish};
use super::terminal::{end, start_at};

const PLUGIN: &str = "age-plugin-mcplexertest";
/// The PIN that a test key asks for.
const PIN: &str = "1234";

/// The directory of the test plugin.
static PLUGINS: LazyLock<PathBuf> = LazyLock::new(|| built("test-plugin", PLUGIN));

/// A command in this home, with this key file and the test plugin at hand.
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

/// The same at a terminal.
fn start_with(home: &Home, key: &Path, arguments: &[&str]) -> PtySession {
    let mut command = command(home, key, arguments);
    command.env("TERM", "dumb").stdin(Stdio::inherit());
    spawn_command(command, Some(20_000)).unwrap()
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

/// Writes a key file that is nobody else's.
fn write_key(home: &Home, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = home.root().join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// Makes an SSH key pair, and gives the file of the private key; `None` if there is no ssh-keygen.
fn ssh_key(home: &Home, name: &str, kind: &[&str], passphrase: &str) -> Option<PathBuf> {
    let path = home.root().join(name);
    let mut keygen = Command::new(tool("ssh-keygen")?);
    let keygen = keygen.args(["-q", "-C", "ann@host", "-N", passphrase, "-t"]);
    let output = keygen.args(kind).arg("-f").arg(&path).output();
    assert!(output.unwrap().status.success());
    Some(path)
}

/// A key file of the test plugin, and its recipient.
fn plugin_key(home: &Home, name: &str, arguments: &[&str]) -> (PathBuf, String) {
    let mut plugin = Command::new(PLUGINS.join(PLUGIN));
    let made = finish(plugin.arg("--generate").args(arguments)).succeeded();
    let recipient = made
        .text()
        .split_whitespace()
        .find(|it| it.starts_with("age1"));
    (
        write_key(home, name, &made.stdout),
        recipient.unwrap().to_owned(),
    )
}

/// The store opens with this key, which asks for nothing; it can be written and re-keyed.
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

/// A rotation leaves in the file what mcplexer has not made: it may open other things.
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

/// F36: a wrong passphrase is asked for again. F38: the right one is asked for once, also by a
/// rotation, after which the file still has it.
#[test]
fn an_age_key_file_with_a_passphrase() {
    for armored in [true, false] {
        let home = Home::with_secret("v");
        let plain = fs::read(home.path("age.key")).unwrap();
        let recipient = age::scrypt::Recipient::new("right".to_owned().into());
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

#[test]
fn an_ssh_private_key() {
    for (kind, name) in [
        (["ed25519"].as_slice(), "ssh-ed25519"),
        (&["rsa", "-b", "2048"], "ssh-rsa"),
    ] {
        let home = Home::with_secret("v");
        let Some(key) = ssh_key(&home, "id", kind, "") else {
            return;
        };
        let public = fs::read_to_string(key.with_extension("pub")).unwrap();
        let words: Vec<_> = public.split_whitespace().collect();
        home.run([&["key", "add"], words.as_slice()].concat())
            .succeeded();
        let list = home.run(["key", "list"]).succeeded();
        assert!(list.text().contains("ann@host  ssh"), "{}", list.text());
        assert_opens(&home, &key);
        run_with(&home, &key, &["key", "rotate"]).failed(5, &[name, "--keep-identity"]);
        // The other owner's rotation keeps it.
        home.run(["key", "rotate"]).succeeded();
        assert_opens(&home, &key);
    }
}

/// F36, F37, F38 for an SSH key.
#[test]
fn an_ssh_private_key_with_a_passphrase() {
    for kind in [["ed25519"].as_slice(), &["rsa", "-b", "2048"]] {
        let home = Home::with_secret("v");
        let Some(key) = ssh_key(&home, "id", kind, "right") else {
            return;
        };
        let public = key.with_extension("pub");
        home.run([
            "key",
            "add",
            "--file",
            public.to_str().unwrap(),
            "--label",
            "ann",
        ])
        .succeeded();
        let get = ["secret", "get", "github-token", "TOKEN"];
        let mut session = start_with(&home, &key, &get);
        answer(&mut session, "passphrase for ~/id: ", "wrong");
        answer(
            &mut session,
            "that was wrong; passphrase for ~/id: ",
            "right",
        );
        assert!(ends_well(session).contains('v'));
        let mut session = start_with(&home, &key, &["key", "rotate", "--keep-identity"]);
        answer(&mut session, "passphrase for ~/id: ", "right");
        assert!(!ends_well(session).contains("passphrase"));
        run_with(&home, &key, &get).failed(5, &["id needs a passphrase"]);
        run_with(&home, &key, &["--no-input", "key", "rotate"]).failed(5, &["id needs a passphrase"]);
    }
}

#[test]
fn a_store_can_be_made_for_an_ssh_key() {
    let home = Home::new();
    let Some(key) = ssh_key(&home, "id", &["ed25519"], "") else {
        return;
    };
    run_with(
        &home,
        &key,
        &["secret", "put", "github-token", "TOKEN", "v"],
    )
    .succeeded();
    assert!(!home.path("age.key").exists());
    assert_opens(&home, &key);
    let Some(other) = ssh_key(&home, "other", &["ecdsa"], "") else {
        return;
    };
    run_with(&home, &other, &["secret", "get", "github-token", "TOKEN"])
        .failed(5, &["only ssh-ed25519 and ssh-rsa keys"]);
}

#[test]
fn a_plugin() {
    let home = Home::with_secret("v");
    let (key, recipient) = plugin_key(&home, "plugin.key", &[]);
    let own = home.path("age.key");
    run_with(&home, &own, &["key", "add", &recipient, "--label", "stick"]).succeeded();
    let list = home.run(["key", "list"]).succeeded();
    assert!(list.text().contains("stick  plugin"), "{}", list.text());
    assert_opens(&home, &key);
    run_with(&home, &key, &["key", "rotate"]).failed(5, &["cannot be replaced", "--keep-identity"]);
    run_with(&home, &own, &["key", "rotate"]).succeeded();
    assert_opens(&home, &key);

    // Without the program: who needs it is told, and nothing is changed.
    let mut without = home.command();
    let without =
        without
            .env("MCPLEXER_AGE_KEY", &key)
            .args(["secret", "get", "github-token", "TOKEN"]);
    finish(without).failed(
        5,
        &[
            "age-plugin-mcplexertest is not in PATH",
            "install age-plugin-mcplexertest",
        ],
    );
    home.run(["key", "rotate"])
        .failed(5, &["age-plugin-mcplexertest is not in PATH"]);
    assert_opens(&home, &key);
    let other = plugin_key(&home, "other.key", &[]).0;
    run_with(&home, &other, &["secret", "get", "github-token", "TOKEN"])
        .failed(5, &["no key opens"]);
}

#[test]
fn a_store_can_be_made_for_a_plugin() {
    let home = Home::new();
    let (key, recipient) = plugin_key(&home, "plugin.key", &[]);
    run_with(
        &home,
        &key,
        &["secret", "put", "github-token", "TOKEN", "v"],
    )
    .succeeded();
    assert_opens(&home, &key);
    let list = home.run(["key", "list", "--json"]).succeeded();
    assert!(list.text().contains(&recipient), "{}", list.text());

    let nameless = fs::read_to_string(&key).unwrap();
    let nameless = write_key(&home, "nameless", nameless.lines().last().unwrap());
    assert_opens(&home, &nameless);
    let new = Home::new();
    run_with(&new, &nameless, &["secret", "put", "s", "K", "v"])
        .failed(5, &["does not name its recipient"]);
    assert!(!new.path("secrets.redb").exists());
}

/// F37: a plugin that asks fails at once where there is nobody.
#[test]
fn a_plugin_that_asks_for_a_pin() {
    let home = Home::with_secret("v");
    let (key, recipient) = plugin_key(&home, "plugin.key", &["--pin"]);
    run_with(&home, &home.path("age.key"), &["key", "add", &recipient]).succeeded();
    let get = ["secret", "get", "github-token", "TOKEN"];
    run_with(&home, &key, &get).failed(5, &["age-plugin-mcplexertest failed", "no PIN"]);
    // A list needs no key, and asks for none.
    run_with(&home, &key, &["secret", "list", "github-token"]).succeeded();
    let other = fs::read_to_string(Home::with_secret("x").path("age.key")).unwrap();
    let both = format!("{}{other}", fs::read_to_string(&key).unwrap());
    let both = write_key(&home, "both.key", both);
    run_with(&home, &both, &["secret", "list", "github-token"]).succeeded();
    let mut session = start_with(&home, &key, &get);
    answer(&mut session, "PIN of the test key: ", PIN);
    assert!(ends_well(session).contains('v'));
}

/// F37: without anybody to ask, whoever needs an answer fails at once, and nothing has changed.
#[test]
fn a_passphrase_of_the_store() {
    let home = Home::with_secret("v");
    home.run(["key", "add", "--passphrase"])
        .failed(5, &["no terminal to ask on"]);
    let add = ["key", "add", "--passphrase", "--label", "team"];
    let mut session = start_at(&home, &add);
    answer(&mut session, "new passphrase: ", "right");
    answer(&mut session, "repeat passphrase: ", "other");
    let (text, code) = end(session);
    assert!(code == 2 && text.contains("differ"), "{text}");
    let mut session = start_at(&home, &add);
    answer(&mut session, "new passphrase: ", "right");
    answer(&mut session, "repeat passphrase: ", "right");
    ends_well(session);

    home.run(["key", "rotate"]).succeeded();
    fs::rename(home.path("age.key"), home.root().join("away")).unwrap();
    let get = ["secret", "get", "github-token", "TOKEN"];
    let mut session = start_at(&home, &get);
    answer(&mut session, "passphrase of the store (team): ", "wrong");
    answer(
        &mut session,
        "that was wrong; passphrase of the store",
        "right",
    );
    assert!(ends_well(session).contains('v'));
    let mut session = start_at(&home, &["key", "rotate", "--keep-identity"]);
    answer(&mut session, "passphrase of the store (team): ", "right");
    ends_well(session);
    home.run(get).failed(5, &["age.key does not exist"]);
    home.run([&["--no-input"], get.as_slice()].concat())
        .failed(5, &["age.key does not exist"]);
}

/// The code and the store are enough.
#[test]
fn a_recovery_code() {
    let home = Home::with_secret("v");
    let made = home.run(["key", "recovery"]).succeeded();
    let code = made.text().trim().to_owned();
    assert_eq!((code.len(), code.matches('-').count()), (39, 7), "{code}");
    assert!(!made.stderr.contains(&code) && made.stderr.contains("write it down"));
    home.assert_no_trace_of(&code);
    home.run(["key", "recovery"])
        .failed(8, &["has a recovery code already"]);

    fs::remove_file(home.path("age.key")).unwrap();
    let get = home.run(["secret", "get", "github-token", "TOKEN"]);
    get.failed(5, &["age.key does not exist", "mcplexer key recover"]);
    let recover = |code: &str| home.pipe(["key", "recover"], code.as_bytes());
    let store = fs::read(home.path("secrets.redb")).unwrap();
    let wrong = match code.starts_with('Q') {
        true => code.replacen('Q', "P", 1),
        false => code.replacen(|_| true, "Q", 1),
    };
    recover(&wrong).failed(2, &["typing error"]);
    recover("too short").failed(2, &["32 letters and digits"]);
    let other = Home::with_secret("x").run(["key", "recovery"]).stdout;
    recover(str::from_utf8(&other).unwrap()).failed(5, &["does not open the store"]);
    assert!(!home.path("age.key").exists());
    assert!(fs::read(home.path("secrets.redb")).unwrap().len() == store.len());

    let mut session = start_at(&home, &["key", "recover"]);
    answer(&mut session, "recovery code: ", &wrong);
    session.exp_string("typing error").unwrap();
    answer(
        &mut session,
        "recovery code: ",
        &code.to_lowercase().replace('-', " "),
    );
    let text = ends_well(session);
    assert!(
        text.contains("new key age1") && !text.contains(&code),
        "{text}"
    );
    assert_eq!(home.get("github-token", "TOKEN"), b"v");
    let mode = fs::metadata(home.path("age.key"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o600);
    // It stays good, and goes when it is taken away.
    fs::remove_file(home.path("age.key")).unwrap();
    recover(&code).succeeded();
    home.run(["key", "remove", "recovery code"]).succeeded();
    recover(&code).failed(5, &["has no recovery code"]);
}

/// A coding agent that reads along would have what opens everything.
#[test]
fn a_recovery_code_is_not_shown_to_a_coding_agent() {
    let home = Home::with_secret("v");
    let run = |arguments: &[&str]| finish(home.command().env("CLAUDECODE", "1").args(arguments));
    run(&["key", "recovery"]).failed(3, &["Claude Code is running this command", "--reveal"]);
    run(&["key", "recovery", "--reveal"]).succeeded();
}

/// Nobody types a code for nothing.
#[test]
fn what_needs_no_recovery_code_is_found_before_it_is_asked_for() {
    let home = Home::with_secret("v");
    let recover = |lost: &[&str]| home.run(["key", "recover"].iter().chain(lost));
    recover(&[]).failed(5, &["has no recovery code"]);
    home.run(["key", "recovery"]).succeeded();
    recover(&[]).failed(2, &["32 letters and digits"]);
    let other = Identity::generate().name();
    home.run(["key", "add", &other, "--label", "bob"])
        .succeeded();
    recover(&[]).failed(2, &["several keys may be meant", "bob", "--lost LABEL"]);
    recover(&["--lost", "age1"]).failed(2, &["several keys may be meant"]);
    recover(&["--lost", "eve"]).failed(4, &["no key eve opens this store"]);
    recover(&["--lost", "bob"]).failed(2, &["32 letters and digits"]);
    recover(&["--lost", &other]).failed(2, &["32 letters and digits"]);
}

/// F47: the one who goes opens nothing that comes after.
#[test]
fn a_key_that_is_removed_opens_nothing() {
    let home = Home::with_secret("v");
    let other = Home::with_secret("x");
    let text = fs::read_to_string(other.path("age.key")).unwrap();
    let identity = Identity::parse_all(&text).unwrap().remove(0);
    let bob = write_key(&home, "bob.key", &text);
    home.run(["key", "add", &identity.name(), "--label", "bob"])
        .succeeded();
    assert_opens(&home, &bob);
    let old_store = fs::read(home.path("secrets.redb")).unwrap();
    home.run(["key", "remove", "bob"]).succeeded();
    run_with(&home, &bob, &["secret", "get", "github-token", "TOKEN"])
        .failed(5, &["no key opens this store"]);
    // What he knew of the old keys is of no use for what is stored now.
    let now = fs::read(home.path("secrets.redb")).unwrap();
    let sealed = b"age-encryption.org/v1\n-> mcplexer-seal ";
    let salts = |file: &[u8]| -> Vec<Vec<u8>> {
        let places = file.windows(sealed.len()).enumerate();
        let found = places.filter(|(_, it)| it == sealed);
        found
            .map(|(at, _)| file[at + sealed.len()..][..22].to_vec())
            .collect()
    };
    let old = salts(&old_store);
    assert!(!old.is_empty() && salts(&now).iter().all(|salt| !old.contains(salt)));
}

#[test]
fn removing_a_key_locks_nobody_out_by_accident() {
    let home = Home::with_secret("v");
    let label = |home: &Home| {
        let list = home.run(["key", "list", "--json"]).succeeded();
        let list: serde_json::Value = serde_json::from_slice(&list.stdout).unwrap();
        list["keys"][0]["label"].as_str().unwrap().to_owned()
    };
    let own = label(&home);
    home.run(["key", "remove", &own])
        .failed(2, &["the only key"]);
    home.run(["key", "remove", &own, "--force"])
        .failed(2, &["the only key"]);
    home.run(["key", "remove", "nobody"])
        .failed(4, &["nobody", "key list"]);
    let bob = Identity::generate().name();
    home.run(["key", "add", &bob, "--label", "bob"]).succeeded();
    home.run(["key", "remove", "age1"])
        .failed(2, &["several keys may be meant", "bob"]);
    home.run(["key", "remove", &own])
        .failed(2, &["could not open the store", "--force"]);
    assert_eq!(home.get("github-token", "TOKEN"), b"v");
    home.run(["key", "remove", &bob[..20]]).succeeded();
    home.run(["key", "add", &bob, "--label", "bob"]).succeeded();
    home.run(["key", "remove", &own, "--force"]).succeeded();
    home.run(["secret", "get", "github-token", "TOKEN"])
        .failed(5, &["(bob)"]);
}

#[test]
fn what_cannot_be_a_key_is_refused_and_not_repeated() {
    let home = Home::with_secret("v");
    let secret = fs::read_to_string(home.path("age.key")).unwrap();
    let secret = secret.lines().last().unwrap();
    let refused = home
        .run(["key", "add", secret])
        .failed(2, &["that is a private key"]);
    assert!(!refused.stderr.contains(secret));
    home.run(["key", "add", "bob"])
        .failed(2, &["not a recipient"]);
    home.run(["key", "add", "ecdsa-sha2-nistp256", "AAAAE2VjZHNh"])
        .failed(2, &["only ssh-ed25519"]);
    home.run(["key", "add", "--file", "none.pub"])
        .failed(1, &["none.pub"]);
    home.run(["key", "add"]).failed(2, &["required"]);

    let [bob, eve] = [Identity::generate().name(), Identity::generate().name()];
    home.run(["key", "add", &bob, "--label", "bob"]).succeeded();
    home.run(["key", "add", &bob])
        .failed(8, &["bob opens this store already"]);
    home.run(["key", "add", &eve, "--label", "bob"])
        .failed(8, &["bob opens"]);
    home.run(["key", "add", &eve, "--label", "a\nb"])
        .failed(2, &["a label is"]);
    home.run(["key", "add", &eve]).succeeded();
    assert_eq!(home.run(["key", "list"]).text().lines().count(), 4);
    Home::new()
        .run(["key", "add", &eve])
        .failed(4, &["no store yet"]);
}

/// An identity is given where the name of a file is wanted: it is not repeated, and no file is made.
#[test]
fn an_identity_in_the_place_of_a_file_is_refused_and_not_repeated() {
    let home = Home::with_secret("v");
    home.run(["backup", "create", "b.age"]).succeeded();
    let text = fs::read_to_string(home.path("age.key")).unwrap();
    let secret = text.lines().last().unwrap();
    let plugin = "AGE-PLUGIN-YUBIKEY-1QQPZRY9X8GF2TVDW0";
    let before = home.files().len();
    let quoted = format!("'{secret}'");
    for identity in [secret, &secret.to_lowercase(), &text, plugin, &quoted] {
        for variable in ["MCPLEXER_AGE_KEY", "MCPLEXER_AUDIT", "MCPLEXER_HOME"] {
            let new = Home::new();
            let put = ["secret", "put", "s", "K", "v"];
            let run = finish(new.command().env(variable, identity).args(put));
            let said = "holds an identity where a path belongs";
            let run = run.failed(2, &[variable, said, "MCPLEXER_AGE_IDENTITY"]);
            assert_not_repeated(&run, identity);
            assert_eq!(new.files().len(), 0);
        }
    }
    for identity in [secret, &secret.to_lowercase(), plugin] {
        for (arguments, code) in [
            (
                &["backup", "verify", "b.age", "--identity", identity][..],
                2,
            ),
            (&["key", "add", "--file", identity], 1),
            (&["key", "remove", identity], 4),
            (&["backup", "verify", identity], 1),
            (&["secret", "get", identity, "K"], 2),
            (&[identity], 2),
        ] {
            let run = home.run(arguments);
            assert_eq!(run.code, code, "{}", run.stderr);
            assert_not_repeated(&run, identity);
        }
    }
    assert_eq!(home.files().len(), before);
}

#[track_caller]
fn assert_not_repeated(run: &Run, identity: &str) {
    let said = run.stderr.to_lowercase();
    for line in identity.lines().filter(|it| !it.starts_with('#')) {
        assert!(!said.contains(&line[12..].to_lowercase()), "{said}");
    }
}

#[test]
fn what_is_no_key_of_the_store_is_named_with_its_place() {
    let home = Home::with_secret("v");
    let other = Home::with_secret("x");
    let get = ["secret", "get", "github-token", "TOKEN"];
    let recipient = other.run(["key", "show", "--json"]).succeeded();
    let recipient: serde_json::Value = serde_json::from_slice(&recipient.stdout).unwrap();
    let recipient = recipient["recipients"][0].as_str().unwrap();
    fs::copy(other.path("age.key"), home.path("age.key")).unwrap();
    let said = format!("no key opens this store: ~/.mcplexer/age.key is another key: {recipient}");
    home.run(get).failed(5, &[&said]);

    let public = home.root().join("id.pub");
    for text in [recipient, "ssh-ed25519 AAAA ann@host"] {
        fs::write(&public, text).unwrap();
        for mode in [0o644, 0o600] {
            fs::set_permissions(&public, fs::Permissions::from_mode(mode)).unwrap();
            run_with(&home, &public, &get).failed(5, &["it is a public key", "without .pub"]);
        }
    }
    home.run(["key", "add", recipient]).failed(5, &[&said]);
}

#[test]
fn several_keys_that_begin_alike_are_no_matter_of_recovery() {
    let home = Home::with_secret("v");
    let other = Identity::generate().name();
    home.run(["key", "add", &other]).succeeded();
    let removed = home.run(["key", "remove", "age1"]);
    let removed = removed.failed(2, &["several keys may be meant", "mcplexer key list"]);
    assert!(!removed.stderr.contains("recover"), "{}", removed.stderr);
}
