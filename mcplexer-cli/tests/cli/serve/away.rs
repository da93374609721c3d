//! A gateway whose store is on a server that is not there for a while.

use test_support::PostgresServer;

use super::daemon::{Daemon, started, status, stop};
use super::*;

/// Starts a gateway, and waits until it serves.
fn gateway(home: &Home, url: &str) -> Daemon {
    let mut command = command(home, &["serve", "--http", "127.0.0.1:0"]);
    command.env("MCPLEXER_STORE", url);
    started(command)
}

/// A home with a server that gets a secret from the store at that URL.
fn home_with_store(url: &str) -> Home {
    let home = Home::new();
    put(&home, url, VALUE);
    write_program(&home.root().join("server"), SERVER);
    make_pipe(&pipe(&home));
    fs::write(home.path("config.yaml"), config(&home, &["plain"])).unwrap();
    home
}

fn put(home: &Home, url: &str, value: &str) {
    let mut command = command(home, &["secret", "put", "github-token", "TOKEN", value]);
    finish(command.env("MCPLEXER_STORE", url)).succeeded();
}

fn store_server() -> Option<(PostgresServer, String)> {
    let server = PostgresServer::start(&["fsync=off"])?;
    let url = format!("postgres://postgres@127.0.0.1:{}/postgres", server.port());
    Some((server, url))
}

#[test]
fn the_log_says_when_the_store_is_away_and_when_it_is_back() {
    let Some((mut server, url)) = store_server() else {
        return;
    };
    let home = home_with_store(&url);
    let log = home.root().join("log");
    let mut command = command(&home, &["serve", "--server", "plain"]);
    command.env("MCPLEXER_STORE", &url);
    command.stderr(File::create(&log).unwrap());
    let mut client = Client::of(&mut command).greet();
    let told = |text: &str| {
        let log = fs::read_to_string(&log).unwrap();
        log.matches(text).count()
    };
    client.call("pid");
    assert_eq!(told("using its copy"), 0);
    server.kill();
    for _ in 0..10 {
        client.call("pid");
    }
    // Not at each call.
    assert!((1..10).contains(&told("using its copy")));
    server.begin();
    while told("the store can be reached again") == 0 {
        client.call("pid");
    }
    assert_eq!(client.leave(), 0);
}

#[test]
fn a_server_starts_with_the_copy_and_goes_back_to_the_store() {
    let Some((mut server, url)) = store_server() else {
        return;
    };
    let home = home_with_store(&url);
    let given = "TOKEN=[github-token/TOKEN]";
    let first = gateway(&home, &url);
    let mut client = Client::greeted(&home, &["connect", "--server", "plain"]);
    assert!(client.call("env").contains(given));
    assert!(status(&home)["store_problem"].is_null());
    assert_eq!(client.leave(), 0);
    stop(&home);
    drop(first);

    server.kill();
    let second = gateway(&home, &url);
    let mut client = Client::greeted(&home, &["connect", "--server", "plain"]);
    assert!(client.call("env").contains(given));
    let instance = client.call("pid");
    let problem = status(&home);
    let problem = problem["store_problem"].as_str().unwrap();
    assert!(problem.contains("using its copy"), "{problem}");
    let told = finish(&mut command(&home, &["status"])).succeeded();
    assert!(told.text().contains("using its copy"), "{}", told.text());

    server.begin();
    assert_eq!(client.call("pid"), instance, "nothing has changed");
    while !status(&home)["store_problem"].is_null() {
        client.call("pid");
    }
    put(&home, &url, "m4rked-S3cret-value-9876543210");
    // It has another secret, once the gateway has heard of it.
    while client.call("pid") == instance {}
    assert!(client.call("env").contains(given));

    // A gateway that runs goes on.
    let instance = client.call("pid");
    server.kill();
    assert_eq!(client.call("pid"), instance);
    assert!(status(&home)["store_problem"].is_string());
    assert_eq!(client.leave(), 0);
    stop(&home);
    drop(second);
}
