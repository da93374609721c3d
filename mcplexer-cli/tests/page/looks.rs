//! How the pages look: axe in both colour schemes, and pictures for people.
//!
//! `MCPLEXER_TEST_PICTURES=DIRECTORY` makes pictures of each page, of which docs/ui.md shows one.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::browser::Visit;
use super::client::Client;
use super::documented::installed;
use super::driver::Browser;
use super::hands::ESCAPE;
use super::place::{PAGES, Place, SERVER};

/// Each colour scheme with each width.
const LOOKS: [(&str, u32); 4] = [
    ("light", 1280),
    ("light", 360),
    ("dark", 1280),
    ("dark", 360),
];

/// Makes a home as people have it.
fn furnished() -> Place {
    let place = Place::with_secret();
    for (scope, key) in [
        ("github-token", "WEBHOOK_SECRET"),
        ("linear", "LINEAR_API_KEY"),
        ("postgres-of-the-accounting-department", "DATABASE_URL"),
        ("sentry", "SENTRY_AUTH_TOKEN"),
    ] {
        place.put(scope, key, "an0ther-S3cret-value-of-a-test");
    }
    let mut client = Client::connect(&place, "cursor");
    for tool in ["plain__echo", "plain__fail", "plain__echo", "plain__nope"] {
        client.call(tool);
    }
    place
}

/// Finds commands, lists to choose from and examples in fields of which a part is cut off.
const CUT: &str = "const canvas = document.createElement('canvas').getContext('2d');\n\
    const ARROW = 20;\n\
    const isCut = (it) => {\n\
      if (it.matches('pre')) return it.scrollWidth > it.clientWidth;\n\
      const style = getComputedStyle(it);\n\
      canvas.font = style.font;\n\
      const room = it.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);\n\
      const widest = (texts) => Math.max(0, ...texts.map((text) => canvas.measureText(text).width));\n\
      return it.matches('select') ? widest([...it.options].map((it) => it.text)) > room - ARROW : widest([it.placeholder]) > room;\n\
    };\n\
    const all = [...document.querySelectorAll('main :is(pre.command, select, input[placeholder])')];\n\
    return all.filter((it) => it.checkVisibility() && isCut(it)).map((it) => it.outerHTML);";

/// Looks at what is shown, in both colour schemes, with everything opened that hides something; returns what is wrong.
///
/// What fades is held still while axe looks: what leaves as it was, what comes as it will be.
fn wrong(browser: &Browser, name: &str) -> Vec<Value> {
    let Some(axe) = installed("node_modules/axe-core/axe.min.js") else {
        return Vec::new();
    };
    let axe = fs::read_to_string(axe).unwrap();
    let mut found = Vec::new();
    for (scheme, width) in LOOKS {
        browser.looks(scheme, width);
        browser.open_all();
        browser.script(&axe, &json!([]));
        let script = "for (const it of document.getAnimations())\n\
                        if (it.animationName === 'leave') { it.pause(); it.currentTime = 0; }\n\
                        else if (it.effect.getComputedTiming().endTime !== Infinity) it.finish();\n\
                      const it = await axe.run(document, { resultTypes: ['violations'] });\n\
                      return it.violations.map((it) => [it.id, it.nodes.map((it) => it.html + ' ' + it.failureSummary)]);";
        let violations = browser.promised(script, &json!([]));
        if violations != json!([]) {
            found.push(json!([name, scheme, width, violations]));
        }
        let cut = browser.script(CUT, &json!([]));
        if cut != json!([]) {
            found.push(json!([name, scheme, width, "cut off", cut]));
        }
        let wide = browser.script(
            "return document.documentElement.scrollWidth - innerWidth",
            &json!([]),
        );
        if wide.as_i64().unwrap() > 0 {
            found.push(json!([name, scheme, width, "wider than the screen", wide]));
        }
    }
    found
}

#[track_caller]
fn assert_none(found: Vec<Value>) {
    assert!(found.is_empty(), "{:#}", Value::from(found));
}

#[test]
fn axe_finds_nothing_and_everything_fits_the_screen() {
    let Some(visit) = Visit::to(furnished()) else {
        return;
    };
    let mut found = Vec::new();
    for (name, path) in PAGES {
        visit.at(path);
        found.extend(wrong(&visit.browser, name));
    }
    assert_none(found);
}

/// What no page shows until somebody does something.
#[test]
fn axe_finds_nothing_in_what_comes_up() {
    let place = furnished();
    place.add_dead();
    // Tools with long names, and descriptions without a place to break.
    let wordy = format!(
        "{}-{}",
        "a_tool_with_a_name_that_is_long".repeat(3),
        "x".repeat(20)
    );
    let words = format!("{} {}", "w0rd".repeat(60), "and more of it ".repeat(30));
    let server = SERVER.replace(
        "\"name\":\"wait\"",
        &format!("\"name\":\"{wordy}\",\"description\":\"{words}\""),
    );
    let file = place.root().join("wordy");
    fs::write(&file, server).unwrap();
    place.run(&[
        "server",
        "add",
        "wordy",
        "--",
        "/bin/sh",
        file.to_str().unwrap(),
    ]);
    let Some(visit) = Visit::to(place) else {
        return;
    };
    let (browser, place) = (&visit.browser, &visit.place);
    let mut found = Vec::new();
    visit.at("/secrets/github-token");
    let file = place.root().join("app.env");
    fs::write(&file, "TOKEN=an0ther-value\nNEW=n3w#part\nBLANK=\n").unwrap();
    browser.fill("A .env", file.to_str().unwrap());
    browser.wait("document.querySelector('[data-preview] table')");
    found.extend(wrong(browser, "preview"));
    browser.fill("Key", "not a name");
    browser.fill("Value", "n0t-stored");
    browser.press("Store");
    browser.wait("document.querySelector('main form [role=alert]')");
    found.extend(wrong(browser, "refused"));
    visit.at("/clients");
    browser.fill("Name", "cursor");
    browser.press("Make a token");
    browser.wait("document.querySelector('.revealed')");
    found.extend(wrong(browser, "token"));
    visit.at("/servers/dead");
    browser.press("Start dead");
    browser.wait("document.querySelector('main .failing')");
    found.extend(wrong(browser, "failing"));
    visit.at("/servers/wordy");
    browser.press("Start wordy");
    browser.wait("document.querySelector('main td details')");
    found.extend(wrong(browser, "tools"));
    browser.keys("/e");
    browser.wait("document.querySelector('#found [aria-selected=true]')");
    found.extend(wrong(browser, "search"));
    browser.keys(ESCAPE);
    place.stop();
    browser.click("Secrets");
    browser.wait_for("The gateway does not answer");
    found.extend(wrong(browser, "gone"));
    assert_none(found);
}

#[test]
fn pictures_are_made_of_each_page() {
    let Some(directory) = std::env::var_os("MCPLEXER_TEST_PICTURES").map(PathBuf::from) else {
        return;
    };
    let Some(visit) = Visit::to(furnished()) else {
        return;
    };
    let browser = &visit.browser;
    fs::create_dir_all(&directory).unwrap();
    for (name, path) in PAGES {
        for (scheme, width) in LOOKS {
            browser.looks(scheme, width);
            visit.at(path);
            browser.wait("!document.querySelector('main [aria-busy=true]')");
            let file = directory.join(format!("{name}-{scheme}-{width}.png"));
            fs::write(file, browser.picture()).unwrap();
        }
    }
}
