//! Adding and removing the keys of a store, and refusing what is not a key.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use mcplexer_secrets::keys::Identity;

use super::{assert_opens, run_with, write_key};
use crate::home::{Home, Run, finish};

/// F47: a removed owner can open nothing that is stored later.
#[test]
fn a_key_that_is_removed_opens_nothing() {
    let home = Home::with_secret("v");
    let other = Home::with_secret("x");
    let text = fs::read_to_string(other.path("age.key")).unwrap();
    let identity = Identity::parse_all(&text).unwrap().remove(0);
    let bob = write_key(&home, "bob.key", &text);
    home.run(["key", "add", &identity.name(), "--label", "bob"])
        .succeeded();
    run_with(&home, &bob, &["secret", "get", "github-token", "TOKEN"])
        .failed(6, &["has not accepted it", "mcplexer key accept"]);
    run_with(&home, &bob, &["key", "accept"]).succeeded();
    assert_opens(&home, &bob);
    let old_store = fs::read(home.path("secrets.redb")).unwrap();
    home.run(["key", "remove", "bob"]).succeeded();
    run_with(&home, &bob, &["secret", "get", "github-token", "TOKEN"])
        .failed(5, &["no key opens this store"]);
    // The old keys are useless for what is stored now.
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
        .failed(2, &["several keys match", "bob"]);
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
        .failed(2, &["only ssh-ed25519 and ssh-rsa keys"]);
    home.run(["key", "add", "--file", "none.pub"])
        .failed(1, &["none.pub"]);
    home.run(["key", "add"])
        .failed(2, &["RECIPIENT is missing"]);

    let [bob, eve] = [Identity::generate().name(), Identity::generate().name()];
    home.run(["key", "add", &bob, "--label", "bob"]).succeeded();
    home.run(["key", "add", &bob])
        .failed(8, &["bob already opens this store"]);
    home.run(["key", "add", &eve, "--label", "bob"])
        .failed(8, &["the label bob is taken by another key", "--label"]);
    home.run(["key", "add", &eve, "--label", "a\nb"])
        .failed(2, &["a label is"]);
    home.run(["key", "add", &eve]).succeeded();
    assert_eq!(home.run(["key", "list"]).text().lines().count(), 4);
    Home::new()
        .run(["key", "add", &eve])
        .failed(4, &["no store yet"]);
}

/// If an identity is given instead of a file name, the error does not repeat it, and no file is created.
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
    let removed = removed.failed(2, &["several keys match", "mcplexer key list"]);
    assert!(!removed.stderr.contains("recover"), "{}", removed.stderr);
}
