//! The address of the page: nobody can have had it before, and who has it afterwards gets nothing.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use serde_json::{Value, json};

use super::browser::Visit;
use super::client::Client;
use super::driver::Browser;
use super::evil::Evil;
use super::gate::Gate;
use super::http::Ask;
use super::place::{PAGES, Place};

const TYPED: &str = "typ3d-S3cret-value-9876543210";

/// What another program leaves behind in the browser: a script that is kept, and a worker that answers for its address.
fn leaves_behind(path: &str) -> (&'static str, &'static str) {
    const MARKED: &str = "document.title = 'evil: ' + location.hash;";
    match path {
        "/page.js" => (
            "Content-Type: text/javascript\r\nCache-Control: max-age=31536000, immutable",
            MARKED,
        ),
        "/worker.js" => (
            "Content-Type: text/javascript",
            "addEventListener('install', (it) => it.waitUntil(skipWaiting()));\n\
             addEventListener('activate', (it) => it.waitUntil(clients.claim()));\n\
             addEventListener('fetch', (it) => it.respondWith(new Response('<title>evil</title>evil', { headers: { 'content-type': 'text/html' } })));",
        ),
        _ => (
            "Content-Type: text/html",
            "<!doctype html><script type=module>\n\
             await fetch('/page.js');\n\
             await navigator.serviceWorker.register('/worker.js');\n\
             await navigator.serviceWorker.ready;\n\
             document.title = 'left';\n\
             </script>",
        ),
    }
}

#[test]
fn who_had_the_port_before_does_not_have_the_page() {
    let place = Place::with_secret();
    let Some(browser) = Browser::start(&place) else {
        return;
    };
    let evil = Evil::at("127.0.0.1:0", leaves_behind);
    let host = format!("127.0.0.1:{}", evil.port());
    browser.open(&format!("http://{host}/"));
    browser.wait("document.title === 'left'");
    drop(evil);
    let _gateway = place.serve(&host);
    let opened = place.ui();
    browser.open(&opened.address());
    browser.wait_for("Needs attention");
    // The worker is still there, and answers for its own address.
    browser.open(&format!("http://{host}/"));
    browser.wait("document.title === 'evil'");
    assert_eq!(place.http(), host);
    assert_ne!(opened.host(), host);
}

#[test]
fn each_gateway_has_another_address_for_its_page() {
    let place = Place::with_secret();
    let first = place.ui();
    assert_eq!(place.ui().host(), first.host());
    place.stop();
    let second = place.ui();
    assert_ne!(second.host(), first.host());
    #[cfg(target_os = "linux")]
    for opened in [&first, &second] {
        assert!(opened.host().starts_with("127."), "{}", opened.host());
        assert!(
            !opened.host().starts_with("127.0.0.1:"),
            "{}",
            opened.host()
        );
    }
}

#[test]
fn the_address_of_clients_has_no_page_and_no_session() {
    let place = Place::with_secret();
    let opened = place.ui();
    let (session, next) = (opened.token(), place.ui());
    let client = place.run(&["client", "add", "reads", "--api", "read"]);
    let http = place.http();
    let ask = |method: &str, target: &str| Ask::new(&http, method, target).with("Host", &http);
    let mut targets = vec!["/page.js".to_owned(), "/icon.svg".to_owned()];
    targets.extend(["/api/v1/session/proof?session=x&nonce=x", "/nothing"].map(str::to_owned));
    for (_, page) in PAGES {
        targets.extend([page.to_owned(), format!("/parts{page}")]);
    }
    for target in &targets {
        for token in [session.as_str(), client.trim_end()] {
            let answer = ask("GET", target).bearer(token).send();
            assert_eq!(answer.status, 404, "{target}: {answer:?}");
            match target.starts_with("/api/") {
                true => assert_eq!(answer.media(), "application/problem+json"),
                false => assert_eq!(answer.text(), "mcplexer ui opens the page\n"),
            }
        }
    }
    let ticket = json!({"ticket": next.ticket});
    let begun = ask("POST", "/api/v1/session").json(&ticket).send();
    assert_eq!(begun.status, 404, "{begun:?}");
    assert_eq!(begun.media(), "application/problem+json");
    let scopes = |token: &str| ask("GET", "/api/v1/scopes").bearer(token).send().status;
    assert_eq!(scopes(client.trim_end()), 200);
    assert_eq!(scopes(&session), 401);
    let added = ask("POST", "/api/v1/clients").bearer(&session);
    let added = added.json(&json!({"name": "evil"})).send();
    assert_eq!(added.status, 401, "{added:?}");
    // The protocol is there alone, and the ticket is still good where the page is.
    assert_eq!(opened.asked(client.trim_end(), "POST", "/mcp").status, 404);
    next.token();
}

/// Answers like the gateway, except for what it cannot know.
fn answers_anything(path: &str) -> (&'static str, &'static str) {
    const JSON: &str = "Content-Type: application/json";
    match path.starts_with("/api/v1/session/proof") {
        true => (
            JSON,
            r#"{"proof":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#,
        ),
        false => (
            JSON,
            r#"{"scope":"github-token","key":"TOKEN","version":2,"scope_created":false,"expiry_dropped":null}"#,
        ),
    }
}

/// Opens the page, and types a secret that is not stored yet.
fn typed() -> Option<Visit> {
    let visit = Visit::to(Place::with_secret())?;
    visit.at("/secrets/github-token");
    visit.browser.fill("Key", "OTHER");
    visit.browser.fill("Value", TYPED);
    Some(visit)
}

#[test]
fn who_has_the_address_afterwards_is_sent_nothing_that_was_typed() {
    let Some(visit) = typed() else {
        return;
    };
    let (browser, place) = (&visit.browser, &visit.place);
    let kept = "return ['', '-id', '-key'].map((it) => sessionStorage['mcplexer' + it])";
    let kept = || browser.script(kept, &json!([]));
    let token = kept()[0].as_str().unwrap().to_owned();
    assert_eq!(token.len(), 43);
    place.stop();
    let evil = Evil::at(visit.opened.host(), answers_anything);
    browser.press("Store");
    browser.wait("document.querySelector('main form [role=alert]')?.innerText");
    let heard = evil.heard();
    assert!(
        heard.contains("GET /api/v1/session/proof?session="),
        "{heard}"
    );
    assert!(
        !heard.contains(TYPED) && !heard.contains("OTHER"),
        "{heard}"
    );
    browser.wait_for("another program answers here");
    assert_eq!(browser.filled("Value"), TYPED);
    assert_eq!(kept(), json!(["", null, null]));
    // Not at the second try either.
    browser.press("Store");
    browser.wait("document.querySelector('main form:not([aria-busy=true]) [role=alert]')");
    let heard = evil.heard();
    assert!(!heard.contains(TYPED), "{heard}");
    assert!(!heard.contains(&token), "{heard}");
}

/// Closes each connection in the middle of the answer.
fn breaks_off(_: &str) -> (&'static str, &'static str) {
    (
        "Content-Type: application/json\r\nTransfer-Encoding: chunked",
        "40\r\n{\"proof\":\"AAAA",
    )
}

/// As where the page goes elsewhere meanwhile.
#[test]
fn a_proof_that_breaks_off_ends_no_session() {
    let Some(visit) = typed() else {
        return;
    };
    let (browser, place) = (&visit.browser, &visit.place);
    place.stop();
    let evil = Evil::at(visit.opened.host(), breaks_off);
    browser.press("Store");
    browser.wait("document.querySelector('main form [role=alert]')?.innerText");
    browser.wait_for("does not answer");
    let kept = browser.script("return sessionStorage.mcplexer.length", &json!([]));
    assert_eq!(kept, 43);
    assert!(!evil.heard().contains(TYPED), "{}", evil.heard());
}

/// Clicks on the link to the doctor in another way than the driver can.
fn press_link(browser: &Browser, event: &str, how: &Value) {
    let script = "const [event, how] = arguments;\n\
                  const link = document.querySelector('nav a[href=\"/doctor\"]');\n\
                  link.dispatchEvent(new MouseEvent(event, { ...how, bubbles: true, cancelable: true }));";
    browser.script(script, &json!([event, how]));
}

/// Acts and looks alike: without the proof, the other program learns that a tab asks, and nothing of what it asks for.
#[test]
fn who_has_the_address_afterwards_learns_neither_acts_nor_places() {
    for act in ["Start plain", "Doctor", "another tab", "the middle button"] {
        let Some(visit) = Visit::to(Place::with_secret()) else {
            return;
        };
        let browser = &visit.browser;
        visit.at("/servers/plain");
        visit.place.stop();
        let evil = Evil::at(visit.opened.host(), answers_anything);
        match act {
            "Doctor" => browser.click(act),
            "another tab" => press_link(browser, "click", &json!({"ctrlKey": true})),
            "the middle button" => press_link(browser, "auxclick", &json!({"button": 1})),
            _ => browser.press(act),
        }
        browser.wait("/session has ended/i.test(document.querySelector('main').innerText)");
        let heard = evil.heard();
        let asked = heard.lines().filter(|it| it.ends_with(" HTTP/1.1"));
        let mut asked = asked.filter(|it| !it.contains("/favicon.ico"));
        assert!(
            asked.all(|it| it.starts_with("GET /api/v1/session/proof?session=")),
            "{heard}"
        );
        assert!(!heard.to_lowercase().contains("authorization"), "{heard}");
    }
}

/// A browser sends a request again, on a new connection, if one that was used before ends without an answer: by then another
/// program can have the address.
#[test]
fn no_connection_to_the_page_is_used_twice() {
    let place = Place::with_secret();
    let opened = place.ui();
    let (token, http) = (opened.token(), place.http());
    for (host, target, is_page) in [
        (opened.host(), "/", true),
        (opened.host(), "/api/v1/scopes", true),
        (opened.host(), "/nothing", true),
        (&http, "/healthz", false),
    ] {
        let mut stream = TcpStream::connect(host).unwrap();
        let fields = format!("Host: {host}\r\nAuthorization: Bearer {token}");
        write!(stream, "GET {target} HTTP/1.1\r\n{fields}\r\n\r\n").unwrap();
        let mut head = String::new();
        while !head.contains("\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0].into());
        }
        let head = head.to_ascii_lowercase();
        assert_eq!(
            head.contains("connection: close"),
            is_page,
            "{target}: {head}"
        );
        if is_page {
            stream.read_to_end(&mut Vec::new()).unwrap();
        }
    }
}

/// The gateway ends, and a request has not arrived yet: until its connection is closed, no other program gets the address.
#[test]
fn the_address_is_kept_as_long_as_somebody_is_connected() {
    let place = Place::with_secret();
    let mut gate = Gate::of(&place);
    let opened = place.ui();
    let mut client = Client::connect(&place, "cursor");
    let call = client.begin_call("plain__wait");
    let token = opened.token();
    let (host, target) = (opened.host(), "/api/v1/scopes/github-token/secrets/TOKEN");
    let mut stream = TcpStream::connect(host).unwrap();
    let fields = format!(
        "Host: {host}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: 100"
    );
    write!(stream, "PUT {target} HTTP/1.1\r\n{fields}\r\n\r\n{{").unwrap();
    stream.set_nonblocking(true).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| place.stop());
        let _taken = loop {
            if let Ok(taken) = TcpListener::bind(host) {
                break taken;
            }
        };
        let read = stream.read(&mut [0; 1024]);
        let goes_on = matches!(&read, Err(error) if error.kind() == ErrorKind::WouldBlock);
        assert!(!goes_on, "the address is free, and the connection goes on");
        gate.open();
    });
    drop((client, call));
}

/// A browser has six connections to the page: what waits for one of them would go out long after its proof.
#[test]
fn what_is_typed_goes_out_one_at_a_time_each_behind_its_proof() {
    let Some(visit) = Visit::to(Place::with_secret()) else {
        return;
    };
    let (browser, place) = (&visit.browser, &visit.place);
    let sent = "const { ask } = await import('/page.js'), sent = [], fetched = window.fetch;\n\
                window.fetch = async (path, how) => {\n\
                  const what = path.includes('/proof?') ? 'proof' : how.method;\n\
                  sent.push(what);\n\
                  const answer = await fetched(path, how);\n\
                  sent.push(what + ' ' + answer.status);\n\
                  return answer;\n\
                };\n\
                const put = (key) => ask('PUT', '/api/v1/scopes/github-token/secrets/' + key, { value: 'of ' + key });\n\
                await Promise.all(['A', 'B', 'C'].map(put));\n\
                return sent;";
    let one = ["proof", "proof 200", "PUT", "PUT 200"];
    assert_eq!(
        browser.promised(sent, &json!([])),
        json!([one, one, one].concat())
    );
    assert_eq!(place.get("github-token", "C"), "of C");
}
