//! What the page and the API show of servers and calls, and what can be done with them there.

use std::net::TcpStream;

use super::daemon::{run, with_http};
use super::*;

/// A session of a browser.
struct Browser {
    address: String,
    token: String,
}

impl Browser {
    fn open(home: &Home) -> Self {
        let (address, ticket) = daemon::page(home);
        let mut browser = Self {
            address,
            token: String::new(),
        };
        let body = json!({"ticket": ticket});
        let (status, session) = browser.ask("POST", "/api/v1/session", Some(&body));
        assert_eq!(status, 200);
        browser.token = session["token"].as_str().unwrap().to_owned();
        browser
    }

    /// Sends a request; returns the connection behind the head of the answer, and the head.
    fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> (BufReader<TcpStream>, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let body = body.map_or_else(String::new, Value::to_string);
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            self.token,
            body.len()
        )
        .unwrap();
        let mut stream = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(stream.read_line(&mut head).unwrap(), 0, "{head}");
        }
        (stream, head)
    }

    fn text(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, String) {
        let (mut stream, head) = self.send(method, path, body);
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert!(!text.contains(VALUE), "{path}");
        (head.split(' ').nth(1).unwrap().parse().unwrap(), text)
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let (status, text) = self.text(method, path, body);
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    fn get(&self, path: &str) -> Value {
        let (status, answer) = self.ask("GET", path, None);
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }
}

/// The lines of a stream of calls, of which each is a chunk.
fn next_call(stream: &mut BufReader<TcpStream>) -> Option<Value> {
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).unwrap() == 0 {
            return None;
        }
        if line.starts_with('{') {
            return Some(serde_json::from_str(&line).unwrap());
        }
    }
}

#[test]
fn a_server_is_started_looked_at_and_stopped_over_the_api() {
    let home = home(&["plain"]);
    let mut text = fs::read_to_string(home.path("config.yaml")).unwrap();
    text += "  broken: {command: [/nonexistent/x]}\n  off: {url: \"https://example.com/mcp\", disabled: true}\n";
    fs::write(home.path("config.yaml"), text).unwrap();
    let _daemon = with_http(&home);
    let browser = Browser::open(&home);
    let states = |list: &Value| {
        let servers = list["servers"].as_array().unwrap().iter();
        let states = servers.map(|it| format!("{} {}", it["name"], it["state"]).replace('"', ""));
        states.collect::<Vec<_>>()
    };
    let list = browser.get("/api/v1/servers");
    assert_eq!(
        states(&list),
        ["broken stopped", "off disabled", "plain stopped"]
    );
    let tools = browser.get("/api/v1/servers/plain/tools");
    assert_eq!(tools["is_known"], false);

    let act = |name: &str, act: &str| {
        browser.ask(
            "POST",
            &format!("/api/v1/servers/{name}/{act}"),
            Some(&json!({})),
        )
    };
    let (status, started) = act("plain", "start");
    assert_eq!(
        (status, &started["state"]),
        (200, &json!("running")),
        "{started}"
    );
    assert_eq!(
        started["secrets"],
        json!([{"scope": "github-token", "key": "TOKEN"}])
    );
    assert_eq!(started["values"], json!({"TOKEN": ["github-token/TOKEN"]}));
    let first = started["instances"][0]["pid"].clone();
    let tools = browser.get("/api/v1/servers/plain/tools");
    assert_eq!(tools["tools"][0]["name"], "hang");
    assert_eq!(
        tools["tools"][0]["tokens"],
        r#"{"name":"hang"}"#.len().div_ceil(4)
    );
    let (status, again) = act("plain", "restart");
    assert_eq!((status, &again["state"]), (200, &json!("running")));
    assert_ne!(again["instances"][0]["pid"], first);
    let (status, stopped) = act("plain", "stop");
    assert_eq!((status, &stopped["state"]), (200, &json!("stopped")));

    let (status, refused) = act("broken", "start");
    assert_eq!(status, 409);
    assert!(
        refused["title"]
            .as_str()
            .unwrap()
            .contains("/nonexistent/x"),
        "{refused}"
    );
    assert_eq!(browser.get("/api/v1/servers/broken")["state"], "failing");
    let log = browser.get("/api/v1/servers/broken/log");
    assert!(!log["lines"].as_array().unwrap().is_empty());
    for (name, status) in [("none", 404), ("No!", 422), ("off", 404)] {
        assert_eq!(act(name, "start").0, status, "{name}");
    }
    for (path, says) in [
        ("/parts/servers", "failing"),
        ("/parts/servers/plain", "github-token/TOKEN"),
        ("/parts/servers/broken", "/nonexistent/x"),
        ("/parts/servers/off", "disabled: true"),
    ] {
        let (status, text) = browser.text("GET", path, None);
        assert!(status == 200 && text.contains(says), "{path}: {text}");
    }
}

#[test]
fn calls_are_seen_as_they_happen_and_afterwards() {
    let home = home(&["plain"]);
    let _daemon = with_http(&home);
    let browser = Browser::open(&home);
    let (_, empty) = browser.text("GET", "/parts/calls", None);
    assert!(empty.contains("No client has called a server yet"));
    let (mut stream, head) = browser.send("GET", "/api/v1/calls/stream?tool=pid", None);
    assert!(head.contains("application/x-ndjson"), "{head}");
    // It listens once it has sent something.
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();

    let mut client = Client::greeted(&home, &["connect", "--server", "plain", "--client", "ide"]);
    for tool in ["env", "pid", "none"] {
        client.call(tool);
    }
    let begun = next_call(&mut stream).unwrap();
    assert_eq!(
        (&begun["tool"], &begun["is_running"]),
        (&json!("pid"), &json!(true))
    );
    let ended = next_call(&mut stream).unwrap();
    assert_eq!(
        (&ended["id"], &ended["outcome"]),
        (&begun["id"], &json!("ok"))
    );

    let all = browser.get("/api/v1/calls");
    let calls = all["calls"].as_array().unwrap();
    let of =
        |it: &Value| format!("{} {} {}", it["client"], it["tool"], it["outcome"]).replace('"', "");
    let calls: Vec<_> = calls.iter().map(of).collect();
    assert_eq!(calls, ["ide none error", "ide pid ok", "ide env ok"]);
    let page = browser.get("/api/v1/calls?limit=1&server=plain&outcome=ok");
    assert_eq!(of(&page["calls"][0]), "ide pid ok");
    let next = browser.get(&format!(
        "/api/v1/calls?limit=1&outcome=ok&before={}",
        page["older"]
    ));
    assert_eq!(of(&next["calls"][0]), "ide env ok");
    let (id, at) = (
        page["calls"][0]["id"].as_str().unwrap(),
        &page["calls"][0]["at"],
    );
    let one = browser.get(&format!("/api/v1/calls/{id}?at={at}"));
    assert_eq!(one["secrets"], json!(["github-token/TOKEN@1"]));
    let summary = browser.get("/api/v1/calls/summary?last=day");
    let sum = |it: &Value| {
        it.as_array()
            .unwrap()
            .iter()
            .map(|it| it.as_u64().unwrap())
            .sum::<u64>()
    };
    let plain = &summary["servers"][0];
    assert_eq!((sum(&plain["calls"]), sum(&plain["errors"])), (3, 1));

    for (path, says) in [
        ("/parts/calls", "ide"),
        ("/parts/calls/plot", "<svg"),
        (
            &format!("/parts/calls/{id}?at={at}"),
            "github-token/TOKEN@1",
        ),
        ("/parts/calls?outcome=lost", "No calls match"),
    ] {
        let (status, text) = browser.text("GET", path, None);
        assert!(status == 200 && text.contains(says), "{path}: {text}");
    }
    for (path, status) in [
        ("?outcome=x", 422),
        ("?limit=0", 422),
        ("?before=x", 400),
        ("?other=1", 400),
        ("?before=1", 409),
        ("/stream?outcome=x", 422),
        ("/0000", 404),
        ("/summary?last=x", 400),
    ] {
        assert_eq!(
            browser.ask("GET", &format!("/api/v1/calls{path}"), None).0,
            status,
            "{path}"
        );
    }

    // The stream ends with its session.
    run(&home, &["ui", "--stop"]).succeeded();
    assert_eq!(next_call(&mut stream), None);
    assert_eq!(browser.ask("GET", "/api/v1/calls", None).0, 401);
}

#[test]
fn a_stream_of_calls_ends_with_the_gateway_and_no_log_is_needed() {
    let home = home(&["plain"]);
    let mut serve = command(&home, &["serve", "--http", "127.0.0.1:0"]);
    serve.env("MCPLEXER_AUDIT", "off");
    let _daemon = daemon::started(serve);
    let browser = Browser::open(&home);
    let mut client = Client::greeted(&home, &["connect"]);
    client.call("plain__pid");
    let page = browser.get("/api/v1/calls");
    assert_eq!(
        (&page["source"], &page["calls"][0]["tool"]),
        (&json!("memory"), &json!("pid"))
    );
    let (_, text) = browser.text("GET", "/parts/calls", None);
    assert!(text.contains("The audit log is turned off"));
    let (mut stream, _) = browser.send("GET", "/api/v1/calls/stream", None);
    daemon::stop(&home);
    assert_eq!(next_call(&mut stream), None);
}
