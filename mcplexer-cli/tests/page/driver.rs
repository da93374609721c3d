//! A browser under WebDriver (<https://www.w3.org/TR/webdriver2/>): Chromium, headless, with a profile in the home of the test.
//!
//! The protocol is HTTP with JSON, of which a test needs a dozen commands: less than the crates that speak it.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::Stdio;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use test_support::{Running, tool};

use super::http::Ask;
use super::place::Place;

/// How long a condition may take to come true, in milliseconds.
const LIMIT: u32 = 90_000;

/// A browser. On drop its session ends, and with it Chromium; then the driver.
pub(crate) struct Browser {
    // Declared first: it is killed after `drop` has ended the session.
    _driver: Running,
    address: String,
    session: String,
    pub(crate) profile: PathBuf,
}

impl Browser {
    /// Starts one; `None`, which is reported, if this machine has none.
    pub(crate) fn start(place: &Place) -> Option<Self> {
        let (chromium, driver) = (tool("chromium")?, tool("chromedriver")?);
        let mut command = place.command(driver);
        command.arg("--port=0").stdout(Stdio::piped());
        let mut driver = Running::start(command.stderr(Stdio::null())).unwrap();
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let started = lines.find_map(|it| {
            let it = it.unwrap();
            let port = it
                .split_once("successfully on port ")?
                .1
                .trim_end_matches('.');
            port.parse::<u16>().ok()
        });
        let address = format!("127.0.0.1:{}", started.unwrap());
        // It goes on writing.
        std::thread::spawn(move || lines.for_each(drop));
        let profile = place.root().join("profile");
        let arguments = [
            "--headless=new".to_owned(),
            // Root in a container has no other choice, and a container has a small /dev/shm.
            "--no-sandbox".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-default-apps".to_owned(),
            "--disable-extensions".to_owned(),
            "--disable-sync".to_owned(),
            "--no-first-run".to_owned(),
            "--hide-scrollbars".to_owned(),
            "--window-size=1280,800".to_owned(),
            format!("--user-data-dir={}", profile.display()),
        ];
        let options = json!({"binary": chromium, "args": arguments});
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "timeouts": {"script": LIMIT, "pageLoad": LIMIT, "implicit": 0},
        }}});
        let ask = Ask::new(&address, "POST", "/session").with("Host", &address);
        let answer = ask.json(&wanted).send().value();
        let session = answer["value"]["sessionId"].as_str();
        let session = session.unwrap_or_else(|| panic!("{answer}")).to_owned();
        Some(Self {
            _driver: driver,
            address,
            session,
            profile,
        })
    }

    #[track_caller]
    pub(super) fn command(&self, method: &str, path: &str, body: &Value) -> Value {
        match self.try_command(method, path, body) {
            Ok(value) => value,
            Err(value) => panic!("{method} {path} {body}: {value}"),
        }
    }

    fn try_command(&self, method: &str, path: &str, body: &Value) -> Result<Value, Value> {
        let target = format!("/session/{}{path}", self.session);
        let mut ask = Ask::new(&self.address, method, &target).with("Host", &self.address);
        if method == "POST" {
            ask = ask.json(body);
        }
        let answer = ask.try_send().map_err(|it| json!(it.to_string()))?;
        let mut value = answer.value();
        match answer.status {
            200 => Ok(value["value"].take()),
            _ => Err(value["value"].take()),
        }
    }

    /// Goes to an address, and waits until it is loaded.
    #[track_caller]
    pub(crate) fn open(&self, address: &str) {
        self.command("POST", "/url", &json!({"url": address}));
    }

    #[track_caller]
    pub(crate) fn reload(&self) {
        self.command("POST", "/refresh", &json!({}));
    }

    #[track_caller]
    pub(crate) fn back(&self) {
        self.command("POST", "/back", &json!({}));
    }

    #[track_caller]
    pub(crate) fn address(&self) -> String {
        let address = self.command("GET", "/url", &Value::Null);
        address.as_str().unwrap().to_owned()
    }

    /// Runs the body of a function in the page; returns what it returns.
    #[track_caller]
    pub(crate) fn script(&self, script: &str, arguments: &Value) -> Value {
        let body = json!({"script": script, "args": arguments});
        self.command("POST", "/execute/sync", &body)
    }

    /// Runs the body of an asynchronous function in the page; returns what it returns.
    #[track_caller]
    pub(crate) fn promised(&self, script: &str, arguments: &Value) -> Value {
        let script = format!(
            "const done = arguments[arguments.length - 1], given = [...arguments].slice(0, -1);\n\
             (async (...args) => {{ {script} }})(...given).then(done, (error) => done({{ failed: String(error) }}));"
        );
        let body = json!({"script": script, "args": arguments});
        self.command("POST", "/execute/async", &body)
    }

    /// Waits until an expression is true in the page; returns its value.
    #[track_caller]
    pub(crate) fn wait(&self, expression: &str) -> Value {
        let script = format!(
            "const done = arguments[arguments.length - 1];\n\
             const look = () => {{\n\
               let it; try {{ it = ({expression}); }} catch {{ it = null; }}\n\
               if (it) done(it); else setTimeout(look, 20);\n\
             }};\n\
             look();"
        );
        let body = json!({"script": script, "args": []});
        match self.try_command("POST", "/execute/async", &body) {
            Ok(value) => value,
            Err(error) => {
                let shown = self.script("return document.body.innerText", &json!([]));
                panic!("{expression} did not come true: {error}\n{shown}")
            }
        }
    }

    /// Waits until the page says this; a sentence may begin with it.
    #[track_caller]
    pub(crate) fn wait_for(&self, text: &str) {
        self.wait(&format!(
            "document.body.innerText.toLowerCase().includes({})",
            json!(text.to_lowercase())
        ));
    }

    /// Waits until the part of the page is there.
    #[track_caller]
    pub(crate) fn settled(&self) {
        self.wait("document.readyState === 'complete' && !document.querySelector('main').hasAttribute('aria-busy')");
    }

    /// Returns what the page shows.
    #[track_caller]
    pub(crate) fn text(&self) -> String {
        let text = self.script("return document.body.innerText", &json!([]));
        text.as_str().unwrap().to_owned()
    }

    /// Opens another tab, and goes there; returns the name of the former one.
    #[track_caller]
    pub(crate) fn new_tab(&self) -> String {
        self.new_place("tab")
    }

    /// Opens another window beside this one, and goes there; returns the name of the former one.
    #[track_caller]
    pub(crate) fn new_window(&self) -> String {
        self.new_place("window")
    }

    fn new_place(&self, kind: &str) -> String {
        let old = self.tab();
        let new = self.command("POST", "/window/new", &json!({"type": kind}));
        self.go_to_tab(new["handle"].as_str().unwrap());
        old
    }

    /// Returns the name of the tab.
    #[track_caller]
    pub(crate) fn tab(&self) -> String {
        let name = self.command("GET", "/window", &Value::Null);
        name.as_str().unwrap().to_owned()
    }

    /// Closes the tab; another one has to be gone to.
    #[track_caller]
    pub(crate) fn close(&self) {
        self.command("DELETE", "/window", &Value::Null);
    }

    #[track_caller]
    pub(crate) fn go_to_tab(&self, name: &str) {
        self.command("POST", "/window", &json!({"handle": name}));
    }

    /// Gives a command of Chromium's own protocol.
    #[track_caller]
    pub(super) fn chromium(&self, command: &str, params: &Value) -> Value {
        let body = json!({"cmd": command, "params": params});
        self.command("POST", "/goog/cdp/execute", &body)
    }

    /// Runs a script in each page that is opened from now on, before those of the page.
    #[track_caller]
    pub(crate) fn before_each_page(&self, script: &str) {
        let source = json!({"source": script});
        self.chromium("Page.addScriptToEvaluateOnNewDocument", &source);
    }

    /// Shows the page in these colours and of this width.
    #[track_caller]
    pub(crate) fn looks(&self, scheme: &str, width: u32) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.chromium("Emulation.setEmulatedMedia", &json!({"features": features}));
        self.is_of_size(width.into(), 800);
    }

    #[track_caller]
    fn is_of_size(&self, width: u64, height: u64) {
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.chromium("Emulation.setDeviceMetricsOverride", &size);
    }

    /// Opens everything that hides something, also where otherwise one closes another.
    #[track_caller]
    pub(crate) fn open_all(&self) {
        let script = "for (const it of document.querySelectorAll('details')) { it.removeAttribute('name'); it.open = true; }";
        self.script(script, &json!([]));
    }

    /// Returns a picture of the whole page, as PNG: the window is made as high as that, so that what stays at its edges does not
    /// cover the middle.
    #[track_caller]
    pub(crate) fn picture(&self) -> Vec<u8> {
        let size = "return [innerWidth, document.documentElement.scrollHeight]";
        let size = self.script(size, &json!([]));
        self.is_of_size(size[0].as_u64().unwrap(), size[1].as_u64().unwrap());
        let picture = self.chromium("Page.captureScreenshot", &json!({}));
        BASE64_STANDARD
            .decode(picture["data"].as_str().unwrap())
            .unwrap()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // What does not answer any more is killed with the home.
        let _ended = self.try_command("DELETE", "", &Value::Null);
    }
}
