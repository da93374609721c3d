//! What a person does with a browser: click, type, choose, press keys, copy, paste and drop.

use std::path::Path;

use serde_json::{Value, json};

use super::driver::Browser;

/// Under which name an answer refers to an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Keys, as WebDriver writes them.
pub(crate) const TAB: &str = "\u{e004}";
pub(crate) const ENTER: &str = "\u{e007}";
pub(crate) const ESCAPE: &str = "\u{e00c}";
pub(crate) const UP: &str = "\u{e013}";
pub(crate) const DOWN: &str = "\u{e015}";
pub(crate) const CONTROL: &str = "\u{e009}";

impl Browser {
    /// Waits for the first visible element that an XPath expression finds, and returns it.
    #[track_caller]
    fn element(&self, path: &str) -> String {
        let found = self.wait(&format!(
            "(() => {{\n\
               const all = document.evaluate({}, document, null, XPathResult.ORDERED_NODE_SNAPSHOT_TYPE);\n\
               for (let at = 0; at < all.snapshotLength; at++) {{\n\
                 const it = all.snapshotItem(at);\n\
                 // A list is closed until somebody chooses from it.\n\
                 if ((it.closest('select') ?? it).checkVisibility()) return it;\n\
               }}\n\
             }})()",
            json!(path)
        ));
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    /// Waits for the visible field whose label begins with this text, and returns it.
    #[track_caller]
    fn field(&self, label: &str) -> String {
        self.element(&format!(
            "//label[starts-with(normalize-space(), {})]//*[self::input or self::textarea or self::select]",
            json!(label)
        ))
    }

    #[track_caller]
    fn click_on(&self, path: &str) {
        let element = self.element(path);
        // What a bar at the edge covers counts as seen.
        let script = "arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' })";
        self.script(script, &json!([{ELEMENT: &element}]));
        self.command("POST", &format!("/element/{element}/click"), &json!({}));
    }

    /// Clicks on the link or the summary with this text.
    #[track_caller]
    pub(crate) fn click(&self, text: &str) {
        self.click_on(&format!(
            "//*[self::a or self::summary][normalize-space()={}]",
            json!(text)
        ));
    }

    /// Presses the button with this text.
    #[track_caller]
    pub(crate) fn press(&self, text: &str) {
        self.click_on(&format!("//button[normalize-space()={}]", json!(text)));
    }

    /// Types into a field. One for a file takes the path of it.
    #[track_caller]
    pub(crate) fn fill(&self, label: &str, text: &str) {
        let path = format!("/element/{}/value", self.field(label));
        self.command("POST", &path, &json!({"text": text}));
    }

    /// Empties a field.
    #[track_caller]
    pub(crate) fn empty(&self, label: &str) {
        let path = format!("/element/{}/clear", self.field(label));
        self.command("POST", &path, &json!({}));
    }

    /// Clicks into a field.
    #[track_caller]
    pub(crate) fn click_into(&self, label: &str) {
        let path = format!("/element/{}/click", self.field(label));
        self.command("POST", &path, &json!({}));
    }

    /// Ticks a box, or takes the tick away.
    #[track_caller]
    pub(crate) fn tick(&self, label: &str) {
        self.click_on(&format!(
            "//label[normalize-space()={}]/input",
            json!(label)
        ));
    }

    /// Chooses from a list.
    #[track_caller]
    pub(crate) fn choose(&self, label: &str, option: &str) {
        self.click_on(&format!(
            "//label[starts-with(normalize-space(), {})]//option[normalize-space()={}]",
            json!(label),
            json!(option)
        ));
    }

    /// Returns what a field holds.
    #[track_caller]
    pub(crate) fn filled(&self, label: &str) -> String {
        let path = format!("/element/{}/property/value", self.field(label));
        let value = self.command("GET", &path, &Value::Null);
        value.as_str().unwrap().to_owned()
    }

    /// Types where the focus is.
    #[track_caller]
    pub(crate) fn keys(&self, text: &str) {
        let actions = text.chars().flat_map(|it| {
            [
                json!({"type": "keyDown", "value": it}),
                json!({"type": "keyUp", "value": it}),
            ]
        });
        let actions: Vec<_> = actions.collect();
        let body = json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]});
        self.command("POST", "/actions", &body);
    }

    /// Presses a key while another one is held.
    #[track_caller]
    pub(crate) fn chord(&self, held: &str, key: &str) {
        let act = |kind: &str, key: &str| json!({"type": kind, "value": key});
        let actions = [
            act("keyDown", held),
            act("keyDown", key),
            act("keyUp", key),
            act("keyUp", held),
        ];
        let body = json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]});
        self.command("POST", "/actions", &body);
    }

    /// Copies a text somewhere else, so that it can be pasted.
    #[track_caller]
    pub(crate) fn copy_elsewhere(&self, text: &str) {
        let former = self.new_tab();
        self.open("data:text/html,<textarea autofocus></textarea>");
        let script = "const it = document.querySelector('textarea'); it.value = arguments[0]; it.select(); it.focus()";
        self.script(script, &json!([text]));
        self.chord(CONTROL, "c");
        self.close();
        self.go_to_tab(&former);
    }

    /// Returns what was copied: it is pasted into the search, which leaves the page alone.
    #[track_caller]
    pub(crate) fn pasted(&self) -> String {
        self.click_on("//button[@id='search']");
        self.wait("document.getElementById('finder').open");
        self.chord(CONTROL, "v");
        let pasted = "return document.querySelector('#finder input').value";
        let pasted = self.script(pasted, &json!([]));
        self.keys(ESCAPE);
        pasted.as_str().unwrap().to_owned()
    }

    /// Drops a file onto the first element that a selector finds.
    #[track_caller]
    pub(crate) fn drop_file(&self, selector: &str, file: &Path) {
        let place = "const it = document.querySelector(arguments[0]);\n\
                     it.scrollIntoView({ block: 'center', behavior: 'instant' });\n\
                     const { x, y, width, height } = it.getBoundingClientRect();\n\
                     return [x + width / 2, y + height / 2];";
        let place = self.script(place, &json!([selector]));
        for kind in ["dragEnter", "dragOver", "drop"] {
            let data = json!({"items": [], "files": [file], "dragOperationsMask": 1});
            let event = json!({"type": kind, "x": place[0], "y": place[1], "data": data});
            self.chromium("Input.dispatchDragEvent", &event);
        }
    }

    /// Goes on with Tab until the focused element fits the expression, in which it is `it`.
    #[track_caller]
    pub(crate) fn tab_to(&self, expression: &str) {
        for _ in 0..100 {
            self.keys(TAB);
            let script = format!("const it = document.activeElement; return Boolean({expression})");
            if self.script(&script, &json!([])) == true {
                return;
            }
        }
        panic!("{expression} is not reached with Tab");
    }
}
