//! A store on a PostgreSQL server: two people, each with an own home and key.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use test_support::PostgresServer;

use crate::home::{Home, Run, finish};

mod away;

/// What stands for a value in these tests.
const VALUE: &str = "m4rked-team-value";

fn run(home: &Home, url: &str, arguments: &[&str]) -> Run {
    let mut command = home.command();
    finish(command.env("MCPLEXER_STORE", url).args(arguments))
}

/// A server, and the URL of a store on it; `None` if PostgreSQL is not installed.
fn server() -> Option<(PostgresServer, String)> {
    let server = PostgresServer::start(&["fsync=off"])?;
    let url = format!("postgres://postgres@127.0.0.1:{}/postgres", server.port());
    Some((server, url))
}

#[test]
fn two_people_share_a_store_on_a_server() {
    let Some((server, url)) = server() else {
        return;
    };
    let (ann, bob) = (Home::new(), Home::new());
    let as_ann = |arguments: &[&str]| run(&ann, &url, arguments);
    let as_bob = |arguments: &[&str]| run(&bob, &url, arguments);

    let listed = as_ann(&["secret", "list"]).succeeded();
    assert!(
        listed.stderr.contains(&format!("no store at {url}")),
        "{}",
        listed.stderr
    );
    assert_eq!(
        server.sql("select count(*) from pg_namespace where nspname = 'mcplexer'"),
        "0"
    );
    let doctor = as_ann(&["doctor"]).succeeded();
    let said = format!("there is no store yet at {url}");
    assert!(doctor.text().contains(&said), "{}", doctor.text());
    // Another database than was meant would be a second store.
    let put = as_ann(&["secret", "put", "github", "TOKEN", VALUE]).succeeded();
    assert!(put.stderr.contains("Created your key"), "{}", put.stderr);
    let said = format!("created the store {url}");
    assert!(put.stderr.contains(&said), "{}", put.stderr);
    let put = as_ann(&["secret", "put", "github", "TOKEN", VALUE]).succeeded();
    assert!(!put.stderr.contains("created the store"), "{}", put.stderr);
    assert!(!ann.path("secrets.redb").exists());
    assert_eq!(
        as_ann(&["secret", "get", "github", "TOKEN"])
            .succeeded()
            .text(),
        VALUE
    );

    let records =
        server.sql("select string_agg(encode(record, 'escape'), '') from mcplexer.records_1");
    assert!(!records.contains(VALUE));

    // Who has no key of it, or has not accepted it.
    for arguments in [
        &["secret", "get", "github", "TOKEN"][..],
        &["secret", "list"],
        &["secret", "list", "github"],
    ] {
        let key = "if you are new: age-keygen -o ~/.mcplexer/age.key, and send this to an owner";
        let add = "mcplexer key add --label YOU age1…";
        as_bob(arguments).failed(5, &["no key opens this store", key, add]);
    }
    assert!(
        !bob.path("age.key").exists(),
        "no key is made beside a store"
    );
    let other = Home::with_secret("m4rked-other");
    fs::copy(other.path("age.key"), bob.path("age.key")).unwrap();
    let shown = other.run(["key", "show"]).succeeded();
    let mut lines = shown.text().lines();
    let recipient = lines.find_map(|it| it.strip_prefix("recipient")).unwrap();
    let add = format!(
        "send this to an owner: mcplexer key add --label YOU {}\n",
        recipient.trim()
    );
    as_bob(&["secret", "list"]).failed(5, &["is another key", &add]);
    as_ann(&["key", "add", "--label", "bob", recipient.trim()]).succeeded();
    as_bob(&["secret", "list"]).failed(6, &["has not accepted it"]);
    let accepted = as_bob(&["key", "accept"]).succeeded();
    let fact = "it was refused here until now: bob had not accepted it\n";
    assert!(accepted.stderr.contains(fact), "{}", accepted.stderr);
    assert_eq!(
        as_bob(&["secret", "get", "github", "TOKEN"])
            .succeeded()
            .text(),
        VALUE
    );

    // Both write; the logs of both stay whole.
    as_bob(&["secret", "put", "github", "OTHER", VALUE]).succeeded();
    as_ann(&["secret", "put", "github", "MORE", VALUE]).succeeded();
    let secrets = as_bob(&["secret", "list", "github"]).succeeded();
    assert_eq!(secrets.text(), "MORE\nOTHER\nTOKEN\n");
    let verified = as_ann(&["audit", "verify"]).succeeded();
    let kept = "1 log of another owner is kept on the machine of that owner\n";
    assert!(verified.text().contains(kept), "{}", verified.text());
    assert!(!verified.text().contains("not here"), "{}", verified.text());
    as_ann(&["key", "remove", "bob"]).succeeded();
    as_bob(&["secret", "get", "github", "TOKEN"]).failed(5, &["no key opens this store"]);
    let doctor = as_ann(&["doctor"]).succeeded();
    let said = format!("all readable at {url}");
    assert!(doctor.text().contains(&said), "{}", doctor.text());
    as_ann(&["audit", "verify"]).succeeded();
    as_bob(&["audit", "verify"]);
}

/// A shell where the variable is not set says which server this home used, and tells nobody to move its log away.
#[test]
fn a_home_that_used_a_server_says_which_where_nothing_names_it() {
    let Some((_server, url)) = server() else {
        return;
    };
    let home = Home::new();
    let url = format!("{url}?sslmode=disable&schema=eve1");
    run(&home, &url, &["secret", "put", "github", "TOKEN", VALUE]).succeeded();
    run(&home, &url, &["secret", "get", "github", "TOKEN"]).succeeded();
    let gone = "belongs to a store that is missing or was replaced";
    let known = format!("hint: this home used {url} last: export MCPLEXER_STORE='{url}'\n");
    let own = "hint: each store needs a home of its own: for another one, set MCPLEXER_HOME";
    let put = ["secret", "put", "s", "K", "v"];
    for arguments in [&["secret", "list"][..], &put, &["audit", "verify"]] {
        let refused = home.run(arguments).failed(6, &[gone, &known, own]);
        assert!(!refused.stderr.contains("mv "), "{}", refused.stderr);
    }
    assert!(!home.path("secrets.redb").exists());
    let doctor = home.run(["doctor"]);
    assert!(doctor.text().contains(&known[6..]), "{}", doctor.text());

    // Another store on the same server, whether it is there or not.
    let second = url.replace("eve1", "eve2");
    run(&home, &second, &put).failed(6, &[gone, &known, own]);
    let other = Home::new();
    run(&other, &second, &put).succeeded();
    fs::copy(other.path("age.key"), home.path("age.key")).unwrap();
    let get = ["secret", "get", "s", "K"];
    let refused = run(&home, &second, &get).failed(6, &["another store", own]);
    assert!(refused.stderr.find(own) < refused.stderr.find("mv "));

    // A copy that is not kept names nothing.
    fs::remove_file(home.path("store.cache")).unwrap();
    let unknown =
        "if the store is on a server, name it in each shell: export MCPLEXER_STORE='postgres://…'";
    home.run(["secret", "list"]).failed(6, &[gone, unknown]);
}

#[test]
fn a_home_with_a_store_in_a_file_says_so_before_it_takes_one_on_a_server() {
    let Some((server, url)) = server() else {
        return;
    };
    let home = Home::with_secret(VALUE);
    let put = ["secret", "put", "s", "K", "v"];
    let refused = run(&home, &url, &put).failed(
        6,
        &[
            "belongs to a store that is missing or was replaced",
            "secrets.redb: unset MCPLEXER_STORE to use it",
            "each store needs a home of its own: for another one, set MCPLEXER_HOME",
        ],
    );
    assert!(!refused.stderr.contains("mv "), "{}", refused.stderr);
    assert_eq!(
        server.sql("select count(*) from pg_namespace where nspname = 'mcplexer'"),
        "0"
    );
    // A directory of its own has it beside the other.
    let mut command = home.command();
    command.env("MCPLEXER_HOME", home.root().join("second"));
    finish(command.env("MCPLEXER_STORE", &url).args(put)).succeeded();
    assert_eq!(home.get("github-token", "TOKEN"), VALUE.as_bytes());
}

#[test]
fn a_server_that_is_not_there_and_a_wrong_url_lose_nothing() {
    let home = Home::new();
    let port = test_support::free_port();
    let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
    run(&home, &url, &["secret", "put", "github", "TOKEN", VALUE])
        .failed(7, &["cannot be reached", "nothing was changed"]);
    for (url, code, said) in [
        (
            "postgres://ann:hunter2@db/team",
            2,
            "MCPLEXER_STORE has a password in it",
        ),
        ("/srv/store", 2, "MCPLEXER_STORE is not the URL of a store"),
        (
            "postgres://ann@db/team?sslmode=require",
            2,
            "error: the URL of the store is invalid: sslmode=require does not check",
        ),
        (
            "postgres://ann@db/team?foo=bar",
            2,
            "error: the URL of the store is invalid: there is no option \"foo\"; the options are schema, sslmode, ",
        ),
        (
            "postgres://ann@db:99999/team",
            2,
            "error: the URL of the store is invalid: invalid value for option `port`",
        ),
    ] {
        let run = run(&home, url, &["secret", "list"]).failed(code, &[said, "hint: "]);
        assert!(!run.stderr.contains("hunter2"), "{}", run.stderr);
        assert!(!run.stderr.contains("its files"), "{}", run.stderr);
    }
    if cfg!(not(feature = "etcd")) {
        run(&home, "etcd://a/team", &["secret", "list"])
            .failed(2, &["built without etcd", "--features etcd"]);
    }
    assert!(!home.path("age.key").exists());
}

#[test]
fn who_is_not_let_in_learns_what_is_missing() {
    let Some(mut server) = PostgresServer::new(&["fsync=off"]) else {
        return;
    };
    server.give(
        "pg_hba.conf",
        b"local all all trust\nhost all ann all scram-sha-256\nhost all all all trust\n",
    );
    server.begin();
    server.sql("CREATE ROLE ann LOGIN PASSWORD 'hunter2'; CREATE ROLE bob LOGIN");
    let home = Home::new();
    let port = server.port();
    let failed = |user: &str, database: &str, password: &str, hint: &str| {
        let url = format!("postgres://{user}@127.0.0.1:{port}/{database}");
        let mut command = home.command();
        command.env("MCPLEXER_STORE", &url);
        command.env("MCPLEXER_STORE_PASSWORD", password);
        let run = finish(command.args(["secret", "put", "web", "TOKEN", VALUE]));
        assert_eq!(run.code, 1, "{}", run.stderr);
        for text in [&url, &format!("hint: {hint}")] {
            assert!(run.stderr.contains(text), "no {text:?} in {}", run.stderr);
        }
        assert!(!run.stderr.contains("hunter"), "{}", run.stderr);
        assert!(!run.stderr.contains("MCPLEXER_HOME"), "{}", run.stderr);
        run.stderr
    };
    let password = "set MCPLEXER_STORE_PASSWORD";
    failed("ann", "postgres", "hunter3", password);
    let said = failed("ann", "postgres", "", password);
    assert!(
        said.contains("the server asks for a password, and none is set"),
        "{said}"
    );
    fs::create_dir_all(home.root()).unwrap();
    let list = home.root().join(".pgpass");
    fs::write(&list, "*:*:*:ann:hunter2\n").unwrap();
    fs::set_permissions(&list, fs::Permissions::from_mode(0o644)).unwrap();
    failed("ann", "postgres", "", password);
    fs::set_permissions(&list, fs::Permissions::from_mode(0o600)).unwrap();
    failed("ann", "postgres", "", "the first use creates the schema");
    let database = "check its name; on the server, createdb --owner bob nowhere creates it";
    failed("bob", "nowhere", "", database);
    let right = "the first use creates the schema mcplexer. On the server: GRANT CREATE ON DATABASE postgres TO bob";
    failed("bob", "postgres", "", right);
}
