//! A page of another port of this machine, in the same browser, while a session goes on.

use serde_json::json;

use super::browser::Visit;
use super::evil::Evil;
use super::place::Place;

/// Tries each way to ask; returns what could be read, of answers that were not opaque.
const FETCHES: &str = r#"
const [to, body] = args, read = [];
for (const path of ["/", "/parts/", "/parts/secrets", "/api/v1/scopes", "/api/v1/openapi.json", "/page.js"])
  for (const mode of ["cors", "no-cors", "same-origin"])
    for (const credentials of ["include", "omit"])
      try {
        const answer = await fetch(to + path, { mode, credentials });
        const text = await answer.text();
        if (answer.type !== "opaque" || text) read.push([path, mode, text]);
      } catch {}
for (const [method, path] of [["POST", "/api/v1/scopes"], ["PUT", "/api/v1/scopes/github-token/secrets/TOKEN"], ["DELETE", "/api/v1/scopes/github-token"], ["POST", "/api/v1/session"]])
  for (const mode of ["cors", "no-cors"])
    for (const type of ["application/json", "text/plain", "application/x-www-form-urlencoded"])
      for (const authorization of [null, "Bearer guessed"])
        try {
          const headers = { "content-type": type };
          if (authorization) headers.authorization = authorization;
          const answer = await fetch(to + path, { method, mode, headers, body, credentials: "include" });
          const text = await answer.text();
          if (answer.type !== "opaque" || text) read.push([method, path, mode, text]);
        } catch {}
return read;
"#;

/// Sends a form into a frame, which shows what is answered; waits until it has loaded.
const FORM: &str = r#"
const [to, type] = args;
const frame = document.createElement("iframe");
frame.name = "frame" + Math.random();
document.body.append(frame);
const form = document.createElement("form");
Object.assign(form, { method: "POST", action: to, enctype: type, target: frame.name });
const field = document.createElement("input");
Object.assign(field, { name: '{"id":"evil","kind":"env","name":"', value: '"}' });
form.append(field);
document.body.append(form);
await new Promise((done) => { frame.onload = done; form.submit(); });
try { return frame.contentDocument ? frame.contentDocument.body.innerText : ""; } catch { return ""; }
"#;

/// Frames a page; returns what can be seen of it.
const FRAME: &str = r#"
const [to] = args;
const frame = document.createElement("iframe");
frame.src = to;
await new Promise((done) => { frame.onload = done; document.body.append(frame); });
try { return frame.contentDocument && frame.contentDocument.URL !== "about:blank" ? frame.contentDocument.body.innerText : ""; } catch { return ""; }
"#;

#[test]
fn a_page_of_another_port_changes_nothing_and_reads_nothing() {
    let Some(visit) = Visit::to(Place::with_secret()) else {
        return;
    };
    let (browser, place, origin) = (&visit.browser, &visit.place, &visit.opened.origin);
    let before = place.state();
    let evil = Evil::serve();
    // The same host, so the same site: only the port differs. And another site.
    for host in ["127.0.0.1", "localhost"] {
        let former = browser.new_tab();
        browser.open(&format!("http://{host}:{}/", evil.port()));
        let body = r#"{"id":"evil","confirm":"github-token","value":"evil"}"#;
        let read = browser.promised(FETCHES, &json!([origin, body]));
        assert_eq!(read, json!([]), "{host}");
        for media in [
            "application/x-www-form-urlencoded",
            "text/plain",
            "multipart/form-data",
        ] {
            for path in ["/api/v1/scopes", "/secrets"] {
                let read = browser.promised(FORM, &json!([format!("{origin}{path}"), media]));
                assert_eq!(read, "", "{host} {media} {path}");
            }
        }
        for path in ["/", "/parts/secrets", "/secrets/github-token"] {
            let read = browser.promised(FRAME, &json!([format!("{origin}{path}")]));
            assert_eq!(read, "", "{host} {path}");
        }
        // No script of ours runs there as one of theirs, and no session is to be found there.
        let found = browser.script(
            "return [document.cookie, sessionStorage.length, localStorage.length]",
            &json!([]),
        );
        assert_eq!(found, json!(["", 0, 0]));
        let opened = browser.script(
            "const it = window.open(arguments[0]); try { return it ? String(it.document.body.innerText) : ''; } catch { return ''; }",
            &json!([format!("{origin}/secrets")]),
        );
        assert_eq!(opened, "", "{host}");
        browser.go_to_tab(&former);
    }
    assert_eq!(place.state(), before);
    // The session of the page still goes on.
    browser.reload();
    browser.wait_for("Needs attention");
}

/// In a tab that has a session: what another page leads to is not shown.
#[test]
fn a_link_on_another_page_leads_nowhere() {
    let Some(visit) = Visit::to(Place::with_secret()) else {
        return;
    };
    let (browser, origin) = (&visit.browser, &visit.opened.origin);
    let evil = Evil::serve();
    browser.open(&format!("http://127.0.0.1:{}/", evil.port()));
    browser.script(
        "location.href = arguments[0]",
        &json!([format!("{origin}/secrets/github-token")]),
    );
    browser.wait("location.port !== '' && document.title !== 'evil'");
    let shown = browser.text();
    assert!(!shown.contains("TOKEN"), "{shown}");
}

/// Sends a form as the browser does without a script of ours; returns which rule of the page forbids it.
const NATIVE: &str = r#"
const [to, method] = args;
const violated = new Promise((done) => addEventListener("securitypolicyviolation", (it) => done(it.effectiveDirective), { once: true }));
const form = document.createElement("form");
Object.assign(form, { method, action: to });
document.body.append(form);
form.submit();
return await violated;
"#;

/// Markup that got into a page could otherwise send what is typed into it somewhere.
#[test]
fn the_browser_itself_sends_no_form_of_the_page() {
    let Some(visit) = Visit::to(Place::with_secret()) else {
        return;
    };
    let evil = Evil::serve();
    let here = &visit.opened.origin;
    let there = format!("http://127.0.0.1:{}/", evil.port());
    for to in [here, &there] {
        for method in ["GET", "POST"] {
            let forbids = visit.browser.promised(NATIVE, &json!([to, method]));
            assert_eq!(forbids, "form-action", "{method} {to}");
        }
    }
    assert_eq!(visit.path(), "/");
    // The page's own script sends those that are its.
    visit.at("/calls");
    visit.browser.fill("Tool", "echo");
    visit.browser.press("Filter");
    visit.browser.wait("location.search === '?tool=echo'");
}
