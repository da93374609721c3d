//! The JSON schema, compared with what is read.

use mcplexer_files::config::{parse, schema};
use mcplexer_secrets::{DEFAULT_KEEP_VERSIONS, MAX_KEEP_VERSIONS, ScopeKind};
use proptest::string::string_regex;

use super::{reported, run};

/// Returns whether a scope with this field is read.
fn is_read(id: &str, field: &str, value: &serde_json::Value) -> bool {
    let scope = serde_json::json!({ "auth_scopes": [{ "id": id, field: value }] });
    // JSON is YAML. A random text may look like a credential by chance, which the schema cannot know.
    match parse(scope.to_string().as_bytes()) {
        Ok(_) => true,
        Err(problems) => problems
            .iter()
            .all(|it| it.message.starts_with("credentials ")),
    }
}

#[test]
fn the_schema_allows_what_is_read() {
    let schema: serde_json::Value = serde_json::from_str(&schema()).unwrap();
    let scope = &schema["$defs"]["AuthScope"];
    let server = &schema["$defs"]["Server"];
    let client = &schema["$defs"]["Client"];
    let fields = &server["properties"];
    let objects = [
        (scope, "auth_scopes: [{id: a, x: 1}]"),
        (&schema, "auth_scopes: []\nx: 1"),
        (server, "servers: {a: {command: [a], x: 1}}"),
        (
            &fields["timeouts"],
            "servers: {a: {command: [a], timeouts: {x: 1}}}",
        ),
        (
            &fields["auth"],
            "servers: {a: {url: 'https://h', auth: {scope: a, type: header, x: 1}}}",
        ),
        (client, "servers: {}\nclients: {a: {x: 1}}"),
    ];
    for (object, file) in objects {
        let message = reported(file);
        let fields = &object["properties"];
        assert_eq!(object["additionalProperties"], false);
        let known = message[0].split_once("the fields are ").unwrap().1;
        let mut known: Vec<_> = known.split(", ").collect();
        known.sort_unstable();
        let fields: Vec<_> = fields.as_object().unwrap().keys().collect();
        assert_eq!(fields, known);
    }
    assert_eq!(scope["required"], serde_json::json!(["id"]));
    let either = serde_json::json!([{"required": ["auth_scopes"]}, {"required": ["servers"]}]);
    assert_eq!(schema["anyOf"], either);

    let fields = &scope["properties"];
    let kinds = fields["type"]["oneOf"].as_array().unwrap().iter();
    let kinds: Vec<_> = kinds.map(|it| it["const"].as_str().unwrap()).collect();
    assert_eq!(kinds, ScopeKind::ALL.map(ScopeKind::as_str));
    assert_eq!(fields["type"]["default"], ScopeKind::default().as_str());

    let hints = &fields["redaction_hints"];
    let most = hints["maxItems"].as_u64().unwrap();
    for (field, limits) in [
        ("name", &fields["name"]),
        ("redaction_hints", &hints["items"]),
    ] {
        let value = |length: u64| {
            let text = "a".repeat(usize::try_from(length).unwrap()).into();
            if field == "name" {
                text
            } else {
                serde_json::Value::Array(vec![text])
            }
        };
        let (min, max) = (&limits["minLength"], limits["maxLength"].as_u64().unwrap());
        assert_eq!(*min, 1);
        assert!(!is_read("a", field, &value(0)) && is_read("a", field, &value(1)));
        assert!(is_read("a", field, &value(max)) && !is_read("a", field, &value(max + 1)));
    }
    let many = |count| serde_json::json!(vec!["A"; usize::try_from(count).unwrap()]);
    assert!(is_read("a", "redaction_hints", &many(most)));
    assert!(!is_read("a", "redaction_hints", &many(most + 1)));

    let versions = &fields["keep_versions"];
    assert_eq!(versions["default"], DEFAULT_KEEP_VERSIONS);
    assert_eq!(versions["maximum"], MAX_KEEP_VERSIONS);
    for (number, is_number) in [
        (versions["minimum"].clone(), true),
        (versions["maximum"].clone(), true),
        (serde_json::json!(MAX_KEEP_VERSIONS + 1), false),
        (serde_json::json!(-1), false),
        (serde_json::json!(1.5), false),
        (serde_json::json!("5"), false),
        (serde_json::json!(null), false),
    ] {
        assert_eq!(
            is_read("a", "keep_versions", &number),
            is_number,
            "{number}"
        );
    }

    let pattern = |limits: &serde_json::Value| {
        let pattern = limits["pattern"].as_str().unwrap();
        let inner = pattern
            .strip_prefix('^')
            .unwrap()
            .strip_suffix('$')
            .unwrap();
        string_regex(inner).unwrap()
    };
    let texts = (
        pattern(&fields["id"]),
        pattern(&hints["items"]),
        pattern(&fields["name"]),
    );
    run(500, &texts, |(id, hint, name)| {
        assert!(
            is_read(&id, "redaction_hints", &serde_json::json!([hint])),
            "{id:?} {hint:?}"
        );
        let is_invisible = parse(format!("# {name}\nauth_scopes: []").as_bytes()).is_err();
        assert!(name.is_empty() || is_invisible || is_read("a", "name", &name.into()));
        Ok(())
    });
    for bad in ["", "A", "-a", "a b", "ä"] {
        assert!(
            !is_read(bad, "redaction_hints", &serde_json::json!([])),
            "{bad:?}"
        );
    }
}

/// Returns whether a server with these fields is read.
fn reads(server: &serde_json::Value) -> bool {
    let file = serde_json::json!({ "servers": { "a": server } });
    parse(file.to_string().as_bytes()).is_ok()
}

#[test]
fn the_schema_allows_the_servers_that_are_read() {
    let schema: serde_json::Value = serde_json::from_str(&schema()).unwrap();
    let fields = &schema["$defs"]["Server"]["properties"];
    let program = |field: &str, value: &serde_json::Value| {
        let mut server = serde_json::json!({ "command": ["a"] });
        server[field] = value.clone();
        reads(&server)
    };
    for field in ["path", "start"] {
        for allowed in fields[field]["oneOf"].as_array().unwrap() {
            assert!(program(field, &allowed["const"]), "{allowed}");
        }
        assert!(program(field, &fields[field]["default"]));
    }
    for kind in fields["auth"]["properties"]["type"]["oneOf"]
        .as_array()
        .unwrap()
    {
        let auth = serde_json::json!({ "scope": "a", "type": kind["const"] });
        assert!(reads(
            &serde_json::json!({ "url": "https://h/", "auth": auth })
        ));
    }
    let duration = &schema["$defs"]["Duration"]["examples"];
    for duration in duration.as_array().unwrap() {
        assert!(program("idle_stop", duration), "{duration}");
        assert!(program(
            "timeouts",
            &serde_json::json!({ "call": duration })
        ));
    }
    assert!(program("idle_stop", &"never".into()));

    // What is left out has the default of the schema.
    let of = |server: serde_json::Value| {
        let file = serde_json::json!({ "servers": { "a": server }, "clients": { "c": {} } });
        parse(file.to_string().as_bytes()).unwrap()
    };
    let mut defaults = serde_json::json!({ "command": ["a"], "timeouts": {} });
    for field in ["path", "start", "idle_stop", "disabled"] {
        defaults[field] = fields[field]["default"].clone();
    }
    let waits = fields["timeouts"]["properties"].as_object().unwrap();
    for (field, schema) in waits {
        defaults["timeouts"][field] = schema["default"].clone();
    }
    let plain = of(serde_json::json!({ "command": ["a"] }));
    assert_eq!(of(defaults), plain);
    let most = &schema["$defs"]["Client"]["properties"]["max_tool_name"];
    let client = &plain.clients[&"c".parse().unwrap()];
    assert_eq!(most["default"], client.max_tool_name);
    for (number, is_number) in [
        (most["minimum"].clone(), true),
        (most["maximum"].clone(), true),
    ]
    .into_iter()
    .chain([(15.into(), false), (129.into(), false)])
    {
        let client = serde_json::json!({ "max_tool_name": number });
        let file = serde_json::json!({ "servers": {}, "clients": { "c": client } });
        assert_eq!(parse(file.to_string().as_bytes()).is_ok(), is_number);
    }

    let pattern = |schema: &serde_json::Value| {
        let pattern = schema["pattern"].as_str().unwrap();
        regex::Regex::new(pattern).unwrap()
    };
    for (directory, is_directory) in [
        ("~", true),
        ("~/a", true),
        ("/a", true),
        ("~a", false),
        ("a", false),
    ] {
        assert_eq!(
            pattern(&fields["directory"]).is_match(directory),
            is_directory
        );
        assert_eq!(program("directory", &directory.into()), is_directory);
    }
    for (url, is_url) in [
        ("https://h/", true),
        ("http://localhost/", true),
        ("ftp://h/", false),
        ("https://a@h/", false),
    ] {
        assert_eq!(pattern(&fields["url"]).is_match(url), is_url);
        assert_eq!(reads(&serde_json::json!({ "url": url })), is_url);
    }
    for (name, is_header) in [("X-A", true), ("X A", false), ("", false)] {
        assert_eq!(
            pattern(&fields["headers"]["propertyNames"]).is_match(name),
            is_header
        );
        let server = serde_json::json!({ "url": "https://h/", "headers": { name: "a" } });
        assert_eq!(reads(&server), is_header);
    }
}
