//! What the tokens of clients do not see: servers that `config.yaml` keeps from them, and what may be a credential.

use std::io::{Read, Write};
use std::net::TcpListener;

use serde_json::{Value, json};

use crate::client::Client;
use crate::http::Answer;
use crate::place::{Opened, Place};
use crate::streams::Stream;

/// A home with three servers, of which a client sees one.
struct Limited {
    place: Place,
    opened: Opened,
    token: String,
    everything: String,
}

impl Limited {
    fn new() -> Self {
        let place = Place::with_secret();
        let server = place.root().join("server");
        let server = server.to_str().unwrap();
        place.run(&["server", "add", "hidden", "--", "/bin/sh", server]);
        let config = place.path("config.yaml");
        let text = std::fs::read_to_string(&config).unwrap();
        let text = format!(
            "{text}  absent:\n    command: [/bin/sh, {server}]\n    disabled: true\n\
             clients:\n  few:\n    servers: [plain]\n"
        );
        std::fs::write(&config, text).unwrap();
        let opened = place.ui();
        let add = |name: &str| place.run(&["client", "add", name, "--api", "write"]);
        let (token, everything) = (add("few"), add("all"));
        Self {
            opened,
            token: token.trim_end().to_owned(),
            everything: everything.trim_end().to_owned(),
            place,
        }
    }

    fn get(&self, token: &str, target: &str) -> Answer {
        self.opened.asked(token, "GET", target)
    }

    /// Asks as the client that sees one server.
    fn ask(&self, target: &str) -> Value {
        let answer = self.get(&self.token, target);
        assert_eq!(answer.status, 200, "{target}: {answer:?}");
        answer.value()
    }
}

fn names(list: &Value, member: &str) -> Vec<String> {
    let names = list.as_array().unwrap().iter();
    names
        .map(|it| it[member].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_server_that_a_client_does_not_see_is_like_one_that_does_not_exist() {
    let limited = Limited::new();
    let (token, opened) = (&limited.token, &limited.opened);
    let all = limited.get(&limited.everything, "/api/v1/servers").value();
    assert_eq!(
        names(&all["servers"], "name"),
        ["absent", "hidden", "plain"]
    );
    let list = limited.ask("/api/v1/servers");
    assert_eq!(names(&list["servers"], "name"), ["plain"]);
    for (method, act) in [
        ("GET", ""),
        ("GET", "/log"),
        ("GET", "/tools"),
        ("POST", "/start"),
        ("POST", "/stop"),
        ("POST", "/restart"),
    ] {
        let of = |server: &str| {
            let answer = opened.asked(token, method, &format!("/api/v1/servers/{server}{act}"));
            (answer.status, answer.text())
        };
        let unknown = of("unknown");
        assert_eq!(unknown.0, 404, "{unknown:?}");
        for server in ["hidden", "absent"] {
            let (status, text) = of(server);
            assert_eq!(
                (status, text.replace(server, "unknown")),
                unknown,
                "{method} {act}"
            );
        }
        assert_eq!(of("plain").0, 200, "{method} {act}");
    }
    let found = limited.ask("/api/v1/search?q=hidden");
    assert_eq!(found["results"], json!([]));
    let found = limited.ask("/api/v1/search?q=plain");
    assert_eq!(names(&found["results"], "kind"), ["server"]);
    // What is about every server is refused, and what may name one says less.
    for (who, status) in [(token, 403), (&limited.everything, 200)] {
        let answer = limited.get(who, "/api/v1/doctor");
        assert_eq!(answer.status, status, "{answer:?}");
    }
}

#[test]
fn a_client_sees_calls_to_its_servers_alone() {
    let limited = Limited::new();
    let mut stream = Stream::open(&limited.opened, &limited.token);
    let mut cursor = Client::connect(&limited.place, "cursor");
    for tool in ["hidden__echo", "plain__echo", "hidden__fail"] {
        cursor.call(tool);
    }
    let all = limited.get(&limited.everything, "/api/v1/calls").value();
    assert_eq!(
        names(&all["calls"], "server"),
        ["hidden", "plain", "hidden"]
    );
    let list = limited.ask("/api/v1/calls");
    assert_eq!(names(&list["calls"], "server"), ["plain"]);
    cursor.call("nowhere__tool");
    let list = limited.ask("/api/v1/calls?tool=nowhere");
    assert_eq!(list["calls"], json!([]));
    let list = limited.ask("/api/v1/calls?server=hidden");
    assert_eq!(list["calls"], json!([]));
    let summary = limited.ask("/api/v1/calls/summary");
    assert_eq!(names(&summary["servers"], "server"), ["plain"]);
    for call in all["calls"].as_array().unwrap() {
        let id = call["id"].as_str().unwrap();
        for at in [String::new(), format!("?at={}", call["at"])] {
            let answer = limited.get(&limited.token, &format!("/api/v1/calls/{id}{at}"));
            let expected = if call["server"] == "plain" { 200 } else { 404 };
            assert_eq!(answer.status, expected, "{call}: {answer:?}");
        }
    }
    // Where there is a client of one server, others do not learn its name.
    let connected = limited.ask("/api/v1/clients")["connected"].to_string();
    assert!(!connected.contains("hidden"), "{connected}");
    // The calls went out before this one, and each comes twice.
    cursor.call("plain__fail");
    for tool in ["echo", "echo", "fail", "fail"] {
        let line: Value = serde_json::from_str(&stream.line().unwrap()).unwrap();
        assert_eq!(
            (&line["server"], &line["tool"]),
            (&json!("plain"), &json!(tool))
        );
    }
}

/// A client that sees one server learns neither how many calls there are to others, nor how long they are.
#[test]
fn a_client_does_not_count_what_it_does_not_see() {
    let limited = Limited::new();
    let mut cursor = Client::connect(&limited.place, "cursor");
    for tool in ["plain__one", "hidden__echo", "plain__two", "plain__three"] {
        cursor.call(tool);
    }
    let list = |token: &str, query: &str| {
        let answer = limited.get(token, &format!("/api/v1/calls?{query}"));
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.value()
    };
    let all = list(&limited.everything, "server=plain")["calls"].take();
    assert!(all[0]["at"].as_u64().unwrap() < 100_000, "{all}");
    // Nor how many sessions there were, while calls of one session are seen to be that.
    let sessions = |calls: &Value| names(calls, "session");
    let (known, hidden) = (
        sessions(&all),
        sessions(&list(&limited.token, "server=plain")["calls"]),
    );
    assert!(
        known.iter().all(|it| it.parse::<u64>().is_ok()),
        "{known:?}"
    );
    assert!(hidden.iter().all(|it| it.len() == 16), "{hidden:?}");
    assert_eq!(known[0] == known[1], hidden[0] == hidden[1]);
    // Page by page, each call is there, and leads to itself.
    let (mut query, mut seen) = ("limit=1".to_owned(), Vec::new());
    loop {
        let mut page = list(&limited.token, &query);
        assert_eq!(
            (&page["lines"], &page["reached"]),
            (&Value::Null, &Value::Null)
        );
        let Some(call) = page["calls"].get_mut(0).map(Value::take) else {
            break;
        };
        let (id, at) = (call["id"].as_str().unwrap(), &call["at"]);
        let shown = limited.ask(&format!("/api/v1/calls/{id}?at={at}"));
        assert_eq!((&shown["tool"], &shown["at"]), (&call["tool"], at));
        query = format!("limit=1&before={}", page["older"]);
        seen.push(call);
        if page["older"].is_null() {
            break;
        }
    }
    assert_eq!(names(&json!(seen), "tool"), ["three", "two", "one"]);
    // Where the lines of the log are does not follow from any of it, and not from an id.
    let mut ids = Vec::new();
    for (call, known) in seen.iter().zip(all.as_array().unwrap()) {
        assert_ne!(call["at"], known["at"]);
        let place = format!("/api/v1/calls?before={}", known["at"]);
        assert_eq!(limited.get(&limited.token, &place).status, 409);
        ids.push(u64::from_str_radix(call["id"].as_str().unwrap(), 16).unwrap());
    }
    assert!(
        ids[0].abs_diff(ids[1]) > 1000 && ids[1].abs_diff(ids[2]) > 1000,
        "{ids:?}"
    );
}

/// Else the length of its line would tell that the server exists.
#[test]
fn a_call_to_a_server_that_is_not_seen_is_recorded_like_a_guess() {
    let limited = Limited::new();
    let mut few = Client::connect(&limited.place, "few");
    for tool in ["hidden__tool", "guess__tool"] {
        assert!(few.call(tool)["error"].is_object());
    }
    let all = limited.get(&limited.everything, "/api/v1/calls").value();
    let calls = all["calls"].as_array().unwrap().iter();
    let told: Vec<_> = calls
        .map(|it| json!([it["server"], it["tool"], it["outcome"]]))
        .collect();
    let refused = |tool: &str| json!(["", tool, "refused"]);
    assert_eq!(told, [refused("guess__tool"), refused("hidden__tool")]);
}

/// The gateway takes a changed file within a second: what it answers is asked until it has.
#[test]
fn a_client_sees_what_the_file_says_now() {
    let limited = Limited::new();
    let config = limited.place.path("config.yaml");
    let text = std::fs::read_to_string(&config).unwrap();
    let status = || limited.get(&limited.token, "/api/v1/servers/hidden").status;
    assert_eq!(status(), 404);
    let text = text.replace("servers: [plain]", "servers: [plain, hidden]");
    std::fs::write(&config, &text).unwrap();
    while status() != 200 {}
    // The problem of a file may name any server.
    let text = text.replace("disabled: true", "disabled: perhaps");
    std::fs::write(&config, text).unwrap();
    let problem = |token: &str| {
        let servers = limited.get(token, "/api/v1/servers").value();
        servers["config_problem"].as_str().map(str::to_owned)
    };
    let all = loop {
        if let Some(problem) = problem(&limited.everything) {
            break problem;
        }
    };
    assert!(all.contains("absent"), "{all}");
    let few = problem(&limited.token).unwrap();
    assert_eq!(few, "config.yaml has problems");
    // Neither is a client told where the home is.
    let ask = limited.opened.ask("POST", "/api/v1/scopes/later/import");
    let body = json!({"file": ".env", "text": "TOKEN=value"});
    let answer = ask.bearer(&limited.token).json(&body).send();
    assert_eq!(answer.status, 409, "{answer:?}");
    assert_eq!(answer.value()["title"], "config.yaml has a problem");
    let home = limited.place.root().to_str().unwrap();
    assert!(!answer.text().contains(home), "{answer:?}");
}

/// Some servers have their credential in the path of their URL.
#[test]
fn no_client_sees_the_path_of_a_url() {
    let place = Place::with_secret();
    // Nobody listens there.
    let url = "http://127.0.0.1:1/p4th-Of-the-url/mcp";
    place.run(&["server", "add", "remote", "--url", url]);
    let opened = place.ui();
    let client = place.run(&["client", "add", "writes", "--api", "write"]);
    let session = opened.token();
    let ask = |token: &str, method: &str, target: &str| {
        let target = format!("/api/v1/servers{target}");
        opened.asked(token, method, &target).text()
    };
    // The reason names the URL.
    assert!(ask(&session, "POST", "/remote/start").contains(url));
    for (method, target) in [
        ("POST", "/remote/start"),
        ("POST", "/remote/restart"),
        ("GET", "/remote"),
        ("GET", ""),
        ("GET", "/remote/log"),
    ] {
        let seen = ask(client.trim_end(), method, target);
        assert!(!seen.contains("p4th"), "{method} {target}: {seen}");
    }
    // The checks say why a server does not work.
    let checked = |token: &str| opened.asked(token, "GET", "/api/v1/doctor").text();
    assert!(checked(&session).contains(url));
    let seen = checked(client.trim_end());
    assert!(
        seen.contains("server-failing") && !seen.contains("p4th"),
        "{seen}"
    );
    let seen: Value = serde_json::from_str(&ask(client.trim_end(), "GET", "/remote")).unwrap();
    assert_eq!(seen["url"], "http://127.0.0.1:1/…");
    assert_eq!(seen["add"], Value::Null);
    let seen: Value = serde_json::from_str(&ask(&session, "GET", "/remote")).unwrap();
    assert_eq!(seen["url"], url);
    let add = seen["add"].as_str().unwrap();
    assert!(add.contains(url), "{add}");
}

/// What answers may repeat the path of its URL, in letters of its own.
#[test]
fn no_client_sees_what_a_server_answers_instead_of_working() {
    no_client_sees_an_answer("404 Not Found", "text/plain", "no such path /p%34th");
    for code in [-32603, -32020] {
        let error = format!(r#""error":{{"code":{code},"message":"no such path /p%34th?q=%34"}}"#);
        let error = format!(r#"{{"jsonrpc":"2.0","id":1,{error}}}"#);
        no_client_sees_an_answer("200 OK", "application/json", &error);
    }
}

/// A server answers each request so. If the answer is a message, it gets the id of the request.
fn no_client_sees_an_answer(status: &'static str, kind: &'static str, text: &str) {
    const ECHO: &str = "no such path /p%34th";
    let text = text.to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = String::new();
            let mut part = [0; 4096];
            let id = loop {
                let length = stream.read(&mut part).unwrap_or_default();
                request += &String::from_utf8_lossy(&part[..length]);
                let id = request.split_once("\"id\":").map(|(_, it)| it);
                let has_body = request.starts_with("POST");
                let is_whole = request.ends_with(if has_body { "}" } else { "\r\n\r\n" });
                match id.and_then(|it| it.find([',', '}']).map(|end| &it[..end])) {
                    None if length > 0 && !is_whole => {}
                    id => break id.unwrap_or("null"),
                }
            };
            let text = text.replace("\"id\":1", &format!("\"id\":{id}"));
            let length = text.len();
            let fields = format!("Content-Type: {kind}\r\nConnection: close");
            let _gone = write!(
                stream,
                "HTTP/1.1 {status}\r\n{fields}\r\nContent-Length: {length}\r\n\r\n{text}"
            );
        }
    });
    let place = Place::with_secret();
    let url = format!("http://{address}/p4th");
    place.run(&["server", "add", "remote", "--url", &url]);
    let opened = place.ui();
    let client = place.run(&["client", "add", "writes", "--api", "write"]);
    let session = opened.token();
    let start = |token: &str| opened.asked(token, "POST", "/api/v1/servers/remote/start");
    let said = start(&session).text();
    assert!(said.contains(ECHO), "{said}");
    let client = client.trim_end();
    let title = start(client).value()["title"].take();
    let expected = "the server cannot be used; mcplexer status says why";
    assert_eq!(title, expected);
    for target in ["servers/remote/log", "servers/remote", "servers", "doctor"] {
        let seen = opened
            .asked(client, "GET", &format!("/api/v1/{target}"))
            .text();
        assert!(
            !seen.contains("%34") && !seen.contains("p4th"),
            "{target}: {seen}"
        );
    }
    let title = start(client).text();
    assert!(!title.contains("%34") && !title.contains("p4th"), "{title}");
}
