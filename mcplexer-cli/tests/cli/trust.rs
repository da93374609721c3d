//! An attacker knows the victim's public key and can write the files of the home, but has no key.

use std::fs;

use super::damage::edit;
use super::home::Home;

/// The public key of a home.
fn recipient(home: &Home) -> String {
    let shown = home.run(["key", "show", "--json"]).succeeded();
    let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    shown["recipients"][0].as_str().unwrap().to_owned()
}

/// A home of an attacker, with a store that the victim's key opens.
fn attacker_of(victim: &Home) -> Home {
    let attacker = Home::with_secret("forged");
    let label = ["--label", "victim"];
    attacker
        .run([&["key", "add", &recipient(victim)], &label[..]].concat())
        .succeeded();
    attacker
}

/// T1: the attacker's store in the place of the victim's, with the victim's log and without it.
#[test]
fn a_store_that_somebody_else_made_is_refused_by_every_command() {
    for with_log in [true, false] {
        let victim = Home::with_secret("real");
        let attacker = attacker_of(&victim);
        fs::copy(attacker.path("secrets.redb"), victim.path("secrets.redb")).unwrap();
        if !with_log {
            fs::remove_file(victim.path("audit.log")).unwrap();
        }
        let store = fs::read(victim.path("secrets.redb")).unwrap();
        for command in [
            "secret put github-token TOKEN new",
            "secret get github-token TOKEN",
            "secret list",
            "secret list github-token",
            "secret delete github-token TOKEN",
            "scope create more",
            "scope list",
            "run --scope github-token -- true",
            "export github-token",
            "backup create b.age",
            "key add age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
            "key recovery",
            "key remove victim",
            "key rotate",
            "compact",
            "audit verify",
            "audit checkpoint",
        ] {
            let run = victim.run(command.split(' '));
            assert_eq!(run.code, 6, "{command}: {}", run.stderr);
            let now = fs::read(victim.path("secrets.redb")).unwrap();
            assert!(now == store, "{command} has written");
            let said = ["has not accepted it", "mcplexer key accept", "on 20"];
            for said in said {
                assert!(run.stderr.contains(said), "{command}: {}", run.stderr);
            }
        }
        let doctor = victim.run(["doctor"]);
        assert_eq!(doctor.code, 1);
        assert!(
            doctor.text().contains("has not accepted it"),
            "{}",
            doctor.text()
        );
        // Whose keys open it can be seen.
        let list = victim.run(["key", "list"]).succeeded();
        assert!(list.text().contains("victim"), "{}", list.text());
    }
}

/// The same for a colleague who expects it.
#[test]
fn a_store_that_was_expected_is_accepted_once() {
    let bob = Home::with_secret("bobs");
    let ann = attacker_of(&bob);
    fs::copy(ann.path("secrets.redb"), bob.path("secrets.redb")).unwrap();
    fs::remove_file(bob.path("audit.log")).unwrap();
    let accepted = bob.run(["key", "accept", "--json"]).succeeded();
    let accepted: serde_json::Value = serde_json::from_slice(&accepted.stdout).unwrap();
    assert_eq!(accepted["label"], "victim");
    assert_eq!(accepted["keys"].as_array().unwrap().len(), 2);
    assert_eq!(bob.get("github-token", "TOKEN"), b"forged");
    bob.run(["audit", "verify"]).succeeded();
    let again = bob.run(["key", "accept"]).succeeded();
    assert!(again.stderr.contains("had accepted the store already"));
}

/// T3: a log with lines left out at its end, an older one, and none.
#[test]
fn a_log_that_was_put_back_is_found_by_the_next_command() {
    for command in [
        "secret list",
        "secret get github-token TOKEN",
        "secret put s K v",
    ] {
        let home = Home::with_secret("v");
        let old = fs::read(home.path("audit.log")).unwrap();
        home.run(["secret", "put", "s", "L", "w"]).succeeded();
        fs::write(home.path("audit.log"), old).unwrap();
        home.run(command.split(' ')).failed(
            6,
            &[
                "is missing entries that the store has recorded",
                "mcplexer key accept",
            ],
        );
        fs::remove_file(home.path("audit.log")).unwrap();
        home.run(command.split(' '))
            .failed(6, &["is missing", "mcplexer key accept"]);
        assert!(!home.path("audit.log").exists(), "a new log was begun");
        home.run(["key", "accept"]).succeeded();
        home.run(command.split(' ')).succeeded();
    }
}

/// Without a key nothing proves the header. What it says must not count against the store afterwards.
#[test]
fn a_forged_revision_that_no_key_proves_is_not_recorded() {
    let home = Home::with_secret("v");
    let header = edit(&home, "meta", b"header", |record| Some(record.to_vec()));
    let (key, elsewhere) = (home.path("age.key"), home.path("elsewhere"));
    fs::rename(&key, &elsewhere).unwrap();
    // The version of the format, the store's id, the generation and the revision.
    assert_eq!(header[18], 1, "the revision of a store with one change");
    edit(&home, "meta", b"header", |record| {
        let mut record = record.to_vec();
        record[18] = 0x7f;
        Some(record)
    });
    home.run(["secret", "list"]).succeeded();
    home.run(["secret", "put", "s", "K", "w"]).failed(5, &[]);
    edit(&home, "meta", b"header", |_| Some(header));
    fs::rename(elsewhere, key).unwrap();
    assert_eq!(home.get("github-token", "TOKEN"), b"v");
    home.run(["audit", "verify"]).succeeded();
}

/// A missing log is not begun anew by a command that reads names without a key.
#[test]
fn a_missing_log_is_found_without_a_key() {
    let home = Home::with_secret("v");
    fs::remove_file(home.path("age.key")).unwrap();
    fs::remove_file(home.path("audit.log")).unwrap();
    for command in ["secret list", "scope list", "audit show"] {
        home.run(command.split(' '))
            .failed(5, &["no key opens this store"]);
        assert!(!home.path("audit.log").exists(), "{command}");
    }
}

/// The copy of before a removal, with a backup of after it: neither is the removed owner let in again, nor is a backup
/// that they made then taken for the owner's.
#[test]
fn an_older_copy_is_not_restored_into() {
    let ann = Home::with_secret("anns");
    let bob = Home::with_secret("bobs");
    ann.run(["key", "add", &recipient(&bob), "--label", "bob"])
        .succeeded();
    fs::copy(ann.path("secrets.redb"), bob.path("secrets.redb")).unwrap();
    fs::remove_file(bob.path("audit.log")).unwrap();
    bob.run(["key", "accept"]).succeeded();
    fs::copy(bob.path("secrets.redb"), ann.path("secrets.redb")).unwrap();
    ann.run(["secret", "list"]).succeeded();
    let old = fs::read(ann.path("secrets.redb")).unwrap();
    ann.run(["key", "remove", "bob"]).succeeded();
    ann.run(["secret", "put", "github-token", "TOKEN", "after"])
        .succeeded();
    let forged = ann.root().join("forged.age");
    let forged = forged.to_str().unwrap();
    ann.run(["backup", "create", "own.age"]).succeeded();
    bob.run(["backup", "create", forged]).succeeded();

    fs::write(ann.path("secrets.redb"), &old).unwrap();
    for mode in ["--merge", "--replace"] {
        ann.run(["backup", "restore", "own.age", mode, "--force"])
            .failed(6, &["an older copy", "move this one away"]);
    }
    let maker = |file: &str| {
        let run = ann.run(["backup", "verify", file, "--json"]).succeeded();
        let report: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
        report["maker"].as_str().unwrap().to_owned()
    };
    assert_eq!(maker(forged), "earlier");
    // As the hint says. The log still knows when Ann claimed her store last.
    fs::rename(ann.path("secrets.redb"), ann.path("older")).unwrap();
    assert_eq!(maker(forged), "earlier");
    ann.run(["backup", "restore", forged])
        .failed(6, &["it may be a former one"]);
    ann.run(["backup", "restore", "own.age"]).succeeded();
    assert_eq!(ann.get("github-token", "TOKEN"), b"after");
    let keys = ann.run(["key", "list"]).succeeded();
    assert!(!keys.text().contains("bob"), "{}", keys.text());
}

/// Store and log put back together are found by a checkpoint alone.
#[test]
fn a_checkpoint_finds_a_store_and_a_log_that_were_put_back() {
    let home = Home::with_secret("v");
    let copy = |name: &str| fs::read(home.path(name)).unwrap();
    let (store, log) = (copy("secrets.redb"), copy("audit.log"));
    home.run(["secret", "put", "github-token", "TOKEN", "new"])
        .succeeded();
    let checkpoint = home.run(["audit", "checkpoint"]).succeeded();
    let checkpoint = checkpoint.text().trim().to_owned();
    let verify = |line: &str| home.run(["audit", "verify", "--checkpoint", line]);
    verify(&checkpoint).succeeded();
    // Later states hold against it, also after a re-key.
    home.run(["key", "rotate", "--keep-identity"]).succeeded();
    verify(&checkpoint).succeeded();
    let forged = home.run(["audit", "checkpoint"]).succeeded();
    let forged = forged.text().trim().replace("line=", "line=1");
    verify(&forged).failed(6, &["the checkpoint does not open"]);
    verify("no checkpoint").failed(
        2,
        &[
            "neither a file nor a checkpoint",
            "mcplexer audit checkpoint",
        ],
    );
    fs::write(home.root().join("none.txt"), "no checkpoint").unwrap();
    verify("none.txt").failed(2, &["not a checkpoint"]);

    fs::write(home.path("secrets.redb"), store).unwrap();
    fs::write(home.path("audit.log"), log).unwrap();
    home.run(["audit", "verify"]).succeeded();
    verify(&checkpoint).failed(
        6,
        &["the checkpoint was made at revision 2: an older copy was put in its place"],
    );
}

/// T9: a backup that the attacker made for the victim's public key.
#[test]
fn a_backup_says_who_made_it() {
    let victim = Home::with_secret("real");
    let attacker = Home::with_secret("forged");
    let file = victim.root().join("forged.age");
    let file = file.to_str().unwrap();
    attacker
        .run(["backup", "create", file, "--recipient", &recipient(&victim)])
        .succeeded();
    let verified = victim.run(["backup", "verify", file]).succeeded();
    assert!(
        verified.text().contains("by nobody you can check"),
        "{}",
        verified.text()
    );
    victim
        .run(["backup", "restore", file, "--replace", "--force"])
        .failed(
            6,
            &[
                "nothing shows that a store of yours made",
                "--unknown-maker",
            ],
        );
    assert_eq!(victim.get("github-token", "TOKEN"), b"real");

    let maker = |home: &Home, file: &str| {
        let run = home.run(["backup", "verify", file, "--json"]).succeeded();
        let report: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
        report["maker"].as_str().unwrap().to_owned()
    };
    victim.run(["backup", "create", "own.age"]).succeeded();
    assert_eq!(maker(&victim, "own.age"), "this-store");
    // Still so after a re-key that removes nobody.
    victim.run(["key", "rotate", "--keep-identity"]).succeeded();
    assert_eq!(maker(&victim, "own.age"), "this-store");
    for gone in ["secrets.redb", "audit.log"] {
        fs::remove_file(victim.path(gone)).unwrap();
    }
    assert_eq!(maker(&victim, "own.age"), "own-store");
    victim.run(["backup", "restore", "own.age"]).succeeded();
    assert_eq!(victim.get("github-token", "TOKEN"), b"real");
    assert_eq!(maker(&victim, "own.age"), "own-store");
    let unknown = [
        "backup",
        "restore",
        file,
        "--replace",
        "--force",
        "--unknown-maker",
    ];
    victim.run(unknown).succeeded();
    assert_eq!(victim.get("github-token", "TOKEN"), b"forged");
}

/// T9, by a former owner, who knows the claim keys of that time.
#[test]
fn a_backup_by_a_former_owner_is_told_from_ones_own() {
    let ann = Home::with_secret("anns");
    let bob = Home::with_secret("bobs");
    ann.run(["key", "add", &recipient(&bob), "--label", "bob"])
        .succeeded();
    fs::copy(ann.path("secrets.redb"), bob.path("secrets.redb")).unwrap();
    fs::remove_file(bob.path("audit.log")).unwrap();
    bob.run(["key", "accept"]).succeeded();
    ann.run(["key", "remove", "bob"]).succeeded();
    bob.run(["secret", "put", "github-token", "TOKEN", "forged"])
        .succeeded();
    let file = ann.root().join("forged.age");
    let file = file.to_str().unwrap();
    bob.run(["backup", "create", file, "--recipient", &recipient(&ann)])
        .succeeded();
    let verified = ann.run(["backup", "verify", file]).succeeded();
    let said = "it may be a former one";
    assert!(verified.text().contains(said), "{}", verified.text());
    let restore = ["backup", "restore", file, "--merge", "--force"];
    ann.run(restore).failed(6, &[said, "--unknown-maker"]);
    assert_eq!(ann.get("github-token", "TOKEN"), b"anns");
    // To look first, nobody need trust it.
    ann.run(["backup", "restore", file, "--merge", "--dry-run"])
        .succeeded();
}

/// The one change that a log cannot tell from a crash is listed.
#[test]
fn a_last_change_that_is_not_in_the_store_is_listed() {
    let home = Home::with_secret("v");
    let old = fs::read(home.path("secrets.redb")).unwrap();
    home.run(["secret", "put", "s", "LAST", "w"]).succeeded();
    let verified = home.run(["audit", "verify"]).succeeded();
    assert!(
        !verified.text().contains("not committed"),
        "{}",
        verified.text()
    );
    fs::write(home.path("secrets.redb"), old).unwrap();
    for _ in 0..2 {
        let verified = home.run(["audit", "verify"]).succeeded();
        let said = "line 3 records a change that was not committed";
        assert!(verified.text().contains(said), "{}", verified.text());
        home.run(["secret", "list"]).succeeded();
    }
    // The next change does not hide it.
    home.run(["secret", "put", "s", "NEXT", "x"]).succeeded();
    let verified = home.run(["audit", "verify", "--json"]).succeeded();
    let report: serde_json::Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!(report["not_committed"], serde_json::json!([3]));
}
