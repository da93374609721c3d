//! Configurations of AI clients: whatever they look like, adopting changes what it must and nothing
//! else, and undoing gives the same file.

#![cfg(test)]

use mcplexer_clients::{Becomes, Choice, ClientConfig, Start, Syntax};
use mcplexer_secrets::keys::FixedKeys;
use mcplexer_secrets::{SecretStore, SecretValue, Store};
use proptest::collection::vec;
use proptest::prelude::*;

fn store() -> Store {
    Store::in_memory(FixedKeys::generate()).unwrap()
}

/// A text as JSON has it, in one of the manners of encoders.
fn json(text: &str, manner: usize) -> String {
    let mut literal = serde_json::to_string(text).unwrap();
    if manner & 1 == 1 {
        literal = literal.replace('/', "\\/");
    }
    if manner & 2 == 2 {
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

/// What may stand between two tokens of JSON.
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

/// An entry of a server: its members in any order and form, and whether it has a credential.
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
                .map(|(name, value, manner)| {
                    format!("{}:{}{}", json(&name, 0), " ", json(&value, manner))
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
        let config = ClientConfig::parse(text.as_bytes(), Syntax::Json).unwrap();
        let store = store();
        let adoption = config.plan(&store, &Choice::default()).unwrap();
        prop_assert_eq!(adoption.moved() == 0, adoption.text() == text.as_bytes());
        adoption.store(&store).unwrap();

        let adopted = ClientConfig::parse(adoption.text(), Syntax::Json).unwrap();
        let references = adopted.references(&[]).unwrap();
        prop_assert_eq!(references.len(), adoption.moved());
        for finding in &adoption.findings {
            if let Becomes::Secret(reference) = &finding.becomes {
                prop_assert!(references.iter().any(|(it, _)| it == reference));
                let server = adopted.servers().iter().find(|it| it.name == finding.server).unwrap();
                prop_assert_eq!(server.start, Start::Adopted);
            }
        }
        let values: Vec<(_, SecretValue)> = references
            .iter()
            .map(|(it, _)| (it.clone(), store.get(&it.scope, &it.name).unwrap()))
            .collect();
        let lookup = |reference: &_| {
            values.iter().find(|(it, _)| it == reference).map(|(_, value)| value.expose())
        };
        let undone = adopted.undo(&[], &lookup).unwrap();
        prop_assert_eq!(String::from_utf8_lossy(undone.bytes()), text);
    }

    /// No text is too odd to be read or refused, in either syntax.
    #[test]
    fn any_text_is_read_or_refused(text in "[\\[\\]{}\",:=a-z\\\\'#/* \n]{0,80}") {
        for syntax in [Syntax::Json, Syntax::Toml] {
            if let Ok(config) = ClientConfig::parse(text.as_bytes(), syntax) {
                config.plan(&store(), &Choice::default()).unwrap();
            }
        }
    }
}

#[test]
fn debug_shows_no_value() {
    let text =
        "{\"mcpServers\": {\"s\": {\"command\": \"x\", \"env\": {\"A_TOKEN\": \"visible?\"}}}}";
    let config = ClientConfig::parse(text.as_bytes(), Syntax::Json).unwrap();
    let adoption = config.plan(&store(), &Choice::default()).unwrap();
    let shown = format!("{config:?} {adoption:?} {:?}", config.undo(&[], &|_| None));
    assert!(!shown.contains("visible"), "{shown}");
    assert!(shown.contains("A_TOKEN"), "{shown}");
}
