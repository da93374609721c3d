//! Adopting changes a configuration only where it must, and undoing restores the file.

#![cfg(test)]

use std::cell::Cell;
use std::collections::HashMap;
use std::path::Path;

use mcplexer_clients::{
    AdoptError, Adoption, Choice, ClientConfig, Destination, Outcome, Start, Syntax, store,
};
use mcplexer_files::reference::Reference;
use mcplexer_secrets::keys::FixedKeys;
use mcplexer_secrets::{SecretStore, SecretValue, Store};
use proptest::collection::vec;
use proptest::prelude::*;

fn parse(text: &str, syntax: Syntax) -> ClientConfig {
    ClientConfig::parse(text.as_bytes(), syntax).unwrap()
}

/// Plans for an empty store.
fn plan(config: &ClientConfig) -> Result<Adoption, AdoptError> {
    let destination = Destination {
        scopes: &[],
        holds_other: &|_, _| panic!("it has no scopes"),
    };
    config.plan(&destination, "/bin/mcplexer", &Choice::default())
}

/// Returns a text as a JSON string in the style of one of several encoders.
fn json(text: &str, style: usize) -> String {
    let mut literal = serde_json::to_string(text).unwrap();
    if style & 1 == 1 {
        literal = literal.replace('/', "\\/");
    }
    if style & 2 == 2 {
        let escape = |c: char| -> String {
            c.encode_utf16(&mut [0; 2])
                .iter()
                .map(|unit| format!("\\u{unit:04x}"))
                .collect()
        };
        literal = literal
            .chars()
            .map(|c| {
                if c.is_ascii() {
                    c.to_string()
                } else {
                    escape(c)
                }
            })
            .collect();
    }
    literal
}

/// What may be between two tokens of JSON.
fn space() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "",
        "",
        " ",
        "\n  ",
        "\r\n\t",
        "/* a \" } ] */",
        " // b \" {\n",
        " /**/ \n",
    ])
    .prop_map(str::to_owned)
}

/// An entry of a server, with its members in any order and form.
fn entry() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        "[a-z]{1,8}",
        "[ -~äß€🔑/]{8,30}",
        Just("gh".to_owned() + "p_aB3dE5gH7jK9mN1pQaB3dE5gH7jK9mN1pQaB")
    ];
    let env = vec(
        ("[A-Z]{1,4}(_TOKEN|_PASSWORD|_MODE)", value, 0..4_usize),
        0..4,
    );
    let args = prop::option::of(vec("[a-z/-]{0,8}", 0..4));
    let command = prop::option::weighted(0.9, "[a-z/]{1,10}");
    let order = Just([0_usize, 1, 2]).prop_shuffle();
    (command, args, env, order, vec(space(), 12), any::<bool>()).prop_map(
        |(command, args, env, order, spaces, trailing)| {
            let mut spaces = spaces.into_iter().cycle();
            let mut gap = move || spaces.next().unwrap();
            let comma = |members: Vec<String>, end: &str, gap: &mut dyn FnMut() -> String| {
                let end = if members.is_empty() { "" } else { end };
                let separator = format!("{},{}", gap(), gap());
                format!("{}{}{end}{}", gap(), members.join(&separator), gap())
            };
            let end = if trailing { "," } else { "" };
            let mut members = vec![String::new(); 3];
            if let Some(command) = command {
                members[order[0]] = format!("\"command\"{}:{}{}", gap(), gap(), json(&command, 0));
            }
            if let Some(args) = args {
                let args = args.iter().map(|it| json(it, 0)).collect();
                members[order[1]] = format!("\"args\":{}[{}]", gap(), comma(args, end, &mut gap));
            }
            let mut names = std::collections::HashSet::new();
            let env = env
                .into_iter()
                .filter(|(name, ..)| names.insert(name.clone()));
            let env: Vec<_> = env
                .map(|(name, value, style)| {
                    format!("{}:{}{}", json(&name, 0), " ", json(&value, style))
                })
                .collect();
            members[order[2]] = format!("\"env\": {{{}}}", comma(env, end, &mut gap));
            members.retain(|it| !it.is_empty());
            format!("{{{}}}", comma(members, end, &mut gap))
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 300 } else { 5_000 }))]

    #[test]
    fn adopting_and_undoing_gives_the_same_file(
        entries in vec(entry(), 0..4),
        around in vec(space(), 4),
        mark in any::<bool>(),
    ) {
        let servers: Vec<_> = entries.iter().enumerate().map(|(at, entry)| format!("\"s{at}\":{entry}")).collect();
        let text = format!(
            "{}{}{{{}\"other\": [1, {{\"env\": {{}}}}],{}\"mcpServers\": {{{}}}}}{}",
            if mark { "\u{feff}" } else { "" }, around[0], around[1], around[2], servers.join(","), around[3]
        );
        let config = parse(&text, Syntax::Json);
        let secrets = Store::in_memory(FixedKeys::generate()).unwrap();
        let adoption = store::plan(&config, &secrets, "/bin/mcplexer", &Choice::default()).unwrap();
        prop_assert_eq!(adoption.moved() == 0, adoption.text() == text.as_bytes());
        store::save(&adoption, &secrets).unwrap();

        let adopted = ClientConfig::parse(adoption.text(), Syntax::Json).unwrap();
        let references = adopted.references(&[]).unwrap();
        prop_assert_eq!(references.len(), adoption.moved());
        for finding in &adoption.findings {
            if let Outcome::Secret(reference) = &finding.outcome {
                prop_assert!(references.iter().any(|(it, _)| it == reference));
                let server = adopted.servers().iter().find(|it| it.name == finding.server).unwrap();
                prop_assert_eq!(server.start, Start::Adopted);
            }
        }
        let values: Vec<(_, SecretValue)> = references
            .iter()
            .map(|(it, _)| (it.clone(), secrets.get(&it.scope, &it.name).unwrap()))
            .collect();
        let lookup = |reference: &_| {
            values.iter().find(|(it, _)| it == reference).map(|(_, value)| value.expose())
        };
        let undone = adopted.undo(&[], &lookup).unwrap();
        prop_assert_eq!(String::from_utf8_lossy(undone.bytes()), text);
    }

    /// Any text is parsed or refused, in either syntax.
    #[test]
    fn any_text_is_read_or_refused(text in "[\\[\\]{}\",:=a-z\\\\'#/*&|>! \n-]{0,80}") {
        for syntax in [Syntax::Json, Syntax::Toml, Syntax::Yaml] {
            if let Ok(config) = ClientConfig::parse(text.as_bytes(), syntax) {
                plan(&config).unwrap();
            }
        }
    }
}

#[test]
fn debug_shows_no_value() {
    let text =
        "{\"mcpServers\": {\"s\": {\"command\": \"x\", \"env\": {\"A_TOKEN\": \"visible?\"}}}}";
    let config = parse(text, Syntax::Json);
    let adoption = plan(&config).unwrap();
    let shown = format!("{config:?} {adoption:?} {:?}", config.undo(&[], &|_| None));
    assert!(!shown.contains("visible"), "{shown}");
    assert!(shown.contains("A_TOKEN"), "{shown}");
}

/// Returns the undone file, with this value for every reference.
fn undo(adopted: &[u8], syntax: Syntax, value: &str) -> String {
    let adopted = ClientConfig::parse(adopted, syntax).unwrap();
    let undone = adopted.undo(&[], &|_| Some(value.as_bytes())).unwrap();
    String::from_utf8(undone.bytes().to_vec()).unwrap()
}

#[test]
fn a_value_that_changed_since_is_put_back_as_a_string_that_can_hold_it() {
    let file = |literal: &str| {
        format!("[mcp_servers.a]\ncommand = \"x\"\nenv = {{ A_TOKEN = {literal} }}\n")
    };
    for literal in [
        "'acme-prod-1'",
        "'''acme-prod-1'''",
        "\"\"\"acme-prod-1\"\"\"",
    ] {
        let text = file(literal);
        let adoption = plan(&parse(&text, Syntax::Toml)).unwrap();
        assert_eq!(adoption.moved(), 1, "{text}");
        assert_eq!(undo(adoption.text(), Syntax::Toml, "acme-prod-1"), text);
        let changed = undo(adoption.text(), Syntax::Toml, "it's '''a''' \"\"\"b\n\\");
        assert_eq!(changed, file(r#""it's '''a''' \"\"\"b\n\\""#));
        parse(&changed, Syntax::Toml);
    }
}

#[test]
fn a_command_with_spaces_is_a_program_if_the_caller_knows_it() {
    let text = r#"{"mcpServers": {
        "a": {"command": "/opt/my tools/server", "env": {"A_TOKEN": "acme-prod-1"}},
        "b": {"command": "npx -y server", "env": {"B_TOKEN": "acme-prod-2"}},
        "c": {"command": "/opt/my tools/server", "url": "https://example.com", "args": []}
    }}"#;
    let starts = |config: &ClientConfig| -> Vec<Start> {
        config.servers().iter().map(|it| it.start).collect()
    };
    let config = parse(text, Syntax::Json);
    assert_eq!(
        starts(&config),
        [Start::Unknown, Start::Unknown, Start::Command]
    );
    assert_eq!(plan(&config).unwrap().moved(), 0);
    let config = config.with_programs(|path| path == Path::new("/opt/my tools/server"));
    assert_eq!(
        starts(&config),
        [Start::Command, Start::Unknown, Start::Command]
    );
    let adoption = plan(&config).unwrap();
    assert_eq!(adoption.moved(), 1);
    let adopted = str::from_utf8(adoption.text()).unwrap();
    let started = r#"{"command": "/bin/mcplexer", "args": ["run", "/opt/my tools/server"], "env""#;
    assert!(adopted.contains(started), "{adopted}");
    assert_eq!(undo(adoption.text(), Syntax::Json, "acme-prod-1"), text);
}

#[test]
fn many_servers_on_one_line_or_on_many_move_and_each_value_is_looked_up_once() {
    const SERVERS: usize = if cfg!(debug_assertions) {
        2_000
    } else {
        20_000
    };
    let json = |end: &str| {
        let server = |at| {
            format!(
                r#""s{at}":{{"env":{{"A_TOKEN":"acme-prod-{at:06}"}},{end}"command":"x","note":"n"}}"#
            )
        };
        let servers: Vec<_> = (0..SERVERS).map(server).collect();
        format!(
            "{{\"mcpServers\":{{{}}}}}",
            servers.join(&format!(",{end}"))
        )
    };
    let lists = json("").replace("\"x\"", "[\"x\",\"y\"]");
    let block =
        |at| format!("  s{at}:\n    env:\n      A_TOKEN: acme-prod-{at:06}\n    command: x\n");
    let block: String = (0..SERVERS).map(block).collect();
    for (text, syntax) in [
        (json(""), Syntax::Json),
        (json("\n"), Syntax::Json),
        (lists, Syntax::Json),
        (json("").replace("\":", "\": "), Syntax::Yaml),
        (format!("mcpServers:\n{block}"), Syntax::Yaml),
    ] {
        let adoption = plan(&parse(&text, syntax)).unwrap();
        assert_eq!((adoption.moved(), adoption.servers()), (SERVERS, SERVERS));
        let adopted = ClientConfig::parse(adoption.text(), syntax).unwrap();
        let mut values = HashMap::new();
        for (scope, secrets) in adoption.secrets() {
            for (name, value) in secrets {
                values.insert((scope.clone(), name.clone()), value.expose());
            }
        }
        let lookups = Cell::new(0);
        let lookup = |it: &Reference| {
            lookups.set(lookups.get() + 1);
            values.get(&(it.scope.clone(), it.name.clone())).copied()
        };
        let undone = adopted.undo(&[], &lookup).unwrap();
        assert!(undone.bytes() == text.as_bytes());
        assert_eq!(lookups.get(), SERVERS);
    }
}
