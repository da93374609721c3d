//! Earlier versions of secrets, and secrets that have expired or are to be rotated.

use std::fs;

use mcplexer_secrets::keys::FileKeys;
use mcplexer_secrets::{Change, SecretEdit, SecretStore, Store, Timestamp};

use super::home::Home;

/// A home with `s/OLD`, which has expired, `s/DUE`, which was to be rotated, and `s/PLAIN`.
fn home() -> Home {
    let home = Home::new();
    for key in ["OLD", "DUE", "PLAIN"] {
        home.run(["secret", "put", "s", key, key]).succeeded();
    }
    // The command refuses an expiry that has passed, and cannot wait for an interval to pass.
    set(
        &home,
        "OLD",
        &SecretEdit {
            expires: Change::Set("2026-01-31T12:00:00Z".parse().unwrap()),
            ..SecretEdit::default()
        },
    );
    home
}

fn set(home: &Home, key: &str, edit: &SecretEdit) {
    let store = Store::open(
        home.path("secrets.redb"),
        FileKeys::new(home.path("age.key")),
    );
    let (scope, key) = ("s".parse().unwrap(), key.parse().unwrap());
    store.unwrap().edit(&scope, &key, edit).unwrap();
}

const EXPIRED: &str = "mcplexer: warning: s/OLD expired on 2026-01-31\n";

#[test]
fn an_expired_secret_is_named_on_use_and_given_out() {
    let home = home();
    fs::write(
        home.root().join("t.in"),
        "mcplexer://s/OLD mcplexer://s/PLAIN",
    )
    .unwrap();
    for (arguments, output) in [
        (&["secret", "get", "s", "OLD"][..], "OLD"),
        (&["run", "--scope", "s", "--", "printenv", "OLD"], "OLD\n"),
        (
            &[
                "run", "--scope", "s", "--only", "OLD", "--", "printenv", "OLD",
            ],
            "OLD\n",
        ),
        (&["inject", "-i", "t.in"], "OLD PLAIN"),
    ] {
        let run = home.run(arguments).succeeded();
        assert_eq!(run.text(), output, "{arguments:?}");
        assert_eq!(run.stderr, EXPIRED, "{arguments:?}");
        let quiet = home.run([&["-q"], arguments].concat()).succeeded();
        assert_eq!(quiet.stderr, "", "{arguments:?}");
    }
    for arguments in [
        &["secret", "get", "s", "PLAIN"][..],
        &["run", "--scope", "s", "--only", "PLAIN", "--", "true"],
        // Opened to be masked, and not used.
        &[
            "run", "--mask", "--scope", "s", "--only", "PLAIN", "--", "true",
        ],
    ] {
        let run = home.run(arguments).succeeded();
        assert!(
            !run.stderr.contains("warning"),
            "{arguments:?}: {}",
            run.stderr
        );
    }
}

#[test]
fn doctor_and_the_list_name_what_has_expired() {
    let home = home();
    let doctor = home.run(["doctor"]);
    assert_eq!(doctor.code, 0);
    assert_eq!(home.run(["doctor", "--strict"]).code, 1);
    let text = doctor.text();
    assert!(
        text.contains("s/OLD expired on 2026-01-31   [expired]"),
        "{text}"
    );
    assert!(text.contains("mcplexer secret put s OLD"), "{text}");
    let expiring = ["secret", "list", "--expiring", "0d"];
    let list = home.run(expiring).succeeded();
    assert_eq!(
        list.text(),
        "SECRET  EXPIRES     ROTATE BY\ns/OLD   2026-01-31  -\n"
    );
    let json = home.run([&expiring[..], &["--json"]].concat()).succeeded();
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    let [secret] = &json["secrets"].as_array().unwrap()[..] else {
        panic!("{json}");
    };
    assert_eq!(
        (&secret["scope"], &secret["name"]),
        (&"s".into(), &"OLD".into())
    );
    assert_eq!(secret["expires"], "2026-01-31T12:00:00.000000Z");
}

/// An interval is counted from the last value stored.
#[test]
fn what_is_to_be_rotated_is_listed_until_it_was() {
    let home = home();
    let edit = ["secret", "edit", "s", "DUE", "--rotate-every", "2w"];
    home.run(edit).succeeded();
    let expiring = |within: &str| {
        let list = home.run(["secret", "list", "s", "--expiring", within]);
        list.succeeded().text().contains("s/DUE")
    };
    assert!(expiring("15d") && !expiring("13d"));
    let due = Timestamp::from_micros(Timestamp::now().as_micros() + 14 * 24 * 3600 * 1_000_000);
    let by = home.run(["secret", "list", "s", "--expiring", "3w"]);
    let date: String = due.to_string().chars().take(10).collect();
    assert!(by.succeeded().text().contains(&date));
}

#[test]
fn a_new_value_drops_an_expiry_that_has_passed_and_says_so() {
    let home = home();
    let put = home.run(["secret", "put", "s", "OLD", "new"]).succeeded();
    assert!(
        put.stderr
            .contains("removed the expiry of the value before, 2026-01-31\n")
            && put
                .stderr
                .contains("mcplexer secret edit s OLD --expires WHEN"),
        "{}",
        put.stderr
    );
    assert_eq!(
        home.run(["secret", "get", "s", "OLD"]).succeeded().stderr,
        ""
    );
    assert_eq!(home.run(["doctor"]).text().matches("[expired]").count(), 0);
    let put = ["secret", "put", "s", "OLD", "newer", "--expires", "30d"];
    home.run(put).succeeded();
    let kept = home
        .run(["secret", "put", "s", "OLD", "newest"])
        .succeeded();
    assert!(!kept.stderr.contains("removed"), "{}", kept.stderr);
    let json = home.run(["secret", "list", "s", "--json"]).succeeded();
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert!(json["secrets"][1]["expires"].is_string(), "{json}");
}

#[test]
fn an_earlier_version_is_printed_and_stored_again() {
    let home = Home::new();
    for value in ["one", "two"] {
        home.run(["secret", "put", "s", "K", value]).succeeded();
    }
    let get = |version: &str| home.run(["secret", "get", "s", "K", "--version", version]);
    assert_eq!(get("1").succeeded().text(), "one");
    assert_eq!(get("2").succeeded().text(), "two");
    get("3").failed(4, &["no version 3 of s/K", "mcplexer secret history s K"]);
    home.run(["secret", "restore", "s", "K", "--version", "1"])
        .succeeded();
    assert_eq!(home.get("s", "K"), b"one");
    home.run(["secret", "history", "s", "X"])
        .failed(4, &["no secret X"]);
    home.run(["secret", "delete", "s", "K"]).succeeded();
    get("1").failed(4, &["no secret K"]);
}

/// A scope that config.yaml names keeps as many versions as it says, from the first secret on.
#[test]
fn config_yaml_says_how_many_versions_a_scope_keeps() {
    let home = Home::new();
    home.run(["key", "init"]).succeeded();
    let config = "auth_scopes:\n  - id: s\n    keep_versions: 1\n";
    fs::write(home.path("config.yaml"), config).unwrap();
    for value in ["1", "2", "3"] {
        home.run(["secret", "put", "s", "K", value]).succeeded();
    }
    let versions = |home: &Home| {
        let history = home.run(["secret", "history", "s", "K"]).succeeded();
        history.text().lines().count() - 1
    };
    assert_eq!(versions(&home), 2);
    let shown = home.run(["config", "show"]).succeeded();
    assert_eq!(
        shown.text(),
        "auth_scopes:\n  - id: s\n    type: env\n    keep_versions: 1\n"
    );
    fs::write(home.path("config.yaml"), "auth_scopes: [{id: s}]").unwrap();
    home.run(["config", "apply"]).succeeded();
    home.run(["secret", "put", "s", "K", "4"]).succeeded();
    assert_eq!(versions(&home), 3, "five of them, as by default");
    let store = Store::open(
        home.path("secrets.redb"),
        FileKeys::new(home.path("age.key")),
    );
    let scope = store.unwrap().scope(&"s".parse().unwrap()).unwrap();
    assert_eq!(scope.keep_versions, 5);
}

/// T10: the backup's value was stored later by the clock, and before by the store.
#[test]
fn a_backup_from_under_a_wrong_clock_does_not_bring_an_older_value_back() {
    let home = Home::new();
    home.run(["secret", "put", "s", "K", "older"]).succeeded();
    home.run(["backup", "create", "b.age"]).succeeded();
    home.run(["secret", "delete", "s", "K"]).succeeded();
    home.run(["secret", "put", "s", "K", "newer"]).succeeded();
    // The backup as it would be if the clock had shown 2030.
    let key = fs::read_to_string(home.path("age.key")).unwrap();
    let identity: age::x25519::Identity = key.lines().last().unwrap().parse().unwrap();
    let file = fs::read(home.root().join("b.age")).unwrap();
    let plaintext = String::from_utf8(age::decrypt(&identity, &file).unwrap()).unwrap();
    let at = plaintext.find("\"updated\":\"").unwrap() + "\"updated\":\"".len();
    let mut wrong = plaintext.clone();
    wrong.replace_range(at..at + 4, "2030");
    assert_ne!(wrong, plaintext);
    let wrong = age::encrypt(&identity.to_public(), wrong.as_bytes()).unwrap();
    fs::write(home.root().join("b.age"), wrong).unwrap();

    // The edited backup has no maker that can be checked.
    let restore = [
        "backup",
        "restore",
        "b.age",
        "--merge",
        "--json",
        "--unknown-maker",
    ];
    let restored = home.run(restore).succeeded();
    let json: serde_json::Value = serde_json::from_slice(&restored.stdout).unwrap();
    assert_eq!(json["secrets"][0]["action"], "keep");
    assert_eq!(json["secrets"][0]["changed_in_both"], true);
    assert_eq!(json["secrets"][0]["version"], 2);
    let said = "s/K was changed in both: the store's value stays the current one, and the backup's is version 2";
    assert!(restored.stderr.contains(said), "{}", restored.stderr);
    assert_eq!(home.get("s", "K"), b"newer");
    let earlier = ["secret", "get", "s", "K", "--version", "2"];
    assert_eq!(home.run(earlier).succeeded().stdout, b"older");
}

/// A backup that a person wrote has what it says about versions in order, or is refused.
#[test]
fn the_versions_in_a_backup_by_hand_are_in_order() {
    let home = Home::with_secret("v");
    let key = fs::read_to_string(home.path("age.key")).unwrap();
    let identity: age::x25519::Identity = key.lines().last().unwrap().parse().unwrap();
    let time = "2026-11-24T11:51:26Z";
    let verify = |keep: u8, members: &str| {
        let text = format!(
            r#"{{"format":"mcplexer-backup","version":1,"created":"{time}","store":"x","scopes":[{{"id":"s","kind":"env","display_name":null,"keep_versions":{keep},"created":"{time}","secrets":[{{"name":"A","version":3,"created":"{time}","updated":"{time}","revision":1,"value":{{"text":"v"}},{members}}}]}}]}}"#
        );
        let file = age::encrypt(&identity.to_public(), text.as_bytes()).unwrap();
        fs::write(home.root().join("hand.age"), file).unwrap();
        home.run(["backup", "verify", "hand.age"])
    };
    let earlier = |versions: &[u64]| {
        let version = |version: &u64| {
            format!(
                r#"{{"version":{version},"updated":"{time}","revision":1,"value":{{"text":"v"}}}}"#
            )
        };
        let versions: Vec<_> = versions.iter().map(version).collect();
        format!(r#""earlier":[{}]"#, versions.join(","))
    };
    let said = r#""note":"n","expires":"2027-01-31T00:00:00Z","rotate_every_days":90"#;
    verify(100, said).succeeded();
    verify(5, &earlier(&[1, 2])).succeeded();
    for (keep, wrong) in [
        (5, &*earlier(&[0, 1])),
        (5, &earlier(&[2, 1])),
        (5, &earlier(&[2, 2])),
        (5, &earlier(&[3])),
        (5, r#""note":"two\nlines""#),
        (5, r#""expires":"tomorrow""#),
        (5, r#""rotate_every_days":0"#),
        (101, said),
    ] {
        verify(keep, wrong).failed(6, &["not a backup"]);
    }
}
