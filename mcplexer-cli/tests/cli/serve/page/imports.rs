//! Files that are imported over HTTP.

use super::*;

const IMPORT: &str = "/api/v1/scopes/github-token/import";

#[test]
fn the_preview_is_what_the_import_does() {
    let home = home(&["plain"]);
    let page = Session::begin(&home);
    let text = format!("TOKEN=other\nNEW='a b'\nSAME={VALUE}\nBLANK=\nHASH=a#b\n");
    let same = "/api/v1/scopes/github-token/secrets/SAME";
    page.send("PUT", same, &json!({"value": VALUE})).is(200);
    let file = |more: Value| {
        let mut body = json!({"file": ".env.local", "text": text, "skip_blank": true});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        body
    };
    let expected = |dry_run: bool, token: &str| {
        json!({
            "scope": "github-token",
            "dry_run": dry_run,
            "scope_created": false,
            "secrets": [
                {"key": "TOKEN", "action": token},
                {"key": "NEW", "action": "add"},
                {"key": "SAME", "action": "same"},
                {"key": "HASH", "action": "add"},
            ],
            "blank": ["BLANK"],
            "unclear_hashes": ["line 5 (HASH)"],
        })
    };
    // The states, which an import can require, are of no form that anybody should depend on.
    let without_states = |mut preview: Value| {
        for secret in preview["secrets"].as_array_mut().unwrap() {
            let has_state = secret.as_object_mut().unwrap().remove("state").is_some();
            assert_eq!(has_state, secret["action"] != "add", "{secret}");
        }
        preview
    };
    let preview = page.send("POST", IMPORT, &file(json!({"dry_run": true})));
    assert_eq!(without_states(preview.is(200)), expected(true, "replace"));
    let preview = page.send(
        "POST",
        IMPORT,
        &file(json!({"dry_run": true, "on_conflict": "skip"})),
    );
    assert_eq!(without_states(preview.is(200)), expected(true, "keep"));
    assert_eq!(
        home.get("github-token", "TOKEN"),
        VALUE.as_bytes(),
        "nothing has changed"
    );
    // What is left out is not there at all, and has to be in the file.
    let few = json!({"dry_run": true, "skip": ["TOKEN", "HASH"]});
    let preview = page.send("POST", IMPORT, &file(few)).is(200);
    let keys = preview["secrets"].as_array().unwrap().iter();
    assert_eq!(
        keys.map(|it| it["key"].clone()).collect::<Vec<_>>(),
        ["NEW", "SAME"]
    );
    let other = json!({"dry_run": true, "skip": ["OTHER"]});
    page.send("POST", IMPORT, &file(other)).is(422);
    let refused = page.send("POST", IMPORT, &file(json!({})));
    assert!(refused.is(409)["title"].as_str().unwrap().contains("TOKEN"));
    home.run(["secret", "get", "github-token", "NEW"])
        .failed(4, &[]);
    let done = page.send(
        "POST",
        IMPORT,
        &file(json!({"on_conflict": "skip", "hash": "cut"})),
    );
    assert_eq!(without_states(done.is(200)), expected(false, "keep"));
    assert_eq!(home.get("github-token", "TOKEN"), VALUE.as_bytes());
    assert_eq!(home.get("github-token", "NEW"), b"a b");
    assert_eq!(home.get("github-token", "HASH"), b"a");
    let done = page.send("POST", IMPORT, &file(json!({"on_conflict": "overwrite"})));
    assert_eq!(
        without_states(done.is(200))["secrets"][3],
        json!({"key": "HASH", "action": "replace"})
    );
    assert_eq!(home.get("github-token", "TOKEN"), b"other");
    assert_eq!(home.get("github-token", "HASH"), b"a#b");
}

#[test]
fn a_file_is_read_as_its_name_says() {
    let home = home(&["plain"]);
    let page = Session::begin(&home);
    for (file, text) in [
        (".env", "KEY=\"a\\nb\"\n"),
        ("prod.env", "export KEY=\"a\\nb\""),
        ("a.json", "{\"KEY\": \"a\\nb\"}"),
        ("a.yaml", "KEY: |-\n  a\n  b\n"),
        ("a.yml", "\"KEY\": \"a\\nb\"\n"),
    ] {
        let scope = format!("of-{}", file.replace('.', "-").trim_start_matches('-'));
        let path = format!("/api/v1/scopes/{scope}/import");
        let done = page
            .send("POST", &path, &json!({"file": file, "text": text}))
            .is(200);
        assert_eq!(done["scope_created"], true, "{file}");
        assert_eq!(home.get(&scope, "KEY"), b"a\nb", "{file}");
    }
}

#[test]
fn what_is_wrong_with_a_file_is_told_with_its_line() {
    let home = home(&["plain"]);
    let page = Session::begin(&home);
    for (file, text, expected) in [
        (".env", "A=1\nsecret words\n", "the file, line 2"),
        (".env", "A=1\n\nB=\n", "the file, line 3 (B)"),
        (".env", "A=1\nA=2\n", "the file, line 2 (A): duplicate name"),
        (".env", "# nothing\n", "the file has no secrets"),
        ("a.json", "{\n\"A\": [1]}", "the file, line 2"),
        ("a.json", "{\n\"X-A\": \"1\"}", "the file, line 2"),
        ("a.yaml", "A: 1\nB: {a: b}\n", "the file, line 2"),
    ] {
        let refused = page.send("POST", IMPORT, &json!({"file": file, "text": text}));
        let title = refused.is(422)["title"].as_str().unwrap().to_owned();
        assert!(title.starts_with(expected), "{file} {text:?}: {title}");
    }
    let unknown = page.send("POST", IMPORT, &json!({"file": "a.txt", "text": "A=1"}));
    let title = "unknown file type: use .env, .json or .yaml";
    assert_eq!(unknown.is(422)["title"], title);
}
