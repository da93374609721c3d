//! What a page weighs, and how soon it is seen, where there is much to show.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use mcplexer_secrets::audit::{
    Actor, AuditOutcome, CallArguments, CallId, CallRecord, CallStep, FileAudit, SecretVersion,
};
use mcplexer_secrets::keys::FileKeys;
use mcplexer_secrets::{Store, Timestamp};
use serde_json::json;
use test_support::Running;

use super::browser::Visit;
use super::place::{BINARY, PAGES, Place};

/// The most bytes of a page, and of all scripts.
const PAGE: f64 = 150.0 * 1024.0;
const SCRIPTS: f64 = 60.0 * 1024.0;

/// How many calls are recorded together.
const TOGETHER: u64 = 10_000;

/// Makes a home with as many secrets, half of them in one scope, and as many calls in the log as this.
fn large(secrets: u32, calls: u64) -> Place {
    let place = Place::with_secret();
    import(&place, "github-token", secrets / 2);
    for scope in 0..secrets / 200 {
        import(&place, &format!("tool-server-of-department-{scope}"), 100);
    }
    let keys = FileKeys::new(place.path("age.key"));
    let store = Store::open(place.path("secrets.redb"), keys).unwrap();
    let store = store.with_audit_log(FileAudit::new(place.path("audit.log")));
    let actor = Arc::new(Actor::this_process().with_client("editor"));
    let now = Timestamp::now().as_micros();
    for first in (0..calls).step_by(usize::try_from(TOGETHER).unwrap()) {
        let numbers = first..calls.min(first + TOGETHER);
        // Ten a second, up to now.
        let at = |it: u64| Timestamp::from_micros(now - (calls - it) * 100_000);
        let records: Vec<_> = numbers.flat_map(|it| call(&actor, it, at(it))).collect();
        store.record_calls(&records).unwrap();
    }
    place
}

/// Stores secrets in one commit.
fn import(place: &Place, scope: &str, count: u32) {
    let mut text = String::new();
    for number in 0..count {
        writeln!(
            text,
            "ACCESS_TOKEN_OF_SERVICE_{number:05}=S3cret-of-{scope}-{number:05}"
        )
        .unwrap();
    }
    let mut command = place.command(BINARY);
    command.args(["import", scope, "--format", "dotenv"]);
    let streams = command.stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = Running::start(streams.stderr(Stdio::null())).unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(text.as_bytes()).unwrap();
    drop(input);
    assert!(child.wait().unwrap().success());
}

/// Returns the two records of a call. Some of them failed.
fn call(actor: &Arc<Actor>, number: u64, time: Timestamp) -> [CallRecord; 2] {
    let record = |step| CallRecord {
        time,
        id: CallId::new(number),
        actor: Arc::clone(actor),
        server: ["plain", "github", "postgres", "browser"][usize::try_from(number % 4).unwrap()]
            .into(),
        step,
    };
    let secret = SecretVersion::new("github-token".parse().unwrap(), "TOKEN".parse().unwrap(), 1);
    let begun = CallStep::Begun {
        method: "tools/call".into(),
        object: Some(format!("search_repositories_{}", number % 20).into()),
        secrets: [secret].into(),
        arguments: Some(CallArguments {
            digest: [7; 32],
            bytes: 321,
        }),
    };
    let ended = CallStep::Ended {
        outcome: match number % 10 {
            0 => AuditOutcome::ToolError,
            1 => AuditOutcome::TimedOut,
            _ => AuditOutcome::Ok,
        },
        took: Duration::from_millis(number % 500),
        bytes: 4321,
        scrubbed: number % 2,
    };
    [record(begun), record(ended)]
}

/// Checks the weight of every page: the document and all that it loads.
fn weigh(secrets: u32, calls: u64) {
    let Some(visit) = Visit::to(large(secrets, calls)) else {
        return;
    };
    let mut scripts = BTreeMap::new();
    let mut table = String::new();
    for (name, path) in PAGES {
        visit.at(path);
        visit
            .browser
            .wait("!document.querySelector('[data-part][aria-busy]')");
        let loaded = visit.browser.script(
            "return [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
               .map((it) => [it.name, it.transferSize])",
            &json!([]),
        );
        let loaded = loaded.as_array().unwrap().iter();
        let loaded: Vec<_> = loaded
            .map(|it| (it[0].as_str().unwrap(), it[1].as_f64().unwrap()))
            .collect();
        let parts = loaded.iter().filter(|(it, _)| it.contains("/parts/"));
        assert!(parts.count() > 0, "{name}: {loaded:?}");
        let bytes: f64 = loaded.iter().map(|(_, bytes)| bytes).sum();
        assert!(bytes < PAGE, "{name} has {bytes} bytes: {loaded:?}");
        writeln!(table, "| {name} | {:.0} KiB |", bytes / 1024.0).unwrap();
        let own = loaded.iter().filter(|(it, _)| it.ends_with(".js"));
        scripts.extend(own.map(|(name, bytes)| ((*name).to_owned(), *bytes)));
    }
    // The plot comes later than the rest, and nothing moves for it.
    visit.at("/calls");
    visit
        .browser
        .wait("document.querySelector('.reserved svg')");
    let heights = visit.browser.script(
        "const it = document.querySelector('.reserved'), height = it.offsetHeight;
         it.replaceChildren();
         it.setAttribute('aria-busy', 'true');
         return [height, it.offsetHeight]",
        &json!([]),
    );
    let moved = heights[0].as_i64().unwrap() - heights[1].as_i64().unwrap();
    assert!(moved.abs() <= 2, "{heights}");
    let bytes: f64 = scripts.values().sum();
    assert!(bytes > 0.0 && bytes < SCRIPTS, "{bytes}: {scripts:?}");
    println!("{table}scripts: {:.0} KiB", bytes / 1024.0);
}

#[test]
fn a_page_and_all_that_it_loads_is_small() {
    // More than a page shows of each.
    weigh(1_000, 20_000);
}

#[test]
#[ignore = "a minute"]
fn a_page_of_a_large_home_is_small() {
    weigh(10_000, 1_000_000);
}

/// How often each page is loaded.
const LOADS: usize = 11;

/// Notes when the part of the page is seen.
const NOTES: &str = r#"
addEventListener("readystatechange", () => {
  const main = document.getElementById("main");
  if (!main || window.shown === null) return;
  window.shown = null;
  new MutationObserver((_, observer) => {
    if (main.hasAttribute("aria-busy")) return;
    observer.disconnect();
    // What is queued in the frame that shows it runs after that.
    requestAnimationFrame(() => setTimeout(() => { window.shown = performance.now(); }));
  }).observe(main, { attributes: true });
}, true);
"#;

/// Prints how soon each page is seen. It is for `--release`, on a machine that does nothing else.
#[test]
#[ignore = "a measurement, of a minute"]
fn how_soon_a_page_is_seen() {
    let Some(visit) = Visit::to(large(10_000, 1_000_000)) else {
        return;
    };
    let browser = &visit.browser;
    browser.before_each_page(NOTES);
    let log = fs::metadata(visit.place.path("audit.log")).unwrap().len();
    println!("audit.log: {} MiB", log >> 20);
    println!("| page | frame, median | worst | content, median | worst |");
    println!("| --- | --- | --- | --- | --- |");
    for (name, path) in PAGES {
        let mut frame = Vec::new();
        let mut content = Vec::new();
        while content.len() < LOADS {
            visit.at(path);
            browser.wait("!document.querySelector('[aria-busy]')");
            let times = browser.promised(
                "await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)));
                 return [performance.getEntriesByName('first-contentful-paint')[0]?.startTime, window.shown]",
                &json!([]),
            );
            // Now and then the browser does not say it.
            if let (Some(first), Some(shown)) = (times[0].as_f64(), times[1].as_f64()) {
                frame.push(first);
                content.push(shown);
            }
        }
        for times in [&mut frame, &mut content] {
            times.sort_by(f64::total_cmp);
        }
        println!(
            "| {name} | {:.0} ms | {:.0} ms | {:.0} ms | {:.0} ms |",
            frame[LOADS / 2],
            frame[LOADS - 1],
            content[LOADS / 2],
            content[LOADS - 1]
        );
    }
}
