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
    for (fields, message) in [
        (
            &scope["properties"],
            reported("auth_scopes: [{id: a, x: 1}]"),
        ),
        (&schema["properties"], reported("auth_scopes: []\nx: 1")),
    ] {
        let known = message[0].split_once("the fields are ").unwrap().1;
        let mut known: Vec<_> = known.split(", ").collect();
        known.sort_unstable();
        let fields: Vec<_> = fields.as_object().unwrap().keys().collect();
        assert_eq!(fields, known);
    }
    for object in [scope, &schema] {
        assert_eq!(object["additionalProperties"], false);
    }
    assert_eq!(scope["required"], serde_json::json!(["id"]));
    assert_eq!(schema["required"], serde_json::json!(["auth_scopes"]));

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
