//! One gateway for all clients.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;

use super::*;

pub(super) fn run(home: &Home, arguments: &[&str]) -> super::super::home::Run {
    finish(&mut command(home, arguments))
}

pub(super) fn status(home: &Home) -> Value {
    let run = run(home, &["status", "--json"]).succeeded();
    serde_json::from_str(run.text()).unwrap()
}

/// Asks until the answer fits.
pub(super) fn status_with(home: &Home, fits: impl Fn(&Value) -> bool) -> Value {
    loop {
        let status = status(home);
        if fits(&status) {
            return status;
        }
    }
}

pub(super) fn stop(home: &Home) {
    let ended = run(home, &["serve", "--stop"]).succeeded();
    assert_eq!(ended.stderr, "the gateway has ended\n");
}

fn kill(home: &Home) {
    let pid = i32::try_from(status(home)["pid"].as_i64().unwrap()).unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
}

/// A gateway that serves HTTP.
pub(super) struct Daemon {
    pub(super) child: Running,
    pub(super) address: String,
}

pub(super) fn with_http(home: &Home) -> Daemon {
    with_http_on(home, "127.0.0.1:0")
}

pub(super) fn with_http_on(home: &Home, address: &str) -> Daemon {
    started(command(home, &["serve", "--http", address]))
}

/// Opens the page; returns its host with its port, and a ticket.
pub(super) fn page(home: &Home) -> (String, String) {
    let address = run(home, &["ui", "--no-browser"]).succeeded();
    let address = address.text();
    let (host, ticket) = address.trim_end().split_once("/#t=").unwrap();
    let host = host.strip_prefix("http://").unwrap();
    (host.to_owned(), ticket.to_owned())
}

/// Starts a gateway that serves HTTP.
pub(super) fn started(mut command: Command) -> Daemon {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = Running::start(command.stderr(Stdio::piped())).unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let line = lines
        .find(|it| it.as_ref().unwrap().contains("serving"))
        .unwrap();
    // It goes on writing.
    std::thread::spawn(move || lines.for_each(drop));
    let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
    let message = line["message"].as_str().unwrap();
    let (_, address) = message.split_once("http://").unwrap();
    Daemon {
        child,
        address: address.strip_suffix("/mcp").unwrap().to_owned(),
    }
}

#[test]
fn clients_share_the_gateway_that_the_first_one_starts() {
    let home = home(&["plain"]);
    run(&home, &["status"]).failed(
        4,
        &["no gateway runs for this home", "mcplexer serve --http"],
    );
    let mut first = Client::greeted(&home, &["connect", "--client", "editor"]);
    let mut second = Client::greeted(&home, &["connect", "--server", "plain"]);
    let pid = first.call("plain__pid");
    assert_eq!(second.call("pid"), pid);
    let status = status(&home);
    assert_eq!(status["servers"][0]["state"], "running");
    assert_eq!(status["servers"][0]["tools"], 4);
    let instance = &status["servers"][0]["instances"][0];
    assert_eq!(
        (instance["pid"].to_string(), &instance["era"]),
        (pid, &json!("legacy"))
    );
    assert_eq!(instance["clients"], 2);
    let clients = status["clients"].as_array().unwrap();
    assert_eq!(clients.len(), 2, "{status}");
    assert_eq!(clients[0]["server"], "plain");
    assert_eq!(clients[1]["name"], "editor");
    let text = run(&home, &["status"]).succeeded();
    assert!(
        text.text().contains("server plain: running, 4 tools\n"),
        "{}",
        text.text()
    );
    assert_eq!((first.leave(), second.leave()), (0, 0));
    status_with(&home, |it| it["clients"] == json!([]));
    stop(&home);
    run(&home, &["serve", "--stop"]).failed(4, &["no gateway runs"]);
}

#[test]
fn clients_that_start_at_once_share_one_gateway() {
    let home = home(&["plain"]);
    let starts = || Client::greeted(&home, &["connect"]).call("plain__pid");
    let pids: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(starts)).collect();
        threads.into_iter().map(|it| it.join().unwrap()).collect()
    });
    assert!(pids.iter().all(|it| *it == pids[0]), "{pids:?}");
    stop(&home);
}

#[test]
fn a_session_goes_on_at_the_next_gateway() {
    let home = home(&["plain"]);
    let mut client = Client::greeted(&home, &["connect"]);
    assert!(client.call("plain__pid").parse::<u32>().is_ok());
    let lost = client.begin("tools/call", &json!({"name": "plain__hang"}));
    let logs = || run(&home, &["server", "logs", "plain"]).succeeded();
    while logs().text() != "hanging\n" {}
    kill(&home);
    let answer = client.read(|it| it["id"] == lost);
    assert_eq!(answer["error"]["code"], 1004);
    assert!(
        answer["error"]["message"]
            .as_str()
            .unwrap()
            .contains("unknown")
    );
    // The client says nothing of the sort again.
    assert!(client.call("plain__pid").parse::<u32>().is_ok());
    stop(&home);
    assert!(client.call("plain__pid").parse::<u32>().is_ok());
    assert_eq!(client.leave(), 0);
    stop(&home);
}

/// A server that ignores every request to end holds the gateway for seconds.
#[test]
fn a_session_goes_on_after_a_gateway_that_is_slow_to_end() {
    let home = home(&["plain", "stubborn"]);
    let mut client = Client::greeted(&home, &["connect"]);
    let lost = client.begin("tools/call", &json!({"name": "stubborn__hang"}));
    let logs = || run(&home, &["server", "logs", "stubborn"]).succeeded();
    while logs().text() != "hanging\n" {}
    std::thread::scope(|scope| {
        let first = scope.spawn(|| stop(&home));
        let asked = || run(&home, &["status"]);
        let ending = std::iter::repeat_with(asked).find(|it| it.code != 0);
        ending.unwrap().failed(7, &["is ending (process"]);
        let second = scope.spawn(|| stop(&home));
        run(&home, &["serve", "--http", "127.0.0.1:0"]).failed(
            7,
            &["the gateway of this home is ending", "serve --stop waits"],
        );
        // The server has its seconds from here on.
        let answer = client.read(|it| it["id"] == lost);
        assert_eq!(answer["error"]["code"], 1004);
        assert!(client.call("plain__pid").parse::<u32>().is_ok());
        first.join().unwrap();
        second.join().unwrap();
    });
    assert_eq!(client.leave(), 0);
    stop(&home);
}

#[test]
fn there_is_one_gateway_for_a_home() {
    let home = home(&["plain"]);
    let mut daemon = with_http(&home);
    let taken = run(&home, &["serve", "--http", "127.0.0.1:0"]);
    taken.failed(
        7,
        &[
            "a gateway runs for this home already (process",
            "mcplexer serve --stop",
        ],
    );
    let mut client = Client::greeted(&home, &["connect"]);
    assert_eq!(status(&home)["pid"], daemon.child.id());
    assert_eq!(status(&home)["http"], daemon.address);
    assert!(client.call("plain__pid").parse::<u32>().is_ok());
    assert_eq!(client.leave(), 0);
    // A socket that is left behind is in nobody's way.
    daemon.child.kill().unwrap();
    daemon.child.wait().unwrap();
    assert!(home.path("run/gateway.sock").exists());
    run(&home, &["status"]).failed(4, &["no gateway runs"]);
    let mut daemon = with_http(&home);
    assert_eq!(status(&home)["pid"], daemon.child.id());
    kill_process(Pid::from_child(&daemon.child), Signal::TERM).unwrap();
    assert_eq!(daemon.child.wait().unwrap().code(), Some(0));
    assert!(!home.path("run/gateway.sock").exists());
}

#[test]
fn a_configuration_that_changes_is_taken_and_an_invalid_one_is_not() {
    let home = home(&["plain"]);
    let mut client = Client::greeted(&home, &["connect"]);
    let pid = client.call("plain__pid");
    fs::write(
        home.path("config.yaml"),
        config(&home, &["grandchild", "plain"]),
    )
    .unwrap();
    client.read(|it| it["method"] == "notifications/tools/list_changed");
    assert!(client.call("grandchild__pid").parse::<u32>().is_ok());
    assert_eq!(client.call("plain__pid"), pid, "it has not changed");
    for (text, expected) in [
        ("servers: {plain: {command: x}}\n", "config.yaml:1:"),
        ("servers: [\n", "config.yaml:"),
        ("", "missing or empty"),
    ] {
        fs::write(home.path("config.yaml"), text).unwrap();
        let status = status_with(&home, |it| {
            let problem = it["config_problem"].as_str();
            problem.is_some_and(|it| it.contains(expected))
        });
        assert_eq!(status["servers"].as_array().unwrap().len(), 2);
        assert_eq!(client.call("plain__pid"), pid);
    }
    fs::write(home.path("config.yaml"), config(&home, &["plain"])).unwrap();
    let status = status_with(&home, |it| it["config_problem"].is_null());
    assert_eq!(status["servers"].as_array().unwrap().len(), 1);
    // Somebody else could have written it.
    let mode = |mode| {
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(home.path("config.yaml"), permissions).unwrap();
    };
    mode(0o666);
    let more = config(&home, &["plain", "grandchild"]);
    fs::write(home.path("config.yaml"), more).unwrap();
    let status = status_with(&home, |it| {
        let problem = it["config_problem"].as_str();
        problem.is_some_and(|it| it.contains("is writable by others (mode 0666)"))
    });
    assert_eq!(status["servers"].as_array().unwrap().len(), 1);
    mode(0o600);
    let status = status_with(&home, |it| it["config_problem"].is_null());
    assert_eq!(status["servers"].as_array().unwrap().len(), 2);
    stop(&home);
    fs::write(home.path("config.yaml"), "servers: {plain: {command: x}}\n").unwrap();
    let refused = run(&home, &["connect"]);
    refused.failed(
        1,
        &[
            "the gateway does not start: ",
            "config.yaml:1:",
            "\n  mcplexer: hint: ",
            "its log is",
        ],
    );
    run(&home, &["serve"]).failed(2, &["config.yaml:1:"]);
}

#[test]
fn a_server_is_restarted_and_its_failure_is_told() {
    let home = home(&["plain"]);
    let mut client = Client::greeted(&home, &["connect"]);
    let pid = client.call("plain__pid");
    run(&home, &["server", "restart", "plain"]).succeeded();
    assert_ne!(client.call("plain__pid"), pid);
    for what in ["restart", "logs"] {
        run(&home, &["server", what, "other"]).failed(4, &["the gateway has no server other"]);
    }
    home.run(["secret", "delete", "github-token", "TOKEN"])
        .succeeded();
    let error = client.call("plain__pid");
    assert!(
        error.contains("mcplexer secret put github-token TOKEN"),
        "{error}"
    );
    run(&home, &["server", "restart", "plain"]).succeeded();
    client.call("plain__pid");
    let failing = status_with(&home, |it| it["servers"][0]["state"] == "failing");
    let reason = failing["servers"][0]["reason"].as_str().unwrap();
    assert!(
        reason.contains("mcplexer secret put github-token TOKEN"),
        "{reason}"
    );
    let coloured = finish(command(&home, &["status"]).env("CLICOLOR_FORCE", "1"));
    assert!(
        coloured
            .text()
            .contains("server plain: \x1b[31mfailing\x1b[0m, "),
        "{}",
        coloured.text()
    );
    let doctor = run(&home, &["doctor"]);
    // That its secret is missing is one finding.
    let found =
        "plain refers to mcplexer://github-token/TOKEN, which is not in the store   [reference]";
    assert!(
        doctor.text().contains(found) && !doctor.text().contains("[server-failing]"),
        "{}",
        doctor.text()
    );
    stop(&home);
}

#[test]
fn what_is_not_a_bridge_is_refused() {
    let home = home(&["plain"]);
    let client = Client::greeted(&home, &["connect"]);
    let socket = home.path("run/gateway.sock");
    for (said, expected) in [
        (
            "{\"mcplexer\":2}\n",
            "{\"error\":\"the gateway is of version",
        ),
        (
            "{\"mcplexer\":1,\"ask\":\"logs\"}\n",
            "{\"error\":\"no server is named",
        ),
        ("{\"mcplexer\":1,\"ask\":\"secrets\"}\n", ""),
        ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n", ""),
        ("\n\n[]\n", ""),
    ] {
        let mut stream = UnixStream::connect(&socket).unwrap();
        stream.write_all(said.as_bytes()).unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        assert!(
            reply.starts_with(expected) && reply.is_empty() == expected.is_empty(),
            "{said}: {reply}"
        );
    }
    assert_eq!(client.leave(), 0);
    stop(&home);
}

const HINT: &str = "mcplexer serve --http in a terminal asks for the passphrase once: if a gateway runs in the background, mcplexer serve --stop ends it first";

/// The key of the store gets a passphrase, which nobody can be asked for.
#[test]
fn a_locked_store_says_how_to_open_it() {
    let home = home(&["plain"]);
    let plain = fs::read(home.path("age.key")).unwrap();
    let mut recipient = age::scrypt::Recipient::new("right".to_owned().into());
    recipient.set_work_factor(2);
    let sealed = age::encrypt(&recipient, &plain).unwrap();
    fs::write(home.path("age.key"), sealed).unwrap();
    for arguments in [&["connect"][..], &["serve"]] {
        let mut client = Client::greeted(&home, arguments);
        let params = json!({"name": "plain__pid"});
        for (method, params) in [("tools/list", &json!({})), ("tools/call", &params)] {
            let error = client.ask(method, params)["error"].to_string();
            assert!(error.contains(HINT), "{error}");
        }
        assert_eq!(client.leave(), 0);
        let mut client = Client::start(&home, &[arguments, &["--server", "plain"]].concat());
        let error = client.ask("initialize", &json!({}))["error"].to_string();
        assert!(
            error.contains("no key opens this store") && error.contains(HINT),
            "{error}"
        );
        assert_eq!(client.leave(), 0);
    }
    let log = fs::read_to_string(home.path("run/gateway.log")).unwrap();
    let told: Vec<_> = log.lines().filter(|it| it.contains(HINT)).collect();
    assert_eq!(told.len(), 1, "it is in the log, once: {log}");
    stop(&home);
}

/// `clients` in config.yaml keeps servers from a client, which is not told which ones: the status and the log are.
#[test]
fn the_status_says_which_servers_a_client_sees() {
    let home = home(&["plain", "other"]);
    let text = config(&home, &["plain", "other"])
        + "clients: {editor: {servers: [plain]}, idle: {servers: []}}\n";
    fs::write(home.path("config.yaml"), text).unwrap();
    let mut editor = Client::greeted(&home, &["connect", "--client", "editor"]);
    let idle = Client::greeted(&home, &["connect", "--client", "idle"]);
    let all = Client::greeted(&home, &["connect", "--client", "all"]);
    let mut beside = Client::start(
        &home,
        &["connect", "--client", "editor", "--server", "other"],
    );
    let answer = editor.call("other__pid");
    assert!(answer.contains("there is no tool other__pid"), "{answer}");
    assert!(!answer.contains("config.yaml"), "{answer}");
    let refused = beside.ask("initialize", &json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}));
    assert!(
        refused.to_string().contains("there is no server other"),
        "{refused}"
    );

    let status = status(&home);
    let servers = |name: &str, server: Value| {
        let clients = status["clients"].as_array().unwrap();
        let found = clients
            .iter()
            .find(|it| it["name"] == name && it["server"] == server);
        found.unwrap_or_else(|| panic!("{name} in {status}"))["servers"].clone()
    };
    assert_eq!(servers("editor", json!(null)), json!(["plain"]));
    assert_eq!(servers("editor", json!("other")), json!(["plain"]));
    assert_eq!(servers("idle", json!(null)), json!([]));
    assert_eq!(servers("all", json!(null)), json!(null));
    let text = run(&home, &["status"]).succeeded();
    for line in [
        "client editor: only plain, as config.yaml says, process",
        "client editor: other, which config.yaml does not list for it, process",
        "client idle: no servers, as config.yaml says, process",
        "client all: all servers, process",
    ] {
        assert!(text.text().contains(line), "{line} in {}", text.text());
    }
    let log = fs::read_to_string(home.path("run/gateway.log")).unwrap();
    let refusals = log
        .lines()
        .filter(|it| it.contains("refused to client editor"));
    let refusals: Vec<_> = refusals.collect();
    assert_eq!(refusals.len(), 2, "{log}");
    assert!(refusals[0].contains("\"server\":\"other\""), "{log}");
    drop((editor, idle, all, beside));
    stop(&home);
}

#[test]
fn a_gateway_without_servers_says_so() {
    let home = home(&[]);
    for (text, said) in [
        (
            "auth_scopes: [{id: a}]\n",
            "no servers in config.yaml; mcplexer server add adds one",
        ),
        (
            "servers: {a: {command: [x], disabled: true}}\n",
            "all servers in config.yaml are disabled",
        ),
    ] {
        fs::write(home.path("config.yaml"), text).unwrap();
        let client = Client::greeted(&home, &["connect"]);
        let status = run(&home, &["status"]).succeeded();
        assert!(status.text().contains("no servers: "), "{}", status.text());
        let log = fs::read_to_string(home.path("run/gateway.log")).unwrap();
        assert!(log.contains(said), "{log}");
        drop(client);
        stop(&home);
    }
}

/// A name that is almost right is asked about, wherever one is typed.
#[test]
fn a_mistyped_name_is_recognised() {
    let home = home(&["everything", "plain"]);
    fs::write(
        home.root().join("mcp.json"),
        r#"{"mcpServers": {"github": {"command": "x"}}}"#,
    )
    .unwrap();
    run(&home, &["client", "add", "backup"]).succeeded();
    let client = Client::greeted(&home, &["connect"]);
    for (arguments, meant) in [
        (&["server", "test", "evrything"][..], "everything"),
        (&["server", "show", "evrything"], "everything"),
        (&["server", "remove", "evrything"], "everything"),
        (&["server", "restart", "evrything"], "everything"),
        (&["server", "logs", "evrything"], "everything"),
        (&["serve", "--server", "evrything"], "everything"),
        (&["connect", "--server", "evrything"], "everything"),
        (&["client", "install", "cursr"], "cursor"),
        (&["client", "install", "Cursor"], "cursor"),
        (&["client", "remove", "bakcup"], "backup"),
        (&["adopt", "mcp.json", "--server", "gihub"], "github"),
    ] {
        let said = format!("hint: did you mean {meant}?\n");
        run(&home, arguments).failed(4, &[&said]);
    }
    let other = run(&home, &["server", "logs", "zebra"]);
    assert!(!other.stderr.contains("did you mean"), "{}", other.stderr);
    drop(client);
    stop(&home);
}

#[test]
fn restarting_says_whether_the_server_ran() {
    let home = home(&["plain"]);
    let mut client = Client::greeted(&home, &["connect"]);
    let restart = || {
        run(&home, &["server", "restart", "plain"])
            .succeeded()
            .stderr
    };
    assert_eq!(
        restart(),
        "server plain did not run; the next call starts it\n"
    );
    client.call("plain__pid");
    assert_eq!(restart(), "ended server plain; the next call starts it\n");
    drop(client);
    stop(&home);
}

/// A gateway that a client has started serves no HTTP, and stands in the way of one that does.
#[test]
fn http_beside_a_gateway_without_it_is_explained() {
    let home = home(&["plain"]);
    let added = run(&home, &["client", "add", "one"]).succeeded();
    let said = "its URL is http://127.0.0.1:3333/mcp while mcplexer serve --http runs\n";
    assert!(added.stderr.contains(said), "{}", added.stderr);
    let client = Client::greeted(&home, &["connect"]);
    run(&home, &["serve", "--http", "127.0.0.1:0"]).failed(
        7,
        &[
            "a gateway runs for this home already",
            "without HTTP",
            "mcplexer serve --stop ends it; then",
        ],
    );
    assert_eq!(client.leave(), 0);
    stop(&home);
    let daemon = with_http(&home);
    let other = run(&home, &["serve", "--http", "127.0.0.1:0"]);
    assert!(!other.stderr.contains("without HTTP"), "{}", other.stderr);
    let added = run(&home, &["client", "add", "two"]).succeeded();
    let said = format!("its URL is http://{}/mcp\n", daemon.address);
    assert!(added.stderr.contains(&said), "{}", added.stderr);
    stop(&home);
}
