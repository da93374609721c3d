//! A store on a server that is not there for a while.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, SystemTime};

use super::*;

const NOTE: &str = "the store cannot be reached; using its copy, which was up to date just now";
const AWAY: &str = "the server cannot be reached";

fn run_with(home: &Home, url: &str, cache: &str, arguments: &[&str]) -> Run {
    let mut command = home.command();
    let command = command.env("MCPLEXER_STORE", url);
    finish(command.env("MCPLEXER_STORE_CACHE", cache).args(arguments))
}

#[test]
fn what_was_used_before_is_there_while_the_server_is_not() {
    let Some((mut server, url)) = server() else {
        return;
    };
    let home = Home::new();
    let run = |arguments: &[&str]| run(&home, &url, arguments);
    run(&["secret", "put", "web", "TOKEN", VALUE]).succeeded();
    run(&["secret", "put", "other", "KEY", "other-value"]).succeeded();
    let printing = ["run", "--scope", "web", "--", "printenv", "TOKEN"];
    let there = run(&printing).succeeded();
    assert_eq!(there.stderr, "");
    fs::remove_file(home.path("store.cache")).unwrap();
    run(&printing).succeeded();
    let mode = fs::metadata(home.path("store.cache")).unwrap();
    assert_eq!(mode.permissions().mode() & 0o777, 0o600);
    home.assert_no_trace_of(VALUE);

    server.kill();
    for arguments in [&printing[..], &["secret", "get", "web", "TOKEN"]] {
        let away = run(arguments).succeeded();
        assert_eq!(away.text().trim_end(), VALUE);
        assert_eq!(away.stderr, format!("mcplexer: warning: {NOTE}\n"));
    }
    let quiet = run(&["--quiet", "secret", "get", "web", "TOKEN"]).succeeded();
    assert_eq!(quiet.stderr, "");
    // What was not read, what lists everything, and every change.
    for arguments in [
        &["secret", "get", "other", "KEY"][..],
        &["secret", "list"],
        &["secret", "put", "web", "TOKEN", "another-value"],
        &["key", "rotate"],
    ] {
        let failed = run(arguments).failed(7, &[AWAY, &url]);
        assert!(
            !failed.stderr.contains("using its copy"),
            "{}",
            failed.stderr
        );
    }
    run(&["secret", "get", "other", "KEY"]).failed(7, &["the copy of it here does not have this"]);
    // It was read that the scope has no other secret.
    run(&["secret", "get", "web", "NONE"]).failed(4, &["no secret NONE"]);
    let doctor = run(&["doctor"]);
    assert_eq!(doctor.code, 1);
    let text = doctor.text();
    let said = format!("the copy of {url} here has ");
    assert!(text.contains(&said), "{text}");
    assert!(text.contains("servers start with it meanwhile"), "{text}");
    assert_eq!(text.matches(AWAY).count(), 1, "{text}");
    assert!(text.contains("\n1 error"), "{text}");

    server.begin();
    let back = run(&printing).succeeded();
    assert_eq!(back.stderr, "");
    let doctor = run(&["doctor"]).succeeded();
    let said = "for when the store cannot be reached";
    assert!(doctor.text().contains(said), "{}", doctor.text());
    run(&["audit", "verify"]).succeeded();
}

#[test]
fn a_copy_may_be_off_or_too_old() {
    let Some((mut server, url)) = server() else {
        return;
    };
    let home = Home::new();
    let get = ["secret", "get", "web", "TOKEN"];
    let get = |cache: &str| run_with(&home, &url, cache, &get);
    run(&home, &url, &["secret", "put", "web", "TOKEN", VALUE]).succeeded();
    get("").succeeded();
    let copy = home.path("store.cache");
    let hour = Duration::from_secs(3600);
    let file = fs::File::options().write(true).open(&copy).unwrap();
    file.set_modified(SystemTime::now() - 3 * hour).unwrap();
    server.kill();
    let old = get("4h").succeeded();
    assert!(
        old.stderr.contains("up to date 3 hours ago"),
        "{}",
        old.stderr
    );
    get("2h").failed(7, &[AWAY]);
    for wrong in ["2", "0h"] {
        let units =
            "neither off nor an age in minutes, hours, days or weeks, such as 30m, 12h, 7d or 2w";
        get(wrong).failed(2, &[units]);
    }
    get("off").failed(7, &[AWAY]);
    assert!(!copy.exists());
    server.begin();
    get("off").succeeded();
    assert!(!copy.exists());
}

/// A server behind a firewall, or one that is stopped.
#[test]
fn a_server_that_says_nothing_is_not_waited_for_long() {
    let Some((mut server, url)) = server() else {
        return;
    };
    let home = Home::new();
    run(&home, &url, &["secret", "put", "web", "TOKEN", VALUE]).succeeded();
    run(&home, &url, &["secret", "get", "web", "TOKEN"]).succeeded();
    server.kill();
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, server.port())).unwrap();
    let away = run(&home, &url, &["secret", "get", "web", "TOKEN"]).succeeded();
    assert_eq!(away.text(), VALUE);
    assert!(away.stderr.contains(NOTE), "{}", away.stderr);
    drop(silent);
}

#[test]
fn what_colleagues_do_meanwhile_is_seen_when_the_server_is_back() {
    let Some((mut server, url)) = server() else {
        return;
    };
    let (ann, bob) = (Home::new(), Home::with_secret("m4rked-other"));
    let as_ann = |arguments: &[&str]| run(&ann, &url, arguments);
    let as_bob = |arguments: &[&str]| run(&bob, &url, arguments);
    let get = ["secret", "get", "web", "TOKEN"];
    as_ann(&["secret", "put", "web", "TOKEN", VALUE]).succeeded();
    // Bob has a store of his own in that home, whose log knows another store.
    fs::remove_file(bob.path("audit.log")).unwrap();
    fs::remove_file(bob.path("secrets.redb")).unwrap();
    let key = fs::read_to_string(bob.path("age.key")).unwrap();
    let recipient = key.lines().find_map(|it| it.strip_prefix("# public key: "));
    as_ann(&["key", "add", "--label", "bob", recipient.unwrap()]).succeeded();
    as_bob(&["key", "accept"]).succeeded();
    as_bob(&get).succeeded();

    // A new value.
    as_ann(&["secret", "put", "web", "TOKEN", "m4rked-new-value"]).succeeded();
    server.kill();
    assert_eq!(as_bob(&get).succeeded().text(), VALUE);
    assert_eq!(as_ann(&get).succeeded().text(), "m4rked-new-value");
    server.begin();
    assert_eq!(as_bob(&get).succeeded().text(), "m4rked-new-value");
    server.kill();
    assert_eq!(as_bob(&get).succeeded().text(), "m4rked-new-value");

    // A copy that was put back is older than what the log of this machine knows.
    let copy = fs::read(bob.path("store.cache")).unwrap();
    server.begin();
    as_ann(&["key", "rotate"]).succeeded();
    as_bob(&get).succeeded();
    server.kill();
    assert_eq!(as_bob(&get).succeeded().text(), "m4rked-new-value");
    fs::write(bob.path("store.cache"), copy).unwrap();
    let older = "older than what this machine has seen";
    as_bob(&get).failed(7, &[AWAY, older]);

    // Bob leaves.
    server.begin();
    as_bob(&get).succeeded();
    as_ann(&["key", "remove", "bob"]).succeeded();
    server.kill();
    assert_eq!(as_bob(&get).succeeded().text(), "m4rked-new-value");
    server.begin();
    as_bob(&get).failed(5, &["no key opens this store"]);
    server.kill();
    as_bob(&get).failed(5, &["no key opens this store"]);
    // What was used before is read again with the new keys.
    assert_eq!(as_ann(&get).succeeded().text(), "m4rked-new-value");
}
