//! Servers that are added to a file, replaced and removed: the rest of the file stays as it is.

use mcplexer_files::config::{
    Config, EditError, Http, Server, ServerName, Stdio, Transport, parse, with_server,
    without_server,
};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, prop_oneof};
use proptest::sample::select;

use super::run;

fn name(text: &str) -> ServerName {
    text.parse().unwrap()
}

/// A server with a variable.
fn server() -> Server {
    let mut stdio = Stdio::new(vec!["npx".to_owned(), "-y".to_owned()]);
    stdio.env.insert("LOG".to_owned(), "info".to_owned());
    Server::new(Transport::Stdio(stdio))
}

#[track_caller]
fn add(file: &str) -> String {
    with_server(file, &name("new"), &server()).unwrap_or_else(|error| panic!("{error:?}\n{file}"))
}

const BLOCK: &str = "  new:\n    command: [npx, \"-y\"]\n    env:\n      LOG: info\n";
const FLOW: &str = "new: { command: [npx, \"-y\"], env: { LOG: info } }";

#[test]
fn a_server_is_added_where_the_others_are() {
    let deep = BLOCK.replace('\n', "\n  ");
    let deep = format!("  {}", deep.trim_end_matches("  "));
    for (before, after) in [
        // The first server of a file.
        ("", format!("servers:\n{BLOCK}")),
        ("# mine\n", format!("# mine\nservers:\n{BLOCK}")),
        ("# mine", format!("# mine\nservers:\n{BLOCK}")),
        (
            "auth_scopes: []\n",
            format!("auth_scopes: []\nservers:\n{BLOCK}"),
        ),
        (
            "auth_scopes: [] # none",
            format!("auth_scopes: [] # none\nservers:\n{BLOCK}"),
        ),
        (
            "auth_scopes:\n- id: a # b\n\n# the end\n",
            format!("auth_scopes:\n- id: a # b\n\n# the end\nservers:\n{BLOCK}"),
        ),
        (
            "---\nauth_scopes: []\n...\n",
            format!("---\nauth_scopes: []\nservers:\n{BLOCK}...\n"),
        ),
        (
            "{auth_scopes: []}\n",
            format!("{{auth_scopes: [], servers: {{ {FLOW} }}}}\n"),
        ),
        (
            "\u{feff}auth_scopes: []\n",
            format!("\u{feff}auth_scopes: []\nservers:\n{BLOCK}"),
        ),
        (
            "  auth_scopes: []\n",
            format!("  auth_scopes: []\n  servers:\n{deep}"),
        ),
        // No server is left.
        ("servers: {}\n", format!("servers:\n{BLOCK}")),
        (
            "servers: {}\n# c\nclients: {a: {}}\n",
            format!("servers:\n{BLOCK}# c\nclients: {{a: {{}}}}\n"),
        ),
        (
            "servers:   { } # none\n",
            format!("servers:\n{} # none\n", BLOCK.trim_end()),
        ),
        ("{servers: {}}\n", format!("{{servers: {{ {FLOW} }}}}\n")),
        // One more.
        (
            "servers:\n  a: {command: [a]} # first\n",
            format!("servers:\n  a: {{command: [a]}} # first\n{BLOCK}"),
        ),
        (
            "servers:\n  a:\n    command:\n      - a # why\n      - b\n\n# c\nclients: {}\n",
            format!(
                "servers:\n  a:\n    command:\n      - a # why\n      - b\n{BLOCK}\n# c\nclients: {{}}\n"
            ),
        ),
        (
            "servers:\n  a:\n    command: [a]\n    env:\n      B: |\n        x\n        y\n",
            format!(
                "servers:\n  a:\n    command: [a]\n    env:\n      B: |\n        x\n        y\n{BLOCK}"
            ),
        ),
        (
            "servers:\n    a:\n        url: https://h/",
            format!("servers:\n    a:\n        url: https://h/\n{deep}"),
        ),
        (
            "servers: {a: {command: [a]}}\n",
            format!("servers: {{a: {{command: [a]}}, {FLOW}}}\n"),
        ),
        (
            "servers: {\n  a: {command: [a]}, # first\n}\n",
            format!("servers: {{\n  a: {{command: [a]}}, {FLOW}, # first\n}}\n"),
        ),
        (
            "{\"servers\": {\"a\": {\"command\": [\"a\"]}}}",
            format!("{{\"servers\": {{\"a\": {{\"command\": [\"a\"]}}, {FLOW}}}}}"),
        ),
        // In place of an earlier one.
        (
            "servers:\n  new: {command: [old]} # c\n  z: {command: [z]}\n",
            format!(
                "servers:\n{} # c\n  z: {{command: [z]}}\n",
                BLOCK.trim_end()
            ),
        ),
        (
            "servers:\n  # before\n  \"new\":\n    url: https://h/\n  # behind\n  z: {command: [z]}\n",
            format!("servers:\n  # before\n{BLOCK}  # behind\n  z: {{command: [z]}}\n"),
        ),
        (
            "servers: {new: {url: 'https://h/'}, z: {command: [z]}}\n",
            format!("servers: {{{FLOW}, z: {{command: [z]}}}}\n"),
        ),
    ] {
        assert_eq!(add(before), after, "{before}");
        let lines = before.replace('\n', "\r\n");
        let is_crlf = lines.contains('\r');
        let after = if is_crlf {
            after.replace('\n', "\r\n")
        } else {
            after
        };
        assert_eq!(add(&lines), after, "{lines:?}");
    }
}

#[test]
fn a_server_is_removed_and_nothing_else() {
    for (before, after) in [
        ("servers:\n  new:\n    command: [a]\n", "servers: {}\n"),
        (
            "servers: # mine\n  # one\n  new: {command: [a]} # x\n  # two\nclients: {}\n",
            "servers: {} # mine\n  # one\n  # two\nclients: {}\n",
        ),
        (
            "servers:\n  a: {command: [a]}\n  # why\n  new:\n    command:\n    - a\n\n  # z\n  z: {command: [z]}\n",
            "servers:\n  a: {command: [a]}\n  # why\n\n  # z\n  z: {command: [z]}\n",
        ),
        (
            "servers:\n  new: {command: [a]}\n  z: {command: [z]}",
            "servers:\n  z: {command: [z]}",
        ),
        ("servers: {new: {command: [a]}}\n", "servers: {}\n"),
        (
            "servers: {new: {command: [a]}, z: {command: [z]}}\n",
            "servers: {z: {command: [z]}}\n",
        ),
        (
            "servers: {a: {command: [a]}, new: {command: [a]}}\n",
            "servers: {a: {command: [a]}}\n",
        ),
        (
            "{\"servers\": {\"a\": {\"command\": [\"a\"]}, \"new\": {\"command\": [\"a\"]}}, \"auth_scopes\": []}",
            "{\"servers\": {\"a\": {\"command\": [\"a\"]}}, \"auth_scopes\": []}",
        ),
    ] {
        assert_eq!(without_server(before, &name("new")).as_deref(), Ok(after));
        let lines = before.replace('\n', "\r\n");
        let expected = after.replace('\n', "\r\n");
        assert_eq!(without_server(&lines, &name("new")), Ok(expected));
    }
}

#[test]
fn what_cannot_be_changed_is_refused() {
    let remove = |file: &str| without_server(file, &name("new")).unwrap_err();
    assert_eq!(remove("servers: {}\n"), EditError::NotFound);
    assert_eq!(remove(""), EditError::NotFound);
    let named = "servers: {new: {command: [a]}}\nclients: {a: {servers: [new]}, b: {}}\n";
    assert_eq!(remove(named), EditError::Named(vec![name("a")]));
    assert!(matches!(
        remove("servers: {new: {}}\n"),
        EditError::Invalid(_)
    ));
    let add = |file: &str, server: &Server| with_server(file, &name("new"), server).unwrap_err();
    assert!(matches!(
        add("servers: [\n", &server()),
        EditError::Invalid(_)
    ));
    let http = Server::new(Transport::Http(Http::new("http://example.com/".to_owned())));
    let EditError::Refused(problems) = add("servers: {}\n", &http) else {
        panic!("it is no URL to reach")
    };
    assert_eq!(problems[0].path, "servers.new.url");
    // The entry would have to stand between a key and its `:`.
    let unusual = "? servers\n: a: {command: [a]}\n";
    assert!(parse(unusual.as_bytes()).is_ok());
    assert_eq!(add(unusual, &server()), EditError::Unusual);
}

/// A file with servers in every notation, with comments between them.
fn file() -> impl Strategy<Value = (String, Vec<String>)> {
    let entry = prop_oneof![
        Just("{command: [a]}"),
        Just("{command: [a], env: {LOG: info}} # why"),
        Just("\n    command: [a]"),
        Just("\n    command:\n    - a\n    # not b\n    - c\n    env: {}"),
        Just(
            "\n\n    # at home\n    url: https://h/\n    headers:\n      X-A: >-\n        a\n        b"
        ),
        Just("# c\n    command: [a, \"b\n      c\"]\n    env:\n      A: |\n        x\n"),
        Just("{\n    command: [\n a, # b\n ],\n  }"),
    ];
    let between = select(vec!["", "\n", "  # c\n", "# c\n\n", "      # deeper\n"]);
    let begin = select(vec![
        "",
        "# c\n",
        "---\n",
        "auth_scopes: []\n",
        "auth_scopes:\n- id: a\n  name: |\n   x y\n",
    ]);
    let end = select(vec![
        "",
        "clients: {}\n",
        "# end\n",
        "\n\n",
        "...\n",
        "auth_scopes: []\n",
    ]);
    (begin, vec((between, entry), 1..5), end).prop_filter_map("twice", |(begin, entries, end)| {
        let mut text = format!("{begin}servers: # these\n");
        let mut names = Vec::new();
        for (at, (between, entry)) in entries.into_iter().enumerate() {
            text += &format!("{between}  s{at}: {entry}\n");
            names.push(format!("s{at}"));
        }
        text += end;
        parse(text.as_bytes()).is_ok().then_some((text, names))
    })
}

#[test]
fn an_edit_changes_one_server_and_keeps_every_other_line() {
    run(30, &file(), |(text, names)| {
        let config = parse(text.as_bytes()).unwrap();
        let added = add(&text);
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let kept = lines(&added.replacen(BLOCK, "", 1));
        assert_eq!(kept, lines(&text), "{added}");
        assert_eq!(
            without_server(&added, &name("new")).as_ref(),
            Ok(&text),
            "{added}"
        );
        for removed in names {
            let removed = name(&removed);
            let without = without_server(&text, &removed)
                .unwrap_or_else(|error| panic!("{error:?} {removed}\n{text}"));
            let mut expected: Config = config.clone();
            expected.servers.remove(&removed);
            assert_eq!(parse(without.as_bytes()).unwrap(), expected);
            let replaced = with_server(&text, &removed, &server())
                .unwrap_or_else(|error| panic!("{error:?} {removed}\n{text}"));
            expected.servers.insert(removed, server());
            assert_eq!(parse(replaced.as_bytes()).unwrap(), expected);
        }
        Ok(())
    });
}
