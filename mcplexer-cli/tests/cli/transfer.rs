//! Moving the store to a PostgreSQL server and back.

use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::thread;

use test_support::{PostgresServer, Running};

use crate::access::set_mode;
use crate::built::crashing;
use crate::crash::copy_files;
use crate::home::{BINARY, Home, Run, finish};
use crate::terminal::{end, expect, start_at};

const KILLED: i32 = 9;
/// More operations than any move performs.
const MOST_POINTS: u32 = 5000;
const SECRETS: [(&str, &str); 4] = [("a", "K1"), ("a", "K2"), ("b", "K1"), ("c", "K3")];

fn value(scope: &str, key: &str) -> String {
    format!("m4rked value of {scope}/{key}")
}

fn filled() -> Home {
    let home = Home::new();
    for (scope, key) in SECRETS {
        let value = value(scope, key);
        home.run(["secret", "put", scope, key, &value]).succeeded();
    }
    home
}

/// The URL of a store in a schema; another one is another place.
fn url(server: &PostgresServer, schema: &str) -> String {
    let port = server.port();
    format!("postgres://postgres@127.0.0.1:{port}/postgres?schema={schema}")
}

fn at(home: &Home, url: &str, arguments: &[&str]) -> Run {
    let mut command = home.command();
    finish(command.env("MCPLEXER_STORE", url).args(arguments))
}

/// Every secret opens at a place, and the log agrees with it.
fn check(run: impl Fn(&[&str]) -> Run, when: &str) {
    let [.., (scope, key)] = SECRETS;
    let got = run(&["secret", "get", scope, key]).succeeded();
    assert_eq!(got.text(), value(scope, key), "{when}");
    let doctor = run(&["doctor"]);
    assert_eq!(doctor.code, 0, "{when}: {}", doctor.text());
    let text = doctor.text();
    assert!(
        text.contains("all readable") && text.contains("audit log intact"),
        "{when}: {text}"
    );
}

#[test]
fn a_store_goes_to_a_server_and_back() {
    let Some(server) = PostgresServer::start(&["fsync=off"]) else {
        return;
    };
    let (home, url) = (filled(), url(&server, "team"));
    let here = |arguments: &[&str]| home.run(arguments);
    let there = |arguments: &[&str]| at(&home, &url, arguments);
    let moved = here(&["store", "move", "--to", &url]).succeeded();
    for said in [
        format!("moved the store to {url}"),
        "4 secrets, all readable there".to_owned(),
        format!("export MCPLEXER_STORE='{url}'"),
        "mcplexer store delete-moved file".to_owned(),
    ] {
        assert!(moved.stderr.contains(&said), "{said}: {}", moved.stderr);
    }
    check(there, "at the server");
    let records = server.sql("select string_agg(encode(record, 'escape'), '') from team.records_1");
    assert!(!records.contains("m4rked"));

    // The file can be read, and not changed.
    let moved = format!("this store was moved to {url}");
    let read = here(&["secret", "get", "a", "K1"]).succeeded();
    assert_eq!(read.text(), value("a", "K1"));
    assert!(read.stderr.contains(&moved), "{}", read.stderr);
    for change in [
        ["secret", "put", "a", "NEW", "v"].as_slice(),
        &["secret", "delete", "a", "K1", "--force"],
        &["key", "rotate"],
        &["scope", "create", "new"],
        &["key", "recovery"],
        &["store", "move", "--to", "postgres://elsewhere/db"],
    ] {
        here(change).failed(8, &[&moved, "MCPLEXER_STORE"]);
    }
    let doctor = here(&["doctor"]).succeeded();
    assert!(doctor.text().contains("[moved]"), "{}", doctor.text());
    let again = here(&["store", "move", "--to", &url, "--json"]).succeeded();
    let report: serde_json::Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(
        (&report["was_done"], &report["put"]),
        (&true.into(), &0.into())
    );
    assert_eq!(
        (&report["to"], &report["secrets"]),
        (&(&*url).into(), &4.into())
    );

    // Two changes later the log knows that the file is behind.
    for value in ["first", "second"] {
        there(&["secret", "put", "a", "K9", value]).succeeded();
    }
    here(&["secret", "get", "a", "K1"]).failed(8, &[&moved]);
    here(&["store", "keep"]).failed(8, &[&url, "takes changes there"]);
    here(&["store", "delete-moved", &url]).failed(8, &[&moved]);

    let back = there(&["store", "move", "--to", "file"]).succeeded();
    let hint = format!(
        "{url} takes no changes any more; once no machine uses it, \
         mcplexer store delete-moved '{url}' prints the statement that deletes it"
    );
    assert!(back.stderr.contains(&hint), "{}", back.stderr);
    check(here, "back in the file");
    assert_eq!(home.get("a", "K9"), b"second");
    here(&["secret", "put", "a", "K9", "third"]).succeeded();
    there(&["secret", "put", "a", "K9", "other"]).failed(8, &["unset MCPLEXER_STORE"]);
    let copy = home.path("store.cache");
    assert!(copy.exists());
    let left = here(&["store", "delete-moved", &url]).succeeded();
    assert!(!copy.exists());
    let drop = "DROP SCHEMA team CASCADE";
    let database = url.split_once('?').unwrap().0;
    assert_eq!(left.text(), format!("psql '{database}' -c '{drop}'\n"));
    server.sql(drop);
    let gone = here(&["store", "delete-moved", &url]);
    assert!(!gone.stderr.contains("--lost"), "{}", gone.stderr);
    gone.failed(8, &["has no store", "nothing is left to delete there"]);
    there(&["secret", "list"]).failed(6, &["belongs to a store that is missing"]);
}

#[test]
fn what_is_left_in_the_file_is_deleted_when_the_server_has_the_store() {
    let Some(server) = PostgresServer::start(&["fsync=off"]) else {
        return;
    };
    let (home, url) = (filled(), url(&server, "team"));
    let file = home.path("secrets.redb");
    let delete = ["store", "delete-moved", "file"];
    home.run(delete)
        .failed(2, &["at ~/.mcplexer/secrets.redb, and was not moved away"]);
    at(&home, &url, &["store", "delete-moved", "file", "--force"])
        .failed(6, &["belongs to a store that is missing"]);
    home.run(["store", "move", "--to", &url]).succeeded();
    let export = format!("export MCPLEXER_STORE='{url}'");
    home.run(delete)
        .failed(8, &["this store was moved to", &export]);
    at(&home, &url, &delete).failed(2, &["needs a confirmation"]);
    assert!(file.exists());
    let deleted = at(&home, &url, &["store", "delete-moved", "file", "--force"]).succeeded();
    assert_eq!(deleted.stderr, "deleted ~/.mcplexer/secrets.redb\n");
    assert!(!file.exists());
    check(|it| at(&home, &url, it), "after the file is gone");
    home.run(delete)
        .failed(8, &["~/.mcplexer/secrets.redb has no store"]);
    at(&home, &url, &delete).failed(8, &["~/.mcplexer/secrets.redb has no store"]);

    // Another store in the file stays.
    let other = Home::with_secret("m4rked-other");
    std::fs::copy(other.path("secrets.redb"), &file).unwrap();
    at(&home, &url, &["store", "delete-moved", "file", "--force"])
        .failed(8, &["has another store"]);
    assert!(file.exists());
}

#[test]
fn nothing_is_moved_over_another_store_or_to_what_is_no_place() {
    let Some(server) = PostgresServer::start(&["fsync=off"]) else {
        return;
    };
    let (ann, bob) = (filled(), Home::with_secret("m4rked-bobs"));
    let url = url(&server, "team");
    bob.run(["store", "move", "--to", &url]).succeeded();
    ann.run(["store", "move", "--to", &url])
        .failed(8, &["has another store", "nothing was changed"]);
    check(|it| ann.run(it), "after a refused move");
    assert_eq!(
        at(&bob, &url, &["secret", "get", "github-token", "TOKEN"]).stdout,
        b"m4rked-bobs"
    );
    let to = |place: &str| ann.run(["store", "move", "--to", place]);
    to("file").failed(2, &["already"]);
    to("postgres://ann:hunter2@db/team").failed(2, &["password in it"]);
    to("postgres://ann@db/team?sslmode=require").failed(2, &["the URL of the store is invalid"]);
    to("/srv/secrets.redb").failed(2, &["/srv/secrets.redb is not the place of a store"]);
    for place in [
        "postgres://ann:hunter2@db/team",
        "ann:hunter2@db/team",
        "//ann:hunter2@db/team",
        "hunter2",
    ] {
        assert!(!to(place).stderr.contains("hunter2"));
    }
    let port = test_support::free_port();
    to(&format!("postgres://postgres@127.0.0.1:{port}/postgres"))
        .failed(7, &["cannot be reached", "nothing was changed"]);
    check(|it| ann.run(it), "after moves to nowhere");
}

/// Runs a command of a place that is killed after this many operations; returns whether it was.
fn dies(home: &Home, place: Option<&str>, arguments: &[&str], crash_at: u32) -> bool {
    let mut command = crashing(home, crash_at);
    if let Some(url) = place {
        command.env("MCPLEXER_STORE", url);
    }
    command.args(arguments).stdin(Stdio::null());
    let command = command.stdout(Stdio::null()).stderr(Stdio::piped());
    let output = Running::start(command).unwrap().wait_with_output().unwrap();
    let died = output.status.signal() == Some(KILLED);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(died || output.status.success(), "{arguments:?}: {stderr}");
    died
}

/// Runs a command at a place.
type Runs<'a> = dyn Fn(&[&str]) -> Run + 'a;

/// Kills a move after operations from the first to the last. Afterwards one place takes changes, or neither until the move is run again.
///
/// Not after each one: a move has about a hundred, and its steps have several each.
fn dies_everywhere(prepare: impl Fn(&Home, &str), to_server: bool) {
    let Some(server) = PostgresServer::start(&["fsync=off"]) else {
        return;
    };
    let template = filled();
    for crash_at in (1..MOST_POINTS).step_by(3) {
        let (home, url) = (Home::new(), url(&server, &format!("s{crash_at}")));
        copy_files(&template.path(""), &home.path(""));
        set_mode(&home.path(""), 0o700);
        prepare(&home, &url);
        let server_run = |arguments: &[&str]| at(&home, &url, arguments);
        let file_run = |arguments: &[&str]| home.run(arguments);
        let (from, to): (&Runs<'_>, &Runs<'_>) = match to_server {
            true => (&file_run, &server_run),
            false => (&server_run, &file_run),
        };
        let (place, target) = match to_server {
            true => (None, &*url),
            false => (Some(&*url), "file"),
        };
        let arguments = ["store", "move", "--to", target];
        let died = dies(&home, place, &arguments, crash_at);
        let when = format!("to {target}, killed after operation {crash_at}");
        if died {
            let at_new = to(&["secret", "put", "a", "PROBE", "new"]);
            let at_old = from(&["secret", "put", "a", "PROBE", "old"]);
            match (at_old.code, at_new.code) {
                // Nothing has happened at the new place, or it says that the move is not finished.
                (0, 6..=8) | (8, 7 | 0) => {}
                codes => panic!("{when}: {codes:?}: {} {}", at_old.stderr, at_new.stderr),
            }
            check(|it| from(it), &when);
            match at_new.code {
                // A second change: one alone could have been interrupted, as far as the log tells.
                0 => {
                    to(&["secret", "put", "a", "PROBE", "newer"]).succeeded();
                    from(&arguments).failed(8, &["this store was moved"]);
                }
                _ => {
                    from(&arguments).succeeded();
                }
            }
        }
        check(|it| to(it), &when);
        to(&["secret", "put", "a", "LAST", "v"]).succeeded();
        from(&["secret", "put", "a", "LAST", "v"]).failed(8, &["this store was moved"]);
        if !died {
            println!("a move to {target} has less than {crash_at} operations");
            assert!(crash_at > 5, "{crash_at}");
            return;
        }
    }
    panic!("the move never ends");
}

#[test]
fn a_move_to_a_server_can_die_anywhere() {
    dies_everywhere(|_, _| (), true);
}

#[test]
#[ignore = "takes a minute"]
fn a_move_back_can_die_anywhere() {
    let prepare = |home: &Home, url: &str| {
        home.run(["store", "move", "--to", url]).succeeded();
        at(home, url, &["secret", "put", "a", "K9", "v"]).succeeded();
    };
    dies_everywhere(prepare, false);
}

#[test]
fn others_read_during_a_move_and_a_change_waits_and_is_refused() {
    let Some(server) = PostgresServer::start(&["fsync=off"]) else {
        return;
    };
    let (home, url) = (filled(), url(&server, "team"));
    let arguments = ["store", "move", "--to", &*url];
    // Until everything was copied, and the file is not marked yet.
    let count = "select count(*) from team.records_1";
    let is_copied = || {
        let there = server.sql("select to_regclass('team.records_1')");
        !there.is_empty() && server.sql(count).parse::<u32>().unwrap() > 4
    };
    let copied = (1..MOST_POINTS).find(|&at| {
        assert!(dies(&home, None, &arguments, at));
        is_copied()
    });
    copied.unwrap();
    at(&home, &url, &["secret", "list"]).failed(7, &["the move is not finished"]);

    // Who says with which revision the store moves, the last number of the record, waits for this lock. By then the turn of
    // the file's writers is taken.
    server.sql(
        "create table public.gate ();
        create function public.pass() returns trigger language plpgsql as $$ begin
            if get_byte(new.record, 49) <> 0 then lock table public.gate in share mode; end if;
            return new;
        end $$;
        create trigger gate before insert or update on team.records_1 for each row
            when (new.key = 'moving'::bytea) execute function public.pass()",
    );
    thread::scope(|scope| {
        let held = scope.spawn(|| {
            server.sql("lock table public.gate; select pg_sleep(600)");
        });
        let waiting = |what: &str| {
            let waiting = format!("select count(*) from pg_stat_activity where {what}");
            while server.sql(&waiting) == "0" {}
        };
        waiting("query like 'lock%' and wait_event = 'PgSleep'");
        let start = |arguments: &[&str]| {
            let mut command = home.command_of(BINARY.as_ref());
            let command = command.args(arguments).stdin(Stdio::null());
            Running::start(command.stdout(Stdio::piped()).stderr(Stdio::piped())).unwrap()
        };
        let mover = start(&arguments);
        waiting("wait_event_type = 'Lock' and wait_event <> 'advisory'");
        assert_eq!(home.get("a", "K1"), value("a", "K1").as_bytes());
        let writer = start(&["secret", "put", "a", "LATE", "v"]);
        server.sql(
            "select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'",
        );
        assert!(held.join().is_err());
        let moved = mover.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&moved.stderr);
        assert!(moved.status.success(), "{said}");
        let late = writer.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&late.stderr);
        assert_eq!(late.status.code(), Some(8), "{said}");
        assert!(said.contains(&format!("this store was moved to {url}")));
    });
    at(&home, &url, &["secret", "get", "a", "LATE"]).failed(4, &["no secret LATE"]);
    check(|it| at(&home, &url, it), "after the move");
}

#[test]
fn a_move_that_was_not_finished_is_given_up() {
    let Some(server) = PostgresServer::start(&["fsync=off"]) else {
        return;
    };
    let (home, url) = (filled(), url(&server, "team"));
    let nothing = home.run(["store", "keep"]).succeeded();
    assert!(
        nothing.stderr.contains("was not moved"),
        "{}",
        nothing.stderr
    );
    let arguments = ["store", "move", "--to", &*url];
    let put = ["secret", "put", "a", "PROBE", "v"];
    let marked = (1..MOST_POINTS).find(|&at| {
        assert!(dies(&home, None, &arguments, at));
        home.run(put).code == 8
    });
    marked.unwrap();
    at(&home, &url, &put).failed(7, &["the move is not finished", "mcplexer store keep"]);
    let kept = home.run(["store", "keep"]).succeeded();
    assert!(
        kept.stderr.contains("takes changes again"),
        "{}",
        kept.stderr
    );
    home.run(put).succeeded();
    check(|it| home.run(it), "kept");

    home.run(arguments).succeeded();
    home.run(["store", "keep"])
        .failed(8, &["takes changes there"]);
    drop(server);
    home.run(["store", "keep"])
        .failed(7, &["cannot be reached", "mcplexer store keep --lost"]);
    home.run(["store", "keep", "--lost"])
        .failed(2, &["needs a confirmation", "--force"]);
    home.run(put).failed(8, &["this store was moved"]);
    home.run(["store", "keep", "--lost", "--force"]).succeeded();
    home.run(put).succeeded();
    check(|it| home.run(it), "without the server");
}

#[test]
fn what_a_move_has_copied_that_was_killed_is_deleted_from_where_it_was_begun() {
    let Some(server) = PostgresServer::start(&["fsync=off"]) else {
        return;
    };
    let (home, url) = (filled(), url(&server, "team"));
    let arguments = ["store", "move", "--to", &*url];
    let copied = (1..MOST_POINTS).step_by(15).find(|&at_point| {
        assert!(dies(&home, None, &arguments, at_point));
        at(&home, &url, &["secret", "list"]).code == 7
    });
    copied.unwrap();
    at(&home, &url, &["secret", "list"])
        .failed(7, &["not finished", "mcplexer store delete-moved"]);
    let kept = home.run(["store", "keep"]).succeeded();
    assert!(
        kept.stderr.contains("mcplexer store delete-moved"),
        "{}",
        kept.stderr
    );
    let left = home.run(["store", "delete-moved", &url]).succeeded();
    assert!(left.text().contains("-c 'DROP SCHEMA team CASCADE'"));
    server.sql("DROP SCHEMA team CASCADE");
    home.run(["store", "delete-moved", &url])
        .failed(8, &["has no store"]);
    check(|it| home.run(it), "without what was copied");
    home.run(arguments).succeeded();
    check(|it| at(&home, &url, it), "moved after that");
}

#[test]
fn a_url_that_is_printed_is_one_word_of_a_shell() {
    let Some(server) = PostgresServer::start(&["fsync=off"]) else {
        return;
    };
    let home = filled();
    let password = home.root().join("it's");
    std::fs::write(&password, "unused").unwrap();
    set_mode(&password, 0o600);
    let url = url(&server, "team");
    let url = format!("{url}&passwordfile={}", password.display());
    let moved = home.run(["store", "move", "--to", &url]).succeeded();
    let word = url.replace('\'', "'\\''");
    let export = format!("export MCPLEXER_STORE='{word}'");
    let doctor = home.run(["doctor"]).succeeded();
    for said in [&*moved.stderr, doctor.text()] {
        assert!(said.contains(&export), "{export}: {said}");
    }
    let back = at(&home, &url, &["store", "move", "--to", "file"]).succeeded();
    let delete = format!("mcplexer store delete-moved '{word}' prints");
    assert!(back.stderr.contains(&delete), "{}", back.stderr);
}

#[test]
fn a_store_is_not_split_while_its_new_place_has_it() {
    let Some(server) = PostgresServer::start(&["fsync=off"]) else {
        return;
    };
    let (home, url) = (filled(), url(&server, "team"));
    let put = ["secret", "put", "a", "PROBE", "v"];
    home.run(["store", "move", "--to", &url]).succeeded();
    at(&home, &url, &put).succeeded();
    for keep in [
        ["store", "keep"].as_slice(),
        &["store", "keep", "--lost"],
        &["store", "keep", "--lost", "--force"],
    ] {
        home.run(keep).failed(8, &[&url, "takes changes there"]);
        home.run(put).failed(8, &["this store was moved"]);
    }

    // The schema is gone. Nothing is made there again.
    server.sql("drop schema team cascade");
    home.run(["store", "keep"]).failed(
        8,
        &["does not have this store", "mcplexer store keep --lost"],
    );
    home.run(put).failed(8, &["this store was moved"]);
    let keep = ["store", "keep", "--lost"];
    home.run(keep).failed(2, &["needs a confirmation"]);
    let mut session = start_at(&home, &keep);
    expect(
        &mut session,
        "What was changed there since the move is lost",
    );
    expect(&mut session, "goes on writing there");
    expect(&mut session, "take changes in ~/.mcplexer again? [y/N] ");
    session.send_line("").unwrap();
    let (text, code) = end(session);
    assert_eq!(code, 3, "{text}");
    home.run(put).failed(8, &["this store was moved"]);
    home.run(["store", "keep", "--lost", "--force"]).succeeded();
    home.run(put).succeeded();
    check(|it| home.run(it), "without the schema");
    assert_eq!(server.sql("select to_regnamespace('team')"), "");
}
