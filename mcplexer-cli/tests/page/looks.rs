//! How the pages look: axe in both colour schemes, and pictures for people.
//!
//! `MCPLEXER_TEST_PICTURES=DIRECTORY` makes pictures of each page, of which docs/ui.md shows one.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::browser::Visit;
use super::documented::installed;
use super::place::{PAGES, Place};

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
    place
}

#[test]
fn axe_finds_nothing_and_nothing_is_wider_than_the_screen() {
    let Some(axe) = installed("node_modules/axe-core/axe.min.js") else {
        return;
    };
    let Some(visit) = Visit::to(furnished()) else {
        return;
    };
    let browser = &visit.browser;
    let axe = fs::read_to_string(axe).unwrap();
    let mut found = Vec::new();
    for (name, path) in PAGES {
        visit.at(path);
        for (scheme, width) in [("light", 1280), ("dark", 360)] {
            browser.looks(scheme, width);
            // Opened, so that what they hide is looked at too.
            browser.script(
                &format!(
                    "{axe}\nfor (const it of document.querySelectorAll('details')) it.open = true;"
                ),
                &json!([]),
            );
            let script = "const it = await axe.run(document, { resultTypes: ['violations'] });\n\
                          return it.violations.map((it) => [it.id, it.nodes.map((it) => it.html + ' ' + it.failureSummary)]);";
            let violations = browser.promised(script, &json!([]));
            if violations != json!([]) {
                found.push(json!([name, scheme, violations]));
            }
            let wide = browser.script(
                "return document.documentElement.scrollWidth - innerWidth",
                &json!([]),
            );
            if wide.as_i64().unwrap() > 0 {
                found.push(json!([name, width, "wider than the screen", wide]));
            }
        }
    }
    assert!(
        found.is_empty(),
        "{}",
        serde_json::to_string_pretty(&Value::from(found)).unwrap()
    );
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
        for scheme in ["light", "dark"] {
            for width in [1280, 360] {
                browser.looks(scheme, width);
                visit.at(path);
                let file = directory.join(format!("{name}-{scheme}-{width}.png"));
                fs::write(file, browser.picture()).unwrap();
            }
        }
    }
}
